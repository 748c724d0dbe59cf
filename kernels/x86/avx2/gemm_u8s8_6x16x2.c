// SPDX-License-Identifier: Apache-2.0
// GEMM for AVX2, u8 rows, exact on any data: 16-bit numbers, vpmaddwd, 32-bit sums.
//
// Row tiles are the outer loop: the runs of up to 6 rows are widened once to 16 bits into scratch, a row's pitch an odd number
// of cache lines. Then the prepared sub-panels pass by: per pair of k 2 loads of weights, and for each row a broadcast of
// two numbers, 2 vpmaddwd and 2 vpaddd. A product is at most 255·128, a pair of them fits 17 bits: nothing can saturate.
// The tile of sums goes to L1 and is finished from there. Rows are split evenly among tiles (14 rows: 5 + 5 + 4).
//
// A pair of k is 192 products: 24 multiply-adds and additions, 8 loads, in all 32 micro-operations.
//   Zen 4   2 multiply and 4 addition pipes share the work: 6 cycles if the additions never took a multiply slot; measured
//           7.9, 24.3 products a cycle, 77 % of the saturating vpmaddubsw loop's 31.5 (GEMM 512³, quernel bench)
//   Intel   24 operations on 3 vector ports: 8 cycles, 75 % of 32 products a cycle; not timed here
// Weights stream from L2 at 8 bytes a cycle.
#include <immintrin.h>

#include "finish.h"
#include "kernels/ukr.h"

enum { MR = 6, NR = 16 };

static size_t panel_row(uint32_t groups) {
    const size_t lines = ((size_t)groups * 8 + 63) / 64;
    return (lines | 1) * 64;
}

size_t quernel_uk_gemm_u8s8_6x16x2_avx2_scratch(uint32_t groups);
size_t quernel_uk_gemm_u8s8_6x16x2_avx2_scratch(uint32_t groups) { return MR * panel_row(groups); }

void quernel_uk_gemm_u8s8_6x16x2_avx2_prepare(const int8_t *panel, uint32_t groups, void *dst);
void quernel_uk_gemm_u8s8_6x16x2_avx2_prepare(const int8_t *panel, uint32_t groups, void *dst) {
    __m256i *to = dst;
    for (uint32_t g = 0; g < groups; g++, panel += 64, to += 4)
        for (int half = 0; half < 2; half++) {
            const __m256i bytes = _mm256_permute4x64_epi64(_mm256_load_si256((const __m256i *)panel + half), 0xd8);
            const __m256 a = _mm256_castsi256_ps(_mm256_cvtepi8_epi16(_mm256_castsi256_si128(bytes)));
            const __m256 b = _mm256_castsi256_ps(_mm256_cvtepi8_epi16(_mm256_extracti128_si256(bytes, 1)));
            _mm256_store_si256(to + half, _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88)));
            _mm256_store_si256(to + 2 + half, _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd)));
        }
}

static void widen_row(const uint8_t *a, const quernel_i_run *runs, uint32_t n_runs, uint8_t *to) {
    for (uint32_t i = 0; i < n_runs; i++) {
        const uint8_t *from = a + runs[i].offset;
        uint32_t left = runs[i].groups;
        for (; left >= 4; left -= 4, from += 16, to += 32)
            _mm256_storeu_si256((__m256i *)to, _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)from)));
        for (; left; left--, from += 4, to += 8)
            _mm_storel_epi64((__m128i *)to, _mm_cvtepu8_epi16(_mm_loadu_si32(from)));
    }
}

#define ROW(addr, acc0, acc1)                                                                                          \
    "vpbroadcastd " addr ", %%ymm15\n\t"                                                                               \
    "vpmaddwd %%ymm15, %%ymm12, %%ymm14\n\t"                                                                           \
    "vpmaddwd %%ymm15, %%ymm13, %%ymm15\n\t"                                                                           \
    "vpaddd %%ymm14, %%ymm" #acc0 ", %%ymm" #acc0 "\n\t"                                                               \
    "vpaddd %%ymm15, %%ymm" #acc1 ", %%ymm" #acc1 "\n\t"

