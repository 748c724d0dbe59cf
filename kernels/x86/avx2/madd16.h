// SPDX-License-Identifier: Apache-2.0
// The register tile of 16-bit values: up to 6 rows by 16 oc, vpmaddwd and 32-bit sums.
//
// Rows hold 16-bit values, k contiguous, at one pitch. Weights are pairs of k for 16 oc: 64
// bytes. Per pair 2 loads of weights, and for each row a broadcast of two values, 2 vpmaddwd and 2
// vpaddd: 192 products of a full tile in 32 micro-operations.
#ifndef QUERNEL_AVX2_MADD16_H
#define QUERNEL_AVX2_MADD16_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "tile.h"

enum { MR = TILE_MR, NR = TILE_NR };

/// A group of w16x4 as [2 pairs of k][16 oc][2 k] of 16 bits.
static inline void widen_weights(const int8_t *group, __m256i to[4]) {
    for (int half = 0; half < 2; half++) {
        const __m256i bytes =
            _mm256_permute4x64_epi64(_mm256_load_si256((const __m256i *)group + half), 0xd8);
        const __m256 a = _mm256_castsi256_ps(_mm256_cvtepi8_epi16(_mm256_castsi256_si128(bytes)));
        const __m256 b =
            _mm256_castsi256_ps(_mm256_cvtepi8_epi16(_mm256_extracti128_si256(bytes, 1)));
        to[half] = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
        to[2 + half] = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd));
    }
}

#define BROADCAST(k, at, acc0, acc1)                     \
    "vpbroadcastd " #k at ", %%ymm15\n\t"                \
    "vpmaddwd %%ymm15, %%ymm12, %%ymm14\n\t"             \
    "vpmaddwd %%ymm15, %%ymm13, %%ymm15\n\t"             \
    "vpaddd %%ymm14, %%ymm" #acc0 ", %%ymm" #acc0 "\n\t" \
    "vpaddd %%ymm15, %%ymm" #acc1 ", %%ymm" #acc1 "\n\t"
#define PAIR(rows, b, k)                           \
    "vmovdqa " #b "(%[b]), %%ymm12\n\tvmovdqa " #b \
    "+32(%[b]), %%ymm13\n\t" TILE_ROWS_##rows(BROADCAST, k)
// Weights 8 groups ahead. Convolutions of 256 channels 1.02 to 1.04, with vpdpwssd 1.04 to 1.08.
#define AHEAD "prefetcht0 1024(%[b])\n\tprefetcht0 1088(%[b])\n\t"
#define GROUP(rows) \
    AHEAD PAIR(rows, 0, 0) PAIR(rows, 64, 4) "add $8, %[a]\n\tadd $8, %[c]\n\tsub $-128, %[b]\n\t"
#define START(at, acc0, acc1) \
    "vmovdqu (%[i]), %%ymm" #acc0 "\n\tvmovdqu 32(%[i]), %%ymm" #acc1 "\n\t"
TILE(tile_1, TILE_EDGE_1(START), GROUP(1), TILE_EDGE_1(TILE_STORE))
TILE(tile_2, TILE_EDGE_2(START), GROUP(2), TILE_EDGE_2(TILE_STORE))
TILE(tile_3, TILE_EDGE_3(START), GROUP(3), TILE_EDGE_3(TILE_STORE))
TILE(tile_4, TILE_EDGE_4(START), GROUP(4), TILE_EDGE_4(TILE_STORE))
TILE(tile_5, TILE_EDGE_5(START), GROUP(5), TILE_EDGE_5(TILE_STORE))
TILE(tile_6, TILE_EDGE_6(START), GROUP(6), TILE_EDGE_6(TILE_STORE))
static tile_function *const tiles[MR] = {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6};

/// acc[rows][16] = init[16] + rows · weights; a row's pitch in bytes, quads of k. Rows are split
/// evenly among tiles (14 rows: 5 + 5 + 4).
static inline void multiply_rows(const uint8_t *a, size_t pitch, uint32_t rows, const void *b,
                                 uint32_t k_quads, const int32_t *init, int32_t *acc) {
    for (uint32_t m = 0, left = (rows + MR - 1) / MR; left; left--) {
        const uint32_t some = (rows - m + left - 1) / left;
        tiles[some - 1](a + m * pitch, (ptrdiff_t)pitch, b, k_quads, init, acc + m * NR);
        m += some;
    }
}

#endif
