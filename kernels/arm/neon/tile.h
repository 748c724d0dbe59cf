// SPDX-License-Identifier: Apache-2.0
// The register tiles of the NEON GEMV: 1 to 3 s8 rows, where they lie, times a sub-panel of w16x4,
// as it is.
//
// smull makes 8 products of 4 k and 2 oc, exact in 16 bits; sadalp adds them in pairs to 4
// sums of 32 bits. (A second product in 16 bits takes weights that are prepared: gemm_tile.h.)
// 3 rows take 24 registers, 3 their values, 2 the weights, 3 products.
//
// The order is for cores that issue in order: 5 cycles lie between a product and its sum, and
// between a load and its use; a sum may wait for the next turn of the loop. Cores with out-of-order
// issue need none of it and lose nothing. The last turn loads its own weights once more instead of
// reading beyond the panel.
#ifndef QUERNEL_NEON_TILE_H
#define QUERNEL_NEON_TILE_H

#include <stddef.h>
#include <stdint.h>

#include "tile_sums.h"

#define LOAD_B(b, at) "ldr d" #b ", [%[b], #" #at "]\n\t"

// Counts a turn down. %[d] becomes the bytes of b to the next quad, 0 in the last turn; %[e] the
// same of rows.
#define COUNT "subs %w[n], %w[n], #1\n\tcsel %[d], %[s], xzr, ne\n\tlsr %[e], %[d], #4\n\t"
#define NEXT_B "add %[b], %[b], %[d]\n\t"
#define AGAIN "b.ne 1b\n\t"

// The values of row r get into register d<r>, twice the same 4, from where they lie, and not beyond
// their end.
#define FIRST(r) "ld1r {v" #r ".2s}, [%[a" #r "]]\n\t"
#define NEXT(r) "add %[a" #r "], %[a" #r "], %[e]\n\t" FIRST(r)

// Three rows: accumulators v8 …, v16 …, v24 …; products v5, v6, v7 of row 0, 1, 2; weights v3 and
// v4 in turn. A step takes 8 bytes of weights, its `load` the next 8; `last1` and `last2` are the
// accumulators that still wait from the step before.
#define STEP_3(b, load, last1, last2, acc0) \
    SMULL(5, 0, b)                          \
    load SADALP(last1, 6) SMULL(6, 1, b) SADALP(last2, 7) SMULL(7, 2, b) SADALP(acc0, 5)
// clang-format off
#define BEGIN_3                                             \
    FIRST(0) FIRST(1) FIRST(2) LOAD_B(3, 0) ZERO(6) ZERO(7) \
    ZERO_ROW_0 ZERO_ROW_1 ZERO_ROW_2
#define LOOP_3                                                                             \
    STEP_3(3, LOAD_B(4, 8), 23, 31, 8) STEP_3(4, LOAD_B(3, 16), 16, 24, 9)                 \
    STEP_3(3, LOAD_B(4, 24), 17, 25, 10)                                                   \
    STEP_3(4, LOAD_B(3, 32), 18, 26, 11) STEP_3(3, LOAD_B(4, 40), 19, 27, 12)              \
    STEP_3(4, LOAD_B(3, 48) COUNT, 20, 28, 13) STEP_3(3, LOAD_B(4, 56) NEXT_B, 21, 29, 14) \
    SMULL(5, 0, 4) LOAD_B(3, 0) NEXT(0) SADALP(22, 6) SMULL(6, 1, 4) NEXT(1)               \
    SADALP(30, 7) SMULL(7, 2, 4) NEXT(2) SADALP(15, 5)
#define END_3 SADALP(23, 6) SADALP(31, 7) REDUCE_ROW_0 REDUCE_ROW_1 REDUCE_ROW_2
// clang-format on

// Two rows: accumulators v8 … and v16 …; products v4, v5 of even steps, v6, v7 of odd ones; weights
// v2 and v3 in turn.
#define STEP_2(b, load, t0, t1, u0, u1, last0, last1) \
    SMULL(t0, 0, b) load SADALP(last0, u0) SMULL(t1, 1, b) SADALP(last1, u1)
