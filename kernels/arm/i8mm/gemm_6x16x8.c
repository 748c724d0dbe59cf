// SPDX-License-Identifier: Apache-2.0
// GEMM for the matrix products of Armv8.6, s8 and u8 rows, exact on any data: smmla and usmmla add
// eight products of 8 bits to a sum of 32, nothing saturates.
//
// They multiply 8 k of two rows by 8 k of two oc, which w16x4 has 4 by 4: a sub-panel is prepared
// by zipping its quads two by two, 128 bytes for 8 k: [8 pairs of oc][2 oc][8 k]. Rows are gathered
// into scratch likewise, tile by tile, all k runs of them behind one another: 16 k of two rows are
// 6 instructions, against 16 products for each sub-panel that they meet.
//
// 6 rows x 16 oc x 8 k are 24 products and 11 loads: 128 products of bytes a cycle where four pipes
// multiply (Neoverse V1, V2), 64 with two (N2), 32 with one (Cortex-A510). Speed is a model here:
// llvm-mca 22, caches and branches perfect; no Arm processor was timed.
//   768 products of bytes take   V1 6.1 cycles (126.7 a cycle), V2 6.6 (117.2), which 6
//   instructions
//                                a cycle bound, N2 12.1 (63.7), A510 24.0 (32.0)
#include <arm_neon.h>
#include <string.h>

#include "kernels/arm/neon/epilogue.h"
#include "tile.h"

TILES(smmla)
TILES(usmmla)

enum { STEP_QUADS = 2, STEP_BYTES = TILE_NR * 8 };

static uint32_t steps_of(uint32_t k_quads) { return (k_quads + STEP_QUADS - 1) / STEP_QUADS; }

static size_t scratch_bytes(uint32_t k_quads) {
    return ((size_t)steps_of(k_quads) * TILE_MR * 8 + 63) / 64 * 64;
}

size_t quernel_uk_gemm_s8s8_6x16x8_i8mm_scratch(uint32_t k_quads);
size_t quernel_uk_gemm_s8s8_6x16x8_i8mm_scratch(uint32_t k_quads) { return scratch_bytes(k_quads); }
size_t quernel_uk_gemm_u8s8_6x16x8_i8mm_scratch(uint32_t k_quads);
size_t quernel_uk_gemm_u8s8_6x16x8_i8mm_scratch(uint32_t k_quads) { return scratch_bytes(k_quads); }

static void prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    int8_t *to = dst;
    for (uint32_t q = 0; q < k_quads; q += STEP_QUADS)
        for (uint32_t n = 0; n < TILE_NR; n += 4, to += 32) {
            const int8_t *at = panel + q * 64 + n * 4;
            const int32x4_t even = vreinterpretq_s32_s8(vld1q_s8(at)),
                            odd = q + 1 < k_quads ? vreinterpretq_s32_s8(vld1q_s8(at + 64))
                                                  : vdupq_n_s32(0);
            vst1q_s8(to, vreinterpretq_s8_s32(vzip1q_s32(even, odd)));
            vst1q_s8(to + 16, vreinterpretq_s8_s32(vzip2q_s32(even, odd)));
        }
}

void quernel_uk_gemm_s8s8_6x16x8_i8mm_prepare(const int8_t *panel, uint32_t k_quads, void *dst);
void quernel_uk_gemm_s8s8_6x16x8_i8mm_prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    prepare(panel, k_quads, dst);
}
void quernel_uk_gemm_u8s8_6x16x8_i8mm_prepare(const int8_t *panel, uint32_t k_quads, void *dst);
void quernel_uk_gemm_u8s8_6x16x8_i8mm_prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    prepare(panel, k_quads, dst);
}

// Two rows' quads, `step` bytes from 8 k to 8 k. What lies behind an odd last one meets zeros.
static void gather_pair(const uint8_t *a, const uint8_t *c, const quernel_i_gemm *g, uint8_t *to,
                        size_t step) {
    uint32_t odd = 0; // the next quad is the second one of 8 k
    for (uint32_t i = 0; i < g->n_k_runs; i++) {
        const uint8_t *u = a + g->k_runs[i].offset, *v = c + g->k_runs[i].offset;
        uint32_t left = g->k_runs[i].k_quads;
        while (left) {
            if (!odd && left >= 4) {
                const uint64x2_t x = vreinterpretq_u64_u8(vld1q_u8(u)),
                                 y = vreinterpretq_u64_u8(vld1q_u8(v));
                vst1q_u8(to, vreinterpretq_u8_u64(vzip1q_u64(x, y)));
                vst1q_u8(to + step, vreinterpretq_u8_u64(vzip2q_u64(x, y)));
                u += 16, v += 16, left -= 4, to += 2 * step;
                continue;
            }
            memcpy(to + 4 * odd, u, 4);
            memcpy(to + 4 * odd + 8, v, 4);
            u += 4, v += 4, left--, to += odd ? step : 0, odd ^= 1;
        }
    }
}

// Rows from the m-th on, pair by pair within each 8 k; an odd last row is paired with itself.
static void gather(const quernel_i_gemm *g, uint32_t m, uint32_t rows, uint8_t *to) {
    const uint32_t pairs = (rows + 1) / 2;
    for (uint32_t p = 0; p < pairs; p++) {
        const uint8_t *a = (const uint8_t *)g->a + (ptrdiff_t)(m + 2 * p) * g->a_row;
        gather_pair(a, 2 * p + 1 < rows ? a + g->a_row : a, g, to + 16 * p, 16 * pairs);
    }
}

static void gemm(const quernel_i_gemm *g, tile_function *const tiles[TILE_MR / 2]) {
    int32_t acc[TILE_MR * TILE_NR] __attribute__((aligned(64)));
    const uint32_t steps = steps_of(g->k_quads);
    const bool plain = epilogue_is_plain(g->epilogue);
    for (uint32_t m = 0, left = (g->rows + TILE_MR - 1) / TILE_MR; left; left--) {
        const uint32_t rows = (g->rows - m + left - 1) / left;
        gather(g, m, rows, g->scratch);
        for (uint32_t n = 0; n < g->oc; n += TILE_NR) {
            const int8_t *b = (const int8_t *)g->b + n / TILE_NR * g->b_panel;
            const uint32_t oc = g->oc - n < TILE_NR ? g->oc - n : TILE_NR;
            tiles[(rows - 1) / 2](g->scratch, b, steps, g->init + n, acc);
            epilogue_run(&(epilogue_tile){acc, rows, oc, m, n}, g->epilogue, plain);
        }
        m += rows;
    }
}

void quernel_uk_gemm_s8s8_6x16x8_i8mm(const quernel_i_gemm *g);
void quernel_uk_gemm_s8s8_6x16x8_i8mm(const quernel_i_gemm *g) { gemm(g, smmla_tiles); }
void quernel_uk_gemm_u8s8_6x16x8_i8mm(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_6x16x8_i8mm(const quernel_i_gemm *g) { gemm(g, usmmla_tiles); }
