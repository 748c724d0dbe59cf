// SPDX-License-Identifier: Apache-2.0
// Runs a resize: each output line is copied from a line of x, or its pixels are gathered or blended
// (of a line that is blended of several first), and become results.
#ifndef QUERNEL_EXEC_RESIZE2D_H
#define QUERNEL_EXEC_RESIZE2D_H

#include "exec/result.h"
#include "pack/stage.h"
#include "quernel/resize2d.h"
#include "quernel/threads.h"

typedef struct quernel_i_resize2d {
    quernel_i_result result;
    quernel_tensor x;
    int32_t zero; // of x's codes; floats: 0
    quernel_resize2d_axis lines, pixels;
    const void *pad; // [c] elements of y
    bool copies;     // elements pass as they are
    bool staged;     // x's lines are brought to dense NHWC first, floats as F32
    const quernel_i_kernel *blend_lines, *blend_pixels; // or NULL
    quernel_i_turn turn;
    bool direct; // pixels that are blended are y's as they are
    // of few channels: rows of elements of so many of them (one, or all) by tables; or NULL
    const quernel_i_kernel *sample;
    uint32_t sample_channels;
    const int32_t *sample_at; // [taps][elements]
    const float *sample_share;
    bool planar;         // samples are taken of lines whose channels lie apart, as x's do
    size_t channel_step; // of the line that samples are taken from, elements
    quernel_i_tile_of tile_of;
    int32_t tile_type;
    const ptrdiff_t
        *at; // bytes from pixel 0 of the line that pixels are taken from: [w of y][taps]
    uint32_t task_lines, tile_pixels;
    struct {
        size_t staged, held, line, at, tile, bytes;
    } slice;
} quernel_i_resize2d;

void quernel_i_resize2d_run(const quernel_i_resize2d *resize, const void *x, void *y,
                            uint8_t *workspace, const quernel_parallel *parallel);

#endif
