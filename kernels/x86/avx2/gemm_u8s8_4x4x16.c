// SPDX-License-Identifier: Apache-2.0
// GEMM for AVX2 of a few output channels, u8 rows, exact on any data: lanes are k, where the other
// kernels would multiply 8 or 16 output channels of which most are padding.
//
// A register tile is 4 rows x 1 or 2 output channels, or 2 rows x 3 or 4: up to 8 accumulators of 8
// lanes, whose sum is the result. Per 16 k a row is widened as it is read, and each oc takes
// for each row one vpmaddwd and one vpaddd. Weights are widened, each oc's, k contiguous.
//
// Cycles for a row of k by N oc: (1 + 2·N)·k/16 operations, 3 a cycle on Zen 3, and about 6
// for the sums of 4 accumulators: with N = 1 and k = 576 40, where a panel of 16 output channels
// takes 600 products of pairs or Winograd's algorithm 144 and its transforms.
#include <immintrin.h>
#include <string.h>

#include "epilogue.h"
#include "kernels/ukr.h"

enum { NR = 4, PANEL = EPILOGUE_NR, ROWS_MAX = EPILOGUE_ROWS_MAX };

// [16 oc][k] of 16 bits.
void quernel_uk_gemm_u8s8_4x4x16_avx2_prepare(const int8_t *panel, uint32_t k_quads, void *dst);
void quernel_uk_gemm_u8s8_4x4x16_avx2_prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    for (uint32_t g = 0; g < k_quads; g++)
        for (uint32_t n = 0; n < PANEL; n++) {
            const __m128i four = _mm_cvtepi8_epi16(_mm_loadu_si32(panel + g * 64 + n * 4));
            _mm_storel_epi64((__m128i *)((uint8_t *)dst + ((size_t)n * k_quads + g) * 8), four);
        }
}

// The first n of 4 lanes of 64 bits.
static inline __m256i first_of_4(uint32_t n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

// Of each lane of 64 bits half.
static inline __m128i halves(__m256i lanes) {
    return _mm256_castsi256_si128(
        _mm256_permutevar8x32_epi32(lanes, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6)));
}

