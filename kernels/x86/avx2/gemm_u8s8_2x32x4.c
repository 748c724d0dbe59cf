// SPDX-License-Identifier: Apache-2.0
// GEMM for AVX2, u8 rows, exact on any data: Winograd's inner product in 16-bit values
// (inner16.h), half of the multiplications of gemm_u8s8_6x16x2. For cores with one multiplier.
//
// Row tiles are the outer loop: the runs of up to 24 rows are widened once to 16 bits into scratch,
// even k before odd ones in each quad, a row's pitch an odd number of cache lines; their terms, the
// products of even and odd neighbours, are summed on the way. Those of the oc lie before
// each prepared sub-panel. a + b lies within 128 of a byte. The sums go to L1 and are output
// there, up to 24 rows together. Where 16 output channels are left tiles of 4 rows serve, and tiles
// of their own the last 8 or fewer.
//
// A quad of 4 k is 256 products: 8 vpmaddwd, 24 additions, 20 loads (4 by 16: 12).
//   Zen 1   additions on 3 pipes, one of which multiplies, each half of a vector by itself: 21.3
//           cycles, 12 products a cycle; the loop alone 9.9 (4 by 16: 9.3), 6x16x2 is bound to 8 by
//           its multiplications
//   Zen 3   llvm-mca promises 25.4 products a cycle (4 by 16: 23.1), 1.2 times 6x16x2's 21.1; it is
//           wrong: measured 0.84 to 1.01 of 6x16x2, 0.77 to 1.0 of 6x16x4 (bench/FIGURES.md)
//   Intel   32 operations on 3 vector ports: 24, by llvm-mca 22.9 (4 by 16: 23.8), 23.9 with
//           6x16x2; Haswell, which multiplies on one port, 17.6 and 15.9
#include <immintrin.h>

#include "epilogue.h"
#include "inner32.h"
#include "kernels/ukr.h"

enum {
    NR = TILE_NR,
    ROWS_MAX = 24,          // whose sums are 3 KiB of L1
    WIDENED_MAX = 16 << 10, // half of an L1 of 32 KiB: weights and sums pass through the other
    HEAD = NR * 4           // bytes of the terms before a prepared sub-panel
};

static size_t panel_row(uint32_t k_quads) {
    const size_t lines = ((size_t)k_quads * 8 + 63) / 64;
    return (lines | 1) * 64;
}

// Rows that are widened, multiplied and given their epilogue together, as many register tiles as
// half of L1 holds.
static uint32_t block_rows(uint32_t k_quads) {
    const size_t fit = WIDENED_MAX / (WIDE_MR * panel_row(k_quads)) * WIDE_MR;
    return fit < INNER_MR ? INNER_MR : fit > ROWS_MAX ? ROWS_MAX : (uint32_t)fit;
}

size_t quernel_uk_gemm_u8s8_2x32x4_avx2_scratch(uint32_t k_quads);
// no call of fewer quads takes more
size_t quernel_uk_gemm_u8s8_2x32x4_avx2_scratch(uint32_t k_quads) {
    const size_t tile = INNER_MR * panel_row(k_quads), max = ROWS_MAX * panel_row(k_quads);
    const size_t some = max < WIDENED_MAX ? max : WIDENED_MAX;
    return tile > some ? tile : some;
}

void quernel_uk_gemm_u8s8_2x32x4_avx2_prepare(const int8_t *panel, uint32_t k_quads, void *dst);
void quernel_uk_gemm_u8s8_2x32x4_avx2_prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    __m256i sum[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()}, *to = (__m256i *)dst + 2;
    for (uint32_t g = 0; g < k_quads; g++, panel += 64, to += 4)
        for (int half = 0; half < 2; half++) {
            const __m256i four = _mm256_load_si256((const __m256i *)panel + half);
            const __m256i odd = _mm256_srai_epi16(four, 8),
                          even = _mm256_srai_epi16(_mm256_slli_epi16(four, 8), 8);
            _mm256_store_si256(to + half, even);
            _mm256_store_si256(to + 2 + half, odd);
            sum[half] = _mm256_add_epi32(sum[half], _mm256_madd_epi16(odd, even));
        }
    _mm256_store_si256(dst, sum[0]);
    _mm256_store_si256((__m256i *)dst + 1, sum[1]);
}

// 4 groups of a row; their even values by their odd ones.
static inline __m128i widen_groups(__m128i four, uint8_t *to) {
    const __m128i even = _mm_and_si128(four, _mm_set1_epi16(0xff)), odd = _mm_srli_epi16(four, 8);
    _mm_storeu_si128((__m128i *)to, _mm_unpacklo_epi32(even, odd));
    _mm_storeu_si128((__m128i *)to + 1, _mm_unpackhi_epi32(even, odd));
    return _mm_madd_epi16(even, odd);
}

