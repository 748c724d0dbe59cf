// SPDX-License-Identifier: Apache-2.0
// Vectors of integers as the Winograd templates of kernels/x86 take them: 16 of 16 bits or 8 of 32
// bits, modulo 2^16 and 2^32.
#ifndef QUERNEL_AVX2_INTEGERS_H
#define QUERNEL_AVX2_INTEGERS_H

#include <immintrin.h>
#include <stdint.h>

typedef __m256i vint;
#define INTEGERS static inline __attribute__((always_inline)) vint
INTEGERS vint_zero(void) { return _mm256_setzero_si256(); }
INTEGERS vint_load(const void *from) { return _mm256_load_si256((const __m256i *)from); }
INTEGERS vint_load_unaligned(const void *from) { return _mm256_loadu_si256((const __m256i *)from); }
static inline void vint_store(void *to, vint v) { _mm256_store_si256((__m256i *)to, v); }

INTEGERS add16(vint a, vint b) { return _mm256_add_epi16(a, b); }
INTEGERS sub16(vint a, vint b) { return _mm256_sub_epi16(a, b); }
INTEGERS left16(vint v, int bits) { return _mm256_slli_epi16(v, bits); }
INTEGERS times16(vint v, int16_t factor) {
    return _mm256_mullo_epi16(v, _mm256_set1_epi16(factor));
}

// The 16-bit values of two vectors in turn.
static inline __attribute__((always_inline)) void zip16(vint a, vint b, vint to[2]) {
    const vint low = _mm256_unpacklo_epi16(a, b), high = _mm256_unpackhi_epi16(a, b);
    to[0] = _mm256_permute2x128_si256(low, high, 0x20);
    to[1] = _mm256_permute2x128_si256(low, high, 0x31);
}
// Of each lane of 32 bits the lower, or the higher, half of a, and above it b's.
INTEGERS join_low16(vint a, vint b) {
    return _mm256_blend_epi16(a, _mm256_slli_epi32(b, 16), 0xaa);
}
INTEGERS join_high16(vint a, vint b) {
    return _mm256_blend_epi16(_mm256_srli_epi32(a, 16), b, 0xaa);
}

INTEGERS add32(vint a, vint b) { return _mm256_add_epi32(a, b); }
INTEGERS sub32(vint a, vint b) { return _mm256_sub_epi32(a, b); }
INTEGERS left32(vint v, int bits) { return _mm256_slli_epi32(v, bits); }
INTEGERS right32(vint v, int bits) { return _mm256_srai_epi32(v, bits); }
INTEGERS times32(vint v, int32_t factor) {
    return _mm256_mullo_epi32(v, _mm256_set1_epi32(factor));
}
#undef INTEGERS

#endif
