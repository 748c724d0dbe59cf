// SPDX-License-Identifier: Apache-2.0
// Float to rows for AVX2: quernel_i_quantize on vectors.
//
// Maximum and minimum take the value as second operand, so a NaN passes both and converts to
// INT32_MIN, which no other value can give: the bounds lie within ±255. It survives the packing as
// INT16_MIN and is set to 0 there, at a quarter of the cost.
#ifndef QUERNEL_AVX2_QUANTIZE_H
#define QUERNEL_AVX2_QUANTIZE_H

#include <immintrin.h>
#include <stdbool.h>

#include "kernels/ukr.h"

typedef struct quantizer {
    __m256 g, lo, hi;
    __m256i nan, zero, byte; // 16-bit lanes
} quantizer;

static inline quantizer quantizer_of(const quernel_i_quantize_args *r) {
    return (quantizer){_mm256_set1_ps(r->g),
                       _mm256_set1_ps(r->lo),
                       _mm256_set1_ps(r->hi),
                       _mm256_set1_epi16(INT16_MIN),
                       _mm256_set1_epi16((int16_t)r->zero),
                       _mm256_set1_epi16(0xff)};
}

/// rne(clamp((x·m)·g)), INT32_MIN for NaN. `unit`: g is 1, and the product with it exact.
static inline __attribute__((always_inline)) __m256i quantize_8(__m256 x, __m256 m,
                                                                const quantizer *q, bool unit) {
    __m256 t = _mm256_mul_ps(x, m);
    if (!unit) t = _mm256_mul_ps(t, q->g);
    return _mm256_cvtps_epi32(_mm256_min_ps(q->hi, _mm256_max_ps(q->lo, t)));
}

/// 16-bit lanes that hold the code's low byte, from two vectors; packed within 128-bit halves.
static inline __m256i quantize_pack(__m256i v0, __m256i v1, const quantizer *q) {
    const __m256i words = _mm256_packs_epi32(v0, v1);
    const __m256i numbers = _mm256_andnot_si256(_mm256_cmpeq_epi16(words, q->nan), words);
    return _mm256_and_si256(_mm256_add_epi16(numbers, q->zero), q->byte);
}

#endif
