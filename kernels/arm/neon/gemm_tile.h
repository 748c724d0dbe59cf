// SPDX-License-Identifier: Apache-2.0
// The register tiles of the NEON GEMM: 1 to 3 expanded s8 rows times a prepared sub-panel, 8 k at a
// time.
//
// smull makes 8 products of 4 k and 2 oc in 16 bits, smlsl2 takes those of the next 4 k from them,
// whose weights are complemented: a·b − c·~d, which is a·b + c·d + c. Each product is in −16256 …
// 16384, their difference in −32640 … 32640: exact on any data, where their sum would overflow at
// two times −128·−128. sadalp adds pairs of lanes to 4 sums of 32 bits; whoever expanded the rows
// takes c off.
//
// The order is for cores that issue in order: with 3 rows 4 instructions lie between those of a
// product, in three places of a chain at a time, and 5 or more between a load and its use. The last
// turn reads ahead of the rows and of the sub-panel: READ_AHEAD_A, READ_AHEAD_B.
#ifndef QUERNEL_NEON_GEMM_TILE_H
#define QUERNEL_NEON_GEMM_TILE_H

#include <stdint.h>

#include "tile_sums.h"

enum {
    READ_AHEAD_A = 32, // bytes: two rows
    READ_AHEAD_B = 64  // bytes: four pairs of oc
};

#define SMLSL2(t, a, b) "smlsl2 v" #t ".8h, v" #a ".16b, v" #b ".16b\n\t"
#define LOAD_A(r, at) "ldr q" #r ", [%[a], #" #at "]\n\t"
#define LOAD_B(b, at) "ldr q" #b ", [%[b], #" #at "]\n\t"

// Three rows: products v5, v6, v7 of row 0, 1, 2; weights v3 and v4 in turn. A pair of oc ends what
// the pair before has begun with its weights, `before`, and the accumulators last1 and last2.
// clang-format off
#define PAIR_3(b, before, last1, last2, acc0, load, load0, load1)   \
    SMULL(5, 0, b) SMLSL2(7, 2, before) load SADALP(last1, 6)       \
    SMULL(6, 1, b) SMLSL2(5, 0, b) load0 SADALP(last2, 7)           \
    SMULL(7, 2, b) SMLSL2(6, 1, b) load1 SADALP(acc0, 5)
#define BEGIN_3                                                     \
    LOAD_A(0, 0) LOAD_A(1, 16) LOAD_B(3, 0) ZERO(2) ZERO(6) ZERO(7) \
    ZERO_ROW_0 ZERO_ROW_1 ZERO_ROW_2
#define LOOP_3                                                      \
    PAIR_3(3, 4, 23, 31, 8, LOAD_B(4, 16) LOAD_A(2, 32), , )        \
    PAIR_3(4, 3, 16, 24, 9, LOAD_B(3, 32), , )                      \
    PAIR_3(3, 4, 17, 25, 10, LOAD_B(4, 48), , )                     \
    PAIR_3(4, 3, 18, 26, 11, LOAD_B(3, 64), , )                     \
    PAIR_3(3, 4, 19, 27, 12, LOAD_B(4, 80), , )                     \
    PAIR_3(4, 3, 20, 28, 13, LOAD_B(3, 96), , )                     \
    PAIR_3(3, 4, 21, 29, 14, LOAD_B(4, 112), , )                    \
    PAIR_3(4, 3, 22, 30, 15, LOAD_B(3, 128), LOAD_A(0, 48), LOAD_A(1, 64))
#define END_3                                                       \
    SMLSL2(7, 2, 4) SADALP(23, 6) SADALP(31, 7)                     \
    REDUCE_ROW_0 REDUCE_ROW_1 REDUCE_ROW_2

// One and two rows: four products at a time, v4 … v7, of rows a0 … and weights b0 …
#define FOUR(a0, a1, a2, a3, b0, b1, b2, b3, acc0, acc1, acc2, acc3, load_b, load_a) \
    SMULL(4, a0, b0) SMULL(5, a1, b1) SMULL(6, a2, b2) SMULL(7, a3, b3) load_b       \
    SMLSL2(4, a0, b0) SMLSL2(5, a1, b1) SMLSL2(6, a2, b2) SMLSL2(7, a3, b3) load_a   \
    SADALP(acc0, 4) SADALP(acc1, 5) SADALP(acc2, 6) SADALP(acc3, 7)
#define FOUR_2(b0, b1, acc0, acc1, acc2, acc3, load_b, load_a) \
    FOUR(0, 1, 0, 1, b0, b0, b1, b1, acc0, acc1, acc2, acc3, load_b, load_a)
#define BEGIN_2 \
    LOAD_A(0, 0) LOAD_A(1, 16) LOAD_B(2, 0) LOAD_B(3, 16) ZERO_ROW_0 ZERO_ROW_1
#define LOOP_2                                                          \
    FOUR_2(2, 3, 8, 16, 9, 17, LOAD_B(24, 32) LOAD_B(25, 48), )         \
    FOUR_2(24, 25, 10, 18, 11, 19, LOAD_B(2, 64) LOAD_B(3, 80), )       \
    FOUR_2(2, 3, 12, 20, 13, 21, LOAD_B(24, 96) LOAD_B(25, 112), )      \
    FOUR_2(24, 25, 14, 22, 15, 23, LOAD_B(2, 128) LOAD_B(3, 144), LOAD_A(0, 32) LOAD_A(1, 48))
#define END_2 REDUCE_ROW_0 REDUCE_ROW_1

#define LOAD_B_4(b0, b1, b2, b3, at) \
    LOAD_B(b0, at) LOAD_B(b1, at + 16) LOAD_B(b2, at + 32) LOAD_B(b3, at + 48)
#define BEGIN_1 LOAD_A(0, 0) LOAD_B_4(16, 17, 18, 19, 0) ZERO_ROW_0
#define LOOP_1                                                                             \
    FOUR(0, 0, 0, 0, 16, 17, 18, 19, 8, 9, 10, 11, LOAD_B_4(20, 21, 22, 23, 64), )         \
    FOUR(0, 0, 0, 0, 20, 21, 22, 23, 12, 13, 14, 15, LOAD_B_4(16, 17, 18, 19, 128), LOAD_A(0, 16))
#define END_1 REDUCE_ROW_0
// clang-format on

// Defines tile_<rows>: acc[rows][16] += the rows, pair by pair of quads as they are expanded,
// · sub-panel; `steps` > 0 of 8 k.
#define TILE(rows)                                                                              \
    static void tile_##rows(const uint8_t *a, const int8_t *b, uint32_t steps, int32_t *acc) {  \
        __asm__ volatile(BEGIN_##rows ".p2align 5\n1:\n\tsubs %w[n], %w[n], #1\n\t" LOOP_##rows \
                         "add %[a], %[a], #16*" #rows                                           \
                         "\n\tadd %[b], %[b], #128\n\tb.ne 1b\n\t" END_##rows                   \
                         : [a] "+&r"(a), [b] "+&r"(b), [n] "+&r"(steps)                         \
                         : [t] "r"(acc)                                                         \
                         : TILE_CLOBBERS);                                                      \
    }
TILE(1)
TILE(2)
TILE(3)

typedef void tile_function(const uint8_t *, const int8_t *, uint32_t, int32_t *);
static tile_function *const tiles[TILE_MR] = {tile_1, tile_2, tile_3};

#endif
