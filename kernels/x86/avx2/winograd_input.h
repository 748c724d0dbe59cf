// SPDX-License-Identifier: Apache-2.0
// The input transform of F(4, 3) with the points 0, ±1, ±2, ∞, which algorithms in one and in two dimensions share.
#ifndef QUERNEL_AVX2_WINOGRAD_INPUT_H
#define QUERNEL_AVX2_WINOGRAD_INPUT_H

#include <immintrin.h>

/// Bᵀ (winograd_s1.h) applied to six vectors of 16-bit inputs.
static inline __attribute__((always_inline)) void winograd_input_6(const __m256i d[6], __m256i v[6]) {
    const __m256i outer = _mm256_sub_epi16(d[4], _mm256_slli_epi16(d[2], 2));
    const __m256i inner = _mm256_sub_epi16(d[3], _mm256_slli_epi16(d[1], 2));
    const __m256i even = _mm256_sub_epi16(d[4], d[2]), odd = _mm256_sub_epi16(d[3], d[1]);
    const __m256i odd_twice = _mm256_slli_epi16(odd, 1);
    v[0] = _mm256_add_epi16(even, _mm256_slli_epi16(_mm256_sub_epi16(d[0], d[2]), 2));
    v[1] = _mm256_add_epi16(outer, inner);
    v[2] = _mm256_sub_epi16(outer, inner);
    v[3] = _mm256_add_epi16(even, odd_twice);
    v[4] = _mm256_sub_epi16(even, odd_twice);
    v[5] = _mm256_sub_epi16(_mm256_sub_epi16(d[5], d[3]), _mm256_slli_epi16(odd, 2));
}

#endif
