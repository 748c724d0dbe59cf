// SPDX-License-Identifier: Apache-2.0
// The operator of a workload, or of a crop of it.
#include <stdlib.h>
#include <string.h>

#include "tune/workload/parts.h"

// −1 where the name is unknown.
static int32_t activation_named(const char *name) {
    static const struct {
        const char *name;
        int32_t activation;
    } names[] = {{"none", QUERNEL_ACTIVATION_NONE},       {"", QUERNEL_ACTIVATION_NONE},
                 {"relu", QUERNEL_ACTIVATION_RELU},       {"relu6", QUERNEL_ACTIVATION_CLAMP},
                 {"leaky", QUERNEL_ACTIVATION_LEAKY},     {"prelu", QUERNEL_ACTIVATION_PRELU},
                 {"hswish", QUERNEL_ACTIVATION_HSWISH},   {"hsigmoid", QUERNEL_ACTIVATION_HSIGMOID},
                 {"silu", QUERNEL_ACTIVATION_SILU},       {"gelu", QUERNEL_ACTIVATION_GELU},
                 {"sigmoid", QUERNEL_ACTIVATION_SIGMOID}, {"tanh", QUERNEL_ACTIVATION_TANH}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i].name)) return names[i].activation;
    return -1;
}

bool workload_set_activation(const char *name, quernel_epilogue *f) {
    f->activation = activation_named(name);
    f->lo = 0.0f, f->hi = 6.0f, f->slope = 0.1f; // each is read by its own activation alone
    return f->activation >= 0;
}

void workload_fill_channels(uint32_t out, float *bias, float *slopes) {
    for (uint32_t n = 0; n < out; n++)
        bias[n] = (float)(n % 7) * 0.125f, slopes[n] = 0.05f + (float)(n % 5) * 0.05f;
}

static void make_epilogue(const workload *w, quernel_epilogue *f, float *bias, float *slopes) {
    const shape *p = w->shape;
    workload_fill_channels(shape_out(p), bias, slopes);
    if (w->request.s32) {
        f->y_type = QUERNEL_TYPE_S32;
        return;
    }
    f->bias = bias;
    f->y_type = w->request.boundary != BOUNDARY_F32 ? w->request.x_type : QUERNEL_TYPE_F32;
    f->y_scale = 0.02f * (float)(p->k / 64 + 1); // int8 results use their range
    f->y_zero = f->y_type == QUERNEL_TYPE_U8 && strcmp(p->activation, "relu") ? 100 : 0;
    f->residual = p->residual != 0;
    f->residual_type = f->y_type;
    f->residual_scale = 0.02f;
    f->slopes = slopes;
    workload_set_activation(p->activation, f);
}

// Borders of int8 tensors hold a zero point that is not 0: a kernel that pads with zeros is seen.
void workload_quant(const workload *w, quernel_quant *q) {
    const int f32 = w->request.boundary == BOUNDARY_F32;
    q->type = w->request.x_type;
    q->mode = w->request.dynamic && f32 ? QUERNEL_QUANT_DYNAMIC_CALL : QUERNEL_QUANT_STATIC;
    q->scale = 1.0f / 64;
    q->zero = q->mode == QUERNEL_QUANT_STATIC && q->type == QUERNEL_TYPE_U8 && !f32 ? 3 : 0;
}

static int64_t clamp_line(int64_t line, int64_t lines) {
    return line < 0 ? 0 : line > lines ? lines : line;
}

// The input lines that the crop's first and last output lines meet.
static void crop_conv(const shape *p, quernel_conv2d_desc *d, const crop *c, int64_t *from,
                      int64_t *to) {
    const int64_t first = (int64_t)c->line0 * p->stride - p->pad;
    const int64_t last =
        (int64_t)(c->line1 - 1) * p->stride - p->pad + (int64_t)(p->kernel - 1) * p->dilation + 1;
    *from = clamp_line(first, p->h), *to = clamp_line(last, p->h);
    d->pad_top = (uint32_t)(*from - first), d->pad_bottom = (uint32_t)(last - *to);
}

