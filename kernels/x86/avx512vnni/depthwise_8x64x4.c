// SPDX-License-Identifier: Apache-2.0
// Depthwise for AVX-512-VNNI, u8 and s8 rows: 64 channels, seven or four pixels of two output lines
// (kernels/x86/depthwise_dot.h).
//
// Four pixels of two lines of 3x3, 512 outputs: 96 vpdpbusd, 32 unpacks, 96 to convert and scale,
// 24 packs, on two vector ports: 124 cycles, of 5x5 256, of 7x7 328. Measured on a Xeon (two
// 512-bit ports, 2.9 GHz; the kernel alone, warm), GOPS: 32 channels of 112x112 141, 144 of 56x56
// 130 (its lines come from L2), with stride 2 79, 384 of 14x14 133, 960 of 7x7 93; 96 of 40x40 with
// 5x5 213, 7x7 335. `quernel bench --layers bench/shapes/layers.csv --filter dw`.
#include "epilogue.h"
#include "vnni.h"

#define VECTOR(op) _mm512_##op
#define VECTOR_BITS(op) _mm512_##op##_si512
#define VECTOR_STORE(y, v) _mm512_storeu_si512(y, v)

static inline __attribute__((always_inline)) __m128i lane_of(const uint8_t *at, uint32_t count) {
    return count == 16 ? _mm_loadu_si128((const __m128i *)at)
                       : _mm_maskz_loadu_epi8(lanes(count), at);
}

static inline __attribute__((always_inline)) __m256i half_of(const uint8_t *at, uint32_t count) {
    return count == 32 ? _mm256_loadu_si256((const __m256i *)at)
                       : _mm256_maskz_loadu_epi8((__mmask32)((1ull << count) - 1), at);
}

static inline __attribute__((always_inline)) __m512i row_of(const uint8_t *const at[4],
                                                            const uint32_t width, uint32_t count) {
    if (width == 64)
        return count == 64 ? _mm512_loadu_si512(at[0])
                           : _mm512_maskz_loadu_epi8((1ull << count) - 1, at[0]);
    if (width == 32)
        return _mm512_inserti64x4(_mm512_castsi256_si512(half_of(at[0], count)),
                                  half_of(at[1], count), 1);
    __m512i v = _mm512_castsi128_si512(lane_of(at[0], count));
    v = _mm512_inserti32x4(v, lane_of(at[1], count), 1);
    v = _mm512_inserti32x4(v, lane_of(at[2], count), 2);
    return _mm512_inserti32x4(v, lane_of(at[3], count), 3);
}

static inline void pixels_to(uint8_t *y, ptrdiff_t row, const uint8_t *bytes, uint32_t pixels,
                             uint32_t count) {
    const __mmask64 mask = (1ull << count) - 1;
    for (uint32_t i = 0; i < pixels; i++, y += row, bytes += 64)
        if (count == 32) _mm256_storeu_si256((__m256i *)y, half_of(bytes, 32));
        else if (count == 16) _mm_storeu_si128((__m128i *)y, lane_of(bytes, 16));
        else _mm512_mask_storeu_epi8(y, mask, _mm512_maskz_loadu_epi8(mask, bytes));
}

static inline void in_order(const __m512i part[4], __m512i v[4]) {
    const __m512i low01 = _mm512_shuffle_i32x4(part[0], part[1], 0x44),
                  low23 = _mm512_shuffle_i32x4(part[2], part[3], 0x44),
                  high01 = _mm512_shuffle_i32x4(part[0], part[1], 0xee),
                  high23 = _mm512_shuffle_i32x4(part[2], part[3], 0xee);
    v[0] = _mm512_shuffle_i32x4(low01, low23, 0x88);
    v[1] = _mm512_shuffle_i32x4(low01, low23, 0xdd);
    v[2] = _mm512_shuffle_i32x4(high01, high23, 0x88);
    v[3] = _mm512_shuffle_i32x4(high01, high23, 0xdd);
}
#include "kernels/x86/depthwise_dot.h"

void quernel_uk_depthwise_u8s8_8x64x4_avx512vnni(const quernel_i_depthwise *d);
void quernel_uk_depthwise_u8s8_8x64x4_avx512vnni(const quernel_i_depthwise *d) {
    depthwise(d, false);
}
void quernel_uk_depthwise_s8s8_8x64x4_avx512vnni(const quernel_i_depthwise *d);
void quernel_uk_depthwise_s8s8_8x64x4_avx512vnni(const quernel_i_depthwise *d) {
    depthwise(d, true);
}
