// SPDX-License-Identifier: Apache-2.0
// Products of two tensors: each matrix of z is packed as weights, and its product run as that of a
// linear layer. Where there are matrices enough for all threads each thread takes whole ones; else
// all of them share one after another.
#ifndef QUERNEL_EXEC_MATMUL_H
#define QUERNEL_EXEC_MATMUL_H

#include "exec/exec.h"

/// What a worker, or all of them, keep of the matrix at hand: bytes from the beginning of a slice.
typedef struct quernel_i_matmul_slice {
    size_t packed, sum, abs_sum, init, product, bytes;
} quernel_i_matmul_slice;

typedef struct quernel_i_matmul {
    // of one matrix: its weights have every table that does not come from z's codes
    quernel_i_problem problem;
    quernel_i_plan plan;
    quernel_i_params params;
    quernel_tensor x, z, y;
    bool transposed, by_matrix;
    uint8_t flip; // of z's codes
    quernel_i_matmul_slice slice;
} quernel_i_matmul;

typedef struct quernel_i_matmul_buffers {
    const void *x, *z;
    void *y;
    uint8_t *workspace;
} quernel_i_matmul_buffers;

void quernel_i_matmul_run(const quernel_i_matmul *matmul, const quernel_i_matmul_buffers *buffers,
                          const quernel_parallel *parallel);

#endif
