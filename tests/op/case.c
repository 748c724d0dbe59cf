// SPDX-License-Identifier: Apache-2.0
// Draws random operators. Small shapes mostly, with every option of the descriptors now and then.
#include "case.h"
#include "cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

const char *const op_names[OP_KINDS] = {"linear", "conv2d", "deconv2d"};

static bool is_int8(int type) { return type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8; }

static void *own(op_case *c, size_t count, size_t bytes) {
    void *memory = malloc(count * bytes);
    if (!memory) abort();
    c->owned_bytes[c->n_owned] = count * bytes;
    c->owned[c->n_owned++] = memory;
    return memory;
}

static float *own_scales(op_case *c, size_t count, float middle) {
    float *a = own(c, count, sizeof *a);
    for (size_t i = 0; i < count; i++) a[i] = middle * rng_scale(&c->r, -2, 1);
    return a;
}

static float *own_floats(op_case *c, size_t count, float lo, float hi) {
    float *a = own(c, count, sizeof *a);
    for (size_t i = 0; i < count; i++) {
        a[i] = rng_float(&c->r, lo, hi);
        if (rng_one_in(&c->r, 16)) a[i] = rng_one_in(&c->r, 2) ? 0.0f : -0.0f;
    }
    return a;
}

// ---- shape ----

static uint32_t small(op_case *c, int max) {
    return (uint32_t)(rng_one_in(&c->r, 3) ? rng_int(&c->r, 1, max)
                                           : rng_int(&c->r, 1, max < 8 ? max : 8));
}

static void draw_linear_shape(op_case *c, bool large) {
    c->conv.x.n = c->conv.x.w = 1;
    c->conv.x.h = large ? (uint32_t)rng_int(&c->r, 1, 150) : small(c, 40);
    c->weights.in = (uint32_t)rng_int(&c->r, 1, large ? 3000 : rng_one_in(&c->r, 4) ? 260 : 40);
    c->weights.out = (uint32_t)rng_int(&c->r, 1, large ? 400 : rng_one_in(&c->r, 4) ? 80 : 36);
}

static void draw_groups(op_case *c, int max) {
    quernel_weights_desc *w = &c->weights;
    w->groups = rng_one_in(&c->r, 3) ? (uint32_t)rng_int(&c->r, 1, 20) : 1;
    const uint32_t in = (uint32_t)rng_int(&c->r, 1, w->groups > 1 ? 5 : max);
    const uint32_t out = (uint32_t)rng_int(&c->r, 1, w->groups > 1 ? 5 : max);
    const bool depthwise = rng_one_in(&c->r, 2) && w->groups > 1;
    w->in = depthwise ? w->groups : in * w->groups;
    w->out = depthwise ? w->groups : out * w->groups;
}

// One direction of a deconvolution: the kernel as stride, or any.
static void draw_patch(op_case *c, uint32_t kernel, uint32_t *stride, uint32_t *dilation,
                       uint32_t *out_pad) {
    *stride =
        rng_one_in(&c->r, 4) ? kernel : (uint32_t)rng_int(&c->r, 1, rng_one_in(&c->r, 3) ? 5 : 2);
    if (*stride == 1 && rng_one_in(&c->r, 2)) *dilation = (uint32_t)rng_int(&c->r, 1, 3);
    if (rng_one_in(&c->r, 3))
        *out_pad =
            (uint32_t)rng_int(&c->r, 0, (int)(*stride > *dilation ? *stride : *dilation) - 1);
}

