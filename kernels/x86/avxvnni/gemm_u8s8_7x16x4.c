// SPDX-License-Identifier: Apache-2.0
// GEMM for AVX-VNNI, u8 rows, weights in w16x4 as they are, each read as two ymm.
//
// A register tile is up to 7 rows x 16 output channels: 14 accumulators, a register of weights, 1
// for a broadcast; the other half of the weights comes from memory with each product. Per group of
// 4 k: 1 load of weights, 7 of them with products, 7 broadcasts, 14 vpdpbusd on two ports = 7
// cycles for 15 of 21 load slots: 64 MAC/cycle, the bound. 14 chains hide a latency of 5 on two
// ports; 4 rows, 8 chains, do not, and networks for images end in lines of 7 pixels. Weights stream
// at 64 bytes per 7 cycles, which L2 gives.
//
// Plain int8 leaves the registers as bytes (finish.h); everything else goes to a tile of sums in
// L1, and AVX2's epilogue takes it from there.
//
// The order is row tile outside, oc inside: the rows of a tile stay in L1, the weights of the
// call in L2. While the first output channels of a tile are computed the rows of the next one are
// prefetched, a line for two groups; not where two row tiles are more than L1. Rows are split
// evenly among tiles (15 rows: 5 + 5 + 5).
#include "kernels/ukr.h"
#include "kernels/x86/avx2/finish.h"
#include "vnni.h"

enum {
    MR = 7,
    NR = 16,
    AHEAD_MAX = 20 << 10, // bytes of a row tile: less than half of 48 KiB, with room for weights
};

/// What the tiles of a call have in common.
typedef struct gemm_call {
    const quernel_i_gemm *g;
    bool plain, finishes; // plain: epilogue_is_plain
    finish finish;
    int32_t *acc; // sums of a tile, rows of NR
} gemm_call;

/// A tile: its rows, those of the next row tile, where it lies in the call.
typedef struct tile {
    const uint8_t *a, *ahead;
    const int8_t *later; // weights that are wanted in L2; or NULL
    uint32_t m, n;
    bool finishes; // in registers
} tile;

#define ROWS_1(op, k) op(0, p0, 0, k)
#define ROWS_2(op, k) ROWS_1(op, k) op(1, p0, 1, k)
#define ROWS_3(op, k) ROWS_2(op, k) op(2, p0, 2, k)
#define ROWS_4(op, k) ROWS_3(op, k) op(3, p0, 3, k)
#define ROWS_5(op, k) ROWS_4(op, k) op(4, p0, 4, k)
#define ROWS_6(op, k) ROWS_5(op, k) op(5, p5, 0, k)
#define ROWS_7(op, k) ROWS_6(op, k) op(6, p5, 1, k)

