// SPDX-License-Identifier: Apache-2.0
// The layer in float: im2col rows, fake-quantized where asked, times the weights, bias, activation.
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "ptq/layer.h"

// Input line or column that output position `at` meets at tap r, or −1.
static int64_t meet(bool deconv, int64_t at, uint32_t r, uint32_t stride, uint32_t dilation,
                    uint32_t before, uint32_t size) {
    int64_t from =
        deconv ? at + before - (int64_t)r * dilation : at * stride + (int64_t)r * dilation - before;
    if (deconv) from = from < 0 || from % stride ? -1 : from / stride;
    return from < 0 || from >= size ? -1 : from;
}

void quernel_i_ptq_layer_gather(const quernel_i_ptq_layer *f, const quernel_i_ptq_image *image,
                                uint32_t n, uint32_t y, uint32_t x, uint32_t group, float *row) {
    const quernel_i_weights_shape *s = &f->shape;
    const quernel_conv2d_desc *g = &f->geometry;
    const bool deconv = s->kind == QUERNEL_WEIGHTS_DECONV2D;
    for (uint32_t t = 0; t < s->taps; t++) {
        const int64_t h =
            meet(deconv, y, t / s->kernel_w, g->stride_h, g->dilation_h, g->pad_top, image->h);
        const int64_t w =
            meet(deconv, x, t % s->kernel_w, g->stride_w, g->dilation_w, g->pad_left, image->w);
        float *to = row + (size_t)t * s->group_in;
        if (h < 0 || w < 0) {
            memset(to, 0, s->group_in * sizeof *to);
            continue;
        }
        const size_t pixel = ((size_t)n * image->h + (size_t)h) * image->w + (size_t)w;
        memcpy(to, image->x + pixel * s->in + (size_t)group * s->group_in,
               s->group_in * sizeof *to);
    }
}

typedef struct extremes {
    float min, max;
} extremes;

// Widens the range by the finite values of a smoothed row.
static void widen(extremes *e, const float *row, const float *multiplier, size_t count) {
    for (size_t j = 0; j < count; j++) {
        const float y = row[j] * multiplier[j];
        if (!isfinite(y)) continue;
        if (y < e->min) e->min = y;
        if (y > e->max) e->max = y;
    }
}

static quernel_i_scale scale_of(const quernel_quant *q, extremes e) {
    return quernel_i_scale_of(e.min, e.max, q->type == QUERNEL_TYPE_S8, q->asymmetric);
}

static void fake_row(const quernel_i_fake *fake, float *row, const float *multiplier, size_t count,
                     quernel_i_scale scale) {
    const quernel_quant *q = fake->quant;
    const float g = q->mode == QUERNEL_QUANT_STATIC ? 1.0f : 1.0f / scale.d;
    const bool is_unsigned = q->type == QUERNEL_TYPE_U8;
    const float lo = (float)((is_unsigned ? 0 : q->narrow ? -127 : -128) - scale.z);
    const float hi = (float)((is_unsigned ? 255 : 127) - scale.z);
    for (size_t j = 0; j < count; j++) {
        float t = (row[j] * multiplier[j]) * g;
        if (fake->clip || t != t) t = quernel_i_clamp(t, lo, hi);
        row[j] = (fake->round ? nearbyintf(t) : t) * scale.d;
    }
}

// The scale of an image: the static one, or as the run computes it from all of its im2col rows.
static quernel_i_scale image_scale(const quernel_i_ptq_layer *f, const quernel_i_ptq_image *image,
                                   uint32_t n, const quernel_i_fake *fake) {
    if (fake->quant->mode != QUERNEL_QUANT_DYNAMIC_CALL)
        return (quernel_i_scale){fake->quant->scale, fake->quant->zero};
    extremes e = {0.0f, 0.0f};
    for (uint32_t y = 0; y < image->out_h; y++)
        for (uint32_t x = 0; x < image->out_w; x++)
            for (uint32_t g = 0; g < f->shape.groups; g++) {
                quernel_i_ptq_layer_gather(f, image, n, y, x, g, f->row);
                widen(&e, f->row, fake->multiplier + g * f->k, f->k);
            }
    return scale_of(fake->quant, e);
}

void quernel_i_ptq_layer_quantize(const quernel_i_ptq_layer *f, const quernel_i_fake *fake,
                                  uint32_t group, quernel_i_scale scale, float *row) {
    const float *multiplier = fake->multiplier + group * f->k;
    if (fake->quant->mode == QUERNEL_QUANT_DYNAMIC_ROW) {
        extremes e = {0.0f, 0.0f};
        widen(&e, row, multiplier, f->k);
        scale = scale_of(fake->quant, e);
    }
    fake_row(fake, row, multiplier, f->k, scale);
}

