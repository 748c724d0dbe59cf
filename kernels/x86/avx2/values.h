// SPDX-License-Identifier: Apache-2.0
// Elements of any type as floats, for AVX2. `type` is a constant wherever it is passed.
#ifndef QUERNEL_AVX2_VALUES_H
#define QUERNEL_AVX2_VALUES_H

#include <immintrin.h>

#include "quernel/common.h"

// 8 elements of 1 or 2 bytes; codes less their zero point.
static inline __attribute__((always_inline)) __m256 values_wide(__m128i v, int32_t type,
                                                                __m256i zero) {
    if (type == QUERNEL_TYPE_BF16)
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(v), 16));
    const __m256i q = type == QUERNEL_TYPE_S8 ? _mm256_cvtepi8_epi32(v) : _mm256_cvtepu8_epi32(v);
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(q, zero));
}

/// 8 contiguous elements.
static inline __attribute__((always_inline)) __m256 values_8(const uint8_t *at, int32_t type,
                                                             __m256i zero) {
    if (type == QUERNEL_TYPE_F32) return _mm256_loadu_ps((const float *)(const void *)at);
    return values_wide(type == QUERNEL_TYPE_BF16 ? _mm_loadu_si128((const __m128i *)at)
                                                 : _mm_loadl_epi64((const __m128i *)at),
                       type, zero);
}

#endif