static void draw_window(op_case *c) {
    quernel_conv2d_desc *d = &c->conv;
    quernel_weights_desc *w = &c->weights;
    w->kernel_h = (uint32_t)rng_int(&c->r, 1, rng_one_in(&c->r, 4) ? 7 : 3);
    w->kernel_w = rng_one_in(&c->r, 2) ? w->kernel_h : (uint32_t)rng_int(&c->r, 1, 5);
    if (c->kind == OP_DECONV2D) {
        draw_patch(c, w->kernel_h, &d->stride_h, &d->dilation_h, &d->out_pad_h);
        draw_patch(c, w->kernel_w, &d->stride_w, &d->dilation_w, &d->out_pad_w);
        if (d->stride_h != w->kernel_h || rng_one_in(&c->r, 2)) w->deconv_stride_h = d->stride_h;
        if (d->stride_w != w->kernel_w || rng_one_in(&c->r, 2)) w->deconv_stride_w = d->stride_w;
        return;
    }
    d->stride_h = (uint32_t)rng_int(&c->r, 1, rng_one_in(&c->r, 3) ? 4 : 2);
    d->stride_w = rng_one_in(&c->r, 2) ? d->stride_h : (uint32_t)rng_int(&c->r, 1, 3);
    if (rng_one_in(&c->r, 4)) {
        d->dilation_h = (uint32_t)rng_int(&c->r, 1, 3);
        d->dilation_w = (uint32_t)rng_int(&c->r, 1, 3);
    }
    const int reach_h = (int)(d->dilation_h * (w->kernel_h - 1)),
              reach_w = (int)(d->dilation_w * (w->kernel_w - 1));
    d->pad_top = d->pad_bottom = (uint32_t)reach_h / 2;
    d->pad_left = d->pad_right = (uint32_t)reach_w / 2;
    if (rng_one_in(&c->r, 2)) {
        d->pad_top = (uint32_t)rng_int(&c->r, 0, reach_h + 1);
        d->pad_bottom = (uint32_t)rng_int(&c->r, 0, reach_h + 1);
        d->pad_left = (uint32_t)rng_int(&c->r, 0, reach_w + 1);
        d->pad_right = (uint32_t)rng_int(&c->r, 0, reach_w + 1);
    }
    const int min_h = reach_h + 1 - (int)(d->pad_top + d->pad_bottom);
    const int min_w = reach_w + 1 - (int)(d->pad_left + d->pad_right);
    if ((int)d->x.h < min_h) d->x.h = (uint32_t)min_h;
    if ((int)d->x.w < min_w) d->x.w = (uint32_t)min_w;
}

/// A shape that has kernels of its own: 3x3, stride and dilation 1, channels a multiple of 4.
static void make_dense_3x3(op_case *c) {
    quernel_conv2d_desc *d = &c->conv;
    c->weights.kernel_h = c->weights.kernel_w = 3;
    c->weights.groups = 1;
    c->weights.in = 4 * (uint32_t)rng_int(&c->r, 4, 12);
    d->stride_h = d->stride_w = d->dilation_h = d->dilation_w = 1;
    d->pad_top = d->pad_left = d->pad_bottom = d->pad_right = (uint32_t)rng_int(&c->r, 0, 2);
    if (d->x.h < 3) d->x.h = 3;
    if (d->x.w < 3) d->x.w = 3;
}

/// Another one: a tall kernel over few channels.
static void make_stem(op_case *c) {
    quernel_conv2d_desc *d = &c->conv;
    quernel_weights_desc *w = &c->weights;
    w->groups = 1;
    w->in = (uint32_t)rng_int(&c->r, 1, 6);
    d->stride_h = (uint32_t)rng_int(&c->r, 1, 2);
    w->kernel_h = (uint32_t)rng_int(&c->r, 3, 8);
    w->kernel_w = (uint32_t)rng_int(&c->r, (int)d->stride_w, 8);
    d->dilation_h = d->dilation_w = 1;
    d->pad_top = d->pad_left = d->pad_bottom = d->pad_right = (uint32_t)rng_int(&c->r, 0, 3);
    if (d->x.h < w->kernel_h) d->x.h = w->kernel_h;
    if (d->x.w < w->kernel_w) d->x.w = w->kernel_w;
}

static void draw_image_shape(op_case *c, bool large) {
    quernel_tensor *x = &c->conv.x;
    x->n = (uint32_t)rng_int(&c->r, 1, rng_one_in(&c->r, 3) ? 3 : 1);
    x->h = small(c, large ? 40 : 14);
    x->w = large ? (uint32_t)rng_int(&c->r, 1, 70) : small(c, 24);
    draw_groups(c, large ? 160 : rng_one_in(&c->r, 4) ? 70 : 20);
    draw_window(c);
    if (c->kind == OP_CONV2D && rng_one_in(&c->r, 6)) make_dense_3x3(c);
    else if (c->kind == OP_CONV2D && rng_one_in(&c->r, 6)) make_stem(c);
}

