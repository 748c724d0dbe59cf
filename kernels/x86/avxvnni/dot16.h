// SPDX-License-Identifier: Apache-2.0
// AVX2's register tile of 16-bit values with vpdpwssd, which multiplies and adds modulo 2^32: per
// pair of k 2 loads of weights, and for each row a broadcast of two values and 2 vpdpwssd, 192
// products of a full tile in 20 micro-operations. Two ports take 12 of them in 6 cycles, 32
// products a cycle; 12 chains hide a latency of 5.
#ifndef QUERNEL_AVXVNNI_DOT16_H
#define QUERNEL_AVXVNNI_DOT16_H

#include "kernels/x86/avx2/madd16.h"

#define DOT(k, at, acc0, acc1)                       \
    "vpbroadcastd " #k at ", %%ymm14\n\t"            \
    "%{vex%} vpdpwssd %%ymm14, %%ymm12, %%ymm" #acc0 \
    "\n\t%{vex%} vpdpwssd %%ymm14, %%ymm13, %%ymm" #acc1 "\n\t"
#define DOT_PAIR(rows, b, k) \
    "vmovdqa " #b "(%[b]), %%ymm12\n\tvmovdqa " #b "+32(%[b]), %%ymm13\n\t" TILE_ROWS_##rows(DOT, k)
#define DOT_QUAD(rows)                            \
    AHEAD                                         \
    DOT_PAIR(rows, 0, 0)                          \
    DOT_PAIR(rows, 64, 4)                         \
    "add $8, %[a]\n\tadd $8, %[c]\n\tsub $-128, " \
    "%[b]\n\t"
TILE(dot_1, TILE_EDGE_1(START), DOT_QUAD(1), TILE_EDGE_1(TILE_STORE))
TILE(dot_2, TILE_EDGE_2(START), DOT_QUAD(2), TILE_EDGE_2(TILE_STORE))
TILE(dot_3, TILE_EDGE_3(START), DOT_QUAD(3), TILE_EDGE_3(TILE_STORE))
TILE(dot_4, TILE_EDGE_4(START), DOT_QUAD(4), TILE_EDGE_4(TILE_STORE))
TILE(dot_5, TILE_EDGE_5(START), DOT_QUAD(5), TILE_EDGE_5(TILE_STORE))
TILE(dot_6, TILE_EDGE_6(START), DOT_QUAD(6), TILE_EDGE_6(TILE_STORE))
static tile_function *const dot_tiles[MR] = {dot_1, dot_2, dot_3, dot_4, dot_5, dot_6};

#endif
