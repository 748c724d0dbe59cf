// SPDX-License-Identifier: Apache-2.0
// Tensors, numbers and weights of descriptors out of a fuzzer's bytes.
#include <math.h>

#include "source.h"

static bool is_int8(int32_t type) { return type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8; }

static int64_t gap(source *s) { return source_one_in(s, 3) ? (int64_t)source_below(s, 9) : 0; }

// Strides that keep `most` apart, with gaps.
static void draw_strides(source *s, quernel_tensor *t, const uint32_t most[4]) {
    const bool nhwc = t->layout == QUERNEL_LAYOUT_NHWC;
    const int64_t h = (int64_t)most[2] + 2 * (int64_t)t->border_h,
                  w = (int64_t)most[3] + 2 * (int64_t)t->border_w, c = most[1];
    if (nhwc) {
        t->stride_c = 1, t->stride_w = c + gap(s), t->stride_h = t->stride_w * w + gap(s);
        t->stride_n = t->stride_h * h + gap(s);
    } else {
        t->stride_w = 1, t->stride_h = w + gap(s), t->stride_c = t->stride_h * h + gap(s);
        t->stride_n = t->stride_c * c + gap(s);
    }
}

static void draw_odd_stride(source *s, quernel_tensor *t) {
    static const int64_t odd[] = {-1, 0, 1, 3, INT64_MAX, INT64_MIN, INT64_MAX / 16, 1ll << 40};
    int64_t *const strides[] = {&t->stride_n, &t->stride_c, &t->stride_h, &t->stride_w};
    int64_t *stride = strides[source_below(s, 4)];
    *stride = odd[source_below(s, 8)];
}

void source_tensor(source *s, quernel_tensor *t, const uint32_t most[4]) {
    t->layout = source_choice(s, 2);
    const bool borders = is_int8(t->type) && t->layout == QUERNEL_LAYOUT_NHWC;
    if (source_one_in(s, borders ? 3 : 64))
        t->border_h = source_odd(s, source_below(s, 4)),
        t->border_w = source_odd(s, source_below(s, 4));
    if (source_one_in(s, 3)) draw_strides(s, t, most);
    if (source_one_in(s, 16)) draw_odd_stride(s, t);
    if (source_one_in(s, 64)) t->reserved[source_below(s, 2)] = source_byte(s);
}

void source_operand(source *s, quernel_operand *o, const uint32_t most[4]) {
    static const int32_t types[] = {QUERNEL_TYPE_U8, QUERNEL_TYPE_F32, QUERNEL_TYPE_S8,
                                    QUERNEL_TYPE_BF16};
    quernel_tensor *t = &o->tensor;
    uint32_t *const sizes[] = {&t->n, &t->c, &t->h, &t->w};
    t->type = (int32_t)source_odd(s, (uint32_t)types[source_below(s, 4)]);
    for (int i = 0; i < 4; i++) *sizes[i] = source_size(s, most[i]);
    source_tensor(s, t, most);
    o->scale = source_scale(s), o->zero = source_zero(s, t->type);
    if (source_one_in(s, 4)) o->scales = source_scales(s, t->c);
    if (source_one_in(s, 64)) o->reserved[0] = source_byte(s);
}

static void draw_activation(source *s, quernel_epilogue *f, uint32_t channels) {
    f->activation = source_choice(s, QUERNEL_ACTIVATION_TANH + 1);
    f->lo = -source_scale(s), f->hi = source_one_in(s, 4) ? INFINITY : source_scale(s);
    f->slope = source_scale(s);
    if (f->activation == QUERNEL_ACTIVATION_PRELU) f->slopes = source_scales(s, channels);
}

static void draw_residual(source *s, quernel_epilogue *f, uint32_t channels) {
    f->residual = source_choice(s, 2);
    f->residual_type =
        f->y_type == QUERNEL_TYPE_S32 ? QUERNEL_TYPE_S32 : source_choice(s, QUERNEL_TYPE_U8 + 1);
    f->residual_scale = source_scale(s);
    f->residual_zero = source_zero(s, f->residual_type);
    if (source_one_in(s, 4)) f->residual_scales = source_scales(s, channels);
    f->residual_after_activation = (int32_t)source_below(s, 2);
}

static void draw_of_product(source *s, quernel_epilogue *f, uint32_t channels) {
    if (source_one_in(s, 2)) {
        f->bias_type = f->y_type == QUERNEL_TYPE_S32 || source_one_in(s, 3)
                           ? source_choice(s, QUERNEL_TYPE_U8 + 1)
                           : QUERNEL_TYPE_F32;
        f->bias = source_scales(s, channels);
    }
    draw_residual(s, f, channels);
    if (!source_one_in(s, is_int8(f->y_type) ? 4 : 64)) return;
    f->tables = source_odd(s, source_one_in(s, 2) ? channels : 1);
    f->table = source_array(s, 256 * (uint64_t)f->tables);
    f->table_zero = source_zero(s, f->y_type);
}

