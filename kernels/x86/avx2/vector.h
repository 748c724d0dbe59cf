// SPDX-License-Identifier: Apache-2.0
// Loads and stores of part of a vector, and transposes. No byte outside the part is read or written.
#ifndef QUERNEL_AVX2_VECTOR_H
#define QUERNEL_AVX2_VECTOR_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

/// What kernels/functions.h asks for.
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
static inline vfloat v_abs(vfloat v) { return _mm256_and_ps(v, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff))); }
static inline vfloat v_power(vfloat j) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(j), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(exponent, _mm256_set1_epi32(0x3f800000)));
}

/// All ones in the first n lanes of 8, n may be larger.
static inline __m256i lanes_mask(uint32_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n < 8 ? (int)n : 8), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
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

/// 8x8 transpose of 4-byte elements in place. Unrolled, so that the vectors stay in registers.
static inline __attribute__((always_inline)) void transpose_8x8(__m256 v[8]) {
    __m256 pairs[8], quads[8];
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
        pairs[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4)
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++) {
            quads[i + 2 * j] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0x44);
            quads[i + 2 * j + 1] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0xee);
        }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        v[i] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x20);
        v[i + 4] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x31);
    }
}

/// The first n <= 8 elements of 4 bytes: three plain stores, because a masked store costs tens of cycles on Zen.
static inline void store_dwords(void *to, __m256 v, uint32_t n) {
    float *at = to;
    if (n == 8) {
        _mm256_storeu_ps(at, v);
        return;
    }
    __m128 part = _mm256_castps256_ps128(v);
    if (n & 4) {
        _mm_storeu_ps(at, part);
        at += 4;
        part = _mm256_extractf128_ps(v, 1);
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)at, part);
        at += 2;
        part = _mm_movehl_ps(part, part);
    }
    if (n & 1) _mm_store_ss(at, part);
}

#endif
