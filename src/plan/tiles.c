// SPDX-License-Identifier: Apache-2.0
// A model of one line of output: cycles that tiles and vectors take for its products, its finish, and for the call.
#include "plan/tiles.h"

#include "quernel/cpu.h"

#define TILE_ROWS 16
#define TILE_GROUPS 16
#define PRODUCT 16       // cycles of a tile product
#define LATENCY 52       // of a tile product: what fewer than four chains wait for
#define LOAD 8           // of a tile on two load ports
#define CALL 250         // configuring tiles, listing steps: 53 ns measured for the first, the rest counted
#define VECTOR_MACS 120  // MAC/cycle that AVX-512-VNNI reaches
#define FINISH 4         // cycles for 16 results

static uint64_t pieces(uint64_t total, uint64_t piece) { return (total + piece - 1) / piece; }

bool quernel_i_plan_tiles_pay(const quernel_i_layer *l) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    const uint64_t rows = l->grid_w, columns = s->columns16 / 16, groups = s->k_groups;
    const uint64_t products = pieces(rows, TILE_ROWS) * columns * pieces(groups, TILE_GROUPS) * PRODUCT;
    const uint64_t finish = rows * columns * FINISH;
    const uint64_t vectors = rows * columns * groups * 64 / VECTOR_MACS + finish; // one after the other
    return (products > finish ? products : finish) + CALL < vectors;              // at the same time
}

// A step of k of a block of m x n tiles.
static uint64_t step(uint64_t m, uint64_t n) {
    uint64_t cycles = m * n * PRODUCT;
    if (!m || !n) return 0;
    if (cycles < LATENCY) cycles = LATENCY;
    return cycles < (m + n) * LOAD ? (m + n) * LOAD : cycles;
}

static uint64_t step_of_line(const quernel_i_layer *l, const quernel_i_kernel *k) {
    const uint64_t m = k->mr / TILE_ROWS, n = k->nr / 16, rows = pieces(l->grid_w, TILE_ROWS);
    const uint64_t columns = l->weights->shape.columns16 / 16;
    return rows / m * (columns / n * step(m, n) + step(m, columns % n)) + columns / n * step(rows % m, n) +
           step(rows % m, columns % n);
}

const quernel_i_kernel *quernel_i_plan_tiles_kernel(const quernel_i_layer *l, int32_t a_type) {
    const quernel_i_kernel *best = NULL;
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++) {
        if (k->isa != QUERNEL_ISA_AMXINT8 || k->op != QUERNEL_I_OP_GEMM || k->a_type != a_type) continue;
        if (!best || step_of_line(l, k) < step_of_line(l, best)) best = k;
    }
    return best;
}

quernel_i_stream quernel_i_plan_stream(const quernel_i_layer *l, size_t l1d_bytes) {
    const size_t weights = (size_t)l->columns_block * l->weights->shape.k_groups * 4;
    return weights > l1d_bytes * 7 / 8 ? QUERNEL_I_STREAM_WEIGHTS : QUERNEL_I_STREAM_ROWS;
}
