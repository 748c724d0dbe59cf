// SPDX-License-Identifier: Apache-2.0
// Runs a normalization: piece by piece of a line, each of which becomes a tile of values, and that
// a piece of y.
#ifndef QUERNEL_EXEC_NORMALIZE_H
#define QUERNEL_EXEC_NORMALIZE_H

#include "exec/result.h"
#include "pack/stage.h"
#include "quernel/threads.h"

typedef struct quernel_i_normalize_work {
    quernel_i_result result;
    quernel_tensor x;
    const quernel_i_kernel *kernel;
    quernel_i_normalize call; // without addresses and rows
    quernel_i_turn turn;
    bool staged;                       // x's channels are brought side by side first, floats as F32
    bool direct;                       // the kernel writes y
    uint32_t task_pixels, tile_pixels; // of a line
    // Of a worker's slice of the workspace
    struct {
        size_t staged, line, tile, bytes;
    } slice;
} quernel_i_normalize_work;

void quernel_i_normalize_run(const quernel_i_normalize_work *work, const void *x, void *y,
                             uint8_t *workspace, const quernel_parallel *parallel);

#endif
