// SPDX-License-Identifier: Apache-2.0
// GEMM over the tiles of tile.h, which go over the rows where they lie: no scratch, no other form
// of the weights. Tiles of rows are the outer loop, so that they stay in L1; up to 6 rows are one
// pass over the weights, which is what a GEMV is, too.
#ifndef QUERNEL_DOTPROD_GEMM_H
#define QUERNEL_DOTPROD_GEMM_H

#include "kernels/arm/neon/epilogue.h"
#include "tile.h"

static void gemm(const quernel_i_gemm *g) {
    int32_t acc[TILE_MR * TILE_NR] __attribute__((aligned(64)));
    const bool plain = epilogue_is_plain(g->epilogue);
    for (uint32_t m = 0, left = (g->rows + TILE_MR - 1) / TILE_MR; left; left--) {
        const uint32_t rows = (g->rows - m + left - 1) / left;
        const uint8_t *a = (const uint8_t *)g->a + (ptrdiff_t)m * g->a_row;
        for (uint32_t n = 0; n < g->oc; n += TILE_NR) {
            const int8_t *b = (const int8_t *)g->b + n / TILE_NR * g->b_panel;
            const uint32_t oc = g->oc - n < TILE_NR ? g->oc - n : TILE_NR;
            tiles[rows - 1](g, a, b, g->init + n, acc);
            epilogue_run(&(epilogue_tile){acc, rows, oc, m, n}, g->epilogue, plain);
        }
        m += rows;
    }
}

#endif
