// SPDX-License-Identifier: Apache-2.0
// GEMM for base NEON, s8 and u8 rows, exact on any data (gemm_tile.h).
//
// A sub-panel is prepared by joining its quads of k two by two, the second one complemented, 128
// bytes for 8 k: [8 pairs of oc][2 oc][4 k], [2 oc][4 complemented k]. Row tiles are the outer
// loop. The values of a tile's rows are copied to scratch once, each quad twice in a row: that is
// the operand that meets 2 oc, and no instruction of the inner loop broadcasts. The sum of every
// second quad, which complements add to all oc, goes off the start values. u8 is flipped to s8 in
// that copy, and the sum of each oc's weights, which lies before them, puts the start values right.
// Then the sub-panels are streamed. A copy of 16 k takes 9 instructions per row against 48 for each
// sub-panel that they meet.
//
// 3 rows x 16 output channels x 8 k are 384 products: 24 smull, 24 smlsl2, 24 sadalp, 11 loads. The
// pipes that multiply set the bound where one of two does: 8 products a cycle (Cortex-A72, Neoverse
// N1); else all vector pipes do: 10.7 (N2), 16 (V1, V2), 5.3 with one (Cortex-A53, A55).
//
// Speed is a model here: llvm-mca 22, caches and branches perfect; no Arm processor was timed.
//   384 products take   N1, A72 48 cycles (8.0 a cycle), N2 36 (10.7), V1 and V2 24 (15.9), A55 86
//                       (4.5), A53 110 (3.5)
#include "epilogue.h"
#include "gemm_tile.h"
#include "kernels/ukr.h"
#include "vector.h"

enum {
    STEP_QUADS = 2,
    SUMS_BYTES = TILE_NR * sizeof(int32_t) // of each oc's weights, before the sub-panel's
};

static uint32_t steps_of(uint32_t k_quads) { return (k_quads + STEP_QUADS - 1) / STEP_QUADS; }

static size_t scratch_bytes(uint32_t k_quads) {
    return ((size_t)steps_of(k_quads) * TILE_MR * 16 + READ_AHEAD_A + 63) / 64 * 64;
}

static void prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    int8_t *to = (int8_t *)dst + SUMS_BYTES;
    ints16 sums = {{vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)}};
    for (uint32_t q = 0; q < k_quads; q += STEP_QUADS)
        for (uint32_t n = 0; n < TILE_NR / 4; n++, to += 32) {
            const int8_t *at = panel + q * 64 + n * 16;
            const int8x16_t first = vld1q_s8(at),
                            second = q + 1 < k_quads ? vld1q_s8(at + 64) : vdupq_n_s8(0);
            sums.q[n] = vpadalq_s16(sums.q[n], vaddq_s16(vpaddlq_s8(first), vpaddlq_s8(second)));
            const int64x2_t a = vreinterpretq_s64_s8(first),
                            b = vreinterpretq_s64_s8(vmvnq_s8(second));
            vst1q_s8(to, vreinterpretq_s8_s64(vzip1q_s64(a, b)));
            vst1q_s8(to + 16, vreinterpretq_s8_s64(vzip2q_s64(a, b)));
        }
    store_ints(dst, sums);
}

// A row's quads, flipped, each twice, two of them every `step` bytes; zeros behind an odd last one.
// Returns the sum of every second one.
static int32_t expand_row(const uint8_t *a, const quernel_i_gemm *g, uint8_t flip, uint8_t *to,
                          size_t step) {
    int32x4_t sums = vdupq_n_s32(0); // of each quad of four
    int32_t sum = 0;
    uint32_t odd = 0; // the next quad is the second one of 8 k
    for (uint32_t i = 0; i < g->n_k_runs; i++) {
        const uint8_t *from = a + g->k_runs[i].offset;
        uint32_t left = g->k_runs[i].k_quads;
        while (left) {
            if (!odd && left >= 4) {
                const uint8x16_t bytes = veorq_u8(vld1q_u8(from), vdupq_n_u8(flip));
                const uint32x4_t v = vreinterpretq_u32_u8(bytes);
                vst1q_u8(to, vreinterpretq_u8_u32(vzip1q_u32(v, v)));
                vst1q_u8(to + step, vreinterpretq_u8_u32(vzip2q_u32(v, v)));
                sums = vpadalq_s16(sums, vpaddlq_s8(vreinterpretq_s8_u8(bytes)));
                from += 16, left -= 4, to += 2 * step;
                continue;
            }
            for (uint32_t k = 0; k < 4; k++) {
                const uint8_t code = from[k] ^ flip;
                to[8 * odd + k] = to[8 * odd + 4 + k] = code;
                if (odd) sum += (int8_t)code;
            }
            from += 4, left--, to += odd ? step : 0, odd ^= 1;
        }
    }
    if (odd) memset(to + 8, 0, 8);
    return sum + vgetq_lane_s32(sums, 1) + vgetq_lane_s32(sums, 3);
}

