// SPDX-License-Identifier: Apache-2.0
// GEMM for AVX-512-VNNI, u8 rows, weights in w16x4 as they are.
//
// A register tile is up to 14 rows x 2 sub-panels: 28 accumulators, 2 registers of weights, 1 for a
// broadcast. Per group of 4 k: 2 loads of weights, 14 broadcasts, 28 vpdpbusd on two ports = 14
// cycles for 16 of 28 load slots. A last single sub-panel has 14 accumulators, enough to hide a
// latency of 5 on two ports, but 15 loads in 7 cycles: loads bound it at 93 %. Half a sub-panel or
// less has two groups of k in its lanes, and a broadcast of 8 bytes: as many products a cycle.
// Bound: 128 MAC/cycle (two ports), 64 where 512-bit vpdpbusd has one.
//
// Plain int8, and int8 with a residual of codes, leaves the registers as bytes (finish.h): plain
// with K = 64 56 to 74 cycles beside 224 of products, on the same ports. Everything else goes by a
// tile of sums in L1 (epilogue.h).
//
// The order is row tile outside, oc inside: the rows of a tile stay in L1, the weights of the call
// in L2. While the first output channels of a tile are computed the rows of the next one are
// prefetched, as many lines a group as a row tile has for each group of k; not where two row tiles
// are more than L1. Weights stream from L2 at 9 of its 48 bytes/cycle: out-of-order execution runs
// about 4 quads ahead, more than L2's latency, so only the head of the next panels, which the
// hardware prefetcher cannot guess, is prefetched before the tile is output. Where rows would wait
// for weights from beyond L2, the last two row tiles prefetch those of the next block. Where L2
// does not hold the codes, a row tile's lines of them are asked for before it (Zen 4: 1.04 to 1.20
// with up to 256 channels).
//
// 14 addresses come from five registers: three rows (0, 5, 10), each plus 0, 1, 2, 3, 4 strides.
#include "finish.h"
#include "kernels/template/rows.h"
#include "kernels/ukr.h"
#include "kernels/x86/fetch.h"
#include "vnni.h"

enum {
    MR = 14,
    NR = 32,
    HEAD = 4,
    AHEAD_MAX = 20 << 10, // bytes of a row tile: less than half of 48 KiB, with room for weights
};

/// What the tiles of a call have in common.
typedef struct gemm_call {
    const quernel_i_gemm *g;
    bool plain, finishes; // plain: epilogue_is_plain
    bool fetches;         // lines of codes
    finish finish;
    int32_t *acc; // sums of a tile, rows of EPILOGUE_NR
} gemm_call;

/// A tile: its rows, those of the next row tile, the next panels, where it lies in the call.
typedef struct tile {
    const uint8_t *a, *ahead;
    const int8_t *head;
    const int8_t *later; // weights that are wanted in L2; or NULL
    uint32_t m, n;
    bool finishes; // in registers
} tile;

