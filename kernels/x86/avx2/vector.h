// SPDX-License-Identifier: Apache-2.0
// Loads and stores of part of a vector. No byte outside the part is read or written.
#ifndef QUERNEL_AVX2_VECTOR_H
#define QUERNEL_AVX2_VECTOR_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

/// What kernels/template/functions.h takes.
typedef __m256 vfloat;
static inline vfloat v_set(float x) { return _mm256_set1_ps(x); }
static inline vfloat v_load(const float *from) { return _mm256_load_ps(from); }
static inline void v_store(float *to, vfloat v) { _mm256_store_ps(to, v); }
static inline vfloat v_fma(vfloat a, vfloat b, vfloat c) { return _mm256_fmadd_ps(a, b, c); }
static inline vfloat v_add(vfloat a, vfloat b) { return _mm256_add_ps(a, b); }
static inline vfloat v_sub(vfloat a, vfloat b) { return _mm256_sub_ps(a, b); }
static inline vfloat v_mul(vfloat a, vfloat b) { return _mm256_mul_ps(a, b); }
static inline vfloat v_div(vfloat a, vfloat b) { return _mm256_div_ps(a, b); }
static inline vfloat v_max(vfloat a, vfloat b) { return _mm256_max_ps(a, b); }
static inline vfloat v_min(vfloat a, vfloat b) { return _mm256_min_ps(a, b); }
static inline vfloat v_abs(vfloat v) {
    return _mm256_and_ps(v, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff)));
}
static inline vfloat v_power(vfloat j) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(j), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(exponent, _mm256_set1_epi32(0x3f800000)));
}

/// All ones in the first n lanes of 8, n may be larger.
static inline __m256i lanes_mask(uint32_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n < 8 ? (int)n : 8),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/// The first n <= 16 bytes of v.
static inline void store_bytes(uint8_t *to, __m128i v, uint32_t n) {
    if (n == 16) {
        _mm_storeu_si128((__m128i *)to, v);
        return;
    }
    if (n & 8) {
        _mm_storel_epi64((__m128i *)to, v);
        v = _mm_srli_si128(v, 8), to += 8;
    }
    if (n & 4) {
        _mm_storeu_si32(to, v);
        v = _mm_srli_si128(v, 4), to += 4;
    }
    if (n & 2) {
        _mm_storeu_si16(to, v);
        v = _mm_srli_si128(v, 2), to += 2;
    }
    if (n & 1) *to = (uint8_t)_mm_extract_epi8(v, 0);
}

#endif
