// SPDX-License-Identifier: Apache-2.0
// The register tile of 16-bit values: up to 24 rows by 16 oc, vpdpwssd and 32-bit sums modulo
// 2^32.
//
// Rows hold 16-bit values, k contiguous, at one pitch. Weights are pairs of k for 16 oc: 64
// bytes, one vector. Factors of 16 bits may change places, so that the two values of a row are
// broadcast by the instruction that multiplies them: per pair of k a load of weights, and for each
// row a vpdpwssd, 24 of them in 12 cycles on two ports. 25 loads take 12.5 cycles on two ports: 61
// products a cycle of 64; weights stream at 5 bytes a cycle. From 10 rows on the latency of 5 is
// hidden. 24 addresses come from seven registers.
#ifndef QUERNEL_AVX512VNNI_DOT16_H
#define QUERNEL_AVX512VNNI_DOT16_H

#include "quantize_rows.h"
#include "vnni.h"

enum { MR = 24, NR = 16 }; // 24 sums, 2 pairs of weights: of 32 registers

/// A group of w16x4 as [2 pairs of k][16 oc][2 k] of 16 bits.
static inline void widen_weights(const int8_t *group, __m512i to[2]) {
    const __m512i fours = _mm512_load_si512(group);
    to[0] = _mm512_cvtepi8_epi16(_mm512_cvtepi32_epi16(fours));
    to[1] = _mm512_cvtepi8_epi16(_mm512_cvtepi32_epi16(_mm512_srli_epi32(fours, 16)));
}

#define START(row, p, times, k) __m512i c##row = start;
#define STEP(row, p, times, k)                                        \
    __asm__("vpdpwssd 4*" #k VNNI_AT_##times "%{1to16%}, %[pair], %0" \
            : "+v"(c##row)                                            \
            : VNNI_ROW(p, s, s3), [pair] "v"(pair##k));
#define STORE(row, p, times, k) _mm512_store_si512(acc + (row)*NR, c##row);

// The empty asm keeps five pointers five: without it a compiler makes one induction variable per
// row, and spills.
#define TILE(rows)                                                                          \
    static void dot_##rows(const uint8_t *a, ptrdiff_t s, const void *weights, uint32_t n,  \
                           const int32_t *init, int32_t *acc) {                             \
        const ptrdiff_t s3 = 3 * s;                                                         \
        const uint8_t *p0 = a, *p5 = p0 + 5 * s, *p10 = p5 + 5 * s, *p15 = p10 + 5 * s,     \
                      *p20 = p15 + 5 * s;                                                   \
        const uint8_t *b = weights;                                                         \
        const __m512i start = _mm512_loadu_si512(init);                                     \
        ROWS_##rows(START, 0) for (; n; n--) {                                              \
            const __m512i pair0 = _mm512_load_si512(b), pair1 = _mm512_load_si512(b + 64);  \
            ROWS_##rows(STEP, 0) ROWS_##rows(STEP, 1) p0 += 8, p5 += 8, p10 += 8, p15 += 8, \
                p20 += 8, b += 128;                                                         \
            __asm__("" : "+r"(p0), "+r"(p5), "+r"(p10), "+r"(p15), "+r"(p20), "+r"(b));     \
        }                                                                                   \
        ROWS_##rows(STORE, 0)                                                               \
    }
ROWS_EACH_24(TILE)

/// acc[rows][16] = init[16] + rows · weights: rows at `a`, `s` bytes apart, n quads of k.
typedef void tile_function(const uint8_t *, ptrdiff_t, const void *, uint32_t, const int32_t *,
                           int32_t *);
#define ENTRY(rows) dot_##rows,
static tile_function *const dot_tiles[MR] = {ROWS_EACH_24(ENTRY)};

#endif