#define START_2(row, p, times, k) __m512i c##row = init0, d##row = init1;
#define STEP_2(row, p, times, k) MULTIPLY_2(p, s, s3, times, k, b0, b1, c##row, d##row);
#define STORE_2(row, p, times, k)                        \
    _mm512_store_si512(acc + (row)*EPILOGUE_NR, c##row); \
    _mm512_store_si512(acc + (row)*EPILOGUE_NR + LANES, d##row);
#define INIT_2                                             \
    const __m512i init0 = _mm512_loadu_si512(g->init + n), \
                  init1 = _mm512_loadu_si512(g->init + n + LANES);
#define LOAD_2(k)                                       \
    const __m512i b0 = _mm512_load_si512(b + 64 * (k)), \
                  b1 = _mm512_load_si512(b + panel + 64 * (k));
#define PAIR_2(rows) GROUP(rows, 2, 0) GROUP(rows, 2, 1)

#define START_1(row, p, times, k) __m512i c##row = init0;
#define STEP_1(row, p, times, k) MULTIPLY_1(p, s, s3, times, k, b0, c##row);
#define STORE_1(row, p, times, k) _mm512_store_si512(acc + (row)*EPILOGUE_NR, c##row);
#define INIT_1 const __m512i init0 = _mm512_loadu_si512(g->init + n);
#define LOAD_1(k) const __m512i b0 = _mm512_load_si512(b + 64 * (k));
#define PAIR_1(rows) GROUP(rows, 1, 0) GROUP(rows, 1, 1)

// Lanes are 8 oc of an even group of k, and the same of the odd one beside each.
#define START_HALF START_1
#define STEP_HALF STEP_1
#define STEP_BOTH(row, p, times, k) MULTIPLY_BOTH(p, s, s3, times, k, b0, c##row);
#define STORE_HALF(row, p, times, k)          \
    _mm256_store_si256(                       \
        (__m256i *)(acc + (row)*EPILOGUE_NR), \
        _mm512_cvtepi64_epi32(_mm512_add_epi32(c##row, _mm512_srli_epi64(c##row, 32))));
#define INIT_HALF \
    const __m512i init0 = _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)(g->init + n)));
#define LOAD_HALF(k) const __m512i b0 = interleave(_mm512_load_si512(b), _mm512_setzero_si512());
#define PAIR_HALF(rows)                                                                 \
    {                                                                                   \
        const __m512i b0 = interleave(_mm512_load_si512(b), _mm512_load_si512(b + 64)); \
        ROWS_##rows(STEP_BOTH, 0)                                                       \
    }

#define MULTIPLY_BOTH(p_, s_, s3_, times, k, b_, acc)                                          \
    do {                                                                                       \
        __m512i both_;                                                                         \
        __asm__("vpbroadcastq 4*" #k VNNI_AT_##times ", %[both]\n\tvpdpbusd %[b], %[both], %0" \
                : "+v"(acc), [both] "=&v"(both_)                                               \
                : VNNI_ROW(p_, s_, s3_), [b] "v"(b_));                                         \
    } while (0)

// The first 8 lanes of both.
static inline __m512i interleave(__m512i even, __m512i odd) {
    const __m512i order = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    return _mm512_permutex2var_epi32(even, order, odd);
}

// The empty asm keeps three pointers three: without it a compiler makes one induction variable per
// row, and spills.
#define GROUP(rows, panels, k) \
    { LOAD_##panels(k) ROWS_##rows(STEP_##panels, k) }
#define ADVANCE(n)                                                   \
    do {                                                             \
        p0 += 4 * (n), p5 += 4 * (n), p10 += 4 * (n), b += 64 * (n); \
        __asm__("" : "+r"(p0), "+r"(p5), "+r"(p10), "+r"(b));        \
    } while (0)
// Two lines of weights that are read later to L2, if there are any; a line of each of the next
// tile's rows, then the lines beside them: two for two groups of k.
#define PREFETCH(rows)                                               \
    do {                                                             \
        if (later) {                                                 \
            __builtin_prefetch(later, 0, 2);                         \
            __builtin_prefetch(later + 64, 0, 2);                    \
            later += 128;                                            \
        }                                                            \
        __builtin_prefetch(ahead);                                   \
        __builtin_prefetch(ahead + s);                               \
        ahead += 2 * s;                                              \
        if (ahead >= stop) ahead -= EVEN(rows) * s - 64, stop += 64; \
    } while (0)
#define EVEN(rows) (((rows) + 1) / 2 * 2)

// Sums to L1, or to bytes at once.
#define END_HALF(rows) ROWS_##rows(STORE_HALF, 0)
#define END_1(rows) END(rows, 1)
#define END_2(rows) END(rows, 2)
#define END(rows, panels)                                              \
    const quernel_i_epilogue *f = g->epilogue;                         \
    if (!t->finishes) {                                                \
        ROWS_##rows(STORE_##panels, 0)                                 \
    } else {                                                           \
        const finish_columns columns = finish_columns_at(f, n);        \
        uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + n; \
        const uint8_t *r = finish_residual(f, t->m, n);                \
        if (call->finish.kind == FINISH_BARE) {                        \
            PAIRS_##rows(FINISH_BARE_##panels)                         \
        } else if (call->finish.kind == FINISH_CODES) {                \
            PAIRS_##rows(FINISH_CODES_##panels)                        \
        } else {                                                       \
            PAIRS_##rows(FINISH_RESIDUAL_##panels)                     \
        }                                                              \
    }
#define FINISH_BARE_2(i, j) FINISH_TWO(i, j, FINISH_BARE)
#define FINISH_CODES_2(i, j) FINISH_TWO(i, j, FINISH_CODES)
#define FINISH_RESIDUAL_2(i, j) FINISH_TWO(i, j, FINISH_RESIDUAL)
#define FINISH_TWO(i, j, kind)                                                           \
    finish_two(&call->finish, kind, c##i, d##i, c##j, d##j, &columns, &NEXT_ROWS(i, j)); \
    y += 2 * f->y_row, r += 2 * f->r_row;
#define FINISH_BARE_1(i, j) FINISH_SINGLE(i, j, FINISH_BARE)
#define FINISH_CODES_1(i, j) FINISH_SINGLE(i, j, FINISH_CODES)
#define FINISH_RESIDUAL_1(i, j) FINISH_SINGLE(i, j, FINISH_RESIDUAL)
#define FINISH_SINGLE(i, j, kind)                                               \
    finish_single(&call->finish, kind, c##i, c##j, &columns, &NEXT_ROWS(i, j)); \
    y += 2 * f->y_row, r += 2 * f->r_row;
#define NEXT_ROWS(i, j) \
    ((finish_rows){y, (i) == (j) ? y : y + f->y_row, r, (i) == (j) ? r : r + f->r_row})

// init + rows·weights.
#define TILE(rows, panels)                                                                        \
    static void tile_##rows##_##panels(gemm_call *call, const tile *t) {                          \
        const quernel_i_gemm *g = call->g;                                                        \
        int32_t *acc = call->acc;                                                                 \
        const uint32_t n = t->n;                                                                  \
        const int8_t *later = t->later;                                                           \
        const ptrdiff_t s = g->a_row, s3 = 3 * s;                                                 \
        const size_t panel = g->b_panel;                                                          \
        const int8_t *b = (const int8_t *)g->b + n / LANES * panel;                               \
        INIT_##panels ROWS_##rows(START_##panels, 0) for (const quernel_i_k_run *run = g->k_runs, \
                                                          *end = run + g->n_k_runs;               \
                                                          run != end; run++) {                    \
            const uint8_t *p0 = t->a + run->offset, *p5 = p0 + 5 * s, *p10 = p5 + 5 * s;          \
            const uint8_t *ahead = t->ahead + run->offset, *stop = ahead + EVEN(rows) * s;        \
            uint32_t left = run->k_quads;                                                         \
            for (; left > 1; left -= 2) {                                                         \
                PREFETCH(rows);                                                                   \
                PAIR_##panels(rows) ADVANCE(2);                                                   \
            }                                                                                     \
            if (left) {                                                                           \
                GROUP(rows, panels, 0)                                                            \
                ADVANCE(1);                                                                       \
            }                                                                                     \
        }                                                                                         \
        prefetch_head(t->head, panel);                                                            \
        END_##panels(rows)                                                                        \
    }

static inline void prefetch_head(const int8_t *b, size_t panel) {
    for (int i = 0; i < HEAD; i++) {
        __builtin_prefetch(b + 64 * i);
        __builtin_prefetch(b + panel + 64 * i);
    }
}

#define EACH(rows) TILE(rows, HALF) TILE(rows, 1) TILE(rows, 2)
ROWS_EACH_14(EACH)

enum { HALF, SINGLE, DOUBLE, WIDTHS };
#define ENTRY(rows) {tile_##rows##_HALF, tile_##rows##_1, tile_##rows##_2},
typedef void tile_function(gemm_call *, const tile *);
static tile_function *const tiles[MR][WIDTHS] = {ROWS_EACH_14(ENTRY)};

static const int8_t *weights_at(const quernel_i_gemm *g, uint32_t n) {
    return (const int8_t *)g->b + n / LANES * g->b_panel;
}

static int width_of(uint32_t oc) { return oc > LANES ? DOUBLE : oc > LANES / 2 ? SINGLE : HALF; }

// `ahead`: the next row tile's rows, to be prefetched; or `a`.
static void row_tile(gemm_call *call, const uint8_t *a, const uint8_t *ahead, uint32_t m,
                     uint32_t rows) {
    const quernel_i_gemm *g = call->g;
    for (uint32_t n = 0, oc; n < g->oc; n += NR, ahead = a) {
        oc = g->oc - n < NR ? g->oc - n : NR;
        const bool finishes = call->finishes && oc % LANES == 0;
        if (call->fetches && fetch_begins(n)) fetch_codes(g->epilogue, m, n, rows);
        const int8_t *head = weights_at(g, n + NR < g->oc ? n + NR : 0);
        const int8_t *later = quernel_i_ahead_take(g->ahead, (size_t)g->k_quads * 64);
        tiles[rows - 1][width_of(oc)](call, &(tile){a, ahead, head, later, m, n, finishes});
        if (!finishes)
            epilogue_run(&(epilogue_tile){call->acc, rows, oc, m, n}, g->epilogue, call->plain);
    }
}

static void multiply_tile(const quernel_i_gemm *g, uint32_t m, uint32_t rows, uint32_t n,
                          int32_t *acc) {
    const uint8_t *a = (const uint8_t *)g->a + (ptrdiff_t)m * g->a_row;
    const int8_t *head = weights_at(g, n + NR < g->oc ? n + NR : 0);
    gemm_call call = {.g = g, .acc = acc};
    tiles[rows - 1][width_of(g->oc - n)](&call, &(tile){a, a, head, NULL, m, n, false});
}

#include "kernels/x86/planes_gemm.h"

void quernel_uk_gemm_u8s8_14x32x4_avx512vnni(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_14x32x4_avx512vnni(const quernel_i_gemm *g) {
    if (planes_are(g->epilogue)) {
        planes_gemm(g);
        return;
    }
    int32_t acc[MR * EPILOGUE_NR] __attribute__((aligned(64)));
    gemm_call call;
    call.g = g, call.acc = acc;
    call.plain = epilogue_is_plain(g->epilogue);
    call.finishes =
        (call.plain || finish_adds(g->epilogue, g->oc)) && finish_fits(g->epilogue, g->oc);
    if (call.finishes) call.finish = finish_of(g->epilogue);
    call.fetches = call.finishes && g->epilogue->past_caches;
    const bool prefetches = (size_t)g->k_quads * 4 * MR <= AHEAD_MAX;
    for (uint32_t m = 0, left = (g->rows + MR - 1) / MR, rows; left; left--, m += rows) {
        rows = (g->rows - m + left - 1) / left;
        const uint8_t *a = (const uint8_t *)g->a + (ptrdiff_t)m * g->a_row;
        row_tile(&call, a, prefetches ? a + (ptrdiff_t)rows * g->a_row : a, m, rows);
    }
}