#define ROWS_1(k) ROW(#k "(%[a])", 0, 1)
#define ROWS_2(k) ROWS_1(k) ROW(#k "(%[a],%[s])", 2, 3)
#define ROWS_3(k) ROWS_2(k) ROW(#k "(%[a],%[s],2)", 4, 5)
#define ROWS_4(k) ROWS_3(k) ROW(#k "(%[c])", 6, 7)
#define ROWS_5(k) ROWS_4(k) ROW(#k "(%[c],%[s])", 8, 9)
#define ROWS_6(k) ROWS_5(k) ROW(#k "(%[c],%[s],2)", 10, 11)

#define PAIR(rows, b, k)                                                                                               \
    "vmovdqa " #b "(%[b]), %%ymm12\n\t"                                                                                \
    "vmovdqa " #b "+32(%[b]), %%ymm13\n\t" ROWS_##rows(k)

#define EDGE_1(op) op(0, 0, 1)
#define EDGE_2(op) EDGE_1(op) op(64, 2, 3)
#define EDGE_3(op) EDGE_2(op) op(128, 4, 5)
#define EDGE_4(op) EDGE_3(op) op(192, 6, 7)
#define EDGE_5(op) EDGE_4(op) op(256, 8, 9)
#define EDGE_6(op) EDGE_5(op) op(320, 10, 11)
#define START(at, acc0, acc1) "vmovdqu (%[i]), %%ymm" #acc0 "\n\tvmovdqu 32(%[i]), %%ymm" #acc1 "\n\t"
#define STORE(at, acc0, acc1)                                                                                          \
    "vmovdqa %%ymm" #acc0 ", " #at "(%[t])\n\tvmovdqa %%ymm" #acc1 ", 32+" #at "(%[t])\n\t"

#define TILE(rows)                                                                                                     \
    static void tile_##rows(const uint8_t *a, ptrdiff_t s, const void *b, uint32_t groups, const int32_t *init,        \
                            int32_t *acc) {                                                                            \
        const uint8_t *c = a + 3 * s;                                                                                  \
        __asm__ volatile(EDGE_##rows(START) ".p2align 5\n1:\n\t" PAIR(rows, 0, 0) PAIR(rows, 64, 4)                    \
                         "add $8, %[a]\n\tadd $8, %[c]\n\tsub $-128, %[b]\n\tdec %[n]\n\tjnz 1b\n\t"                \
                             EDGE_##rows(STORE)                                                                        \
                         : [a] "+&r"(a), [c] "+&r"(c), [b] "+&r"(b), [n] "+&r"(groups)                                 \
                         : [s] "r"(s), [i] "r"(init), [t] "r"(acc)                                                     \
                         : "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",     \
                           "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");                              \
    }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)

typedef void tile_function(const uint8_t *, ptrdiff_t, const void *, uint32_t, const int32_t *, int32_t *);
static tile_function *const tiles[MR] = {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6};

void quernel_uk_gemm_u8s8_6x16x2_avx2(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_6x16x2_avx2(const quernel_i_gemm *g) {
    int32_t acc[MR * NR] __attribute__((aligned(64)));
    uint8_t *panel = g->scratch;
    const size_t row = panel_row(g->groups);
    const bool plain = finish_is_plain(g->finish);
    for (uint32_t m = 0, left = (g->rows + MR - 1) / MR; left; left--) {
        const uint32_t rows = (g->rows - m + left - 1) / left;
        for (uint32_t r = 0; r < rows; r++)
            widen_row((const uint8_t *)g->a + (ptrdiff_t)(m + r) * g->a_row, g->runs, g->n_runs, panel + r * row);
        for (uint32_t n = 0; n < g->columns; n += NR) {
            const uint8_t *b = (const uint8_t *)g->b + n / NR * g->b_panel;
            tiles[rows - 1](panel, (ptrdiff_t)row, b, g->groups, g->init + n, acc);
            const uint32_t columns = g->columns - n < NR ? g->columns - n : NR;
            finish_run(&(finish_tile){acc, rows, columns, m, n}, g->finish, plain);
        }
        m += rows;
    }
}
