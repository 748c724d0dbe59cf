// SPDX-License-Identifier: Apache-2.0
// Permutations for AVX2: vpshufb of 16 bytes; a pixel of 48 bytes to 12 of a line takes three.
#include "vector.h"

typedef __m128i bytes16;
static inline bytes16 bytes16_load(const uint8_t *at) {
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}
static inline bytes16 bytes16_or(bytes16 a, bytes16 b) { return _mm_or_si128(a, b); }
static inline bytes16 bytes16_shuffle(bytes16 v, bytes16 order) {
    return _mm_shuffle_epi8(v, order);
}

#include "kernels/template/permute.h"

void quernel_uk_permute_u8_1x16x1_avx2(const quernel_i_permute *p);
void quernel_uk_permute_u8_1x16x1_avx2(const quernel_i_permute *p) { permute(p); }
