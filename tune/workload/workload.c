// SPDX-License-Identifier: Apache-2.0
// A benchmark's workload: data, operator, check.
#include "tune/workload/workload.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tune/common/random.h"

#define FULL_CHECK_MACS 4000000000ull
#define SLACK 64 // bytes behind every buffer

static float uniform(uint64_t *state) { return (float)(random_next(state) >> 40) * 0x1p-24f; } // [0, 1)

int workload_refuse(workload *s, const char *reason) {
    snprintf(s->reason, sizeof s->reason, "%s", reason);
    return 0;
}

static float *floats(uint64_t *seed, size_t count, float lo, float hi) {
    float *x = malloc(count * sizeof *x);
    for (size_t i = 0; x && i < count; i++) x[i] = lo + (hi - lo) * uniform(seed);
    return x;
}

static int make_weights(workload *s) {
    const shape *p = s->shape;
    uint64_t seed = s->request.seed ^ 0x5ee;
    const uint32_t taps = p->op == SHAPE_GEMM ? 1 : p->kernel * p->kernel_w;
    const uint32_t in = p->op == SHAPE_GEMM ? p->k : p->c_in, out = p->op == SHAPE_GEMM ? p->n : p->c_out;
    const uint32_t groups = p->op == SHAPE_GEMM ? 1 : p->groups;
    quernel_weights_desc d = QUERNEL_WEIGHTS_DESC_INIT;
    d.kind = p->op == SHAPE_GEMM ? QUERNEL_WEIGHTS_LINEAR : p->op == SHAPE_DECONV ? QUERNEL_WEIGHTS_DECONV2D : QUERNEL_WEIGHTS_CONV2D;
    d.out = out, d.in = in, d.groups = groups;
    if (p->op != SHAPE_GEMM) d.kernel_h = p->kernel, d.kernel_w = p->kernel_w;
    if (p->op == SHAPE_DECONV) d.deconv_stride_h = p->stride, d.deconv_stride_w = p->stride_w;
    const size_t count = (size_t)in / groups * out * taps;
    const size_t factors = s->request.smooth == QUERNEL_SMOOTH_COLUMN ? (size_t)in * taps : in;
    float *data = floats(&seed, count, -1.0f, 1.0f), *smooth = floats(&seed, factors, 0.5f, 2.0f);
    if (!data || !smooth) {
        free(data), free(smooth);
        return workload_refuse(s, "no memory");
    }
    d.data = data;
    d.smooth_kind = s->request.smooth;
    d.smooth = s->request.smooth ? smooth : NULL;
    quernel_error error = {0};
    const int code = quernel_weights_pack(&d, &s->weights, &error);
    free(data), free(smooth);
    return code ? workload_refuse(s, error.text) : 1;
}

// The finish of a row: int8 results that use their range, or plain floats.
static int make_finish(const workload *s, quernel_finish *f, float *bias, float *slopes) {
    const shape *p = s->shape;
    const int bytes = s->request.boundary != BOUNDARY_F32;
    const uint32_t out = p->op == SHAPE_GEMM ? p->n : p->c_out;
    for (uint32_t n = 0; n < out; n++) bias[n] = (float)(n % 7) * 0.125f, slopes[n] = 0.05f + (float)(n % 5) * 0.05f;
    f->bias = bias;
    if (s->request.s32) {
        f->bias = NULL;
        f->y_type = QUERNEL_TYPE_S32;
        return 1;
    }
    f->y_type = bytes ? s->request.x_type : QUERNEL_TYPE_F32;
    f->y_scale = 0.02f * (float)(p->k / 64 + 1);
    f->y_zero = f->y_type == QUERNEL_TYPE_U8 && strcmp(p->activation, "relu") ? 100 : 0;
    f->residual = p->residual != 0;
    f->residual_type = f->y_type;
    f->residual_scale = 0.02f;
    f->lo = 0.0f, f->hi = 6.0f, f->slope = 0.1f, f->slopes = slopes; // each is read by its own activation alone
    static const struct {
        const char *name;
        int32_t activation;
    } names[] = {{"none", QUERNEL_ACTIVATION_NONE},   {"", QUERNEL_ACTIVATION_NONE},       {"relu", QUERNEL_ACTIVATION_RELU},
                 {"relu6", QUERNEL_ACTIVATION_CLAMP}, {"leaky", QUERNEL_ACTIVATION_LEAKY}, {"prelu", QUERNEL_ACTIVATION_PRELU},
                 {"hswish", QUERNEL_ACTIVATION_HSWISH}, {"hsigmoid", QUERNEL_ACTIVATION_HSIGMOID},
                 {"silu", QUERNEL_ACTIVATION_SILU},   {"gelu", QUERNEL_ACTIVATION_GELU},
                 {"sigmoid", QUERNEL_ACTIVATION_SIGMOID}, {"tanh", QUERNEL_ACTIVATION_TANH}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(p->activation, names[i].name)) {
            f->activation = names[i].activation;
            return 1;
        }
    return 0;
}