// The sums of 4 vectors' lanes.
static inline __m128i add_up(__m256i v0, __m256i v1, __m256i v2, __m256i v3) {
    const __m256i v = _mm256_hadd_epi32(_mm256_hadd_epi32(v0, v1), _mm256_hadd_epi32(v2, v3));
    return _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

#define ROWS_1(op) op(0)
#define ROWS_2(op) ROWS_1(op) op(1)
#define ROWS_4(op) ROWS_2(op) op(2) op(3)
#define CELLS_1(op, c) op(0, c)
#define CELLS_2(op, c) CELLS_1(op, c) op(1, c)
#define CELLS_4(op, c) CELLS_2(op, c) op(2, c) op(3, c)
#define COLUMNS_1(rows, op) CELLS_##rows(op, 0)
#define COLUMNS_2(rows, op) COLUMNS_1(rows, op) CELLS_##rows(op, 1)
#define COLUMNS_3(rows, op) COLUMNS_2(rows, op) CELLS_##rows(op, 2)
#define COLUMNS_4(rows, op) COLUMNS_3(rows, op) CELLS_##rows(op, 3)

// s += x·w in pairs. As one asm, since compilers keep the products apart from the sums, and then
// spill.
#define ADD_PRODUCTS(r, c, constraint, w)                              \
    do {                                                               \
        __m256i products;                                              \
        __asm__("vpmaddwd %[b], %[a], %[p]\n\tvpaddd %[p], %[s], %[s]" \
                : [s] "+x"(s##r##c), [p] "=&x"(products)               \
                : [a] "x"(x##r), [b] constraint(w));                   \
    } while (0);
#define ZERO(r, c) __m256i s##r##c = _mm256_setzero_si256();
#define LOAD(r)          \
    const __m256i x##r = \
        _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(from + (r)*g->a_row)));
#define STEP(r, c) ADD_PRODUCTS(r, c, "m", *(const __m256i_u *)(b + (c)*b_column))
// Fewer than 4 quads of k: the rest is neither read nor counts.
#define LOAD_SOME(r)     \
    const __m256i x##r = \
        _mm256_cvtepu8_epi16(_mm_maskload_epi32((const int *)(from + (r)*g->a_row), bytes));
#define STEP_SOME(r, c) \
    ADD_PRODUCTS(r, c, "x", _mm256_maskload_epi64((const long long *)(b + (c)*b_column), words))

// Sums of a row's oc.
#define SUM_2(r) add_up(s##r##0, s##r##1, s##r##0, s##r##1)
#define SUM_3(r) add_up(s##r##0, s##r##1, s##r##2, s##r##2)
#define SUM_4(r) add_up(s##r##0, s##r##1, s##r##2, s##r##3)
#define SUM_1(r) add_up(s##r##0, s##r##0, s##r##0, s##r##0)
#define STORE(r, oc)                                \
    _mm_storeu_si128((__m128i *)four, SUM_##oc(r)); \
    for (uint32_t c = 0; c < (oc); c++)             \
        acc[(r)*PANEL + c] = (int32_t)((uint32_t)four[c] + (uint32_t)init[c]);
#define STORE_1_1 STORE(0, 1)
#define STORE_1_2 STORE(0, 2)
#define STORE_1_3 STORE(0, 3)
#define STORE_1_4 STORE(0, 4)
#define STORE_4_2 STORE(0, 2) STORE(1, 2) STORE(2, 2) STORE(3, 2)
#define STORE_2_3 STORE(0, 3) STORE(1, 3)
#define STORE_2_4 STORE(0, 4) STORE(1, 4)
#define STORE_4_1 /* one oc of 4 rows */                           \
    _mm_storeu_si128((__m128i *)four, add_up(s00, s10, s20, s30)); \
    for (uint32_t r = 0; r < 4; r++)                               \
        acc[r * PANEL] = (int32_t)((uint32_t)four[r] + (uint32_t)init[0]);

// acc[rows][PANEL] = init + rows · weights.
#define TILE(rows, oc)                                                                          \
    static void tile_##rows##_##oc(const quernel_i_gemm *g, const uint8_t *a, const uint8_t *b, \
                                   const int32_t *init, int32_t *acc) {                         \
        const size_t b_column = (size_t)g->k_quads * 8;                                         \
        int32_t four[NR];                                                                       \
        COLUMNS_##oc(rows, ZERO) for (const quernel_i_k_run *run = g->k_runs,                   \
                                      *end = run + g->n_k_runs;                                 \
                                      run != end; run++) {                                      \
            const uint8_t *from = a + run->offset;                                              \
            uint32_t left = run->k_quads;                                                       \
            for (; left >= 4; left -= 4, from += 16, b += 32) {                                 \
                ROWS_##rows(LOAD) COLUMNS_##oc(rows, STEP)                                      \
            }                                                                                   \
            if (left) {                                                                         \
                const __m256i words = first_of_4(left);                                         \
                const __m128i bytes = halves(words);                                            \
                ROWS_##rows(LOAD_SOME) COLUMNS_##oc(rows, STEP_SOME) b += left * 8;             \
            }                                                                                   \
        }                                                                                       \
        STORE_##rows##_##oc                                                                     \
    }
TILE(1, 1)
TILE(4, 1)
TILE(1, 2)
TILE(4, 2)
TILE(1, 3)
TILE(2, 3)
TILE(1, 4)
TILE(2, 4)

static void multiply(const quernel_i_gemm *g, const uint8_t *a, const uint8_t *b, uint32_t rows,
                     uint32_t oc, const int32_t *init, int32_t *acc) {
    typedef void tile_function(const quernel_i_gemm *, const uint8_t *, const uint8_t *,
                               const int32_t *, int32_t *);
    static tile_function *const single[NR] = {tile_1_1, tile_1_2, tile_1_3, tile_1_4},
                                *const several[NR] = {tile_4_1, tile_4_2, tile_2_3, tile_2_4};
    const uint32_t max = oc <= 2 ? 4 : 2;
    for (uint32_t m = 0, some; m < rows; m += some) {
        some = rows - m < max ? 1 : max;
        (some == 1 ? single : several)[oc - 1](g, a + (ptrdiff_t)m * g->a_row, b, init,
                                               acc + m * PANEL);
    }
}

void quernel_uk_gemm_u8s8_4x4x16_avx2(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_4x4x16_avx2(const quernel_i_gemm *g) {
    int32_t acc[ROWS_MAX * PANEL] __attribute__((aligned(64)));
    const bool plain = epilogue_is_plain(g->epilogue);
    for (uint32_t m = 0, rows; m < g->rows; m += rows) {
        rows = g->rows - m < ROWS_MAX ? g->rows - m : ROWS_MAX;
        for (uint32_t n = 0; n < g->oc; n += PANEL) {
            const uint8_t *b = (const uint8_t *)g->b + n / PANEL * g->b_panel;
            const uint32_t oc = g->oc - n < PANEL ? g->oc - n : PANEL;
            for (uint32_t c = 0; c < oc; c += NR)
                multiply(g, (const uint8_t *)g->a + (ptrdiff_t)m * g->a_row,
                         b + (size_t)c * g->k_quads * 8, rows, oc - c < NR ? oc - c : NR,
                         g->init + n + c, acc + c);
            epilogue_run(&(epilogue_tile){acc, rows, oc, m, n}, g->epilogue, plain);
        }
    }
}
