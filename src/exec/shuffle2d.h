// SPDX-License-Identifier: Apache-2.0
// Runs a shuffle: phase by phase (pixel of a block), pieces of channels move from pixel to pixel.
// Where pieces are short and the pixels of a block's line lie in one stretch, a kernel permutes the
// bytes of x's pixel to that stretch.
#ifndef QUERNEL_EXEC_SHUFFLE2D_H
#define QUERNEL_EXEC_SHUFFLE2D_H

#include "kernels/ukr.h"
#include "quernel/tensor.h"
#include "quernel/threads.h"

/// Channels `to` … of y's pixel come from x's elements `from`, `from` + `step` …
typedef struct quernel_i_shuffle2d_piece {
    uint32_t to, count;
    int64_t from, step; // elements, from channel 0 of the block's first pixel
} quernel_i_shuffle2d_piece;

typedef struct quernel_i_shuffle2d {
    quernel_tensor x, y;
    uint8_t border;
    // Each block of x_h x x_w pixels of x gives y_h x y_w of y; one of both is 1 x 1.
    uint32_t x_h, x_w, y_h, y_w;
    const quernel_i_shuffle2d_piece *pieces;
    const uint32_t *phases; // [y_h·y_w + 1]: where the pieces of each pixel of the block begin
    const quernel_i_kernel *permute; // or NULL
    // [y_h][y_w·channels·bytes of an element]: which byte of x's pixel it is
    const uint32_t *bytes;
    uint32_t task_lines;
} quernel_i_shuffle2d;

void quernel_i_shuffle2d_run(const quernel_i_shuffle2d *shuffle, const void *x, void *y,
                             const quernel_parallel *parallel);

#endif