static void make_quant(const workload *s, quernel_quant *q) {
    const int f32 = s->request.boundary == BOUNDARY_F32;
    q->type = s->request.x_type;
    q->mode = s->request.dynamic && f32 ? QUERNEL_QUANT_DYNAMIC_CALL : QUERNEL_QUANT_STATIC;
    q->scale = 1.0f / 64;
    q->zero = q->mode == QUERNEL_QUANT_STATIC && q->type == QUERNEL_TYPE_U8 && !f32 ? 3 : 0;
}

// A crop of the layer to lines [line0, line1) of its output.
typedef struct crop {
    uint32_t line0, line1;
    size_t x_skip, y_skip; // elements from the whole tensors' first to the crop's
} crop;

static int64_t clamp_line(int64_t line, int64_t lines) { return line < 0 ? 0 : line > lines ? lines : line; }

// The input lines that the crop's first and last output lines meet.
static void crop_conv(const shape *p, quernel_conv2d_desc *d, const crop *c, int64_t *from, int64_t *to) {
    const int64_t first = (int64_t)c->line0 * p->stride - p->pad;
    const int64_t last = (int64_t)(c->line1 - 1) * p->stride - p->pad + (int64_t)(p->kernel - 1) * p->dilation + 1;
    *from = clamp_line(first, p->h), *to = clamp_line(last, p->h);
    d->pad_top = (uint32_t)(*from - first), d->pad_bottom = (uint32_t)(last - *to);
}

static void crop_deconv(const shape *p, quernel_conv2d_desc *d, const crop *c, int64_t *from, int64_t *to) {
    const int64_t first = (int64_t)c->line0 + p->pad, reach = (int64_t)(p->kernel - 1) * p->dilation;
    *from = clamp_line((first - reach) / p->stride, (int64_t)p->h - 1);
    *to = clamp_line(((int64_t)c->line1 - 1 + p->pad) / p->stride + 1, p->h);
    const int64_t above = first - *from * p->stride, lines = (*to - *from - 1) * p->stride + reach + 1 - above;
    const int64_t more = lines - (c->line1 - c->line0);
    d->pad_top = (uint32_t)above, d->pad_bottom = more > 0 ? (uint32_t)more : 0, d->out_pad_h = more < 0 ? (uint32_t)-more : 0;
}

static void crop_layer(const workload *s, quernel_conv2d_desc *d, crop *c) {
    int64_t from, to;
    (s->shape->op == SHAPE_DECONV ? crop_deconv : crop_conv)(s->shape, d, c, &from, &to);
    d->x.h = (uint32_t)(to - from);
    c->x_skip = (size_t)from * (size_t)s->x.stride_h;
    c->y_skip = (size_t)c->line0 * (size_t)s->y.stride_h;
}

