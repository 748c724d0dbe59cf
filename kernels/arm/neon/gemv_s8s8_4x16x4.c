// SPDX-License-Identifier: Apache-2.0
// GEMV for base NEON, up to 4 s8 rows, exact on any data; reads w16x4 and the rows as they are,
// without scratch.
//
// ld1r broadcasts the rows' quads: with few rows a copy, as the GEMM makes, would not pay. Up to 3
// rows share a pass over a run. 4 rows go two by two over a chunk of weights: the second pair finds
// it in L1.
//
// A quad of 4 k and one row is 8 smull, 8 sadalp and the broadcast, which takes a vector slot on
// the larger cores: at most 7.5 products a cycle on Neoverse N1, 15 on V1. With one row that is as
// many bytes of weights a cycle.
//
// Speed is a model here: llvm-mca 19, caches and branches perfect; no Arm processor was timed.
//   a turn of the loop          N1 9.0, 17.0, 25.5 cycles for 1, 2, 3 rows (7.1, 7.5, 7.5 products
//   a cycle);
//                               V1 4.8, 8.8, 13.5 (13.4, 14.5, 14.2)
//   M x 64 x 1024 to f32, whole N1 7.0 products a cycle at M = 1, 7.3 at 4; V1 13.1 and 14.3
#include "epilogue.h"
#include "kernels/ukr.h"
#include "tile.h"
#include "vector.h"

enum {
    MR = 4,
    CHUNK = 128, // quads: 8 KiB of weights
};

// acc[4][16] += 4 rows · a stretch of a sub-panel.
static void add_pairs(const int8_t *a, ptrdiff_t a_row, const int8_t *b, uint32_t k_quads,
                      int32_t *acc) {
    for (uint32_t n; k_quads; k_quads -= n, a += 4 * n, b += 64 * n) {
        n = k_quads < CHUNK ? k_quads : CHUNK;
        tile_2(a, a_row, b, n, acc);
        tile_2(a + 2 * a_row, a_row, b, n, acc + 2 * TILE_NR);
    }
}

void quernel_uk_gemv_s8s8_4x16x4_neon(const quernel_i_gemm *g);
void quernel_uk_gemv_s8s8_4x16x4_neon(const quernel_i_gemm *g) {
    int32_t acc[MR * TILE_NR] __attribute__((aligned(64)));
    const bool plain = epilogue_is_plain(g->epilogue);
    for (uint32_t n = 0; n < g->oc; n += TILE_NR) {
        const int8_t *b = (const int8_t *)g->b + n / TILE_NR * g->b_panel;
        const ints16 init = load_ints(g->init + n);
        for (uint32_t r = 0; r < g->rows; r++) store_ints(acc + r * TILE_NR, init);
        for (uint32_t i = 0; i < g->n_k_runs; i++) {
            const int8_t *a = (const int8_t *)g->a + g->k_runs[i].offset;
            const uint32_t k_quads = g->k_runs[i].k_quads;
            if (g->rows == MR) add_pairs(a, g->a_row, b, k_quads, acc);
            else if (k_quads) tiles[g->rows - 1](a, g->a_row, b, k_quads, acc);
            b += 64 * (size_t)k_quads;
        }
        const uint32_t oc = g->oc - n < TILE_NR ? g->oc - n : TILE_NR;
        epilogue_run(&(epilogue_tile){acc, g->rows, oc, 0, n}, g->epilogue, plain);
    }
}
