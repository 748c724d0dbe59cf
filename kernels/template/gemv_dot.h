// SPDX-License-Identifier: Apache-2.0
// GEMV with an instruction that adds four products of bytes to a 32-bit lane: up to 4 u8 rows,
// weights in w16x4 as they are, each read once. A template for any instruction set; who includes it
// defines
//   DOT_VECTOR               a vector of 32-bit lanes
//   MULTIPLY(four, b, acc)   acc += four unsigned bytes in each lane · weights
//   GEMV_HALVES(op, r, u)    op(c, 0, r, u) for each vector of a line of 16 output channels'
//                            weights: the sums' name and the first oc
//   vector_of, …_set, …_zero, …_add, …_store
//   EPILOGUE_NR, epilogue_run, epilogue_is_plain   of its epilogue.h
// and says PANEL(rows, turns) for 1 … 4 rows: groups that are multiplied in turn, each with
// accumulators of its own, so that the latency of 5 cycles does not bound them. A line of weights
// is loaded once for all rows. Weights are one plain stream, which hardware reads ahead:
// prefetching them, from 1 KiB to a sub-panel ahead, was slower or no faster on Zen 4 and Emerald
// Rapids. On Zen 5 it is faster where they come from memory, so it is the plan that asks for it.
#include "kernels/ukr.h"

#ifndef DOT_VECTOR
#error "DOT_VECTOR: a vector of 32-bit lanes"
#endif
#ifndef MULTIPLY
#error "MULTIPLY: adds four bytes times weights"
#endif
#ifndef GEMV_HALVES
#error "GEMV_HALVES: the vectors of a line of weights"
#endif

enum { GEMV_MR = 4, GEMV_NR = 16 };

#define ROWS_1(op, u) op(0, u)
#define ROWS_2(op, u) ROWS_1(op, u) op(1, u)
#define ROWS_3(op, u) ROWS_2(op, u) op(2, u)
#define ROWS_4(op, u) ROWS_3(op, u) op(3, u)
#define TURNS_1(rows, op) op(rows, 0)
#define TURNS_2(rows, op) TURNS_1(rows, op) op(rows, 1)
#define TURNS_4(rows, op) TURNS_2(rows, op) op(rows, 2) op(rows, 3)

#define START_HALF(c, n, r, u) DOT_VECTOR c##r##u = u ? vector_zero() : vector_of(init + n);
#define START(r, u) GEMV_HALVES(START_HALF, r, u)
#define STARTS(rows, u) ROWS_##rows(START, u)
#define LOAD_HALF(c, n, r, u) const DOT_VECTOR w##c = vector_of(b + 64 * u + 4 * n);
#define STEP_HALF(c, n, r, u) MULTIPLY(four, w##c, c##r##u);
#define STEP(r, u)                                                 \
    do {                                                           \
        const DOT_VECTOR four = four_of(p + r * g->a_row + 4 * u); \
        GEMV_HALVES(STEP_HALF, r, u)                               \
    } while (0);
#define STEPS(rows, u)                                    \
    do {                                                  \
        GEMV_HALVES(LOAD_HALF, 0, u) ROWS_##rows(STEP, u) \
    } while (0);
#define ADD_HALF(c, n, r, u) c##r##0 = vector_add(c##r##0, c##r##u);
#define ADD_1(r, u)
#define ADD_2(r, u) GEMV_HALVES(ADD_HALF, r, 1)
#define ADD_4(r, u) ADD_2(r, u) GEMV_HALVES(ADD_HALF, r, 2) GEMV_HALVES(ADD_HALF, r, 3)
#define KEEP_HALF(c, n, r, u) vector_store(acc + r * EPILOGUE_NR + n, c##r##0);
#define KEEP(r, u) GEMV_HALVES(KEEP_HALF, r, u)

#define FETCH(rows, u) __builtin_prefetch(b + far + 64 * u);
static inline DOT_VECTOR four_of(const uint8_t *a) {
    int32_t four;
    memcpy(&four, a, sizeof four);
    return vector_set(four);
}

// One sub-panel.
#define PANEL(rows, turns)                                                                  \
    static void panel_##rows(const quernel_i_gemm *g, const int8_t *b, const int32_t *init, \
                             int32_t *acc) {                                                \
        const uint32_t far = g->prefetch;                                                   \
        TURNS_##turns(rows, STARTS) for (const quernel_i_k_run *run = g->k_runs,            \
                                         *end = run + g->n_k_runs;                          \
                                         run != end; run++) {                               \
            const uint8_t *p = (const uint8_t *)g->a + run->offset;                         \
            uint32_t left = run->k_quads;                                                   \
            for (; left >= turns; left -= turns, p += 4 * turns, b += 64 * turns) {         \
                if (far) {                                                                  \
                    TURNS_##turns(rows, FETCH)                                              \
                }                                                                           \
                TURNS_##turns(rows, STEPS)                                                  \
            }                                                                               \
            for (; left; left--, p += 4, b += 64) STEPS(rows, 0)                            \
        }                                                                                   \
        ROWS_##rows(ADD_##turns, 0) ROWS_##rows(KEEP, 0)                                    \
    }

typedef void panel_function(const quernel_i_gemm *, const int8_t *, const int32_t *, int32_t *);

static inline void gemv_run(const quernel_i_gemm *g, panel_function *const panels[GEMV_MR]) {
    int32_t acc[GEMV_MR * EPILOGUE_NR] __attribute__((aligned(64)));
    const bool plain = epilogue_is_plain(g->epilogue);
    for (uint32_t n = 0; n < g->oc; n += GEMV_NR) {
        const int8_t *b = (const int8_t *)g->b + n / GEMV_NR * g->b_panel;
        const uint32_t oc = g->oc - n < GEMV_NR ? g->oc - n : GEMV_NR;
        panels[g->rows - 1](g, b, g->init + n, acc);
        epilogue_run(&(epilogue_tile){acc, g->rows, oc, 0, n}, g->epilogue, plain);
    }
}
