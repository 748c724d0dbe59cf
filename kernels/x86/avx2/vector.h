// SPDX-License-Identifier: Apache-2.0
// Loads and stores of part of a vector, and transposes. No byte outside the part is read or
// written.
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

/// Row i, `row` elements apart, and row i + 4 of 4 elements each, for i < 4; of less than 8 rows
/// the last ones are any. Halves are joined as they are loaded, because vperm2f128 costs 8
/// micro-operations on Zen 1. (vlddqu: gcc 12 warns that a plain load might lie behind a tile of 6
/// rows.)
static inline __attribute__((always_inline)) void load_8x4(const int32_t *from, size_t row,
                                                           uint32_t rows, __m256i v[4]) {
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++) {
        const __m128i upper = _mm_lddqu_si128((const __m128i *)(from + (i < rows ? i : 0) * row));
        const __m128i lower =
            _mm_lddqu_si128((const __m128i *)(from + (i + 4 < rows ? i + 4 : 0) * row));
        v[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(upper), lower, 1);
    }
}

/// Those rows to 4 columns of 8, in place.
static inline __attribute__((always_inline)) void transpose_8x4(__m256 v[4]) {
    const __m256 a = _mm256_unpacklo_ps(v[0], v[1]), b = _mm256_unpackhi_ps(v[0], v[1]);
    const __m256 c = _mm256_unpacklo_ps(v[2], v[3]), d = _mm256_unpackhi_ps(v[2], v[3]);
    v[0] = _mm256_shuffle_ps(a, c, 0x44), v[1] = _mm256_shuffle_ps(a, c, 0xee);
    v[2] = _mm256_shuffle_ps(b, d, 0x44), v[3] = _mm256_shuffle_ps(b, d, 0xee);
}

/// The first n <= 8 elements of 4 bytes: three plain stores, because a masked store costs tens of
/// cycles on Zen.
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