/// Halves the largest size until the case costs at most `budget` products.
static void limit(op_case *c, double budget) {
    quernel_weights_desc *w = &c->weights;
    quernel_tensor *x = &c->conv.x;
    for (;;) {
        const double macs = (double)x->n * x->h * x->w * w->out * (w->in / w->groups) *
                            w->kernel_h * w->kernel_w /
                            (c->kind == OP_CONV2D ? c->conv.stride_h * c->conv.stride_w : 1);
        if (macs <= budget) return;
        if (w->groups == 1 && w->in >= w->out && w->in > 4) w->in /= 2;
        else if (w->groups == 1 && w->out > 4) w->out /= 2;
        else if (x->n > 1) x->n--;
        else if (x->h > w->kernel_h * c->conv.dilation_h + 1) x->h--;
        else if (x->w > w->kernel_w * c->conv.dilation_w + 1) x->w--;
        else return;
    }
}

// Padding of a deconvolution takes pixels away; at least one of `size` stays.
static void draw_cropping(op_case *c, uint32_t size, uint32_t *before, uint32_t *after) {
    if (rng_one_in(&c->r, 3)) return;
    const int max = size < 5 || rng_one_in(&c->r, 8) ? (int)size - 1 : 4;
    *before = (uint32_t)rng_int(&c->r, 0, max);
    *after = (uint32_t)rng_int(&c->r, 0, max - (int)*before);
}

static void draw_croppings(op_case *c) {
    const quernel_tensor whole = case_output(c);
    draw_cropping(c, whole.h, &c->conv.pad_top, &c->conv.pad_bottom);
    draw_cropping(c, whole.w, &c->conv.pad_left, &c->conv.pad_right);
}

// ---- tensors ----

static void draw_strides(op_case *c, quernel_tensor *t) {
    int64_t *strides[4] = {&t->stride_c, &t->stride_w, &t->stride_h, &t->stride_n};
    uint32_t sizes[4] = {t->c, t->w, t->h, t->n};
    if (t->layout == QUERNEL_LAYOUT_NCHW) {
        int64_t *const order[4] = {&t->stride_w, &t->stride_h, &t->stride_c, &t->stride_n};
        const uint32_t order_sizes[4] = {t->w, t->h, t->c, t->n};
        memcpy(strides, order, sizeof strides);
        memcpy(sizes, order_sizes, sizeof sizes);
    }
    if (rng_one_in(&c->r, 4)) { // any nesting of the outer dimensions
        const int i = rng_int(&c->r, 1, 3), j = rng_int(&c->r, 1, 3);
        int64_t *const stride = strides[i];
        const uint32_t size = sizes[i];
        strides[i] = strides[j], sizes[i] = sizes[j];
        strides[j] = stride, sizes[j] = size;
    }
    int64_t extent = sizes[0];
    *strides[0] = 1;
    for (int i = 1; i < 4; i++) {
        *strides[i] = extent + (rng_one_in(&c->r, 2) ? rng_int(&c->r, 0, 9) : 0);
        extent += *strides[i] * (sizes[i] - 1);
    }
}

static void draw_border(op_case *c, quernel_tensor *t, op_chain *chain) {
    const uint32_t border_h = (uint32_t)rng_int(&c->r, 0, 3),
                   border_w = (uint32_t)rng_int(&c->r, 0, 3);
    if (rng_one_in(&c->r, 2)) {
        if (quernel_chain_describe(t, border_h, border_w, &chain->bytes, &chain->offset, NULL) ==
            QUERNEL_OK)
            return;
    }
    t->border_h = border_h;
    t->border_w = border_w;
    t->stride_c = 1;
    t->stride_w = t->c + rng_int(&c->r, 0, 3);
    t->stride_h = (t->w + 2 * border_w) * t->stride_w + rng_int(&c->r, 0, 5);
    t->stride_n = (t->h + 2 * border_h) * t->stride_h + rng_int(&c->r, 0, 5);
}

static void draw_layout(op_case *c, quernel_tensor *t, op_chain *chain) {
    if (c->kind == OP_LINEAR) {
        t->stride_h = rng_one_in(&c->r, 2) ? t->c + rng_int(&c->r, 0, 70) : 0;
        return;
    }
    if (chain && is_int8(t->type) && rng_one_in(&c->r, 2)) {
        draw_border(c, t, chain);
        return;
    }
    t->layout = rng_one_in(&c->r, 2) ? QUERNEL_LAYOUT_NCHW : QUERNEL_LAYOUT_NHWC;
    if (rng_one_in(&c->r, 2)) draw_strides(c, t);
}

