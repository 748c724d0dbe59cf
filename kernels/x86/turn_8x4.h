// SPDX-License-Identifier: Apache-2.0
// 8 rows of 4 elements of 4 bytes become 4 lines of 8. No byte outside of them is read or written.
#ifndef QUERNEL_X86_TURN_8X4_H
#define QUERNEL_X86_TURN_8X4_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

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
