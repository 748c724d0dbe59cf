// SPDX-License-Identifier: Apache-2.0
// GEMM for AVX-512-VNNI, u8 rows, weights in w16x4 as they are.
//
// A register tile is up to 14 rows x 2 sub-panels: 28 accumulators, 2 registers of weights, 1 for a
// broadcast. Per group of 4 k: 2 loads of weights, 14 broadcasts, 28 vpdpbusd on two ports = 14
// cycles for 16 of 28 load slots. A last single sub-panel has 14 accumulators, enough to hide a
// latency of 5 on two ports, but 15 loads in 7 cycles: loads bound it at 93 %. Wider tiles for it
// (28 rows) would gain 4 points of one panel and break the rows' even split. Bound: 128 MAC/cycle
// (two ports), 64 where 512-bit vpdpbusd has one. Weights stream from L2 at 9 of its 48
// bytes/cycle: out-of-order execution runs about 4 quads ahead, more than L2's latency, so only the
// head of the next panels, which the hardware prefetcher cannot guess, is prefetched while the tile
// is output.
//
// The order is row tile outside, oc inside: the rows of a tile stay in L1, the weights of the
// call in L2. 14 addresses come from five registers: three rows (0, 5, 10), each plus 0, 1, 2, 3, 4
// strides.
#include "epilogue.h"
#include "kernels/ukr.h"
#include "quantize_rows.h"
#include "vnni.h"

enum { MR = 14, NR = 32, HEAD = 4 };

#define START_2(row, p, times, k) __m512i c##row = init0, d##row = init1;
#define STEP_2(row, p, times, k) MULTIPLY_2(p, s, s3, times, k, b0, b1, c##row, d##row);
#define STORE_2(row, p, times, k)                        \
    _mm512_store_si512(acc + (row)*EPILOGUE_NR, c##row); \
    _mm512_store_si512(acc + (row)*EPILOGUE_NR + LANES, d##row);
#define LOAD_2(k)                                       \
    const __m512i b0 = _mm512_load_si512(b + 64 * (k)), \
                  b1 = _mm512_load_si512(b + panel + 64 * (k));

#define START_1(row, p, times, k) __m512i c##row = init0;
#define STEP_1(row, p, times, k) MULTIPLY_1(p, s, s3, times, k, b0, c##row);
#define STORE_1(row, p, times, k) _mm512_store_si512(acc + (row)*EPILOGUE_NR, c##row);
#define LOAD_1(k) const __m512i b0 = _mm512_load_si512(b + 64 * (k));

// The empty asm keeps three pointers three: without it a compiler makes one induction variable per
// row, and spills.
#define GROUP(rows, panels, k)                         \
    do {                                               \
        LOAD_##panels(k) ROWS_##rows(STEP_##panels, k) \
    } while (0)
#define ADVANCE(n)                                                   \
    do {                                                             \
        p0 += 4 * (n), p5 += 4 * (n), p10 += 4 * (n), b += 64 * (n); \
        __asm__("" : "+r"(p0), "+r"(p5), "+r"(p10), "+r"(b));        \
    } while (0)

// acc[rows][EPILOGUE_NR] = init + rows·weights for the rows from `a` on and the output channels
// from n on.
#define TILE(rows, panels)                                                                     \
    static void tile_##rows##_##panels(const quernel_i_gemm *g, const uint8_t *a, uint32_t n,  \
                                       int32_t *acc) {                                         \
        const ptrdiff_t s = g->a_row, s3 = 3 * s;                                              \
        const size_t panel = g->b_panel;                                                       \
        const int8_t *b = (const int8_t *)g->b + n / LANES * panel;                            \
        const __m512i init0 = _mm512_loadu_si512(g->init + n);                                 \
        const __m512i init1 = (panels) == 2 ? _mm512_loadu_si512(g->init + n + LANES) : init0; \
        (void)init1;                                                                           \
        ROWS_##rows(START_##panels, 0) for (const quernel_i_k_run *run = g->k_runs,            \
                                            *end = run + g->n_k_runs;                          \
                                            run != end; run++) {                               \
            const uint8_t *p0 = a + run->offset, *p5 = p0 + 5 * s, *p10 = p5 + 5 * s;          \
            uint32_t left = run->k_quads;                                                      \
            for (; left > 1; left -= 2) {                                                      \
                GROUP(rows, panels, 0);                                                        \
                GROUP(rows, panels, 1);                                                        \
                ADVANCE(2);                                                                    \
            }                                                                                  \
            if (left) {                                                                        \
                GROUP(rows, panels, 0);                                                        \
                ADVANCE(1);                                                                    \
            }                                                                                  \
        }                                                                                      \
        ROWS_##rows(STORE_##panels, 0)                                                         \
    }

#define BOTH(rows) TILE(rows, 1) TILE(rows, 2)
ROWS_EACH_14(BOTH)

#define ENTRY(rows) {tile_##rows##_1, tile_##rows##_2},
typedef void tile_function(const quernel_i_gemm *, const uint8_t *, uint32_t, int32_t *);
static tile_function *const tiles[MR][2] = {ROWS_EACH_14(ENTRY)};

static void prefetch_heads(const quernel_i_gemm *g, uint32_t n) {
    const int8_t *b = (const int8_t *)g->b + n / LANES * g->b_panel;
    for (int i = 0; i < HEAD; i++) {
        __builtin_prefetch(b + 64 * i);
        __builtin_prefetch(b + g->b_panel + 64 * i);
    }
}

void quernel_uk_gemm_u8s8_14x32x4_avx512vnni(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_14x32x4_avx512vnni(const quernel_i_gemm *g) {
    int32_t acc[MR * EPILOGUE_NR] __attribute__((aligned(64)));
    const bool plain = epilogue_is_plain(g->epilogue);
    for (uint32_t m = 0, left = (g->rows + MR - 1) / MR; left; left--) {
        const uint32_t rows = (g->rows - m + left - 1) / left;
        const uint8_t *a = (const uint8_t *)g->a + (ptrdiff_t)m * g->a_row;
        for (uint32_t n = 0; n < g->oc; n += NR) {
            const uint32_t oc = g->oc - n < NR ? g->oc - n : NR;
            tiles[rows - 1][oc > LANES](g, a, n, acc);
            prefetch_heads(g, n + NR < g->oc ? n + NR : 0);
            epilogue_run(&(epilogue_tile){acc, rows, oc, m, n}, g->epilogue, plain);
        }
        m += rows;
    }
}
