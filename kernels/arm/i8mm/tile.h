// SPDX-License-Identifier: Apache-2.0
// The register tiles of the matrix products: 1 to 3 pairs of rows times a sub-panel, of both 8 k of
// two rows, or two oc, in a register: what smmla multiplies to 2x2 sums.
//
// A step of 8 k of 3 pairs takes 24 products, 8 loads of weights and 3 of rows, from one stream
// each. Pair p has its accumulators in v(8 + 8p) …, one for each pair of oc, and its values in
// v(p); weights go through v3 … v7 in turn.
#ifndef QUERNEL_I8MM_TILE_H
#define QUERNEL_I8MM_TILE_H

#include <stdint.h>

enum { TILE_MR = 6, TILE_NR = 16 };

// op(x, pair of rows, accumulator) for each pair.
#define PAIRS_1(op, x, c0, c1, c2) op(x, 0, c0)
#define PAIRS_2(op, x, c0, c1, c2) PAIRS_1(op, x, c0, c1, c2) op(x, 1, c1)
#define PAIRS_3(op, x, c0, c1, c2) PAIRS_2(op, x, c0, c1, c2) op(x, 2, c2)

// v8 … v15 of the first pair are loaded, those of the others copied.
#define START(x, pair, acc) START_##pair(x, acc)
#define START_0(x, acc) "ld1r {v" #acc ".2d}, [%[i]], #8\n\t"
#define START_1(x, acc) "mov v" #acc ".16b, v" #x ".16b\n\t"
#define START_2(x, acc) START_1(x, acc)

#define LOAD_ROWS(x, pair, acc) "ldr q" #pair ", [%[a], #16*" #pair "]\n\t"
#define LOAD_B(w, at) "ldr q" #w ", [%[b], #" #at "]\n\t"
#define smmla(x, pair, acc) "smmla v" #acc ".4s, v" #pair ".16b, v" #x ".16b\n\t"
#define usmmla(x, pair, acc) "usmmla v" #acc ".4s, v" #pair ".16b, v" #x ".16b\n\t"

// Sums of two rows and 2 oc in each of two registers: 4 oc of each row.
#define STORE_PAIR(pair, at, low, high)                                                      \
    "uzp1 v0.2d, v" #low ".2d, v" #high ".2d\n\tuzp2 v1.2d, v" #low ".2d, v" #high ".2d\n\t" \
    "str q0, [%[t], #128*" #pair "+" #at "]\n\tstr q1, [%[t], #128*" #pair "+64+" #at "]\n\t"
#define STORE(pair, c0, c1, c2, c3, c4, c5, c6, c7) \
    STORE_PAIR(pair, 0, c0, c1)                     \
    STORE_PAIR(pair, 16, c2, c3) STORE_PAIR(pair, 32, c4, c5) STORE_PAIR(pair, 48, c6, c7)
#define STORE_1 STORE(0, 8, 9, 10, 11, 12, 13, 14, 15)
#define STORE_2 STORE_1 STORE(1, 16, 17, 18, 19, 20, 21, 22, 23)
#define STORE_3 STORE_2 STORE(2, 24, 25, 26, 27, 28, 29, 30, 31)

// clang-format off
#define TILE_CODE(pairs, multiply)                                                            \
    PAIRS_##pairs(START, 8, 8, 16, 24) PAIRS_##pairs(START, 9, 9, 17, 25)                     \
    PAIRS_##pairs(START, 10, 10, 18, 26) PAIRS_##pairs(START, 11, 11, 19, 27)                 \
    PAIRS_##pairs(START, 12, 12, 20, 28) PAIRS_##pairs(START, 13, 13, 21, 29)                 \
    PAIRS_##pairs(START, 14, 14, 22, 30) PAIRS_##pairs(START, 15, 15, 23, 31)                 \
    ".p2align 5\n1:\n\t" PAIRS_##pairs(LOAD_ROWS, , , , ) "add %[a], %[a], #16*" #pairs "\n\t" \
    LOAD_B(3, 0) LOAD_B(4, 16) LOAD_B(5, 32) LOAD_B(6, 48) LOAD_B(7, 64)                      \
    PAIRS_##pairs(multiply, 3, 8, 16, 24) LOAD_B(3, 80)                                       \
    PAIRS_##pairs(multiply, 4, 9, 17, 25) LOAD_B(4, 96)                                       \
    PAIRS_##pairs(multiply, 5, 10, 18, 26) LOAD_B(5, 112)                                     \
    PAIRS_##pairs(multiply, 6, 11, 19, 27) PAIRS_##pairs(multiply, 7, 12, 20, 28)             \
    PAIRS_##pairs(multiply, 3, 13, 21, 29) PAIRS_##pairs(multiply, 4, 14, 22, 30)             \
    PAIRS_##pairs(multiply, 5, 15, 23, 31)                                                    \
    "add %[b], %[b], #128\n\tsubs %w[n], %w[n], #1\n\tb.ne 1b\n\t" STORE_##pairs
// clang-format on

/// Rows as gather() leaves them, a prepared sub-panel, `steps` > 0 of 8 k; acc[2·pairs][16] = init
/// + rows · sub-panel.
typedef void tile_function(const uint8_t *a, const int8_t *b, uint32_t steps, const int32_t *init,
                           int32_t *acc);

#define TILE(pairs, multiply)                                                                    \
    static void multiply##_##pairs(const uint8_t *a, const int8_t *b, uint32_t steps,            \
                                   const int32_t *init, int32_t *acc) {                          \
        __asm__ volatile(TILE_CODE(pairs, multiply)                                              \
                         : [a] "+&r"(a), [b] "+&r"(b), [n] "+&r"(steps), [i] "+&r"(init)         \
                         : [t] "r"(acc)                                                          \
                         : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", \
                           "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18",  \
                           "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", \
                           "v29", "v30", "v31");                                                 \
    }
/// Defines the tiles of an instruction, by pairs of rows less 1.
#define TILES(multiply)                                                                      \
    TILE(1, multiply)                                                                        \
    TILE(2, multiply)                                                                        \
    TILE(3, multiply)                                                                        \
    static tile_function *const multiply##_tiles[TILE_MR / 2] = {multiply##_1, multiply##_2, \
                                                                 multiply##_3};

#endif
