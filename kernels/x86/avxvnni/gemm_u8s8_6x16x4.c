// SPDX-License-Identifier: Apache-2.0
// GEMM for AVX-VNNI, u8 rows, weights in w16x4 as they are, each read as two ymm.
//
// A register tile is up to 6 rows x 16 output channels: 12 accumulators, 2 registers of weights, 1
// for a broadcast. Per group of 4 k: 2 loads of weights, 6 broadcasts, 12 vpdpbusd on two ports = 6
// cycles for 8 of 12 (18) load slots: 64 MAC/cycle, the bound. 12 chains hide a latency of 5 on two
// ports. Weights stream at 64 bytes per 6 cycles, which L2 gives. Model (llvm-mca 19, alderlake,
// the loop of 6 rows): 6.02 cycles a group, 63.8 MAC/cycle; not timed here.
//
// The order is row tile outside, oc inside: the rows of a tile stay in L1, the weights of the
// call in L2. The tile of sums goes to L1 and AVX2's epilogue takes it from there. Rows are split
// evenly among tiles (14 rows: 5 + 5 + 4).
#include "kernels/ukr.h"
#include "kernels/x86/avx2/epilogue.h"
#include "vnni.h"

enum { MR = 6, NR = 16 };

#define ROWS_1(op, k) op(0, p0, 0, k)
#define ROWS_2(op, k) ROWS_1(op, k) op(1, p0, 1, k)
#define ROWS_3(op, k) ROWS_2(op, k) op(2, p0, 2, k)
#define ROWS_4(op, k) ROWS_3(op, k) op(3, p0, 3, k)
#define ROWS_5(op, k) ROWS_4(op, k) op(4, p0, 4, k)
#define ROWS_6(op, k) ROWS_5(op, k) op(5, p5, 0, k)

#define START(row, p, times, k) __m256i c##row = init0, d##row = init1;
#define STEP(row, p, times, k) MULTIPLY_2(p, s, s3, times, k, b0, b1, c##row, d##row);
#define STORE(row, p, times, k)                              \
    _mm256_store_si256((__m256i *)(acc + (row)*NR), c##row); \
    _mm256_store_si256((__m256i *)(acc + (row)*NR + LANES), d##row);

// The empty asm keeps two pointers two: without it a compiler makes one induction variable per row,
// and spills.
#define GROUP(rows, k)                                                                 \
    do {                                                                               \
        const __m256i b0 = vector_of(b + 64 * (k)), b1 = vector_of(b + 64 * (k) + 32); \
        ROWS_##rows(STEP, k)                                                           \
    } while (0)
#define ADVANCE(n)                                   \
    do {                                             \
        p0 += 4 * (n), p5 += 4 * (n), b += 64 * (n); \
        __asm__("" : "+r"(p0), "+r"(p5), "+r"(b));   \
    } while (0)

// acc[rows][NR] = init + rows·weights for the rows from `a` on and the output channels from n on.
#define TILE(rows)                                                                                 \
    static void tile_##rows(const quernel_i_gemm *g, const uint8_t *a, uint32_t n, int32_t *acc) { \
        const ptrdiff_t s = g->a_row, s3 = 3 * s;                                                  \
        const int8_t *b = (const int8_t *)g->b + n / NR * g->b_panel;                              \
        const __m256i init0 = vector_of(g->init + n), init1 = vector_of(g->init + n + LANES);      \
        ROWS_##rows(START, 0) for (const quernel_i_k_run *run = g->k_runs,                         \
                                   *end = run + g->n_k_runs;                                       \
                                   run != end; run++) {                                            \
            const uint8_t *p0 = a + run->offset, *p5 = p0 + 5 * s;                                 \
            uint32_t left = run->k_quads;                                                          \
            for (; left > 1; left -= 2) {                                                          \
                GROUP(rows, 0);                                                                    \
                GROUP(rows, 1);                                                                    \
                ADVANCE(2);                                                                        \
            }                                                                                      \
            if (left) {                                                                            \
                GROUP(rows, 0);                                                                    \
                ADVANCE(1);                                                                        \
            }                                                                                      \
        }                                                                                          \
        ROWS_##rows(STORE, 0)                                                                      \
    }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)

typedef void tile_function(const quernel_i_gemm *, const uint8_t *, uint32_t, int32_t *);
static tile_function *const tiles[MR] = {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6};

void quernel_uk_gemm_u8s8_6x16x4_avxvnni(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_6x16x4_avxvnni(const quernel_i_gemm *g) {
    int32_t acc[MR * NR] __attribute__((aligned(64)));
    const bool plain = epilogue_is_plain(g->epilogue);
    for (uint32_t m = 0, left = (g->rows + MR - 1) / MR; left; left--) {
        const uint32_t rows = (g->rows - m + left - 1) / left;
        const uint8_t *a = (const uint8_t *)g->a + (ptrdiff_t)m * g->a_row;
        for (uint32_t n = 0; n < g->oc; n += NR) {
            tiles[rows - 1](g, a, n, acc);
            const uint32_t oc = g->oc - n < NR ? g->oc - n : NR;
            epilogue_run(&(epilogue_tile){acc, rows, oc, m, n}, g->epilogue, plain);
        }
        m += rows;
    }
}