static int32_t widen_row(const uint8_t *a, const quernel_i_k_run *k_runs, uint32_t n_k_runs,
                         uint8_t *to) {
    __m128i sum = _mm_setzero_si128();
    for (uint32_t i = 0; i < n_k_runs; i++) {
        const uint8_t *from = a + k_runs[i].offset;
        uint32_t left = k_runs[i].k_quads;
        for (; left >= 4; left -= 4, from += 16, to += 32)
            sum = _mm_add_epi32(sum, widen_groups(_mm_loadu_si128((const __m128i *)from), to));
        for (; left; left--, from += 4, to += 8) {
            const __m128i four = _mm_loadu_si32(from);
            const __m128i even = _mm_and_si128(four, _mm_set1_epi16(0xff)),
                          odd = _mm_srli_epi16(four, 8);
            _mm_storel_epi64((__m128i *)to, _mm_unpacklo_epi32(even, odd));
            sum = _mm_add_epi32(sum, _mm_madd_epi16(even, odd));
        }
    }
    sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 8));
    return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_srli_si128(sum, 4)));
}

// Rows in work, widened, with their terms, and the sums of up to 32 output channels.
typedef struct work {
    const quernel_i_gemm *g;
    size_t row;       // bytes
    uint32_t m, rows; // the first of them within the call
    bool plain;
    int32_t terms[ROWS_MAX + INNER_MR];
    int32_t acc[2][ROWS_MAX * NR] __attribute__((aligned(64)));
} work;

static const uint8_t *weights_at(const work *w, uint32_t n) {
    return (const uint8_t *)w->g->b + n / NR * w->g->b_panel;
}

// What the sums of 16 output channels begin with.
static inline void start_at(const work *w, uint32_t n, __m256i ret[2]) {
    const __m256i *init = (const __m256i *)(w->g->init + n),
                  *terms = (const __m256i *)weights_at(w, n);
    for (int i = 0; i < 2; i++) ret[i] = _mm256_sub_epi32(_mm256_loadu_si256(init + i), terms[i]);
}

// Up to 16 output channels of the rows from `first` on.
static void multiply(work *w, uint32_t first, uint32_t n, uint32_t oc, int32_t *acc) {
    __m256i start[2];
    start_at(w, n, start);
    inner_rows((const uint8_t *)w->g->scratch + first * w->row, w->row, w->rows - first,
               weights_at(w, n) + HEAD, w->g->k_quads, start, w->terms + first, oc,
               acc + first * NR);
}

// 32 output channels; an odd row is left for tiles of 16.
static void multiply_wide(work *w, uint32_t n) {
    __m256i start[4];
    start_at(w, n, start), start_at(w, n + NR, start + 2);
    const uint32_t paired = w->rows / WIDE_MR * WIDE_MR;
    for (uint32_t r = 0; r < paired; r += WIDE_MR)
        inner_wide((const uint8_t *)w->g->scratch + r * w->row, (ptrdiff_t)w->row,
                   weights_at(w, n) + HEAD, w->g->b_panel, w->g->k_quads, (const int32_t *)start,
                   w->terms + r, w->acc[0] + r * NR, sizeof w->acc[0]);
    if (paired == w->rows) return;
    multiply(w, paired, n, NR, w->acc[0]);
    multiply(w, paired, n + NR, NR, w->acc[1]);
}

static void epilogue(work *w, uint32_t n, uint32_t oc, int32_t *acc) {
    epilogue_run(&(epilogue_tile){acc, w->rows, oc < NR ? oc : NR, w->m, n}, w->g->epilogue,
                 w->plain);
}

static void multiply_block(work *w) {
    for (uint32_t n = 0, left; n < w->g->oc; n += NR) {
        left = w->g->oc - n;
        const bool wide = left > NR + INNER_HALF;
        if (wide) multiply_wide(w, n);
        else multiply(w, 0, n, left, w->acc[0]);
        epilogue(w, n, left, w->acc[0]);
        if (wide) epilogue(w, n += NR, left - NR, w->acc[1]);
    }
}

void quernel_uk_gemm_u8s8_2x32x4_avx2(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_2x32x4_avx2(const quernel_i_gemm *g) {
    work w;
    w.g = g, w.row = panel_row(g->k_quads), w.m = 0, w.plain = epilogue_is_plain(g->epilogue);
    const uint32_t max = block_rows(g->k_quads);
    for (uint32_t blocks = (g->rows + max - 1) / max; blocks; blocks--, w.m += w.rows) {
        w.rows = (g->rows - w.m + blocks - 1) / blocks;
        for (uint32_t r = 0; r < w.rows; r++)
            w.terms[r] = widen_row((const uint8_t *)g->a + (ptrdiff_t)(w.m + r) * g->a_row,
                                   g->k_runs, g->n_k_runs, (uint8_t *)g->scratch + r * w.row);
        multiply_block(&w);
    }
}