void source_epilogue(source *s, quernel_epilogue *f, uint32_t channels, bool product) {
    *f = (quernel_epilogue)QUERNEL_EPILOGUE_INIT;
    f->y_type = source_choice(s, QUERNEL_TYPE_U8 + 1);
    draw_activation(s, f, channels);
    if (f->y_type == QUERNEL_TYPE_S32 && !source_one_in(s, 8)) f->activation = 0;
    f->y_scale = source_scale(s), f->y_zero = source_zero(s, f->y_type);
    f->y_narrow = (int32_t)source_below(s, 2);
    if (source_one_in(s, 4)) f->y_smooth = source_scales(s, channels);
    if (product || source_one_in(s, 32)) draw_of_product(s, f, channels);
    if (source_one_in(s, 64)) f->reserved[source_below(s, 2)] = source_byte(s);
}

void source_quant(source *s, quernel_quant *q, int32_t x_type) {
    const bool int8 = is_int8(x_type);
    const int32_t type = source_one_in(s, 2) ? QUERNEL_TYPE_S8 : QUERNEL_TYPE_U8;
    q->type = (int32_t)source_odd(s, (uint32_t)(int8 ? x_type : type));
    q->mode = int8 && !source_one_in(s, 16) ? 0 : source_choice(s, 3);
    q->scale = source_scale(s), q->zero = source_zero(s, q->type);
    q->narrow = (int32_t)source_below(s, 2), q->asymmetric = (int32_t)source_below(s, 2);
    if (source_one_in(s, 64)) q->reserved[source_below(s, 2)] = source_byte(s);
}

// Sizes of a kind's weights: of groups, or depthwise, now and then.
static void draw_sizes(source *s, quernel_weights_desc *d) {
    const bool linear = d->kind == QUERNEL_WEIGHTS_LINEAR;
    d->groups = linear && !source_one_in(s, 32) ? 1 : source_one_in(s, 3) ? source_size(s, 24) : 1;
    d->out = d->groups * source_size(s, d->groups > 4 ? 2 : 40);
    d->in = d->groups * source_size(s, d->groups > 4 ? 2 : 40);
    if (linear && !source_one_in(s, 32)) return;
    d->kernel_h = source_size(s, 4), d->kernel_w = source_size(s, 4);
    if (d->kind == QUERNEL_WEIGHTS_DECONV2D && source_one_in(s, 2))
        d->deconv_stride_h = source_size(s, 3), d->deconv_stride_w = source_size(s, 3);
}

// Values, as many as any legal stride reads; NULL where that is too much.
static void draw_data(source *s, quernel_weights_desc *d) {
    const bool by_in = d->kind == QUERNEL_WEIGHTS_DECONV2D;
    const uint64_t first = by_in ? d->in : d->out, groups = d->groups ? d->groups : 1;
    const uint64_t second = (by_in ? d->out : d->in) / groups;
    const uint32_t most = SOURCE_CHANNELS_MAX;
    if (first > most || second > most || d->kernel_h > most || d->kernel_w > most) return;
    const uint64_t inner = second * d->kernel_h * d->kernel_w, gaps = source_below(s, 3);
    uint64_t count = first * (inner + gaps);
    if (gaps) d->stride = (int64_t)(inner + gaps);
    if (d->kind == QUERNEL_WEIGHTS_LINEAR && source_one_in(s, 4))
        d->stride = 1, d->stride_in = (int64_t)(first + gaps), count = inner * (first + gaps);
    if (source_one_in(s, 64)) d->stride = -1;
    if (d->type != QUERNEL_TYPE_F32) d->data = source_array(s, count);
    else {
        float *values = source_array(s, count * sizeof *values);
        for (uint64_t i = 0; values && i < count; i++)
            values[i] = (float)(int8_t)((uint8_t *)values)[4 * i] / 64.0f;
        d->data = values;
    }
}

static void draw_numbers(source *s, quernel_weights_desc *d) {
    if (source_one_in(s, 4)) d->scale = source_scales(s, d->out);
    if (source_one_in(s, d->type == QUERNEL_TYPE_F32 ? 64 : 3) && d->out <= SOURCE_CHANNELS_MAX) {
        int32_t *zero = source_array(s, d->out * sizeof *zero);
        for (uint32_t i = 0; zero && i < d->out; i++) zero[i] = source_zero(s, d->type);
        d->zero = zero;
    }
    if (!source_one_in(s, 3)) return;
    d->smooth_kind = source_choice(s, QUERNEL_SMOOTH_COLUMN + 1);
    const uint64_t columns = (uint64_t)d->in * d->kernel_h * d->kernel_w;
    d->smooth = source_scales(s, columns <= SOURCE_CHANNELS_MAX ? (uint32_t)columns : 0);
}

quernel_weights *source_weights(source *s, int32_t kind, quernel_weights_desc *ret_desc) {
    static const int32_t types[] = {QUERNEL_TYPE_F32, QUERNEL_TYPE_S8, QUERNEL_TYPE_U8};
    quernel_weights_desc d = QUERNEL_WEIGHTS_DESC_INIT;
    d.kind = (int32_t)source_odd(s, (uint32_t)kind);
    d.type = (int32_t)source_odd(s, (uint32_t)types[source_below(s, 3)]);
    draw_sizes(s, &d);
    draw_data(s, &d);
    draw_numbers(s, &d);
    d.allocator = &s->allocator;
    *ret_desc = d;
    quernel_weights *weights = FUZZ_UNTOUCHED;
    quernel_error error = {0};
    const int code = quernel_weights_pack(&d, &weights, &error);
    if (!code) return weights;
    fuzz_refused(code, &error, weights);
    return NULL;
}
