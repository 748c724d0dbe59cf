// SPDX-License-Identifier: Apache-2.0
// GEMM for base NEON, s8 rows, exact on any data; reads w16x4 as it is.
//
// Row tiles are the outer loop. The values of a tile's rows are copied to scratch once, each quad
// of 4 k twice in a row: that is the operand that meets 2 output channels of w16x4, and no
// instruction of the inner loop broadcasts. Then the sub-panels are streamed. A copy of 16 k takes
// 5 instructions per row against 64 for each sub-panel that they meet.
//
// 3 rows x 16 output channels x 4 k are 192 products: 24 smull and 24 sadalp, 11 loads of 8 bytes.
// The vector pipes set the bound: 8 products a cycle where one of two multiplies (Neoverse N1), 16
// where two of four do (V1, V2), 4 with one (Cortex-A55).
//
// Speed is a model here: llvm-mca 19, caches and branches perfect; no Arm processor was timed.
//   a turn of the loop          N1 24.0 cycles, 8.0 of 8 products a cycle; V1, V2 12.0 cycles, 16.0
//   of 16 12 x 64 x 576 to s8, whole  N1 94 % of the bound, V1 95 %; K = 256 to f32: 91 and 94 %; K
//   = 64 to s8: 72 and 75 % a turn on Cortex-A55        48 cycles, 4.0 of 4 products a cycle, if
//   8-byte loads pair with vector operations, as they
//                               are said to; 73 and 2.6 by llvm-mca, which pairs nothing with them
#include "epilogue.h"
#include "kernels/ukr.h"
#include "tile.h"
#include "vector.h"

TILES(expanded)

// Bytes of an expanded row: 8 spare ones, an odd number of lines.
static size_t row_bytes(uint32_t k_quads) { return (((size_t)k_quads * 8 + 8 + 63) / 64 | 1) * 64; }

size_t quernel_uk_gemm_s8s8_3x16x4_neon_scratch(uint32_t k_quads);
size_t quernel_uk_gemm_s8s8_3x16x4_neon_scratch(uint32_t k_quads) {
    return TILE_MR * row_bytes(k_quads);
}

static void expand_row(const uint8_t *a, const quernel_i_k_run *k_runs, uint32_t n_k_runs,
                       uint8_t *to) {
    for (uint32_t i = 0; i < n_k_runs; i++) {
        const uint8_t *from = a + k_runs[i].offset;
        uint32_t left = k_runs[i].k_quads;
        for (; left >= 4; left -= 4, from += 16, to += 32) {
            const uint32x4_t v = vreinterpretq_u32_u8(vld1q_u8(from));
            vst1q_u8(to, vreinterpretq_u8_u32(vzip1q_u32(v, v)));
            vst1q_u8(to + 16, vreinterpretq_u8_u32(vzip2q_u32(v, v)));
        }
        for (; left; left--, from += 4, to += 8) {
            memcpy(to, from, 4);
            memcpy(to + 4, from, 4);
        }
    }
}

void quernel_uk_gemm_s8s8_3x16x4_neon(const quernel_i_gemm *g);
void quernel_uk_gemm_s8s8_3x16x4_neon(const quernel_i_gemm *g) {
    int32_t acc[TILE_MR * TILE_NR] __attribute__((aligned(64)));
    uint8_t *expanded = g->scratch;
    const size_t row = row_bytes(g->k_quads);
    const bool plain = epilogue_is_plain(g->epilogue);
    for (uint32_t m = 0, left = (g->rows + TILE_MR - 1) / TILE_MR; left; left--) {
        const uint32_t rows = (g->rows - m + left - 1) / left;
        for (uint32_t r = 0; r < rows; r++)
            expand_row((const uint8_t *)g->a + (ptrdiff_t)(m + r) * g->a_row, g->k_runs,
                       g->n_k_runs, expanded + r * row);
        for (uint32_t n = 0; n < g->oc; n += TILE_NR) {
            const ints16 init = load_ints(g->init + n);
            for (uint32_t r = 0; r < rows; r++) store_ints(acc + r * TILE_NR, init);
            tiles[rows - 1]((const int8_t *)expanded, (ptrdiff_t)row,
                            (const int8_t *)g->b + n / TILE_NR * g->b_panel, g->k_quads, acc);
            const uint32_t oc = g->oc - n < TILE_NR ? g->oc - n : TILE_NR;
            epilogue_run(&(epilogue_tile){acc, rows, oc, m, n}, g->epilogue, plain);
        }
        m += rows;
    }
}