static int make_operator(workload *s, int32_t isa, crop *c, quernel_operator **ret_op, quernel_error *error) {
    const shape *p = s->shape;
    const uint32_t out = p->op == SHAPE_GEMM ? p->n : p->c_out;
    float *bias = malloc(out * sizeof *bias), *slopes = malloc(out * sizeof *slopes);
    if (!bias || !slopes) {
        free(bias), free(slopes);
        return QUERNEL_E_MEMORY;
    }
    int code;
    if (p->op == SHAPE_GEMM) {
        quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
        d.weights = s->weights, d.m = c ? c->line1 - c->line0 : p->m, d.x_type = s->x.type;
        if (c) c->x_skip = (size_t)c->line0 * p->k, c->y_skip = (size_t)c->line0 * p->n;
        make_quant(s, &d.quant);
        make_finish(s, &d.finish, bias, slopes);
        d.threads = c ? 1 : s->request.threads, d.isa = isa, d.config = c ? NULL : s->request.config;
        code = quernel_linear_create(&d, ret_op, error);
    } else {
        quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
        d.weights = s->weights, d.x = s->x, d.y = s->y, d.residual = s->residual;
        d.stride_h = p->stride, d.stride_w = p->stride_w, d.dilation_h = d.dilation_w = p->dilation;
        d.pad_top = d.pad_bottom = p->pad, d.pad_left = d.pad_right = p->pad_w;
        d.out_pad_h = d.out_pad_w = p->out_pad;
        if (c) {
            crop_layer(s, &d, c);
            d.x.border_h = d.x.border_w = 0;
            d.y.border_h = d.y.border_w = d.y.h = d.residual.h = 0;
        }
        make_quant(s, &d.quant);
        make_finish(s, &d.finish, bias, slopes);
        d.threads = c ? 1 : s->request.threads, d.isa = isa, d.config = c ? NULL : s->request.config;
        code = (p->op == SHAPE_DECONV ? quernel_deconv2d_create : quernel_conv2d_create)(&d, ret_op, error);
    }
    free(bias), free(slopes);
    return code;
}

// Lays out one tensor: a chain tensor with a border, or dense.
static int make_tensor(workload *s, quernel_tensor *t, uint32_t border, size_t *ret_bytes, size_t *ret_offset) {
    quernel_error error = {0};
    *ret_offset = 0;
    if (s->request.boundary == BOUNDARY_INT8 && s->shape->op != SHAPE_GEMM) {
        if (quernel_chain_describe(t, border, border, ret_bytes, ret_offset, &error)) return workload_refuse(s, error.text);
        return 1;
    }
    t->layout = s->request.boundary == BOUNDARY_F32 && s->request.nchw && s->shape->op != SHAPE_GEMM ? QUERNEL_LAYOUT_NCHW : QUERNEL_LAYOUT_NHWC;
    const int64_t inner = t->layout == QUERNEL_LAYOUT_NCHW ? t->w : t->c;
    t->stride_c = t->layout == QUERNEL_LAYOUT_NCHW ? (int64_t)t->h * t->w : 1;
    t->stride_w = t->layout == QUERNEL_LAYOUT_NCHW ? 1 : t->c;
    t->stride_h = t->layout == QUERNEL_LAYOUT_NCHW ? inner : (int64_t)t->w * t->c;
    t->stride_n = (int64_t)t->h * t->w * t->c;
    *ret_bytes = (size_t)t->n * t->h * t->w * t->c * quernel_type_size((quernel_type)t->type) + SLACK;
    return 1;
}

static uint8_t *fill(size_t bytes, int32_t type, uint64_t seed) {
    bytes = (bytes + 63) / 64 * 64;
    uint8_t *memory = aligned_alloc(64, bytes);
    if (!memory) return NULL;
    if (type == QUERNEL_TYPE_F32)
        for (size_t i = 0; i + 4 <= bytes; i += 4) {
            const float x = uniform(&seed) * 5.0f - 1.5f;
            memcpy(memory + i, &x, sizeof x);
        }
    else
        for (size_t i = 0; i < bytes; i++) memory[i] = (uint8_t)(random_next(&seed) >> 56);
    return memory;
}

