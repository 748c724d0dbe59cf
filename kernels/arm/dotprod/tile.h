// SPDX-License-Identifier: Apache-2.0
// The register tiles of the dot products: 1 to 6 rows, where they lie, times a sub-panel of w16x4
// as it is. Who includes it defines
//   DOT   the instruction, by element: sdot (s8 rows), or sudot of i8mm (u8 rows)
//
// It multiplies a quad of each of 4 oc by one quad of a row, which no instruction has to broadcast:
// 16 bytes of a row are 4 quads. A quad of k of 6 rows takes 24 dots and 4 loads of weights; every
// fourth one 6 loads of rows. Row r has its accumulators in v(8 + 4r) …, a register of 4 oc each,
// and its values in v(r); weights go through v6 and v7 in turn.
//
// The order is for cores that issue in order: as many dots as rows lie between a load of weights
// and its use, and nothing but the first loads of a turn follow one another. One register counts
// k for all rows.
#ifndef QUERNEL_DOTPROD_TILE_H
#define QUERNEL_DOTPROD_TILE_H

#include "kernels/ukr.h"

#ifndef DOT
#error "DOT: the instruction that adds four products to a lane"
#endif

enum { TILE_MR = 6, TILE_NR = 16 };

// op(x, row, its accumulators) for each row.
#define ROWS_1(op, x) op(x, 0, 8, 9, 10, 11)
#define ROWS_2(op, x) ROWS_1(op, x) op(x, 1, 12, 13, 14, 15)
#define ROWS_3(op, x) ROWS_2(op, x) op(x, 2, 16, 17, 18, 19)
#define ROWS_4(op, x) ROWS_3(op, x) op(x, 3, 20, 21, 22, 23)
#define ROWS_5(op, x) ROWS_4(op, x) op(x, 4, 24, 25, 26, 27)
#define ROWS_6(op, x) ROWS_5(op, x) op(x, 5, 28, 29, 30, 31)

// Oc 4j … 4j + 3 of a row times element `x` of its values.
#define DOT_OF(acc, w, row, x) DOT " v" #acc ".4s, v" #w ".16b, v" #row ".4b[" #x "]\n\t"
#define DOT_0(x, row, c0, c1, c2, c3) DOT_OF(c0, 6, row, x)
#define DOT_1(x, row, c0, c1, c2, c3) DOT_OF(c1, 7, row, x)
#define DOT_2(x, row, c0, c1, c2, c3) DOT_OF(c2, 6, row, x)
#define DOT_3(x, row, c0, c1, c2, c3) DOT_OF(c3, 7, row, x)

#define LOAD_B(w, at) "ldr q" #w ", [%[b], #" #at "]\n\t"
// The quad `at` bytes behind b, whose first two registers of weights are there; `next6` and `next7`
// load those of the next one.
#define QUAD(rows, x, at, next6, next7)                                               \
    ROWS_##rows(DOT_0, x) LOAD_B(6, at + 32) ROWS_##rows(DOT_1, x) LOAD_B(7, at + 48) \
        ROWS_##rows(DOT_2, x) next6 ROWS_##rows(DOT_3, x) next7

#define START(x, row, c0, c1, c2, c3) \
    "ldp q" #c0 ", q" #c1 ", [%[i]]\n\tldp q" #c2 ", q" #c3 ", [%[i], #32]\n\t"
#define LOAD_FOUR(x, row, c0, c1, c2, c3) "ldr q" #row ", [%[p" #row "], %[k]]\n\t"
#define LOAD_ONE(x, row, c0, c1, c2, c3) "ldr s" #row ", [%[p" #row "], %[k]]\n\t"
#define STORE(x, row, c0, c1, c2, c3)                                                          \
    "stp q" #c0 ", q" #c1 ", [%[t], #64*" #row "]\n\tstp q" #c2 ", q" #c3 ", [%[t], #64*" #row \
    "+32]\n\t"

// Label 2: a run of k; 3: four quads of it; 4: fewer are left; 5: one; 6: the run's end.
// clang-format off
#define TILE_CODE(rows)                                                                      \
    ROWS_##rows(START, )                                                                     \
    "2:\n\tldr %[k], [%[r]]\n\tldr %w[n], [%[r], #8]\n\tadd %[r], %[r], #16\n\t"             \
    "subs %w[n], %w[n], #4\n\tb.lo 4f\n\t.p2align 5\n3:\n\t"                                 \
    LOAD_B(6, 0) "subs %w[n], %w[n], #4\n\t" LOAD_B(7, 16) ROWS_##rows(LOAD_FOUR, )          \
    "add %[k], %[k], #16\n\t"                                                                \
    QUAD(rows, 0, 0, LOAD_B(6, 64), LOAD_B(7, 80))                                           \
    QUAD(rows, 1, 64, LOAD_B(6, 128), LOAD_B(7, 144))                                        \
    QUAD(rows, 2, 128, LOAD_B(6, 192), LOAD_B(7, 208)) QUAD(rows, 3, 192, , )                \
    "add %[b], %[b], #256\n\tb.hs 3b\n"                                                      \
    "4:\n\tadds %w[n], %w[n], #4\n\tb.eq 6f\n"                                               \
    "5:\n\t" LOAD_B(6, 0) "subs %w[n], %w[n], #1\n\t" LOAD_B(7, 16) ROWS_##rows(LOAD_ONE, )  \
    "add %[k], %[k], #4\n\t" QUAD(rows, 0, 0, , ) "add %[b], %[b], #64\n\tb.ne 5b\n"         \
    "6:\n\tcmp %[r], %[e]\n\tb.ne 2b\n\t" ROWS_##rows(STORE, )
// clang-format on

_Static_assert(offsetof(quernel_i_k_run, offset) == 0 && offsetof(quernel_i_k_run, k_quads) == 8 &&
                   sizeof(quernel_i_k_run) == 16,
               "the code reads runs");

#define ROW_AT(rows, r) [p##r] "r"(a + (rows > r ? r * g->a_row : 0))

// Defines tile_<rows>: acc[rows][16] = init + rows · sub-panel, for the rows from `a` on.
#define TILE(rows)                                                                                 \
    static void tile_##rows(const quernel_i_gemm *g, const uint8_t *a, const int8_t *b,            \
                            const int32_t *init, int32_t *acc) {                                   \
        const quernel_i_k_run *run = g->k_runs;                                                    \
        uint64_t quads, k;                                                                         \
        __asm__ volatile(                                                                          \
            TILE_CODE(rows)                                                                        \
            : [n] "=&r"(quads), [k] "=&r"(k), [r] "+&r"(run), [b] "+&r"(b)                         \
            : ROW_AT(rows, 0), ROW_AT(rows, 1), ROW_AT(rows, 2), ROW_AT(rows, 3), ROW_AT(rows, 4), \
              ROW_AT(rows, 5), [e] "r"(run + g->n_k_runs), [i] "r"(init), [t] "r"(acc)             \
            : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",   \
              "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22",  \
              "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");                      \
    }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)

typedef void tile_function(const quernel_i_gemm *, const uint8_t *, const int8_t *, const int32_t *,
                           int32_t *);
static tile_function *const tiles[TILE_MR] = {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6};

#endif