quernel_tensor case_output(const op_case *c) {
    quernel_tensor y = c->conv.y;
    y.n = c->conv.x.n;
    if (c->kind == OP_LINEAR) {
        y.h = c->conv.x.h;
        y.w = 1;
        y.c = c->weights.out;
    } else {
        oracle_output_size(&c->weights, &c->conv, &y);
    }
    return y;
}

// The same along some axes.
static void draw_spread(op_case *c, quernel_tensor *t) {
    if (c->kind == OP_LINEAR) return;
    if (rng_one_in(&c->r, 2)) t->n = 1;
    if (!rng_one_in(&c->r, 4)) t->h = 1;
    if (!rng_one_in(&c->r, 4)) t->w = 1;
}

static void draw_tensors(op_case *c) {
    quernel_conv2d_desc *d = &c->conv;
    const quernel_epilogue *f = &d->epilogue;
    d->x.c = c->weights.in;
    draw_layout(c, &d->x, &c->x_chain);
    d->y.type = f->y_type;
    d->y = case_output(c);
    draw_layout(c, &d->y, &c->y_chain);
    if (f->residual) {
        d->residual = d->y;
        d->residual.type = f->residual_type;
        c->alias = f->residual_type == f->y_type && rng_one_in(&c->r, 2);
        if (!c->alias) {
            d->residual.border_h = d->residual.border_w = 0;
            d->residual.stride_n = d->residual.stride_c = d->residual.stride_h =
                d->residual.stride_w = 0;
            d->residual.layout = 0;
            if (rng_one_in(&c->r, 4)) draw_spread(c, &d->residual);
            draw_layout(c, &d->residual, NULL);
        }
    }
    // Sizes of the output may be left to create, where no stride depends on them.
    if (rng_one_in(&c->r, 2) && !d->y.border_h && !d->y.border_w && !f->residual)
        d->y.n = d->y.c = d->y.h = d->y.w = 0;
}

// ---- values ----

static void draw_quant(op_case *c) {
    quernel_conv2d_desc *d = &c->conv;
    quernel_quant *q = &d->quant;
    static const int x_types[] = {QUERNEL_TYPE_F32, QUERNEL_TYPE_F32, QUERNEL_TYPE_BF16,
                                  QUERNEL_TYPE_S8, QUERNEL_TYPE_U8};
    d->x.type = x_types[rng_int(&c->r, 0, 4)];
    const bool ready = is_int8(d->x.type);
    q->type = ready ? d->x.type : rng_one_in(&c->r, 2) ? QUERNEL_TYPE_U8 : QUERNEL_TYPE_S8;
    q->narrow = q->type == QUERNEL_TYPE_S8 && !ready && rng_one_in(&c->r, 2);
    const int32_t lo = q->type == QUERNEL_TYPE_U8 ? 0 : q->narrow ? -127 : -128;
    if (!ready && rng_one_in(&c->r, 2)) {
        const bool by_call = c->kind == OP_DECONV2D || rng_one_in(&c->r, 2);
        q->mode = by_call ? QUERNEL_QUANT_DYNAMIC_CALL : QUERNEL_QUANT_DYNAMIC_ROW;
        q->asymmetric = q->type == QUERNEL_TYPE_U8 && rng_one_in(&c->r, 2);
        c->x_amp = rng_scale(&c->r, -20, 20);
        return;
    }
    q->scale = rng_one_in(&c->r, 10) ? rng_scale(&c->r, -60, 30) : rng_scale(&c->r, -8, 2);
    if (rng_one_in(&c->r, 4)) q->scale = ldexpf(1.0f, rng_int(&c->r, -8, 2)); // ties
    q->zero = rng_one_in(&c->r, 2) ? 0 : rng_int(&c->r, lo, lo == 0 ? 255 : 127);
    c->x_amp = q->scale * (ready ? 128.0f : rng_float(&c->r, 40.0f, 400.0f));
    if (c->kind == OP_LINEAR && rng_one_in(&c->r, 4))
        q->row_scale = own_scales(c, d->x.h, q->scale);
}

