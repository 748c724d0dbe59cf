// SPDX-License-Identifier: Apache-2.0
// GEMV for AVX-512-VNNI, up to 4 u8 rows, weights in w16x4 as they are, each read once.
//
// A sub-panel at a time: per group of 4 k one 64-byte line of weights, the memory operand of one vpdpbusd per row. Sums
// rotate among 4 accumulators with one row, 2 with more, so that the latency of 5 cycles does not bound it: one row takes
// a line per 1.25 cycles at least, 51 bytes a cycle, as much as L2 delivers; from beyond L2 reading is the bound. Weights that
// no L2 keeps are read as two streams, this sub-panel and the next one.
#include "finish.h"
#include "kernels/ukr.h"
#include "vnni.h"

enum { MR = 4, BEYOND_L2 = 1 << 21 }; // bytes of weights that no L2 keeps from call to call

#define ROWS_1(op, u) op(0, u)
#define ROWS_2(op, u) ROWS_1(op, u) op(1, u)
#define ROWS_3(op, u) ROWS_2(op, u) op(2, u)
#define ROWS_4(op, u) ROWS_3(op, u) op(3, u)
#define TURNS_2(rows, op) ROWS_##rows(op, 0) ROWS_##rows(op, 1)
#define TURNS_4(rows, op) TURNS_2(rows, op) ROWS_##rows(op, 2) ROWS_##rows(op, 3)
#define ADD_2(r) c##r##0 = _mm512_add_epi32(c##r##0, c##r##1);
#define ADD_4(r) c##r##0 = _mm512_add_epi32(_mm512_add_epi32(c##r##0, c##r##1), _mm512_add_epi32(c##r##2, c##r##3));

static inline __m512i four_of(const uint8_t *a) {
    int32_t four;
    memcpy(&four, a, sizeof four);
    return _mm512_set1_epi32(four);
}

#define START(r, u) __m512i c##r##u = u ? _mm512_setzero_si512() : init;
#define STEP(r, u) MULTIPLY_FROM(four_of(p + r * g->a_row + 4 * u), b + 64 * u, c##r##u);
#define KEEP(r, u) _mm512_store_si512(acc + r * FINISH_NR, c##r##0);

// One sub-panel. `next`: bytes to the sub-panel that is read ahead, 0 for none.
#define PANEL(rows, turns)                                                                                             \
    static void panel_##rows(const quernel_i_gemm *g, const int8_t *b, ptrdiff_t next, __m512i init, int32_t *acc) {    \
        TURNS_##turns(rows, START)                                                                                     \
        for (const quernel_i_run *run = g->runs, *end = run + g->n_runs; run != end; run++) {                          \
            const uint8_t *p = (const uint8_t *)g->a + run->offset;                                                    \
            uint32_t left = run->groups;                                                                               \
            for (; left >= turns; left -= turns, p += 4 * turns, b += 64 * turns) {                                    \
                if (next)                                                                                              \
                    for (int i = 0; i < turns; i++) __builtin_prefetch(b + next + 64 * i, 0, 2);                       \
                TURNS_##turns(rows, STEP)                                                                              \
            }                                                                                                          \
            for (; left; left--, p += 4, b += 64) { ROWS_##rows(STEP, 0) }                                             \
        }                                                                                                              \
        EACH_##rows(ADD_##turns)                                                                                       \
        ROWS_##rows(KEEP, 0)                                                                                           \
    }
#define EACH_1(op) op(0)
#define EACH_2(op) EACH_1(op) op(1)
#define EACH_3(op) EACH_2(op) op(2)
#define EACH_4(op) EACH_3(op) op(3)
PANEL(1, 4)
PANEL(2, 4)
PANEL(3, 2)
PANEL(4, 2)

typedef void panel_function(const quernel_i_gemm *, const int8_t *, ptrdiff_t, __m512i, int32_t *);
static panel_function *const panels[MR] = {panel_1, panel_2, panel_3, panel_4};

void quernel_uk_gemv_u8s8_4x16x4_avx512vnni(const quernel_i_gemm *g);
void quernel_uk_gemv_u8s8_4x16x4_avx512vnni(const quernel_i_gemm *g) {
    int32_t acc[MR * FINISH_NR] __attribute__((aligned(64)));
    const bool plain = finish_is_plain(g->finish), far = (size_t)g->columns * g->groups * 4 > BEYOND_L2;
    for (uint32_t n = 0; n < g->columns; n += LANES) {
        const int8_t *b = (const int8_t *)g->b + n / LANES * g->b_panel;
        const uint32_t columns = g->columns - n < LANES ? g->columns - n : LANES;
        const ptrdiff_t next = far && n + LANES < g->columns ? (ptrdiff_t)g->b_panel : 0;
        panels[g->rows - 1](g, b, next, _mm512_loadu_si512(g->init + n), acc);
        finish_run(&(finish_tile){acc, g->rows, columns, 0, n}, g->finish, plain);
    }
}
