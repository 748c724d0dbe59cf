// SPDX-License-Identifier: Apache-2.0
// The vector of kernels/x86/range.h, for AVX2.
#ifndef QUERNEL_AVX2_RANGE_H
#define QUERNEL_AVX2_RANGE_H

#include <math.h>

#include "vector.h"

enum { RANGE_LANES = 8 };

static inline __attribute__((always_inline)) __m256 range_load(const float *x, uint32_t n) {
    return n >= RANGE_LANES ? _mm256_loadu_ps(x) : _mm256_maskload_ps(x, lanes_mask(n));
}

static inline __m256 range_finite(__m256 y) {
    return _mm256_and_ps(y, _mm256_cmp_ps(v_abs(y), _mm256_set1_ps(INFINITY), _CMP_LT_OQ));
}

static inline float range_least(__m256 v) {
    __m128 half = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_min_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_min_ss(half, _mm_movehdup_ps(half)));
}

static inline float range_most(__m256 v) {
    return -range_least(_mm256_xor_ps(v, _mm256_set1_ps(-0.0f)));
}

#include "kernels/x86/range.h"

#endif