#define EVEN_2(load, last0, last1) STEP_2(2, load, 4, 5, 6, 7, last0, last1)
#define ODD_2(load, last0, last1) STEP_2(3, load, 6, 7, 4, 5, last0, last1)
#define BEGIN_2 FIRST(0) FIRST(1) LOAD_B(2, 0) ZERO(6) ZERO(7) ZERO_ROW_0 ZERO_ROW_1
// clang-format off
#define LOOP_2                                                                             \
    EVEN_2(LOAD_B(3, 8), 15, 23) ODD_2(LOAD_B(2, 16), 8, 16) EVEN_2(LOAD_B(3, 24), 9, 17)  \
    ODD_2(LOAD_B(2, 32), 10, 18) EVEN_2(LOAD_B(3, 40), 11, 19)                             \
    ODD_2(LOAD_B(2, 48) COUNT, 12, 20)                                                     \
    EVEN_2(LOAD_B(3, 56) NEXT_B, 13, 21) SMULL(6, 0, 3) NEXT(0) LOAD_B(2, 0) SADALP(14, 4) \
    SMULL(7, 1, 3) NEXT(1) SADALP(22, 5)
#define END_2 SADALP(15, 6) SADALP(23, 7) REDUCE_ROW_0 REDUCE_ROW_1
// clang-format on

// One row: accumulators v8 …, weights v16 … each loaded a turn ahead, products v24 …
#define AHEAD_1(b, at, t) SMULL(t, 0, b) LOAD_B(b, at)
#define BEGIN_1    \
    FIRST(0)       \
    LOAD_B(16, 0)  \
    LOAD_B(17, 8)  \
    LOAD_B(18, 16) \
    LOAD_B(19, 24) LOAD_B(20, 32) LOAD_B(21, 40) LOAD_B(22, 48) LOAD_B(23, 56) ZERO_ROW_0
// clang-format off
#define LOOP_1                                                                              \
    COUNT NEXT_B AHEAD_1(16, 0, 24) AHEAD_1(17, 8, 25) AHEAD_1(18, 16, 26)                  \
    AHEAD_1(19, 24, 27)                                                                     \
    AHEAD_1(20, 32, 28) SADALP(8, 24) AHEAD_1(21, 40, 29) SADALP(9, 25) AHEAD_1(22, 48, 30) \
    SADALP(10, 26)                                                                          \
    SMULL(31, 0, 23) NEXT(0) SADALP(11, 27) LOAD_B(23, 56) SADALP(12, 28) SADALP(13, 29)    \
    SADALP(14, 30) SADALP(15, 31)
// clang-format on
#define END_1 REDUCE_ROW_0

// Defines tile_<n>: acc[n][16] += n rows · sub-panel, quads > 0. `step` is the bytes from row to
// row.
#define TILE(number)                                                                              \
    static void tile_##number(const int8_t *a, ptrdiff_t step, const int8_t *b, uint32_t k_quads, \
                              int32_t *acc) {                                                     \
        const int8_t *a1 = a + (number > 1 ? step : 0), *a2 = a + (number > 2 ? 2 * step : 0);    \
        uint64_t to_next_b, to_next_a;                                                            \
        __asm__ volatile(BEGIN_##number ".p2align 5\n1:\n\t" LOOP_##number AGAIN END_##number     \
                         : [a0] "+&r"(a), [a1] "+&r"(a1), [a2] "+&r"(a2), [b] "+&r"(b),           \
                           [n] "+&r"(k_quads), [d] "=&r"(to_next_b), [e] "=&r"(to_next_a)         \
                         : [s] "r"((uint64_t)64), [t] "r"(acc)                                    \
                         : TILE_CLOBBERS);                                                        \
    }

TILE(1)
TILE(2)
TILE(3)

typedef void tile_function(const int8_t *, ptrdiff_t, const int8_t *, uint32_t, int32_t *);
static tile_function *const tiles[TILE_MR] = {tile_1, tile_2, tile_3};

#endif