static void draw_weight_values(op_case *c, size_t count) {
    quernel_weights_desc *w = &c->weights;
    if (w->type == QUERNEL_TYPE_F32) {
        float *data = own(c, count, sizeof *data);
        const uint32_t dead = (uint32_t)rng_int(&c->r, 0, 9);
        for (size_t i = 0; i < count; i++) data[i] = c->w_amp * rng_float(&c->r, -1.0f, 1.0f);
        for (size_t i = 0; dead < 2 && i < count; i += dead + 1) data[i] = dead ? 1e-30f : 0.0f;
        w->data = data;
        return;
    }
    uint8_t *data = own(c, count, 1);
    const int mode = rng_int(&c->r, 0, 9);
    const uint8_t min = w->type == QUERNEL_TYPE_S8 ? 0x80 : 0;
    for (size_t i = 0; i < count; i++) {
        data[i] = (uint8_t)rng_next(&c->r);
        if (mode == 0) data[i] = min;
        if (mode == 1) data[i] = (uint8_t)(min - 1);
        if (mode == 2) data[i] = (uint8_t)(min - (i & 1));
    }
    w->data = data;
    if (rng_one_in(&c->r, 2)) return;
    int32_t *zero = own(c, w->out, sizeof *zero);
    for (uint32_t n = 0; n < w->out; n++) zero[n] = rng_int(&c->r, 0, 255) - min;
    w->zero = zero;
}

static void draw_weights(op_case *c) {
    quernel_weights_desc *w = &c->weights;
    static const int types[] = {QUERNEL_TYPE_F32, QUERNEL_TYPE_F32, QUERNEL_TYPE_S8,
                                QUERNEL_TYPE_U8};
    w->type = types[rng_int(&c->r, 0, 3)];
    const uint32_t taps = w->kernel_h * w->kernel_w;
    uint32_t slices = c->kind == OP_DECONV2D ? w->in : w->out;
    int64_t slice = c->kind == OP_DECONV2D ? (int64_t)(w->out / w->groups) * taps
                                           : (int64_t)(w->in / w->groups) * taps;
    if (rng_one_in(&c->r, 4)) w->stride = slice = slice + rng_int(&c->r, 0, 20);
    if (c->kind == OP_LINEAR && rng_one_in(&c->r, 3)) { // stored [K][N]
        w->stride = 1;
        slices = w->in;
        w->stride_in = slice = w->out + rng_int(&c->r, 0, 5);
    }
    c->w_amp = rng_scale(&c->r, -8, 2);
    draw_weight_values(c, (size_t)slices * (size_t)slice);
    if (w->type == QUERNEL_TYPE_F32 ? rng_one_in(&c->r, 4) : !rng_one_in(&c->r, 4)) {
        w->scale = own_scales(c, w->out, c->w_amp / 127.0f);
    } else if (w->type != QUERNEL_TYPE_F32) {
        c->w_amp = 127.0f;
    }
    if (!rng_one_in(&c->r, 3)) return;
    const bool columns = c->kind == OP_CONV2D && !is_int8(c->conv.x.type) && rng_one_in(&c->r, 2);
    w->smooth_kind = columns ? QUERNEL_SMOOTH_COLUMN : QUERNEL_SMOOTH_CHANNEL;
    w->smooth = own_scales(c, (size_t)w->in * (columns ? taps : 1), 1.0f);
}

static void draw_residual(op_case *c) {
    quernel_epilogue *f = &c->conv.epilogue;
    static const int types[] = {QUERNEL_TYPE_F32, QUERNEL_TYPE_S8, QUERNEL_TYPE_U8,
                                QUERNEL_TYPE_BF16};
    f->residual = 1;
    f->residual_type =
        f->y_type == QUERNEL_TYPE_S32 ? QUERNEL_TYPE_S32 : types[rng_int(&c->r, 0, 3)];
    if (f->y_type == QUERNEL_TYPE_S32) return;
    f->residual_after_activation = rng_one_in(&c->r, 3);
    if (!is_int8(f->residual_type)) return;
    const int32_t min = f->residual_type == QUERNEL_TYPE_S8 ? -128 : 0;
    f->residual_zero = rng_one_in(&c->r, 2) ? 0 : rng_int(&c->r, min, min + 255);
    f->residual_scale = c->t_amp / 64.0f * rng_scale(&c->r, -1, 1);
    if (rng_one_in(&c->r, 3)) f->residual_scales = own_scales(c, c->weights.out, f->residual_scale);
}

