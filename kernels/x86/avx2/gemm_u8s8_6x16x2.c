// SPDX-License-Identifier: Apache-2.0
// GEMM for AVX2, u8 rows, exact on any data: 16-bit values, vpmaddwd, 32-bit sums. The plain way,
// for plans that name it; gemm_u8s8_2x32x4 has fewer multiplications.
//
// Row tiles are the outer loop: the runs of up to 24 rows are widened once to 16 bits into scratch,
// a row's pitch an odd number of cache lines. Then the prepared sub-panels are streamed: per pair
// of k 2 loads of weights, and for each row a broadcast of two values, 2 vpmaddwd and 2 vpaddd. A
// product is at most 255·128, a pair of them fits 17 bits: nothing can saturate. The tile of sums
// goes to L1 and becomes output from there, up to 24 rows together: whole vectors of pixels where y
// is NCHW.
//
// A pair of k is 192 products: 24 multiply-adds and additions, 8 loads, in all 32 micro-operations.
//   Zen 4   2 multiply and 4 addition pipes share the work: 6 cycles if the additions never took a
//           multiply slot; measured 7.9, 24.3 products a cycle, 77 % of the saturating vpmaddubsw
//           loop's 31.5 (GEMM 512³, quernel bench)
//   Zen 3   the same pipes; the loop alone 24.3 products a cycle in L1, 76 % of 32. The loop of the
//           saturating instruction made exact by complementing activations (limits: 255·w −
//           (255 − a)·w) runs 28.9 with 6 channels x 16 pixels; not built
//   Intel   24 operations on 3 vector ports: 8 cycles, 75 % of 32 products a cycle; not timed here
// Weights stream from L2 at 8 bytes a cycle.
#include <immintrin.h>

#include "epilogue.h"
#include "kernels/ukr.h"
#include "madd16.h"

enum {
    TILES_MAX = 4,         // 24 rows, whose sums are 1.5 KiB of L1
    WIDENED_MAX = 16 << 10 // half of an L1 of 32 KiB: weights and sums pass through the other
};

static size_t panel_row(uint32_t k_quads) {
    const size_t lines = ((size_t)k_quads * 8 + 63) / 64;
    return (lines | 1) * 64;
}

// Rows that are widened, multiplied and given their epilogue together, as many register tiles as
// half of L1 holds.
static uint32_t block_rows(uint32_t k_quads) {
    const size_t tiles_fit = WIDENED_MAX / (MR * panel_row(k_quads));
    return MR * (uint32_t)(tiles_fit < 1 ? 1 : tiles_fit > TILES_MAX ? TILES_MAX : tiles_fit);
}

size_t quernel_uk_gemm_u8s8_6x16x2_avx2_scratch(uint32_t k_quads);
// no call of fewer quads takes more
size_t quernel_uk_gemm_u8s8_6x16x2_avx2_scratch(uint32_t k_quads) {
    const size_t tile = MR * panel_row(k_quads),
                 max = TILES_MAX * tile < WIDENED_MAX ? TILES_MAX * tile : WIDENED_MAX;
    return tile > max ? tile : max;
}

void quernel_uk_gemm_u8s8_6x16x2_avx2_prepare(const int8_t *panel, uint32_t k_quads, void *dst);
void quernel_uk_gemm_u8s8_6x16x2_avx2_prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    for (uint32_t g = 0; g < k_quads; g++) widen_weights(panel + g * 64, (__m256i *)dst + g * 4);
}

static void widen_row(const uint8_t *a, const quernel_i_k_run *k_runs, uint32_t n_k_runs,
                      uint8_t *to) {
    for (uint32_t i = 0; i < n_k_runs; i++) {
        const uint8_t *from = a + k_runs[i].offset;
        uint32_t left = k_runs[i].k_quads;
        for (; left >= 4; left -= 4, from += 16, to += 32)
            _mm256_storeu_si256((__m256i *)to,
                                _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)from)));
        for (; left; left--, from += 4, to += 8)
            _mm_storel_epi64((__m128i *)to, _mm_cvtepu8_epi16(_mm_loadu_si32(from)));
    }
}

void quernel_uk_gemm_u8s8_6x16x2_avx2(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_6x16x2_avx2(const quernel_i_gemm *g) {
    int32_t acc[TILES_MAX * MR * NR] __attribute__((aligned(64)));
    uint8_t *panel = g->scratch;
    const size_t row = panel_row(g->k_quads);
    const uint32_t max = block_rows(g->k_quads);
    const bool plain = epilogue_is_plain(g->epilogue);
    for (uint32_t m = 0, blocks = (g->rows + max - 1) / max; blocks; blocks--) {
        const uint32_t rows = (g->rows - m + blocks - 1) / blocks;
        for (uint32_t r = 0; r < rows; r++)
            widen_row((const uint8_t *)g->a + (ptrdiff_t)(m + r) * g->a_row, g->k_runs, g->n_k_runs,
                      panel + r * row);
        for (uint32_t n = 0; n < g->oc; n += NR) {
            const uint8_t *b = (const uint8_t *)g->b + n / NR * g->b_panel;
            multiply_rows(panel, row, rows, b, g->k_quads, g->init + n, acc);
            const uint32_t oc = g->oc - n < NR ? g->oc - n : NR;
            epilogue_run(&(epilogue_tile){acc, rows, oc, m, n}, g->epilogue, plain);
        }
        m += rows;
    }
}
