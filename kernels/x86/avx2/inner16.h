// SPDX-License-Identifier: Apache-2.0
// The register tile of Winograd's inner product ("A New Algorithm for Inner Product", 1968) in
// 16-bit values: up to 4 rows by 16 oc, one multiplication for two products.
//
//   (a0 + b1)(a1 + b0) = a0·b0 + a1·b1 + a0·a1 + b0·b1
//
// The last two terms belong to the row alone and to the output channel alone: their sums over k are
// taken away from the tile's start values. Everything is computed modulo 2^32, so the result is
// exact as long as no a + b leaves 16 bits.
//
// A group of 4 k of a row is 8 bytes, its first pair a0 and second pair a1; of weights 128 bytes:
// [16 oc][pair b0], [16 oc][pair b1]. A step takes 4 loads of weights, and for each row 2
// broadcasts, 4 vpaddw, 2 vpmaddwd and 2 vpaddd for 64 products. As many vector operations as
// without the trick, but a quarter of them need a multiplier, not half: the gain is as large as
// multipliers are scarce.
#ifndef QUERNEL_AVX2_INNER16_H
#define QUERNEL_AVX2_INNER16_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "tile.h"

enum { INNER_MR = 4, INNER_HALF = TILE_NR / 2 };

/// What a tile's sums begin with: a value of each output channel less one of each row.
typedef struct inner_start {
    int32_t oc[TILE_NR] __attribute__((aligned(32)));
    int32_t rows[INNER_MR] __attribute__((aligned(16)));
} inner_start;

#define INNER_ROW(k, at, acc0, acc1)                                                \
    "vpbroadcastd " #k at ", %%ymm12\n\tvpbroadcastd 4+" #k at ", %%ymm13\n\t"      \
    "vpaddw %%ymm12, %%ymm10, %%ymm14\n\tvpaddw %%ymm13, %%ymm8, %%ymm15\n\t"       \
    "vpaddw %%ymm12, %%ymm11, %%ymm12\n\tvpaddw %%ymm13, %%ymm9, %%ymm13\n\t"       \
    "vpmaddwd %%ymm14, %%ymm15, %%ymm14\n\tvpmaddwd %%ymm12, %%ymm13, %%ymm12\n\t"  \
    "vpaddd %%ymm14, %%ymm" #acc0 ", %%ymm" #acc0 "\n\tvpaddd %%ymm12, %%ymm" #acc1 \
    ", %%ymm" #acc1 "\n\t"
#define INNER_ROW_8(k, at, acc0, acc1)                                         \
    "vpbroadcastd " #k at ", %%ymm12\n\tvpbroadcastd 4+" #k at ", %%ymm13\n\t" \
    "vpaddw %%ymm12, %%ymm10, %%ymm14\n\tvpaddw %%ymm13, %%ymm8, %%ymm15\n\t"  \
    "vpmaddwd %%ymm14, %%ymm15, %%ymm14\n\tvpaddd %%ymm14, %%ymm" #acc0 ", %%ymm" #acc0 "\n\t"
#define INNER_NEXT "add $8, %[a]\n\tadd $8, %[c]\n\tsub $-128, %[b]\n\t"
#define INNER_STEP(rows)                                                                          \
    "vmovdqa (%[b]), %%ymm8\n\tvmovdqa 32(%[b]), %%ymm9\n\tvmovdqa 64(%[b]), %%ymm10\n\tvmovdqa " \
    "96(%[b]), %%ymm11\n\t" TILE_ROWS_##rows(INNER_ROW, 0) INNER_NEXT
#define INNER_STEP_8(rows)                                                                     \
    "vmovdqa (%[b]), %%ymm8\n\tvmovdqa 64(%[b]), %%ymm10\n\t" TILE_ROWS_##rows(INNER_ROW_8, 0) \
        INNER_NEXT
#define INNER_START(at, acc0, acc1)                                                 \
    "vpbroadcastd 64+" #at "/16(%[i]), %%ymm15\n\t"                                 \
    "vmovdqa (%[i]), %%ymm" #acc0 "\n\tvmovdqa 32(%[i]), %%ymm" #acc1 "\n\t"        \
    "vpsubd %%ymm15, %%ymm" #acc0 ", %%ymm" #acc0 "\n\tvpsubd %%ymm15, %%ymm" #acc1 \
    ", %%ymm" #acc1 "\n\t"
#define INNER_TILE(rows)                                                      \
    TILE(inner_##rows, TILE_EDGE_##rows(INNER_START), INNER_STEP(rows),       \
         TILE_EDGE_##rows(TILE_STORE))                                        \
    TILE(inner_##rows##_8, TILE_EDGE_##rows(INNER_START), INNER_STEP_8(rows), \
         TILE_EDGE_##rows(TILE_STORE))
INNER_TILE(1)
INNER_TILE(2)
INNER_TILE(3)
INNER_TILE(4)
static tile_function *const inner_tiles[2][INNER_MR] = {
    {inner_1, inner_2, inner_3, inner_4}, {inner_1_8, inner_2_8, inner_3_8, inner_4_8}};

/// acc[rows][16] = start[16] − terms[rows] + what rows and weights make; a row's pitch in bytes,
/// quads of k. Of few oc only the first 8 are computed. Rows are split evenly among tiles; up to
/// 3 terms behind the last one are read.
static inline void inner_rows(const uint8_t *a, size_t pitch, uint32_t rows, const void *b,
                              uint32_t k_quads, const __m256i start[2], const int32_t *terms,
                              uint32_t oc, int32_t *acc) {
    tile_function *const *tiles = inner_tiles[oc <= INNER_HALF];
    inner_start s;
    _mm256_store_si256((__m256i *)s.oc, start[0]);
    _mm256_store_si256((__m256i *)s.oc + 1, start[1]);
    for (uint32_t m = 0, left = (rows + INNER_MR - 1) / INNER_MR; left; left--) {
        const uint32_t some = (rows - m + left - 1) / left;
        _mm_store_si128((__m128i *)s.rows, _mm_loadu_si128((const __m128i *)(terms + m)));
        tiles[some - 1](a + m * pitch, (ptrdiff_t)pitch, b, k_quads, s.oc, acc + m * TILE_NR);
        m += some;
    }
}

#endif