#define START(row, p, times, k) __m256i c##row = init0, d##row = init1;
#define STEP(row, p, times, k)                                                                    \
    do {                                                                                          \
        __m256i four_;                                                                            \
        __asm__(                                                                                  \
            VNNI_BROADCAST(times, k) VNNI_DOT " %[b0], %[four], %0\n\t" VNNI_DOT                  \
                                              " %[b1], %[four], %1"                               \
            : "+x"(c##row), "+x"(d##row), [four] "=&x"(four_)                                     \
            : VNNI_ROW(p, s, s3), [b0] "x"(b0), [b1] "m"(*(const __m256i *)(b + 64 * (k) + 32))); \
    } while (0);
#define STORE(row, p, times, k)                              \
    _mm256_store_si256((__m256i *)(acc + (row)*NR), c##row); \
    _mm256_store_si256((__m256i *)(acc + (row)*NR + LANES), d##row);

// The empty asm keeps two pointers two: without it a compiler makes one induction variable per row,
// and spills.
#define GROUP(rows, k)                              \
    do {                                            \
        const __m256i b0 = vector_of(b + 64 * (k)); \
        ROWS_##rows(STEP, k)                        \
    } while (0)
#define ADVANCE(n)                                   \
    do {                                             \
        p0 += 4 * (n), p5 += 4 * (n), b += 64 * (n); \
        __asm__("" : "+r"(p0), "+r"(p5), "+r"(b));   \
    } while (0)
// The weights 8 groups ahead, which L2 takes longer for than a group takes; of the next tile's rows
// a line of each, then the lines beside them; two lines of weights that are read later, to L2.
#define PREFETCH(rows)                                         \
    do {                                                       \
        if (later) {                                           \
            __builtin_prefetch(later, 0, 2);                   \
            __builtin_prefetch(later + 64, 0, 2);              \
            later += 128;                                      \
        }                                                      \
        __builtin_prefetch(b + 8 * 64);                        \
        __builtin_prefetch(b + 9 * 64);                        \
        __builtin_prefetch(ahead);                             \
        ahead += s;                                            \
        if (ahead >= stop) ahead -= (rows)*s - 64, stop += 64; \
    } while (0)

#define FINISH(r, s) FINISH_AS(r, s, false)
#define FINISH_BARE(r, s) FINISH_AS(r, s, true)
#define FINISH_AS(r, s, bare)                                                             \
    finish_two(&call->finish, bare, c##r, d##r, c##s, d##s, f->scale + n, f->bias + n, y, \
               (r) == (s) ? y : y + f->y_row);                                            \
    y += 2 * f->y_row;

// init + rows·weights, to L1 or to bytes at once.
#define TILE(rows)                                                                            \
    static void tile_##rows(gemm_call *call, const tile *t) {                                 \
        const quernel_i_gemm *g = call->g;                                                    \
        const quernel_i_epilogue *f = g->epilogue;                                            \
        int32_t *acc = call->acc;                                                             \
        const int8_t *later = t->later;                                                       \
        const uint32_t n = t->n;                                                              \
        const ptrdiff_t s = g->a_row, s3 = 3 * s;                                             \
        const int8_t *b = (const int8_t *)g->b + n / NR * g->b_panel;                         \
        const __m256i init0 = vector_of(g->init + n), init1 = vector_of(g->init + n + LANES); \
        ROWS_##rows(START, 0) for (const quernel_i_k_run *run = g->k_runs,                    \
                                   *end = run + g->n_k_runs;                                  \
                                   run != end; run++) {                                       \
            const uint8_t *p0 = t->a + run->offset, *p5 = p0 + 5 * s;                         \
            const uint8_t *ahead = t->ahead + run->offset, *stop = ahead + (rows)*s;          \
            uint32_t left = run->k_quads;                                                     \
            for (; left > 1; left -= 2) {                                                     \
                PREFETCH(rows);                                                               \
                GROUP(rows, 0);                                                               \
                GROUP(rows, 1);                                                               \
                ADVANCE(2);                                                                   \
            }                                                                                 \
            if (left) {                                                                       \
                GROUP(rows, 0);                                                               \
                ADVANCE(1);                                                                   \
            }                                                                                 \
        }                                                                                     \
        uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + n;                        \
        if (!t->finishes) {                                                                   \
            ROWS_##rows(STORE, 0)                                                             \
        } else if (call->finish.bare) {                                                       \
            PAIRS_##rows(FINISH_BARE)                                                         \
        } else {                                                                              \
            PAIRS_##rows(FINISH)                                                              \
        }                                                                                     \
    }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)
TILE(7)

typedef void tile_function(gemm_call *, const tile *);
static tile_function *const tiles[MR] = {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7};

// `ahead`: the next row tile's rows, to be prefetched; or `a`.
static void row_tile(gemm_call *call, const uint8_t *a, const uint8_t *ahead, uint32_t m,
                     uint32_t rows) {
    const quernel_i_gemm *g = call->g;
    for (uint32_t n = 0; n < g->oc; n += NR, ahead = a) {
        const uint32_t oc = g->oc - n < NR ? g->oc - n : NR;
        const bool finishes = call->finishes && oc == NR;
        const int8_t *later = quernel_i_ahead_take(g->ahead, (size_t)g->k_quads * 64);
        tiles[rows - 1](call, &(tile){a, ahead, later, m, n, finishes});
        if (!finishes)
            epilogue_run(&(epilogue_tile){call->acc, rows, oc, m, n}, g->epilogue, call->plain);
    }
}

static void multiply_tile(const quernel_i_gemm *g, uint32_t m, uint32_t rows, uint32_t n,
                          int32_t *acc) {
    const uint8_t *a = (const uint8_t *)g->a + (ptrdiff_t)m * g->a_row;
    gemm_call call = {.g = g, .acc = acc};
    tiles[rows - 1](&call, &(tile){a, a, NULL, m, n, false});
}

#include "kernels/x86/planes_gemm.h"

void quernel_uk_gemm_u8s8_7x16x4_avxvnni(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_7x16x4_avxvnni(const quernel_i_gemm *g) {
    if (planes_are(g->epilogue)) {
        planes_gemm(g);
        return;
    }
    int32_t acc[MR * NR] __attribute__((aligned(64)));
    gemm_call call;
    call.g = g, call.acc = acc;
    call.plain = epilogue_is_plain(g->epilogue);
    call.finishes = call.plain && epilogue_is_int8(g->epilogue) && finish_fits(g->epilogue, g->oc);
    if (call.finishes) call.finish = finish_of(g->epilogue);
    const bool prefetches = (size_t)g->k_quads * 4 * MR <= AHEAD_MAX;
    for (uint32_t m = 0, left = (g->rows + MR - 1) / MR, rows; left; left--, m += rows) {
        rows = (g->rows - m + left - 1) / left;
        const uint8_t *a = (const uint8_t *)g->a + (ptrdiff_t)m * g->a_row;
        row_tile(&call, a, prefetches ? a + (ptrdiff_t)rows * g->a_row : a, m, rows);
    }
}
