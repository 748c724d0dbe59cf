// SPDX-License-Identifier: Apache-2.0
// Float NCHW to rows, for AVX2: quantizes and transposes 8 pixels x 16 channels at a time in
// registers. Of 128 numbers: 64 operations for the codes, 28 to pack four channels to a dword a
// pixel, 8 unpacks: 34 cycles on three vector ports, 0.26 a number.
#include <immintrin.h>

#include "kernels/ukr.h"
#include "quantize.h"
#include "vector.h"

enum { PIXELS = 8 };

#include "kernels/x86/quantize_planes.h"

// What lies behind the last channel is not stored: any channel will do.
static inline __attribute__((always_inline)) __m256i codes_of(const planes *b, const quantizer *q,
                                                              uint32_t c, bool g_is_1) {
    if (c >= b->channels) c = 0;
    const float *x = b->x + (ptrdiff_t)c * b->x_channel;
    fetch(b, x);
    const __m256 numbers =
        b->pixels == PIXELS ? _mm256_loadu_ps(x) : _mm256_maskload_ps(x, lanes_mask(b->pixels));
    return quantize_8(numbers, _mm256_broadcast_ss(b->mult + c), q, g_is_1);
}

// 8 pixels of 4 channels from `c` on: a dword per pixel.
static inline __attribute__((always_inline)) __m256i
four_channels(const planes *b, const quantizer *q, uint32_t c, bool g_is_1) {
    const __m256i bytes =
        quantize_pack(codes_of(b, q, c, g_is_1), codes_of(b, q, c + 1, g_is_1),
                      codes_of(b, q, c + 2, g_is_1), codes_of(b, q, c + 3, g_is_1), q);
    const __m128i order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm256_shuffle_epi8(bytes, _mm256_broadcastsi128_si256(order));
}

static void quads(const planes *b, const quantizer *q, uint8_t *to) {
    _mm256_storeu_si256((__m256i *)to, four_channels(b, q, 0, false));
}

// Pixel 0 and pixel 4 of a block.
static inline __attribute__((always_inline)) void store_pixels(__m256i v, uint8_t *y,
                                                               ptrdiff_t y_pixel) {
    _mm_storeu_si128((__m128i *)y, _mm256_castsi256_si128(v));
    _mm_storeu_si128((__m128i *)(y + 4 * y_pixel), _mm256_extracti128_si256(v, 1));
}

static inline __attribute__((always_inline)) void
block(const planes *b, const quantizer *q, bool g_is_1, uint8_t *y, ptrdiff_t y_pixel) {
    __m256i w[4];
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++)
        w[i] = 4 * i < b->channels ? four_channels(b, q, 4 * i, g_is_1) : _mm256_setzero_si256();
    const __m256i low01 = _mm256_unpacklo_epi32(w[0], w[1]),
                  high01 = _mm256_unpackhi_epi32(w[0], w[1]);
    const __m256i low23 = _mm256_unpacklo_epi32(w[2], w[3]),
                  high23 = _mm256_unpackhi_epi32(w[2], w[3]);
    store_pixels(_mm256_unpacklo_epi64(low01, low23), y, y_pixel);
    store_pixels(_mm256_unpackhi_epi64(low01, low23), y + y_pixel, y_pixel);
    store_pixels(_mm256_unpacklo_epi64(high01, high23), y + 2 * y_pixel, y_pixel);
    store_pixels(_mm256_unpackhi_epi64(high01, high23), y + 3 * y_pixel, y_pixel);
}

void quernel_uk_quantize_f32_nchw_16x16x1_avx2(const quernel_i_quantize_args *r);
void quernel_uk_quantize_f32_nchw_16x16x1_avx2(const quernel_i_quantize_args *r) {
    if (r->g == 1.0f) quantize_planes(r, true);
    else quantize_planes(r, false);
}
