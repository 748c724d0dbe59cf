// SPDX-License-Identifier: Apache-2.0
// The register tile of 16-bit numbers: up to 6 rows by 16 columns, vpmaddwd and 32-bit sums.
//
// Rows hold 16-bit numbers, k contiguous, at one pitch. Weights are pairs of k for 16 columns: 64 bytes. Per pair 2 loads of weights,
// and for each row a broadcast of two numbers, 2 vpmaddwd and 2 vpaddd: 192 products of a full tile in 32 micro-operations.
#ifndef QUERNEL_AVX2_MADD16_H
#define QUERNEL_AVX2_MADD16_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { MR = 6, NR = 16 };

/// A group of w16x4 as [2 pairs of k][16 columns][2 k] of 16 bits.
static inline void widen_weights(const int8_t *group, __m256i to[4]) {
    for (int half = 0; half < 2; half++) {
        const __m256i bytes = _mm256_permute4x64_epi64(_mm256_load_si256((const __m256i *)group + half), 0xd8);
        const __m256 a = _mm256_castsi256_ps(_mm256_cvtepi8_epi16(_mm256_castsi256_si128(bytes)));
        const __m256 b = _mm256_castsi256_ps(_mm256_cvtepi8_epi16(_mm256_extracti128_si256(bytes, 1)));
        to[half] = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
        to[2 + half] = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd));
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

/// acc[rows][16] = init[16] + rows · weights; a row's pitch in bytes, groups of 4 k. Rows are split evenly among tiles
/// (14 rows: 5 + 5 + 4).
static inline void multiply_rows(const uint8_t *a, size_t pitch, uint32_t rows, const void *b, uint32_t groups,
                                 const int32_t *init, int32_t *acc) {
    for (uint32_t m = 0, left = (rows + MR - 1) / MR; left; left--) {
        const uint32_t some = (rows - m + left - 1) / left;
        tiles[some - 1](a + m * pitch, (ptrdiff_t)pitch, b, groups, init, acc + m * NR);
        m += some;
    }
}

#endif
