// SPDX-License-Identifier: Apache-2.0
// Float to rows for AVX2: quernel_i_quantize on vectors.
//
// Maximum and minimum take the value as second operand, so a NaN passes both and converts to
// INT32_MIN, whose low byte is 0, also after it is packed to words.
#ifndef QUERNEL_AVX2_QUANTIZE_H
#define QUERNEL_AVX2_QUANTIZE_H

#include <immintrin.h>
#include <stdbool.h>

#include "kernels/ukr.h"

typedef struct quantizer {
    __m256 g, lo, hi;
    __m256i zero; // bytes
} quantizer;

static inline quantizer quantizer_of(const quernel_i_quantize_args *r) {
    return (quantizer){_mm256_set1_ps(r->g), _mm256_set1_ps(r->lo), _mm256_set1_ps(r->hi),
                       _mm256_set1_epi8((char)r->zero)};
}

/// rne(clamp((x·m)·g)), INT32_MIN for NaN. `g_is_1`: the product with it is exact and left out.
static inline __attribute__((always_inline)) __m256i quantize_8(__m256 x, __m256 m,
                                                                const quantizer *q, bool g_is_1) {
    __m256 t = _mm256_mul_ps(x, m);
    if (!g_is_1) t = _mm256_mul_ps(t, q->g);
    return _mm256_cvtps_epi32(_mm256_min_ps(q->hi, _mm256_max_ps(q->lo, t)));
}

/// Codes from four vectors, packed within 128-bit halves.
static inline __attribute__((always_inline)) __m256i
quantize_pack(__m256i v0, __m256i v1, __m256i v2, __m256i v3, const quantizer *q) {
    const __m256i low = _mm256_set1_epi16(0xff);
    const __m256i v01 = _mm256_and_si256(_mm256_packs_epi32(v0, v1), low),
                  v23 = _mm256_and_si256(_mm256_packs_epi32(v2, v3), low);
    return _mm256_add_epi8(_mm256_packus_epi16(v01, v23), q->zero);
}

#endif