// Extremes among the data: what saturates where something can.
static void strew_extremes(workload *s) {
    static const uint8_t bytes[] = {0, 255, 128, 127};
    static const float numbers[] = {INFINITY, -INFINITY, NAN, 3e38f};
    uint64_t seed = s->request.seed;
    const int f32 = s->x.type == QUERNEL_TYPE_F32;
    for (size_t i = 0; i + 4 <= s->x_bytes; i += 4) {
        const uint32_t dice = (uint32_t)(random_next(&seed) >> 40);
        if (f32 && dice % 64 == 0) memcpy(s->x_memory + i, &numbers[dice / 64 % 4], 4);
        else if (!f32 && dice % 8 == 0) s->x_memory[i + dice / 8 % 4] = bytes[dice / 32 % 4];
    }
}

// A chain tensor's border holds the zero point, as the layer before would have left it.
static void fill_border(const workload *s) {
    const quernel_tensor *t = &s->x;
    quernel_quant q = QUERNEL_QUANT_INIT;
    make_quant(s, &q);
    for (uint32_t n = 0; n < t->n; n++)
        for (int64_t i = -(int64_t)t->border_h; i < (int64_t)t->h + t->border_h; i++)
            for (int64_t j = -(int64_t)t->border_w; j < (int64_t)t->w + t->border_w; j++) {
                if (i >= 0 && i < t->h && j >= 0 && j < t->w) continue;
                memset(s->x_memory + s->x_offset + n * t->stride_n + i * t->stride_h + j * t->stride_w, q.zero, t->c);
            }
}

static int make_tensors(workload *s) {
    const shape *p = s->shape;
    const int f32 = s->request.boundary == BOUNDARY_F32, gemm = p->op == SHAPE_GEMM;
    const int32_t type = f32 ? QUERNEL_TYPE_F32 : s->request.x_type, y_type = s->request.s32 ? QUERNEL_TYPE_S32 : type;
    s->x = (quernel_tensor){.type = type, .n = gemm ? 1 : p->batch, .c = gemm ? p->k : p->c_in, .h = gemm ? p->m : p->h, .w = gemm ? 1 : p->w};
    s->y = (quernel_tensor){.type = y_type, .n = gemm ? 1 : p->batch, .c = gemm ? p->n : p->c_out, .h = gemm ? p->m : p->h_out, .w = gemm ? 1 : p->w_out};
    s->residual = s->y;
    const uint32_t border = gemm ? 0 : p->pad > p->pad_w ? p->pad : p->pad_w;
    if (!make_tensor(s, &s->x, border, &s->x_bytes, &s->x_offset)) return 0;
    if (!make_tensor(s, &s->y, 1, &s->y_bytes, &s->y_offset)) return 0;
    if (!make_tensor(s, &s->residual, 1, &s->residual_bytes, &s->residual_offset)) return 0;
    s->x_memory = fill(s->x_bytes, type, s->request.seed ^ 0xda7a);
    s->y_memory = fill(s->y_bytes, type, 1);
    s->residual_memory = p->residual ? fill(s->residual_bytes, type, s->request.seed ^ 0x4e5) : NULL;
    if (!s->x_memory || !s->y_memory || (p->residual && !s->residual_memory)) return workload_refuse(s, "no memory");
    if (s->request.extremes) strew_extremes(s);
    fill_border(s);
    return 1;
}

int workload_make(workload *s, const shape *p, const request *r) {
    *s = (workload){.shape = p, .request = *r};
    quernel_finish finish = QUERNEL_FINISH_INIT;
    const uint32_t out = p->op == SHAPE_GEMM ? p->n : p->c_out;
    float *tables = calloc(2 * (size_t)out, sizeof *tables);
    const int offered = tables && make_finish(s, &finish, tables, tables + out);
    free(tables);
    if (!offered) return workload_refuse(s, "unknown activation");
    if (p->op == SHAPE_DEPTHWISE && (p->groups != p->c_in || p->c_out != p->c_in)) return workload_refuse(s, "not a depthwise layer");
    if (!make_weights(s) || !make_tensors(s)) return 0;
    quernel_error error = {0};
    if (make_operator(s, r->isa, NULL, &s->op, &error)) return workload_refuse(s, error.text);
    s->workspace_bytes = quernel_operator_workspace(s->op);
    s->workspace = s->workspace_bytes ? aligned_alloc(64, s->workspace_bytes) : NULL;
    quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
    quernel_weights_get(s->weights, &info);
    s->weights_bytes = info.packed_bytes;
    return s->workspace || !s->workspace_bytes ? 1 : workload_refuse(s, "no memory");
}