// acc[rows][16] = the start values and what flipping took, less a term of each row.
static void start(const int32_t *init, const int32_t *sums, int32_t flip, const int32_t *terms,
                  uint32_t rows, int32_t *acc) {
    for (uint32_t n = 0; n < TILE_NR; n += 4) {
        const int32x4_t all = vmlaq_n_s32(vld1q_s32(init + n), vld1q_s32(sums + n), flip);
        for (uint32_t r = 0; r < rows; r++)
            vst1q_s32(acc + r * TILE_NR + n, vsubq_s32(all, vdupq_n_s32(terms[r])));
    }
}

// `flip` is 128 for u8 rows: x is (x ^ 128) + 128, as s8.
static void gemm(const quernel_i_gemm *g, uint8_t flip) {
    int32_t acc[TILE_MR * TILE_NR] __attribute__((aligned(64)));
    int32_t terms[TILE_MR];
    const bool plain = epilogue_is_plain(g->epilogue);
    for (uint32_t m = 0, left = (g->rows + TILE_MR - 1) / TILE_MR; left; left--) {
        const uint32_t rows = (g->rows - m + left - 1) / left;
        for (uint32_t r = 0; r < rows; r++)
            terms[r] = expand_row((const uint8_t *)g->a + (ptrdiff_t)(m + r) * g->a_row, g, flip,
                                  (uint8_t *)g->scratch + 16 * r, 16 * rows);
        for (uint32_t n = 0; n < g->oc; n += TILE_NR) {
            const int8_t *b = (const int8_t *)g->b + n / TILE_NR * g->b_panel;
            const uint32_t oc = g->oc - n < TILE_NR ? g->oc - n : TILE_NR;
            start(g->init + n, (const int32_t *)(const void *)b, flip, terms, rows, acc);
            tiles[rows - 1](g->scratch, b + SUMS_BYTES, steps_of(g->k_quads), acc);
            epilogue_run(&(epilogue_tile){acc, rows, oc, m, n}, g->epilogue, plain);
        }
        m += rows;
    }
}

size_t quernel_uk_gemm_s8s8_3x16x8_neon_scratch(uint32_t k_quads);
size_t quernel_uk_gemm_s8s8_3x16x8_neon_scratch(uint32_t k_quads) { return scratch_bytes(k_quads); }
void quernel_uk_gemm_s8s8_3x16x8_neon_prepare(const int8_t *panel, uint32_t k_quads, void *dst);
void quernel_uk_gemm_s8s8_3x16x8_neon_prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    prepare(panel, k_quads, dst);
}
void quernel_uk_gemm_s8s8_3x16x8_neon(const quernel_i_gemm *g);
void quernel_uk_gemm_s8s8_3x16x8_neon(const quernel_i_gemm *g) { gemm(g, 0); }

size_t quernel_uk_gemm_u8s8_3x16x8_neon_scratch(uint32_t k_quads);
size_t quernel_uk_gemm_u8s8_3x16x8_neon_scratch(uint32_t k_quads) { return scratch_bytes(k_quads); }
void quernel_uk_gemm_u8s8_3x16x8_neon_prepare(const int8_t *panel, uint32_t k_quads, void *dst);
void quernel_uk_gemm_u8s8_3x16x8_neon_prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    prepare(panel, k_quads, dst);
}
void quernel_uk_gemm_u8s8_3x16x8_neon(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_3x16x8_neon(const quernel_i_gemm *g) { gemm(g, 128); }
