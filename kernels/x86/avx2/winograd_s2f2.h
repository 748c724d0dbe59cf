// SPDX-License-Identifier: Apache-2.0
// Stride 2: 25 products where 4 outputs of a 3x3 kernel take 36. A line is parted, y[i] = e[i]·g0 +
// o[i]·g1 + e[i+1]·g2 with e the even inputs and o the odd ones. The even part is a kernel of two
// taps with stride 1, of which Winograd's F(2, 2) with the points 0, 1, ∞ makes 2 outputs by 3
// products; the odd part stays as it is, 2 products. 5 instead of 6, in both directions:
//
//   y[0] = (e[0] − e[1])·g0 + e[1]·(g0 + g2) + o[0]·g1
//   y[1] = (e[2] − e[1])·g2 + e[1]·(g0 + g2) + o[1]·g1
//
// Nothing is divided, so the sums are exact as they are. Bytes 0 … 255 become at most 510, weights
// 4·128 = 512 of either sign.
#ifndef QUERNEL_AVX2_WINOGRAD_S2F2_H
#define QUERNEL_AVX2_WINOGRAD_S2F2_H

#include <immintrin.h>
#include <stdint.h>

enum { WINOGRAD_STRIDE = 2, WINOGRAD_IN = 5, WINOGRAD_OUT = 2 };

/// Three vectors of 16-bit weights to the points: three of the even part, two of the odd one.
static inline __attribute__((always_inline)) void
winograd_weights(__m256i g0, __m256i g1, __m256i g2, __m256i v[WINOGRAD_IN]) {
    v[0] = g0;
    v[1] = _mm256_add_epi16(g0, g2);
    v[2] = g2;
    v[3] = v[4] = g1;
}

/// Five vectors of 16-bit inputs to the points.
static inline __attribute__((always_inline)) void winograd_input(const __m256i d[WINOGRAD_IN],
                                                                 __m256i v[WINOGRAD_IN]) {
    v[0] = _mm256_sub_epi16(d[0], d[2]);
    v[1] = d[2];
    v[2] = _mm256_sub_epi16(d[4], d[2]);
    v[3] = d[1];
    v[4] = d[3];
}

/// Five vectors of 32-bit sums to outputs.
static inline __attribute__((always_inline)) void winograd_output(const __m256i m[WINOGRAD_IN],
                                                                  __m256i y[WINOGRAD_OUT]) {
    y[0] = _mm256_add_epi32(_mm256_add_epi32(m[0], m[1]), m[3]);
    y[1] = _mm256_add_epi32(_mm256_add_epi32(m[2], m[1]), m[4]);
}

/// What an output of winograd_output in both directions is as a sum.
static inline __m256i winograd_sum(__m256i y, uint32_t line, uint32_t pixel) {
    (void)line, (void)pixel;
    return y;
}

#endif
