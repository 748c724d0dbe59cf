// SPDX-License-Identifier: Apache-2.0
// How values of an operator without weights become its output: docs/numerics.md, rule 8, with
// tables per channel. Made by `op`, const from then on.
#ifndef QUERNEL_EXEC_RESULT_H
#define QUERNEL_EXEC_RESULT_H

#include "kernels/ukr.h"
#include "quernel/tensor.h"

typedef struct quernel_i_result {
    const quernel_i_kernel *eltwise, *epilogue; // kernels; epilogue: of sums
    quernel_i_elements x;                       // what codes of x mean
    const float *scales, *zeros;                // int8: x's scales, [channels]; as many zeros
    quernel_i_epilogue output;                  // activation, factors, bounds
    quernel_tensor y;
    bool flat; // its pixels lie side by side, and all channels have the same tables
} quernel_i_result;

/// What the rows of a tile are.
typedef enum quernel_i_tile_of {
    QUERNEL_I_TILE_OF_ELEMENTS, // of x's type, or F32 values
    QUERNEL_I_TILE_OF_STEPS,    // int8 x: F32, to be multiplied by its scales
    QUERNEL_I_TILE_OF_SUMS      // int8 x: S32, to be multiplied by its scales and `factors`
} quernel_i_tile_of;

/// [pixels][channels], dense: pixels (image, line, first) … of y.
typedef struct quernel_i_tile {
    quernel_i_tile_of of;
    int32_t type; // of elements
    const void *data;
    const float *factors; // of sums: one for each pixel
    uint32_t image, line, first, pixels;
} quernel_i_tile;

void quernel_i_result_store(const quernel_i_result *result, const quernel_i_tile *tile, void *y);

/// Address of a pixel of y.
uint8_t *quernel_i_result_pixel(const quernel_i_result *result, void *y, uint32_t image,
                                int64_t line, int64_t pixel);

#endif
