// SPDX-License-Identifier: Apache-2.0
// One dimension: Winograd's F(4, 2), F(4, 3) and F(4, 4) in integers: 5, 6 and 7 products where 4
// outputs of 2, 3 and 4 taps take 8, 12 and 16, with the points 0, ±1, 2, ∞, then −2, then 3.
//
// y = Aᵀ[(G g) ⊙ (Bᵀ d)] has fractions in G alone. All its rows are multiplied by 6, 24 and 120, so
// that they are whole:
//
//        3  0             2 −1 −2  1  0
//       −3 −3             0 −2 −1  1  0               1  1  1  1  0
//   G = −1  1        Bᵀ = 0  2 −3  1  0          Aᵀ = 0  1 −1  2  0
//        1  2             0 −1  0  1  0               0  1  1  4  0
//        0  6             0  2 −1 −2  1               0  1 −1  8  1
//
//        6  0  0          4  0 −5  0  1  0
//       −4 −4 −4          0 −4 −4  1  1  0          1  1  1  1  1  0
//   G = −4  4 −4     Bᵀ = 0  4 −4 −1  1  0     Aᵀ = 0  1 −1  2 −2  0
//        1  2  4          0 −2 −1  2  1  0          0  1  1  4  4  0
//        1 −2  4          0  2 −1 −2  1  0          0  1 −1  8 −8  1
//        0  0 24          0  4  0 −5  0  1
//
//      −10   0   0   0         −12   4  15  −5  −3   1   0
//       10  10  10  10           0  12   8  −7  −2   1   0        1  1  1  1  1  1  0
//        5  −5   5  −5           0 −12  16  −1  −4   1   0        0  1 −1  2 −2  3  0
//   G = −5 −10 −20 −40      Bᵀ = 0   6   1  −7  −1   1   0   Aᵀ = 0  1  1  4  4  9  0
//       −1   2  −4   8           0  −6   5   5  −5   1   0        0  1 −1  8 −8 27  1
//        1   3   9  27           0   4   0  −5   0   1   0
//        0   0   0 120           0 −12   4  15  −5  −3   1
//
// An output then is 6 = 3·2, 24 = 3·2^3 or 120 = 15·2^3 times its sum modulo 2^32, where 3 and 15
// have inverses: exact as long as |sum| < 2^28. Bytes 0 … 255 become at most 21·255 = 5355, weights
// 120·128 = 15 360, and a pair of their products stays below 2^28.
#ifndef QUERNEL_AVX2_WINOGRAD_LINES_H
#define QUERNEL_AVX2_WINOGRAD_LINES_H

#include <immintrin.h>
#include <stdint.h>

#include "integers.h"
#include "kernels/template/winograd_input.h"

enum { LINES_OUT = 4, LINES_TAPS_MAX = 4, LINES_IN_MAX = LINES_TAPS_MAX + LINES_OUT - 1 };

static inline __attribute__((always_inline)) void lines_weights_2(const __m256i g[2],
                                                                  __m256i v[5]) {
    v[0] = times16(g[0], 3);
    v[1] = times16(_mm256_add_epi16(g[0], g[1]), -3);
    v[2] = _mm256_sub_epi16(g[1], g[0]);
    v[3] = _mm256_add_epi16(g[0], _mm256_slli_epi16(g[1], 1));
    v[4] = times16(g[1], 6);
}

static inline __attribute__((always_inline)) void lines_weights_3(const __m256i g[3],
                                                                  __m256i v[6]) {
    const __m256i ends = _mm256_add_epi16(g[0], g[2]),
                  far = _mm256_add_epi16(g[0], _mm256_slli_epi16(g[2], 2));
    const __m256i twice = _mm256_slli_epi16(g[1], 1);
    v[0] = times16(g[0], 6);
    v[1] = times16(_mm256_add_epi16(ends, g[1]), -4);
    v[2] = times16(_mm256_sub_epi16(ends, g[1]), -4);
    v[3] = _mm256_add_epi16(far, twice);
    v[4] = _mm256_sub_epi16(far, twice);
    v[5] = times16(g[2], 24);
}

static inline __attribute__((always_inline)) void lines_weights_4(const __m256i g[4],
                                                                  __m256i v[7]) {
    const __m256i even = _mm256_add_epi16(g[0], g[2]), odd = _mm256_add_epi16(g[1], g[3]);
    const __m256i even_far = _mm256_add_epi16(g[0], _mm256_slli_epi16(g[2], 2));
    const __m256i odd_far =
        _mm256_slli_epi16(_mm256_add_epi16(g[1], _mm256_slli_epi16(g[3], 2)), 1);
    v[0] = times16(g[0], -10);
    v[1] = times16(_mm256_add_epi16(even, odd), 10);
    v[2] = times16(_mm256_sub_epi16(even, odd), 5);
    v[3] = times16(_mm256_add_epi16(even_far, odd_far), -5);
    v[4] = _mm256_sub_epi16(odd_far, even_far);
    v[5] = _mm256_add_epi16(_mm256_add_epi16(g[0], times16(g[1], 3)),
                            _mm256_add_epi16(times16(g[2], 9), times16(g[3], 27)));
    v[6] = times16(g[3], 120);
}

