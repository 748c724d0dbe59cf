// SPDX-License-Identifier: Apache-2.0
// Stride 1: Winograd's F(4x4, 3x3) in integers, 36 products where 16 outputs of a 3x3 kernel take 144 (Lavin and Gray,
// "Fast Algorithms for Convolutional Neural Networks", 2015, with the points 0, ±1, ±2, ∞).
//
// Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A has fractions in G alone. Its rows are multiplied by 24, 6, 6, 24, 24, 6, so that they are whole:
//
//        6  0  0          4  0 −5  0  1  0          1  4  4  1  1  0  : 24
//       −1 −1 −1          0 −4 −4  1  1  0          0  2 −2  1 −1  0  : 12
//   G = −1  1 −1     Bᵀ = 0  4 −4 −1  1  0     Aᵀ = 0  1  1  1  1  0  : 6
//        1  2  4          0 −2 −1  2  1  0          0  1 −1  2 −2  1  : 6
//        1 −2  4          0  2 −1 −2  1  0
//        0  0  6          0  4  0 −5  0  1
//
// An output then is its sum times 24, 12 or 6 by its line and again by its column: 9·2^s with s = 2 … 6. Everything is computed modulo
// 2^32, where 9 has an inverse; what is left is the sum times 2^s, and its top bits are right as long as |sum| < 2^(31 − s),
// which 2^25 is for all. So the result is exact, not approximate, without any other condition:
// bytes 0 … 255 become at most 68·255 = 17 340, weights 49·128 = 6272, and a pair of their products stays below 2^28.
#ifndef QUERNEL_AVX2_WINOGRAD_S1_H
#define QUERNEL_AVX2_WINOGRAD_S1_H

#include <immintrin.h>
#include <stdint.h>

#include "winograd_input.h"

enum { WINOGRAD_STRIDE = 1, WINOGRAD_IN = 6, WINOGRAD_OUT = 4 };
#define WINOGRAD_INVERSE_OF_9 0x38e38e39

/// G applied to three vectors of 16-bit weights.
static inline __attribute__((always_inline)) void winograd_weights(__m256i g0, __m256i g1, __m256i g2, __m256i v[WINOGRAD_IN]) {
    const __m256i six = _mm256_set1_epi16(6), ends = _mm256_add_epi16(g0, g2), twice = _mm256_slli_epi16(g1, 1);
    const __m256i far = _mm256_add_epi16(g0, _mm256_slli_epi16(g2, 2));
    v[0] = _mm256_mullo_epi16(g0, six);
    v[1] = _mm256_sub_epi16(_mm256_setzero_si256(), _mm256_add_epi16(ends, g1));
    v[2] = _mm256_sub_epi16(g1, ends);
    v[3] = _mm256_add_epi16(far, twice);
    v[4] = _mm256_sub_epi16(far, twice);
    v[5] = _mm256_mullo_epi16(g2, six);
}

static inline __attribute__((always_inline)) void winograd_input(const __m256i d[WINOGRAD_IN], __m256i v[WINOGRAD_IN]) {
    winograd_input_6(d, v);
}

/// Aᵀ applied to six vectors of 32-bit sums.
static inline __attribute__((always_inline)) void winograd_output(const __m256i m[WINOGRAD_IN], __m256i y[WINOGRAD_OUT]) {
    const __m256i near_sum = _mm256_add_epi32(m[1], m[2]), near = _mm256_sub_epi32(m[1], m[2]);
    const __m256i far_sum = _mm256_add_epi32(m[3], m[4]), far = _mm256_sub_epi32(m[3], m[4]);
    y[0] = _mm256_add_epi32(_mm256_add_epi32(m[0], far_sum), _mm256_slli_epi32(near_sum, 2));
    y[1] = _mm256_add_epi32(_mm256_add_epi32(near, near), far);
    y[2] = _mm256_add_epi32(near_sum, far_sum);
    y[3] = _mm256_add_epi32(_mm256_add_epi32(near, m[5]), _mm256_add_epi32(far, far));
}

/// What an output of winograd_output in both directions is as a sum: 9·2^(shifts[line] + shifts[pixel]) times too much.
static inline __attribute__((always_inline)) __m256i winograd_sum(__m256i y, uint32_t line, uint32_t pixel) {
    static const int shifts[WINOGRAD_OUT] = {3, 2, 1, 1};
    const __m256i once = _mm256_mullo_epi32(y, _mm256_set1_epi32(WINOGRAD_INVERSE_OF_9));
    return _mm256_srai_epi32(once, shifts[line] + shifts[pixel]);
}

#endif
