// SPDX-License-Identifier: Apache-2.0
// The register tile of 16-bit values: up to 12 rows by 32 oc, vpdpwssd and 32-bit sums modulo
// 2^32.
//
// Rows hold 16-bit values, k contiguous, at one pitch, one behind the other. Weights are pairs of k
// for 16 oc: 64 bytes, one vector. Per pair of k two loads of weights, and for each row a broadcast
// and two vpdpwssd: 24 of them in 12 cycles on two ports, for 14 loads. That leaves room to
// prefetch: the rows of the next matrix, as many bytes a step as this one takes, and weights, 8
// quads ahead. Measured with both operands in L1 (Sapphire Rapids class): 24.0 cycles a quad and 10
// for a call, 64 products a cycle; prefetching gives 2 to 4 % of whole layers. Zen 4 takes 48 for a
// quad, and for a call's 24 stores as many where nothing is multiplied beside them, which the last
// quad therefore is.
#ifndef QUERNEL_AVX512VNNI_DOT16_H
#define QUERNEL_AVX512VNNI_DOT16_H

#include "kernels/template/winograd_tile.h"

#include "kernels/template/rows.h"
#include "vnni.h"

#undef VNNI_DOT
#define VNNI_DOT "vpdpwssd"

enum { MR = 12, NR = 32 }; // 24 sums, 2 pairs of weights, a broadcast: of 32 registers
#define AHEAD (8 * 128)    // bytes: 8 quads of weights; 4 and 16 measured equal

/// A group of w16x4 as [2 pairs of k][16 oc][2 k] of 16 bits.
static inline void widen_weights(const int8_t *group, __m512i to[2]) {
    const __m512i fours = _mm512_load_si512(group);
    to[0] = _mm512_cvtepi8_epi16(_mm512_cvtepi32_epi16(fours));
    to[1] = _mm512_cvtepi8_epi16(_mm512_cvtepi32_epi16(_mm512_srli_epi32(fours, 16)));
}

#define START_1(row, p, times, k) __m512i c##row = _mm512_setzero_si512();
#define START_2(row, p, times, k) START_1(row, p, times, k) __m512i d##row = c##row;
#define STEP_1(row, p, times, k) MULTIPLY_1(p, s, s3, times, k, b0, c##row);
#define STEP_2(row, p, times, k) MULTIPLY_2(p, s, s3, times, k, b0, b1, c##row, d##row);
#define STORE_1(row, p, times, k) _mm512_store_si512(acc + (row)*NR, c##row);
#define STORE_2(row, p, times, k) \
    STORE_1(row, p, times, k) _mm512_store_si512(acc + (row)*NR + LANES, d##row);
#define LOAD_1(k) const __m512i b0 = _mm512_load_si512(b + 64 * (k));
#define LOAD_2(k) LOAD_1(k) const __m512i b1 = _mm512_load_si512(b + t->b_panel + 64 * (k));
// The last quad, row by row: both pairs of k, then its sums go, beside the products of the rows
// that follow.
#define LAST_1(row, p, times, k)                   \
    MULTIPLY_1(p, s, s3, times, 0, b0, c##row);    \
    MULTIPLY_1(p, s, s3, times, 1, last0, c##row); \
    STORE_1(row, p, times, k)
#define LAST_2(row, p, times, k)                                  \
    MULTIPLY_2(p, s, s3, times, 0, b0, b1, c##row, d##row);       \
    MULTIPLY_2(p, s, s3, times, 1, last0, last1, c##row, d##row); \
    STORE_2(row, p, times, k)
#define LOAD_LAST_1 const __m512i last0 = _mm512_load_si512(b + 64);
#define LOAD_LAST_2 LOAD_LAST_1 const __m512i last1 = _mm512_load_si512(b + t->b_panel + 64);
#define PAIR(rows, panels, k)                          \
    do {                                               \
        LOAD_##panels(k) ROWS_##rows(STEP_##panels, k) \
    } while (0)

#define PREFETCH(rows)                                   \
    do {                                                 \
        __builtin_prefetch(next);                        \
        if ((rows) > 8) __builtin_prefetch(next + 64);   \
        __builtin_prefetch(b + AHEAD);                   \
        __builtin_prefetch(b + AHEAD + 64);              \
        __builtin_prefetch(b + t->b_panel + AHEAD);      \
        __builtin_prefetch(b + t->b_panel + AHEAD + 64); \
    } while (0)

// The empty asm keeps three pointers three: without it a compiler makes one induction variable per
// row, and spills.
#define TILE(rows, panels)                                                        \
    static void dot_##rows##_##panels(const winograd_tile *t) {                   \
        const ptrdiff_t s = (ptrdiff_t)t->row, s3 = 3 * s;                        \
        const uint8_t *p0 = t->a, *p5 = p0 + 5 * s, *p10 = p5 + 5 * s, *b = t->b; \
        const uint8_t *next = p0 + t->next;                                       \
        int32_t *acc = t->acc;                                                    \
        ROWS_##rows(START_##panels, 0) for (uint32_t n = t->quads - 1; n; n--) {  \
            PAIR(rows, panels, 0);                                                \
            PREFETCH(rows);                                                       \
            PAIR(rows, panels, 1);                                                \
            p0 += 8, p5 += 8, p10 += 8, b += 128, next += 8 * (rows);             \
            __asm__("" : "+r"(p0), "+r"(p5), "+r"(p10), "+r"(b));                 \
        }                                                                         \
        LOAD_##panels(0) LOAD_LAST_##panels ROWS_##rows(LAST_##panels, 0)         \
    }
#define BOTH(rows) TILE(rows, 1) TILE(rows, 2)
ROWS_EACH_12(BOTH)

typedef void tile_function(const winograd_tile *);
#define ENTRY(rows) {dot_##rows##_1, dot_##rows##_2},
static tile_function *const dot_tiles[MR][2] = {ROWS_EACH_12(ENTRY)};

static void multiply_tile(const winograd_tile *t) { dot_tiles[t->rows - 1][t->panels - 1](t); }

#endif