// The input lines whose patches meet the crop: pad_top and pad_bottom cut what they give above and
// below it, out_pad_h makes up for what is missing below.
static void crop_deconv(const shape *p, quernel_conv2d_desc *d, const crop *c, int64_t *from,
                        int64_t *to) {
    const int64_t first = (int64_t)c->line0 + p->pad,
                  reach = (int64_t)(p->kernel - 1) * p->dilation;
    *from = clamp_line((first - reach) / p->stride, (int64_t)p->h - 1);
    *to = clamp_line(((int64_t)c->line1 - 1 + p->pad) / p->stride + 1, p->h);
    const int64_t above = first - *from * p->stride,
                  lines = (*to - *from - 1) * p->stride + reach + 1 - above;
    const int64_t more = lines - (c->line1 - c->line0);
    d->pad_top = (uint32_t)above;
    d->pad_bottom = more > 0 ? (uint32_t)more : 0, d->out_pad_h = more < 0 ? (uint32_t)-more : 0;
}

// The crop as a layer of its own: other heights and paddings, no borders but the skipped lines.
static void crop_layer(const workload *w, quernel_conv2d_desc *d, crop *c) {
    int64_t from, to;
    (w->shape->op == SHAPE_DECONV ? crop_deconv : crop_conv)(w->shape, d, c, &from, &to);
    d->x.h = (uint32_t)(to - from);
    d->x.border_h = d->x.border_w = 0;
    d->y.border_h = d->y.border_w = d->y.h = d->residual.h = 0;
    c->x_skip = (size_t)from * (size_t)w->x.stride_h;
    c->y_skip = (size_t)c->line0 * (size_t)w->y.stride_h;
}

static quernel_linear_desc describe_linear(const workload *w, crop *c) {
    const shape *p = w->shape;
    quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
    d.weights = w->weights, d.x_type = w->x.type;
    d.m = c ? c->line1 - c->line0 : p->m;
    if (c) c->x_skip = (size_t)c->line0 * p->k, c->y_skip = (size_t)c->line0 * p->n;
    workload_quant(w, &d.quant);
    d.threads = c ? 1 : w->request.threads, d.config = c ? NULL : w->request.config;
    return d;
}

static quernel_conv2d_desc describe_conv(const workload *w, crop *c) {
    const shape *p = w->shape;
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    d.weights = w->weights, d.x = w->x, d.y = w->y, d.residual = w->residual;
    d.stride_h = p->stride, d.stride_w = p->stride_w, d.dilation_h = d.dilation_w = p->dilation;
    d.pad_top = d.pad_bottom = p->pad, d.pad_left = d.pad_right = p->pad_w;
    d.out_pad_h = d.out_pad_w = p->out_pad;
    if (c) crop_layer(w, &d, c);
    workload_quant(w, &d.quant);
    d.threads = c ? 1 : w->request.threads, d.config = c ? NULL : w->request.config;
    return d;
}

static int create_linear(const workload *w, int32_t isa, crop *c, const quernel_epilogue *epilogue,
                         quernel_operator **ret_op, quernel_error *error) {
    quernel_linear_desc d = describe_linear(w, c);
    d.isa = isa, d.epilogue = *epilogue;
    return quernel_linear_create(&d, ret_op, error);
}

static int create_conv(const workload *w, int32_t isa, crop *c, const quernel_epilogue *epilogue,
                       quernel_operator **ret_op, quernel_error *error) {
    quernel_conv2d_desc d = describe_conv(w, c);
    d.isa = isa, d.epilogue = *epilogue;
    const bool deconv = w->shape->op == SHAPE_DECONV;
    return (deconv ? quernel_deconv2d_create : quernel_conv2d_create)(&d, ret_op, error);
}

// The tables of the epilogue are read while the operator is created, not later.
int workload_make_operator(workload *w, int32_t isa, crop *c, quernel_operator **ret_op,
                           quernel_error *error) {
    const uint32_t out = shape_out(w->shape);
    float *bias = malloc(2 * (size_t)out * sizeof *bias);
    if (!bias) return QUERNEL_E_MEMORY;
    quernel_epilogue epilogue = QUERNEL_EPILOGUE_INIT;
    make_epilogue(w, &epilogue, bias, bias + out);
    const int code = (w->shape->op == SHAPE_GEMM ? create_linear : create_conv)(
        w, isa, c, &epilogue, ret_op, error);
    free(bias);
    return code;
}
