// SPDX-License-Identifier: Apache-2.0
// Runs a pool: task by task, a stretch of output lines each.
//
//   maxima of bytes     POOLMAX; it writes y itself where the coding is the same
//   averages of bytes   POOLSUM less the zero points: sums, with the counts' reciprocals
//   floats              POOLMAX or POOLSUM: values
#ifndef QUERNEL_EXEC_POOL2D_H
#define QUERNEL_EXEC_POOL2D_H

#include "exec/result.h"
#include "pack/stage.h"
#include "quernel/threads.h"

/// One direction of a window.
typedef struct quernel_i_pool2d_axis {
    uint32_t kernel, stride, dilation, before, after, size; // size: of x
} quernel_i_pool2d_axis;

/// What output positions [first, first + count) read: `taps` taps from x's position `at` on, which
/// moves by the stride; the average is over `counted` elements.
typedef struct quernel_i_pool2d_span {
    uint32_t first, count, at, taps, counted;
} quernel_i_pool2d_span;

/// The span from position i on, of those before `end`.
quernel_i_pool2d_span quernel_i_pool2d_span_at(const quernel_i_pool2d_axis *axis, uint32_t i,
                                               uint32_t end, bool padded);

typedef struct quernel_i_pool2d {
    quernel_i_result result;
    quernel_tensor x;
    int32_t zero; // of x's codes; floats: 0
    const quernel_i_kernel *pool;
    quernel_i_turn turn;
    quernel_i_tile_of tile_of; // what it gives
    int32_t tile_type;
    bool padded;    // the average counts padding
    bool direct;    // the kernel writes y
    bool separable; // lines first, then pixels
    bool staged;    // x's lines are brought to NHWC first, floats as F32
    quernel_i_pool2d_axis lines, pixels;
    const quernel_i_pool2d_span *spans; // of the pixels
    uint32_t n_spans;
    uint32_t task_lines, tile_pixels; // output lines of a task, pixels of a tile
    // Of a worker's slice of the workspace
    struct {
        size_t staged, line, tile, factors, bytes;
    } slice;
} quernel_i_pool2d;

void quernel_i_pool2d_run(const quernel_i_pool2d *pool, const void *x, void *y, uint8_t *workspace,
                          const quernel_parallel *parallel);

#endif