// As float frameworks have it: a NaN passes.
static float activation(const quernel_epilogue *f, uint32_t n, float t) {
    switch (f->activation) {
    case QUERNEL_ACTIVATION_RELU: return t < 0.0f ? 0.0f : t;
    case QUERNEL_ACTIVATION_CLAMP: return quernel_i_within(t, f->lo, f->hi);
    case QUERNEL_ACTIVATION_LEAKY: return t < 0.0f ? t * f->slope : t;
    case QUERNEL_ACTIVATION_PRELU: return t < 0.0f ? t * f->slopes[n] : t;
    case QUERNEL_ACTIVATION_HSWISH: return quernel_i_hswish(t);
    case QUERNEL_ACTIVATION_HSIGMOID: return quernel_i_hsigmoid(t);
    case QUERNEL_ACTIVATION_SILU: return quernel_i_silu(t);
    case QUERNEL_ACTIVATION_GELU: return quernel_i_gelu(t);
    case QUERNEL_ACTIVATION_SIGMOID: return quernel_i_sigmoid(t);
    case QUERNEL_ACTIVATION_TANH: return quernel_i_tanh(t);
    default: return t;
    }
}

enum {
    ROWS = QUERNEL_I_PTQ_ROWS,
    BLOCK = 16, // output channels whose sums stay in registers
    TILE = 256  // k of a block: its weights stay in L1 for all rows
};

static void multiply_tile(const float *restrict row, const float *restrict matrix, size_t k,
                          uint32_t oc, float *restrict to) {
    float sums[BLOCK];
    memcpy(sums, to, sizeof sums);
    for (size_t i = 0; i < k; i++)
        for (uint32_t n = 0; n < BLOCK; n++) sums[n] += row[i] * matrix[i * oc + n];
    memcpy(to, sums, sizeof sums);
}

static void multiply(const quernel_i_ptq_layer *f, const float *matrix, uint32_t rows) {
    const uint32_t oc = f->shape.group_out;
    uint32_t n = 0;
    memset(f->sums, 0, (size_t)rows * oc * sizeof *f->sums);
    for (; n + BLOCK <= oc; n += BLOCK)
        for (size_t i = 0, some; i < f->k; i += some) {
            some = f->k - i < TILE ? f->k - i : TILE;
            for (uint32_t r = 0; r < rows; r++)
                multiply_tile(f->row + r * f->k + i, matrix + i * oc + n, some, oc,
                              f->sums + r * oc + n);
        }
    for (; n < oc; n++)
        for (uint32_t r = 0; r < rows; r++)
            for (size_t i = 0; i < f->k; i++)
                f->sums[r * oc + n] += f->row[r * f->k + i] * matrix[i * oc + n];
}

static void epilogue(const quernel_i_ptq_layer *f, const float *sums, uint32_t group, bool activate,
                     float *ret_y) {
    const quernel_epilogue *epilogue = &f->layer.op.epilogue;
    const float *bias = epilogue->bias;
    for (uint32_t n = 0; n < f->shape.group_out; n++) {
        const uint32_t channel = group * f->shape.group_out + n;
        const float t = sums[n] + (bias ? bias[channel] : 0.0f);
        ret_y[channel] = activate ? activation(epilogue, channel, t) : t;
    }
}

// Output pixels that are multiplied at once, and the scales of their images.
typedef struct pixels {
    size_t first;
    uint32_t count;
    quernel_i_scale scale[ROWS];
} pixels;

static void gather_pixels(const quernel_i_ptq_layer *f, const quernel_i_ptq_image *image,
                          const pixels *p, const quernel_i_fake *fake, uint32_t group) {
    for (uint32_t r = 0; r < p->count; r++) {
        const size_t line = (p->first + r) / image->out_w, x = (p->first + r) % image->out_w;
        float *row = f->row + r * f->k;
        quernel_i_ptq_layer_gather(f, image, (uint32_t)(line / image->out_h),
                                   (uint32_t)(line % image->out_h), (uint32_t)x, group, row);
        if (fake) quernel_i_ptq_layer_quantize(f, fake, group, p->scale[r], row);
    }
}

void quernel_i_ptq_layer_product(const quernel_i_ptq_layer *f, const quernel_i_ptq_image *image,
                                 const float *matrix, const quernel_i_fake *fake, bool activate,
                                 float *ret_y) {
    const size_t size = (size_t)image->out_h * image->out_w, all = image->n * size,
                 out = f->shape.group_out;
    quernel_i_scale scale = {1.0f, 0};
    pixels p;
    for (p.first = 0; p.first < all; p.first += p.count) {
        p.count = all - p.first < ROWS ? (uint32_t)(all - p.first) : ROWS;
        for (uint32_t r = 0; r < p.count; r++) {
            const size_t at = p.first + r;
            if (fake && at % size == 0) scale = image_scale(f, image, (uint32_t)(at / size), fake);
            p.scale[r] = scale;
        }
        for (uint32_t g = 0; g < f->shape.groups; g++) {
            gather_pixels(f, image, &p, fake, g);
            multiply(f, matrix + g * f->k * out, p.count);
            for (uint32_t r = 0; r < p.count; r++)
                epilogue(f, f->sums + r * out, g, activate, ret_y + (p.first + r) * f->shape.out);
        }
    }
}
