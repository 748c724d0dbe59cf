// SPDX-License-Identifier: Apache-2.0
// Stages pieces of an input line as rows: quantized from float, or copied from int8, with channels
// contiguous.
#ifndef QUERNEL_PACK_STAGE_H
#define QUERNEL_PACK_STAGE_H

#include "kernels/ukr.h"
#include "quernel/tensor.h"

/// How floats become codes: the arguments of a quantize kernel that are the same for all pixels.
typedef struct quernel_i_quantizer {
    const float *mult;
    float g, lo, hi;
    int32_t zero; // a_offset included
    bool near;
} quernel_i_quantizer;

/// The kernels that bring planes to rows: of bytes, of floats.
typedef struct quernel_i_turn {
    const quernel_i_kernel *bytes, *floats;
} quernel_i_turn;

/// The best of the instruction sets in the mask `usable`.
quernel_i_turn quernel_i_turn_of(uint32_t usable);

/// A piece of one line of x: `pixels` pixels of all its channels, as floats that can be read where
/// they are.
typedef struct quernel_i_view {
    const float *data;
    ptrdiff_t pixel, channel; // elements
} quernel_i_view;

/// Address of pixel (image, line, ix) of x, channel 0.
const void *quernel_i_stage_pixel(const quernel_tensor *x, const void *data, uint32_t image,
                                  int64_t line, int64_t oc);

/// The piece as floats: in place for f32; bf16 is converted to `floats` (pixels·channels of them).
quernel_i_view quernel_i_view_floats(const quernel_tensor *x, const void *piece, uint32_t pixels,
                                     float *floats);

/// Float piece to rows by a quantize kernel. `floats`: room for the piece, used for bf16 alone.
void quernel_i_stage_floats(const quernel_i_kernel *quantize, const quernel_tensor *x,
                            const void *piece, uint32_t pixels, const quernel_i_quantizer *q,
                            float *floats, uint8_t *ret_rows, ptrdiff_t row_bytes);

/// int8 piece to rows; `flip` 0x80 changes between s8 and u8.
void quernel_i_stage_bytes(const quernel_i_turn *turn, const quernel_tensor *x, const void *piece,
                           uint32_t pixels, uint8_t flip, uint8_t *ret_rows, ptrdiff_t row_bytes);

/// Float piece to a float strip with channels contiguous.
void quernel_i_stage_strip(const quernel_i_turn *turn, const quernel_tensor *x, const void *piece,
                           uint32_t pixels, float *ret_strip);

#endif