static inline __attribute__((always_inline)) void lines_input_2(const __m256i d[5], __m256i v[5]) {
    const __m256i odd = _mm256_sub_epi16(d[3], d[1]), step = _mm256_sub_epi16(d[1], d[2]);
    v[0] = _mm256_add_epi16(odd, _mm256_slli_epi16(_mm256_sub_epi16(d[0], d[2]), 1));
    v[1] = _mm256_sub_epi16(odd, _mm256_add_epi16(d[1], d[2]));
    v[2] = _mm256_add_epi16(odd, times16(step, 3));
    v[3] = odd;
    v[4] = _mm256_sub_epi16(_mm256_sub_epi16(d[4], d[2]), _mm256_slli_epi16(odd, 1));
}

// The rows of F(4, 3), one further, less three times themselves: the point 3 is in all but its own.
static inline __attribute__((always_inline)) void lines_input_4(const __m256i d[7], __m256i v[7]) {
    __m256i low[6], high[6];
    winograd_input_6(d, low);
    winograd_input_6(d + 1, high);
#pragma GCC unroll 6
    for (uint32_t i = 0; i < 5; i++) v[i] = _mm256_sub_epi16(high[i], times16(low[i], 3));
    v[5] = low[5];
    v[6] = _mm256_sub_epi16(high[5], times16(low[5], 3));
}

static inline __attribute__((always_inline)) void lines_output_2(const __m256i m[5],
                                                                 __m256i y[LINES_OUT]) {
    const __m256i near_sum = _mm256_add_epi32(m[1], m[2]), near = _mm256_sub_epi32(m[1], m[2]);
    y[0] = _mm256_add_epi32(m[0], _mm256_add_epi32(near_sum, m[3]));
    y[1] = _mm256_add_epi32(near, _mm256_slli_epi32(m[3], 1));
    y[2] = _mm256_add_epi32(near_sum, _mm256_slli_epi32(m[3], 2));
    y[3] = _mm256_add_epi32(_mm256_add_epi32(near, m[4]), _mm256_slli_epi32(m[3], 3));
}

static inline __attribute__((always_inline)) void lines_output_3(const __m256i m[6],
                                                                 __m256i y[LINES_OUT]) {
    const __m256i near_sum = _mm256_add_epi32(m[1], m[2]), near = _mm256_sub_epi32(m[1], m[2]);
    const __m256i far_sum = _mm256_add_epi32(m[3], m[4]), far = _mm256_sub_epi32(m[3], m[4]);
    y[0] = _mm256_add_epi32(m[0], _mm256_add_epi32(near_sum, far_sum));
    y[1] = _mm256_add_epi32(near, _mm256_slli_epi32(far, 1));
    y[2] = _mm256_add_epi32(near_sum, _mm256_slli_epi32(far_sum, 2));
    y[3] = _mm256_add_epi32(_mm256_add_epi32(near, m[5]), _mm256_slli_epi32(far, 3));
}

static inline __attribute__((always_inline)) void lines_output_4(const __m256i m[7],
                                                                 __m256i y[LINES_OUT]) {
    const __m256i six[6] = {m[0], m[1], m[2], m[3], m[4], m[6]};
    const __m256i thrice = _mm256_add_epi32(m[5], _mm256_slli_epi32(m[5], 1));
    const __m256i nine = _mm256_add_epi32(m[5], _mm256_slli_epi32(m[5], 3));
    lines_output_3(six, y);
    y[0] = _mm256_add_epi32(y[0], m[5]);
    y[1] = _mm256_add_epi32(y[1], thrice);
    y[2] = _mm256_add_epi32(y[2], nine);
    y[3] = _mm256_add_epi32(y[3], _mm256_add_epi32(nine, _mm256_slli_epi32(nine, 1)));
}

/// G applied to vectors of 16-bit weights, one of each tap.
static inline __attribute__((always_inline)) void lines_weights(const __m256i *g, __m256i *v,
                                                                uint32_t taps) {
    if (taps == 2) lines_weights_2(g, v);
    else if (taps == 3) lines_weights_3(g, v);
    else lines_weights_4(g, v);
}

/// Bᵀ applied to vectors of 16-bit inputs.
static inline __attribute__((always_inline)) void lines_input(const __m256i *d, __m256i *v,
                                                              uint32_t taps) {
    if (taps == 2) lines_input_2(d, v);
    else if (taps == 3) winograd_input_6(d, v);
    else lines_input_4(d, v);
}

/// Aᵀ applied to vectors of 32-bit sums, as what they are times 1.
static inline __attribute__((always_inline)) void
lines_output(const __m256i *m, __m256i y[LINES_OUT], uint32_t taps) {
    // of 15, 3
    const __m256i inverse = _mm256_set1_epi32(taps == 4 ? (int)0xeeeeeeef : (int)0xaaaaaaab);
    if (taps == 2) lines_output_2(m, y);
    else if (taps == 3) lines_output_3(m, y);
    else lines_output_4(m, y);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < LINES_OUT; i++)
        y[i] = _mm256_srai_epi32(_mm256_mullo_epi32(y[i], inverse), taps == 2 ? 1 : 3);
}

#endif
