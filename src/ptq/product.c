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
                                uint32_t n, uint32_t y, uint32_t x, uint32_t group) {
    const quernel_i_weights_shape *s = &f->shape;
    const quernel_conv2d_desc *g = &f->geometry;
    const bool deconv = s->kind == QUERNEL_WEIGHTS_DECONV2D;
    for (uint32_t t = 0; t < s->taps; t++) {
        const int64_t h =
            meet(deconv, y, t / s->kernel_w, g->stride_h, g->dilation_h, g->pad_top, image->h);
        const int64_t w =
            meet(deconv, x, t % s->kernel_w, g->stride_w, g->dilation_w, g->pad_left, image->w);
        float *to = f->row + (size_t)t * s->group_in;
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
                quernel_i_ptq_layer_gather(f, image, n, y, x, g);
                widen(&e, f->row, fake->multiplier + g * f->k, f->k);
            }
    return scale_of(fake->quant, e);
}

void quernel_i_ptq_layer_quantize(const quernel_i_ptq_layer *f, const quernel_i_fake *fake,
                                  uint32_t group, quernel_i_scale scale) {
    const float *multiplier = fake->multiplier + group * f->k;
    if (fake->quant->mode == QUERNEL_QUANT_DYNAMIC_ROW) {
        extremes e = {0.0f, 0.0f};
        widen(&e, f->row, multiplier, f->k);
        scale = scale_of(fake->quant, e);
    }
    fake_row(fake, f->row, multiplier, f->k, scale);
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

enum { BLOCK = 16 }; // output channels whose sums stay in registers

static void multiply_block(const float *restrict row, const float *restrict matrix, size_t k,
                           uint32_t oc, float *restrict ret_sums) {
    float sums[BLOCK] = {0};
    for (size_t i = 0; i < k; i++)
        for (uint32_t n = 0; n < BLOCK; n++) sums[n] += row[i] * matrix[i * oc + n];
    memcpy(ret_sums, sums, sizeof sums);
}

static void multiply(const quernel_i_ptq_layer *f, const float *matrix) {
    const uint32_t oc = f->shape.group_out;
    uint32_t n = 0;
    for (; n + BLOCK <= oc; n += BLOCK) multiply_block(f->row, matrix + n, f->k, oc, f->sums + n);
    for (; n < oc; n++) {
        float sum = 0.0f;
        for (size_t i = 0; i < f->k; i++) sum += f->row[i] * matrix[i * oc + n];
        f->sums[n] = sum;
    }
}

static void epilogue(const quernel_i_ptq_layer *f, uint32_t group, bool activate, float *ret_y) {
    const quernel_epilogue *epilogue = &f->layer.op.epilogue;
    const float *bias = epilogue->bias;
    for (uint32_t n = 0; n < f->shape.group_out; n++) {
        const uint32_t channel = group * f->shape.group_out + n;
        const float t = f->sums[n] + (bias ? bias[channel] : 0.0f);
        ret_y[channel] = activate ? activation(epilogue, channel, t) : t;
    }
}

void quernel_i_ptq_layer_product(const quernel_i_ptq_layer *f, const quernel_i_ptq_image *image,
                                 const float *matrix, const quernel_i_fake *fake, bool activate,
                                 float *ret_y) {
    for (uint32_t n = 0; n < image->n; n++) {
        const quernel_i_scale scale =
            fake ? image_scale(f, image, n, fake) : (quernel_i_scale){1.0f, 0};
        for (uint32_t y = 0; y < image->out_h; y++)
            for (uint32_t x = 0; x < image->out_w; x++, ret_y += f->shape.out)
                for (uint32_t g = 0; g < f->shape.groups; g++) {
                    quernel_i_ptq_layer_gather(f, image, n, y, x, g);
                    if (fake) quernel_i_ptq_layer_quantize(f, fake, g, scale);
                    multiply(f, matrix + g * f->k * f->shape.group_out);
                    epilogue(f, g, activate, ret_y);
                }
    }
}
