// SPDX-License-Identifier: Apache-2.0
// A float layer with samples of its input: computed in float, by fake quantization, and by its true
// int8 operator.
#ifndef QUERNEL_PTQ_LAYER_H
#define QUERNEL_PTQ_LAYER_H

#include "base/num.h"
#include "pack/weights.h"
#include "ptq/arena.h"
#include "quernel/ptq.h"

/// A sample as dense NHWC floats, and what the float layer makes of it, dense NHWC too.
typedef struct quernel_i_ptq_image {
    uint32_t n, h, w, out_h, out_w;
    float *x, *exact;
} quernel_i_ptq_image;

/// A quernel_float_layer as this library lays its descriptors out.
typedef struct quernel_i_float_layer {
    quernel_weights_desc weights;
    quernel_conv2d_desc op;
    const quernel_allocator *allocator;
} quernel_i_float_layer;

enum { QUERNEL_I_PTQ_ROWS = 8 }; // im2col rows that are multiplied at once

typedef struct quernel_i_ptq_layer {
    quernel_i_arena arena;
    quernel_i_float_layer layer;
    quernel_i_weights_shape shape;
    quernel_conv2d_desc geometry; // of layer.op, or of a 1x1 convolution where the layer is linear
    size_t k;                     // of a group: tap·group_in + channel of the group
    float *matrix;                // [groups][k][group_out], the float weights
    float *row, *sums;            // scratch: [QUERNEL_I_PTQ_ROWS] of [k] and of [group_out]
    quernel_i_ptq_image *images;
    uint32_t count;
} quernel_i_ptq_layer;

/// Fake quantization of im2col rows by docs/numerics.md, rule 1: t = (x·m)·g, clamped where `clip`,
/// rounded where `round`, times d.
typedef struct quernel_i_fake {
    const quernel_quant *quant;
    const float *multiplier; // [groups][k]: 1/(s·d), dynamic 1/s
    bool clip, round;
} quernel_i_fake;

/// Checks and loads everything and computes the float layer. Gives all back where it fails.
int quernel_i_ptq_layer_open(const quernel_float_layer *layer, const quernel_sample *samples,
                             uint32_t count, quernel_i_ptq_layer *ret_layer, quernel_error *error);
/// Gives back all that was taken since it was opened.
void quernel_i_ptq_layer_close(quernel_i_ptq_layer *f);

/// Elements of an image's input, and of its output.
static inline size_t quernel_i_ptq_image_inputs(const quernel_i_ptq_layer *f,
                                                const quernel_i_ptq_image *i) {
    return (size_t)i->n * i->h * i->w * f->shape.in;
}
static inline size_t quernel_i_ptq_image_outputs(const quernel_i_ptq_layer *f,
                                                 const quernel_i_ptq_image *i) {
    return (size_t)i->n * i->out_h * i->out_w * f->shape.out;
}

/// The most outputs that an image has.
size_t quernel_i_ptq_layer_max_outputs(const quernel_i_ptq_layer *f);

/// The im2col row of one output pixel, [k]; its fake quantization in place.
void quernel_i_ptq_layer_gather(const quernel_i_ptq_layer *f, const quernel_i_ptq_image *image,
                                uint32_t n, uint32_t y, uint32_t x, uint32_t group, float *row);
void quernel_i_ptq_layer_quantize(const quernel_i_ptq_layer *f, const quernel_i_fake *fake,
                                  uint32_t group, quernel_i_scale scale, float *row);

/// y = activation(rows · matrix + bias), with the rows fake-quantized where `fake` is given.
void quernel_i_ptq_layer_product(const quernel_i_ptq_layer *f, const quernel_i_ptq_image *image,
                                 const float *matrix, const quernel_i_fake *fake, bool activate,
                                 float *ret_y);

/// Refuses samples that are not finite, naming the first (QUERNEL_E_VALUE).
int quernel_i_ptq_layer_check_finite(const quernel_i_ptq_layer *f, const char *where,
                                     quernel_error *error);

/// Packs the weights with these factors.
int quernel_i_ptq_layer_pack(const quernel_i_ptq_layer *f, int32_t smooth_kind, const float *smooth,
                             quernel_weights **ret_weights, quernel_error *error);

/// y = what the int8 operator gives.
int quernel_i_ptq_layer_run(quernel_i_ptq_layer *f, quernel_weights *weights,
                            const quernel_quant *quant, const quernel_i_ptq_image *image,
                            bool activate, float *ret_y, quernel_error *error);

/// Factor of row element j of group g; `smooth` as its kind orders it. 1 where smoothing is off.
static inline float quernel_i_ptq_layer_smooth(const quernel_i_ptq_layer *f, int32_t kind,
                                               const float *smooth, uint32_t g, size_t j) {
    const size_t channel = (size_t)g * f->shape.group_in + j % f->shape.group_in;
    if (kind == QUERNEL_SMOOTH_NONE) return 1.0f;
    return kind == QUERNEL_SMOOTH_CHANNEL ? smooth[channel]
                                          : smooth[channel * f->shape.taps + j / f->shape.group_in];
}

#endif