static void draw_bias(op_case *c) {
    quernel_epilogue *f = &c->conv.epilogue;
    if (rng_one_in(&c->r, 3)) return;
    if (f->y_type == QUERNEL_TYPE_S32 || rng_one_in(&c->r, 3)) {
        int32_t *bias = own(c, c->weights.out, sizeof *bias);
        for (uint32_t n = 0; n < c->weights.out; n++) bias[n] = rng_int(&c->r, -1000000, 1000000);
        f->bias_type = QUERNEL_TYPE_S32;
        f->bias = bias;
    } else {
        f->bias = own_floats(c, c->weights.out, -c->t_amp, c->t_amp);
    }
}

static void draw_table(op_case *c) {
    quernel_epilogue *f = &c->conv.epilogue;
    f->tables = rng_one_in(&c->r, 2) ? 1 : c->weights.out;
    const size_t bytes = (size_t)f->tables * 256;
    uint8_t *table = own(c, bytes, 1);
    for (size_t i = 0; i < bytes; i++) table[i] = (uint8_t)rng_next(&c->r);
    f->table = table;
    f->table_zero =
        f->y_type == QUERNEL_TYPE_U8 ? rng_int(&c->r, 0, 255) : rng_int(&c->r, -128, 127);
}

static void draw_epilogue(op_case *c) {
    quernel_epilogue *f = &c->conv.epilogue;
    static const int types[] = {QUERNEL_TYPE_F32, QUERNEL_TYPE_BF16, QUERNEL_TYPE_S32,
                                QUERNEL_TYPE_S8,  QUERNEL_TYPE_U8,   QUERNEL_TYPE_S8,
                                QUERNEL_TYPE_U8};
    const quernel_weights_desc *w = &c->weights;
    c->t_amp =
        c->x_amp * c->w_amp * sqrtf((float)(w->in / w->groups * w->kernel_h * w->kernel_w)) * 0.3f;
    f->y_type = types[rng_int(&c->r, 0, 6)];
    draw_bias(c);
    if (rng_one_in(&c->r, 3)) draw_residual(c);
    if (f->y_type == QUERNEL_TYPE_S32) return;
    f->activation = rng_int(&c->r, QUERNEL_ACTIVATION_NONE, QUERNEL_ACTIVATION_TANH);
    if (f->activation == QUERNEL_ACTIVATION_CLAMP) {
        f->lo = rng_one_in(&c->r, 2) ? 0.0f : -c->t_amp * rng_float(&c->r, 0.0f, 1.0f);
        f->hi = c->t_amp * rng_float(&c->r, 0.0f, 1.0f);
    }
    if (f->activation == QUERNEL_ACTIVATION_LEAKY) f->slope = rng_float(&c->r, -0.5f, 1.5f);
    if (f->activation == QUERNEL_ACTIVATION_PRELU) f->slopes = own_floats(c, w->out, -0.5f, 1.5f);
    if (!is_int8(f->y_type)) return;
    f->y_scale = c->t_amp / 64.0f * rng_scale(&c->r, -1, 1);
    f->y_narrow = f->y_type == QUERNEL_TYPE_S8 && rng_one_in(&c->r, 2);
    const int32_t lo = f->y_type == QUERNEL_TYPE_U8 ? 0 : f->y_narrow ? -127 : -128;
    f->y_zero = rng_one_in(&c->r, 3) ? 0 : rng_int(&c->r, lo, lo == 0 ? 255 : 127);
    if (rng_one_in(&c->r, 3)) f->y_smooth = own_scales(c, w->out, 1.0f);
    if (rng_one_in(&c->r, 4)) draw_table(c);
}

static void draw_run(op_case *c, uint32_t isas) {
    quernel_conv2d_desc *d = &c->conv;
    d->threads = (uint32_t)rng_int(&c->r, 0, 3);
    c->spread = d->threads > 1 ? (op_spread)rng_int(&c->r, 0, OP_SPREADS - 1) : OP_SPREAD_NONE;
    c->environment = rng_one_in(&c->r, 2) ? 0 : (uint32_t)rng_int(&c->r, 1, 6);
    c->reload = rng_one_in(&c->r, 6);
    // the plan of a small layer wakes no thread by itself
    c->replan = d->threads > 1 || rng_one_in(&c->r, 2);
    const int32_t isa = rng_int(&c->r, -1, QUERNEL_I_ISA_COUNT - 1);
    const bool ref = rng_one_in(&c->r, 3); // drawn in any case: the data behind it are the same
    d->isa = isa >= 0 && isas >> isa & 1 ? isa : ref ? QUERNEL_ISA_REF : -1;
}

