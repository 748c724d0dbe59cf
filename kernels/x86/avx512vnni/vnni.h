// SPDX-License-Identifier: Apache-2.0
// The instruction set as these kernels use it: the multiply, masks, packing of bytes, and a
// transpose.
#ifndef QUERNEL_AVX512VNNI_VNNI_H
#define QUERNEL_AVX512VNNI_VNNI_H

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define VNNI_DOT "vpdpbusd"
#define VNNI_REGISTER "v"
#define DOT_VECTOR __m512i
#include "kernels/x86/vnni_multiply.h"

enum { LANES = 16 };

/// What kernels/template/functions.h takes.
typedef __m512 vfloat;
static inline vfloat v_set(float x) { return _mm512_set1_ps(x); }
static inline vfloat v_load(const float *from) { return _mm512_load_ps(from); }
static inline void v_store(float *to, vfloat v) { _mm512_store_ps(to, v); }
static inline vfloat v_fma(vfloat a, vfloat b, vfloat c) { return _mm512_fmadd_ps(a, b, c); }
static inline vfloat v_add(vfloat a, vfloat b) { return _mm512_add_ps(a, b); }
static inline vfloat v_sub(vfloat a, vfloat b) { return _mm512_sub_ps(a, b); }
static inline vfloat v_mul(vfloat a, vfloat b) { return _mm512_mul_ps(a, b); }
static inline vfloat v_div(vfloat a, vfloat b) { return _mm512_div_ps(a, b); }
static inline vfloat v_max(vfloat a, vfloat b) { return _mm512_max_ps(a, b); }
static inline vfloat v_min(vfloat a, vfloat b) { return _mm512_min_ps(a, b); }
static inline vfloat v_abs(vfloat v) {
    return _mm512_castsi512_ps(
        _mm512_and_si512(_mm512_castps_si512(v), _mm512_set1_epi32(0x7fffffff)));
}
static inline vfloat v_power(vfloat j) {
    const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(j), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(exponent, _mm512_set1_epi32(0x3f800000)));
}

/// The first n lanes; all where n >= 16.
static inline __mmask16 lanes(uint32_t n) {
    return (__mmask16)(n < LANES ? (1u << n) - 1 : 0xffffu);
}

/// The low bytes of 4 x 16 lanes, in order. Lanes lie within 16 bits, or are what a NaN converts
/// to: its low byte is 0.
static inline __m512i pack_low_bytes(__m512i v0, __m512i v1, __m512i v2, __m512i v3) {
    const __m512i low = _mm512_set1_epi16(0xff);
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    // NaN: 0x80000000 -> 0x8000 -> 0
    const __m512i v01 = _mm512_and_si512(_mm512_packs_epi32(v0, v1), low);
    const __m512i v23 = _mm512_and_si512(_mm512_packs_epi32(v2, v3), low);
    return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(v01, v23));
}

/// rne(clamp(t, lo, hi)) with a NaN as 0x80000000: max and min return their second operand where
/// one is NaN.
static inline __m512i round_clamped(__m512 t, __m512 lo, __m512 hi) {
    return _mm512_cvtps_epi32(_mm512_min_ps(hi, _mm512_max_ps(lo, t)));
}

/// 16x16 transpose of 4-byte elements in place.
static inline __attribute__((always_inline)) void transpose_16x16(__m512i v[16]) {
    __m512i t[16];
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) { // lane d of v[i + j]: column 4d + j of rows i … i + 3
        v[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        v[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        v[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        v[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        const __m512i even0 = _mm512_shuffle_i32x4(v[j], v[j + 4], 0x88),
                      odd0 = _mm512_shuffle_i32x4(v[j], v[j + 4], 0xdd);
        const __m512i even1 = _mm512_shuffle_i32x4(v[j + 8], v[j + 12], 0x88);
        const __m512i odd1 = _mm512_shuffle_i32x4(v[j + 8], v[j + 12], 0xdd);
        t[j] = _mm512_shuffle_i32x4(even0, even1, 0x88);
        t[j + 4] = _mm512_shuffle_i32x4(odd0, odd1, 0x88);
        t[j + 8] = _mm512_shuffle_i32x4(even0, even1, 0xdd);
        t[j + 12] = _mm512_shuffle_i32x4(odd0, odd1, 0xdd);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) v[i] = t[i];
}

#endif
