// SPDX-License-Identifier: Apache-2.0
// Depthwise for AVX-VNNI, u8 and s8 rows: 32 channels, four pixels of two output lines
// (kernels/x86/depthwise_dot.h).
//
// Four pixels of two lines of 3x3, 256 outputs: 96 vpdpbusd and 96 to convert and scale on two
// ports, unpacks and packs beside them on a third: 96 cycles, of 5x5 208, of 7x7 272. Measured as
// AVX-512-VNNI's, GOPS: 32 channels of 112x112 105, 144 of 56x56 91, with stride 2 57, 384 of 14x14
// 71, 960 of 7x7 52; 96 of 40x40 with 5x5 143, 7x7 217.
#include "kernels/x86/avx2/epilogue.h"
#include "vnni.h"

#define VECTOR(op) _mm256_##op
#define VECTOR_BITS(op) _mm256_##op##_si256
#define VECTOR_STORE(y, v) _mm256_storeu_si256((__m256i *)(y), v)

static inline __attribute__((always_inline)) __m128i lane_of(const uint8_t *at, uint32_t count) {
    if (count == 16) return _mm_loadu_si128((const __m128i *)at);
    if (count == 8) return _mm_loadl_epi64((const __m128i *)at);
    uint8_t some[16] = {0};
    memcpy(some, at, count);
    return _mm_loadu_si128((const __m128i *)some);
}

static inline __attribute__((always_inline)) __m256i row_of(const uint8_t *const at[2],
                                                            const uint32_t width, uint32_t count) {
    if (width == 16)
        return _mm256_inserti128_si256(_mm256_castsi128_si256(lane_of(at[0], count)),
                                       lane_of(at[1], count), 1);
    if (count == 32) return _mm256_loadu_si256((const __m256i *)at[0]);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(lane_of(at[0], 16)),
                                   lane_of(at[0] + 16, count - 16), 1);
}

static inline void pixels_to(uint8_t *y, ptrdiff_t row, const uint8_t *bytes, uint32_t pixels,
                             uint32_t count) {
    for (uint32_t i = 0; i < pixels; i++, y += row, bytes += 32)
        if (count == 16) memcpy(y, bytes, 16);
        else if (count == 8) memcpy(y, bytes, 8);
        else memcpy(y, bytes, count);
}

static inline void in_order(const __m256i part[4], __m256i v[4]) {
    v[0] = _mm256_permute2x128_si256(part[0], part[1], 0x20);
    v[1] = _mm256_permute2x128_si256(part[2], part[3], 0x20);
    v[2] = _mm256_permute2x128_si256(part[0], part[1], 0x31);
    v[3] = _mm256_permute2x128_si256(part[2], part[3], 0x31);
}
#include "kernels/x86/depthwise_dot.h"

void quernel_uk_depthwise_u8s8_8x32x4_avxvnni(const quernel_i_depthwise *d);
void quernel_uk_depthwise_u8s8_8x32x4_avxvnni(const quernel_i_depthwise *d) { depthwise(d, false); }
void quernel_uk_depthwise_s8s8_8x32x4_avxvnni(const quernel_i_depthwise *d);
void quernel_uk_depthwise_s8s8_8x32x4_avxvnni(const quernel_i_depthwise *d) { depthwise(d, true); }