void case_draw(op_case *c, op_kind kind, uint64_t seed, uint64_t number, uint32_t isas) {
    *c = (op_case){.kind = kind,
                   .r = rng_make(seed, number),
                   .weights = QUERNEL_WEIGHTS_DESC_INIT,
                   .conv = QUERNEL_CONV2D_DESC_INIT};
    c->weights.kind = kind == OP_LINEAR   ? QUERNEL_WEIGHTS_LINEAR
                      : kind == OP_CONV2D ? QUERNEL_WEIGHTS_CONV2D
                                          : QUERNEL_WEIGHTS_DECONV2D;
    const bool large = rng_one_in(&c->r, 50);
    if (kind == OP_LINEAR) draw_linear_shape(c, large);
    else draw_image_shape(c, large);
    limit(c, large ? 3e6 : 6e4);
    if (kind == OP_DECONV2D) draw_croppings(c);
    draw_quant(c);
    draw_weights(c);
    draw_epilogue(c);
    draw_tensors(c);
    draw_run(c, isas);
}

void case_free(op_case *c) {
    while (c->n_owned) free(c->owned[--c->n_owned]);
}

void case_scribble(op_case *c) {
    for (uint32_t i = 0; i < c->n_owned; i++) memset(c->owned[i], 0xff, c->owned_bytes[i]);
}

quernel_linear_desc case_linear(const op_case *c) {
    const quernel_conv2d_desc *d = &c->conv;
    quernel_linear_desc l = QUERNEL_LINEAR_DESC_INIT;
    l.weights = d->weights;
    l.m = d->x.h;
    l.x_type = d->x.type;
    l.x_stride = d->x.stride_h;
    l.y_stride = d->y.stride_h;
    l.residual_stride = d->residual.stride_h;
    l.quant = d->quant;
    l.epilogue = d->epilogue;
    l.threads = d->threads;
    l.isa = d->isa;
    l.config = d->config;
    l.allocator = d->allocator;
    return l;
}

static const char *type_name(int type) { return quernel_type_name((quernel_type)type); }

void case_describe(const op_case *c, char *text, size_t capacity) {
    const quernel_conv2d_desc *d = &c->conv;
    const quernel_weights_desc *w = &c->weights;
    const quernel_tensor *x = &d->x, *y = &d->y;
    static const char *const layouts[] = {"nhwc", "nchw"};
    const quernel_epilogue *f = &d->epilogue;
    const int length =
        snprintf(text, capacity,
                 "%s x %s %s %ux%ux%ux%u strides %lld,%lld,%lld,%lld border %u,%u; w %s out %u "
                 "groups %u kernel %ux%u"
                 " smooth %d zeros %d; stride %u,%u dilation %u,%u pad %u,%u,%u,%u out_pad %u,%u; ",
                 op_names[c->kind], type_name(x->type), layouts[x->layout], x->n, x->c, x->h, x->w,
                 (long long)x->stride_n, (long long)x->stride_c, (long long)x->stride_h,
                 (long long)x->stride_w, x->border_h, x->border_w, type_name(w->type), w->out,
                 w->groups, w->kernel_h, w->kernel_w, w->smooth_kind, w->zero != NULL, d->stride_h,
                 d->stride_w, d->dilation_h, d->dilation_w, d->pad_top, d->pad_left, d->pad_bottom,
                 d->pad_right, d->out_pad_h, d->out_pad_w);
    if (length < 0 || (size_t)length >= capacity) return;
    snprintf(text + length, capacity - (size_t)length,
             "quant mode %d type %s zero %d rows %d; y %s %s border %u,%u act %d bias %s residual "
             "%s%s%s; threads %u"
             " spread %d isa %d env %u%s%s",
             d->quant.mode, type_name(d->quant.type), d->quant.zero, d->quant.row_scale != NULL,
             type_name(f->y_type), layouts[y->layout], y->border_h, y->border_w, f->activation,
             f->bias ? type_name(f->bias_type) : "none",
             f->residual ? type_name(f->residual_type) : "none",
             f->residual_after_activation ? " late" : "", c->alias ? " alias" : "", d->threads,
             (int)c->spread, d->isa, c->environment, c->reload ? " reloaded" : "",
             c->replan ? " replanned" : "");
}
