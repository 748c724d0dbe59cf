// SPDX-License-Identifier: Apache-2.0
// GEMV for AVX-VNNI, up to 4 u8 rows, weights in w16x4 as they are, each read once.
//
// A sub-panel at a time: per group of 4 k two 32-byte halves of a line of weights, the memory operands of two vpdpbusd per
// row. Sums rotate among 2 accumulators each with one or two rows (4 or 8 chains), so that the latency of 5 cycles does not
// bound them: one row takes a line per 1.25 cycles at least, 51 bytes a cycle, as much as L2 delivers; from beyond L2
// reading is the bound. Weights that no L2 keeps are read as two streams, this sub-panel and the next one. Not timed here.
#include "kernels/x86/avx2/finish.h"
#include "kernels/ukr.h"
#include "vnni.h"

enum { MR = 4, NR = 16, BEYOND_L2 = 1 << 20 }; // bytes of weights that no L2 keeps from call to call

// A turn is one group with accumulators of its own.
#define ROWS_1(op, u) op(0, u)
#define ROWS_2(op, u) ROWS_1(op, u) op(1, u)
#define ROWS_3(op, u) ROWS_2(op, u) op(2, u)
#define ROWS_4(op, u) ROWS_3(op, u) op(3, u)
#define TURNS_1(rows, op) ROWS_##rows(op, 0)
#define TURNS_2(rows, op) TURNS_1(rows, op) ROWS_##rows(op, 1)
#define TURNS_4(rows, op) TURNS_2(rows, op) ROWS_##rows(op, 2) ROWS_##rows(op, 3)
#define ADD(half, r, u) half##r##0 = _mm256_add_epi32(half##r##0, half##r##u);
#define ADD_1(r, u)
#define ADD_2(r, u) ADD(c, r, 1) ADD(d, r, 1)
#define ADD_4(r, u) ADD(c, r, 1) ADD(d, r, 1) ADD(c, r, 2) ADD(d, r, 2) ADD(c, r, 3) ADD(d, r, 3)

static inline __m256i four_of(const uint8_t *a) {
    int32_t four;
    memcpy(&four, a, sizeof four);
    return _mm256_set1_epi32(four);
}

#define START(r, u)                                                                                                     \
    __m256i c##r##u = u ? _mm256_setzero_si256() : vector_of(init), d##r##u = u ? c##r##u : vector_of(init + LANES);
#define STEP(r, u)                                                                                                      \
    do {                                                                                                                \
        const __m256i four = four_of(p + r * g->a_row + 4 * u);                                                         \
        MULTIPLY_FROM(four, b + 64 * u, c##r##u);                                                                       \
        MULTIPLY_FROM(four, b + 64 * u + 32, d##r##u);                                                                  \
    } while (0);
#define KEEP(r, u)                                                                                                      \
    _mm256_store_si256((__m256i *)(acc + r * NR), c##r##0);                                                             \
    _mm256_store_si256((__m256i *)(acc + r * NR + LANES), d##r##0);

// One sub-panel. `next`: bytes to the sub-panel that is read ahead, 0 for none.
#define PANEL(rows, turns)                                                                                              \
    static void panel_##rows(const quernel_i_gemm *g, const int8_t *b, ptrdiff_t next, const int32_t *init,             \
                             int32_t *acc) {                                                                            \
        TURNS_##turns(rows, START)                                                                                      \
        for (const quernel_i_run *run = g->runs, *end = run + g->n_runs; run != end; run++) {                           \
            const uint8_t *p = (const uint8_t *)g->a + run->offset;                                                     \
            uint32_t left = run->groups;                                                                                \
            for (; left >= turns; left -= turns, p += 4 * turns, b += 64 * turns) {                                     \
                if (next)                                                                                               \
                    for (int i = 0; i < turns; i++) __builtin_prefetch(b + next + 64 * i, 0, 2);                        \
                TURNS_##turns(rows, STEP)                                                                               \
            }                                                                                                           \
            for (; left; left--, p += 4, b += 64) { ROWS_##rows(STEP, 0) }                                              \
        }                                                                                                               \
        ROWS_##rows(ADD_##turns, 0)                                                                                     \
        ROWS_##rows(KEEP, 0)                                                                                            \
    }
PANEL(1, 4)
PANEL(2, 2)
PANEL(3, 1)
PANEL(4, 1)

typedef void panel_function(const quernel_i_gemm *, const int8_t *, ptrdiff_t, const int32_t *, int32_t *);
static panel_function *const panels[MR] = {panel_1, panel_2, panel_3, panel_4};

void quernel_uk_gemv_u8s8_4x16x4_avxvnni(const quernel_i_gemm *g);
void quernel_uk_gemv_u8s8_4x16x4_avxvnni(const quernel_i_gemm *g) {
    int32_t acc[MR * NR] __attribute__((aligned(64)));
    const bool plain = finish_is_plain(g->finish), far = (size_t)g->columns * g->groups * 4 > BEYOND_L2;
    for (uint32_t n = 0; n < g->columns; n += NR) {
        const int8_t *b = (const int8_t *)g->b + n / NR * g->b_panel;
        const uint32_t columns = g->columns - n < NR ? g->columns - n : NR;
        const ptrdiff_t next = far && n + NR < g->columns ? (ptrdiff_t)g->b_panel : 0;
        panels[g->rows - 1](g, b, next, g->init + n, acc);
        finish_run(&(finish_tile){acc, g->rows, columns, 0, n}, g->finish, plain);
    }
}