void workload_free(workload *s) {
    quernel_operator_destroy(s->op);
    quernel_weights_release(s->weights);
    free(s->x_memory), free(s->y_memory), free(s->residual_memory), free(s->workspace);
}

int workload_operator(workload *s, const char *config, quernel_operator **ret_op, quernel_error *error) {
    const char *own = s->request.config;
    s->request.config = config;
    const int code = make_operator(s, s->request.isa, NULL, ret_op, error);
    s->request.config = own;
    return code;
}

int workload_run(workload *s, const quernel_parallel *parallel) {
    const void *residual = s->residual_memory ? s->residual_memory + s->residual_offset : NULL;
    return quernel_operator_run(s->op, s->x_memory + s->x_offset, residual, s->y_memory + s->y_offset, s->workspace,
                                s->workspace_bytes, parallel, NULL);
}

// Runs ref on a crop and counts the elements that differ.
static uint64_t check_crop(workload *s, crop c, uint64_t *checked) {
    quernel_operator *op;
    quernel_error error = {0};
    if (make_operator(s, QUERNEL_ISA_REF, &c, &op, &error)) return UINT64_MAX;
    const size_t bytes = quernel_operator_workspace(op), size = quernel_type_size((quernel_type)s->y.type);
    uint8_t *workspace = aligned_alloc(64, bytes ? bytes : 64), *y = aligned_alloc(64, (s->y_bytes + 63) / 64 * 64);
    uint64_t wrong = UINT64_MAX;
    const size_t x_skip = s->x_offset + c.x_skip * quernel_type_size((quernel_type)s->x.type), y_skip = s->y_offset + c.y_skip * size;
    const uint8_t *residual = s->residual_memory ? s->residual_memory + s->residual_offset + c.y_skip * size : NULL;
    if (workspace && y && !quernel_operator_run(op, s->x_memory + x_skip, residual, y + y_skip, workspace, bytes, NULL, &error)) {
        wrong = 0;
        const uint32_t lines = c.line1 - c.line0;
        for (uint32_t n = 0; n < s->y.n; n++)
            for (uint32_t h = 0; h < lines; h++)
                for (uint32_t w = 0; w < s->y.w; w++)
                    for (uint32_t ch = 0; ch < s->y.c; ch++) {
                        const size_t at = y_skip + size * (size_t)(n * s->y.stride_n + h * s->y.stride_h + w * s->y.stride_w + ch * s->y.stride_c);
                        wrong += memcmp(y + at, s->y_memory + at, size) != 0;
                        ++*checked;
                    }
    }
    free(workspace), free(y);
    quernel_operator_destroy(op);
    return wrong;
}

uint64_t workload_check(workload *s, uint64_t *ret_checked) {
    const shape *p = s->shape;
    const uint32_t lines = p->op == SHAPE_GEMM ? p->m : p->h_out;
    *ret_checked = 0;
    const uint64_t full = s->request.full_check ? s->request.full_check : FULL_CHECK_MACS;
    if (p->macs <= full || (s->request.dynamic && s->request.boundary == BOUNDARY_F32))
        return check_crop(s, (crop){0, lines, 0, 0}, ret_checked);
    const uint32_t wide = p->op == SHAPE_GEMM ? 1 : p->w, some = 64 / wide + 1;
    uint64_t seed = s->request.seed, wrong = 0;
    for (uint32_t i = 0; i < some + 2; i++) {
        const uint32_t line = i == 0 ? 0 : i == 1 ? lines - 1 : (uint32_t)(random_next(&seed) % lines);
        const uint64_t bad = check_crop(s, (crop){line, line + 1, 0, 0}, ret_checked);
        if (bad == UINT64_MAX) return bad;
        wrong += bad;
    }
    return wrong;
}
