// SPDX-License-Identifier: Apache-2.0
// Float NCHW to rows, for AVX2: quantizes and transposes 16 pixels x 16 channels at a time. Sixteen
// streams, a plane apart each, are more than hardware follows: each is prefetched two units ahead.
#include <immintrin.h>

#include "kernels/ukr.h"
#include "quantize.h"
#include "vector.h"

enum { PIXELS = 16, CHANNELS = 16, AHEAD = 2 * PIXELS };

// Up to 16 pixels of up to 16 channels.
typedef struct unit {
    const float *x;
    ptrdiff_t x_channel;
    const float *mult;
    uint32_t pixels, channels;
} unit;

// 8 pixels from `pixel` on of one channel.
static inline __attribute__((always_inline)) __m256i load_8(const unit *u, uint32_t channel,
                                                            uint32_t pixel, const quantizer *q,
                                                            bool g_is_1, bool whole) {
    const float *x = u->x + (ptrdiff_t)channel * u->x_channel + pixel;
    if (whole && pixel == 0) _mm_prefetch((const char *)(x + AHEAD), _MM_HINT_T0);
    if (!whole && (channel >= u->channels || pixel >= u->pixels)) return _mm256_setzero_si256();
    const __m256 v =
        whole ? _mm256_loadu_ps(x) : _mm256_maskload_ps(x, lanes_mask(u->pixels - pixel));
    return quantize_8(v, _mm256_broadcast_ss(u->mult + channel), q, g_is_1);
}

// 8 pixels of 4 channels: a dword per pixel.
static inline __attribute__((always_inline)) __m256i
quad(const unit *u, uint32_t channel, uint32_t pixel, const quantizer *q, bool g_is_1, bool whole) {
    const __m256i c01 = quantize_pack(load_8(u, channel, pixel, q, g_is_1, whole),
                                      load_8(u, channel + 1, pixel, q, g_is_1, whole), q);
    const __m256i c23 = quantize_pack(load_8(u, channel + 2, pixel, q, g_is_1, whole),
                                      load_8(u, channel + 3, pixel, q, g_is_1, whole), q);
    const __m128i order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm256_shuffle_epi8(_mm256_packus_epi16(c01, c23), _mm256_broadcastsi128_si256(order));
}

// 8 pixels from their quads, lying 16 dwords apart; `pixels` and `channels` of them are stored.
static inline __attribute__((always_inline)) void
store_8(const uint32_t *quads, uint32_t pixels, uint32_t channels, uint8_t *y, ptrdiff_t y_pixel) {
    const __m256i *v = (const __m256i *)(const void *)quads;
    const __m256i lo01 = _mm256_unpacklo_epi32(v[0], v[2]),
                  hi01 = _mm256_unpackhi_epi32(v[0], v[2]);
    const __m256i lo23 = _mm256_unpacklo_epi32(v[4], v[6]),
                  hi23 = _mm256_unpackhi_epi32(v[4], v[6]);
    // pixels 0 4, 2 6
    const __m256i even[2] = {_mm256_unpacklo_epi64(lo01, lo23), _mm256_unpacklo_epi64(hi01, hi23)};
    // pixels 1 5, 3 7
    const __m256i odd[2] = {_mm256_unpackhi_epi64(lo01, lo23), _mm256_unpackhi_epi64(hi01, hi23)};
    const __m128i rows[8] = {
        _mm256_castsi256_si128(even[0]),      _mm256_castsi256_si128(odd[0]),
        _mm256_castsi256_si128(even[1]),      _mm256_castsi256_si128(odd[1]),
        _mm256_extracti128_si256(even[0], 1), _mm256_extracti128_si256(odd[0], 1),
        _mm256_extracti128_si256(even[1], 1), _mm256_extracti128_si256(odd[1], 1)};
    for (uint32_t i = 0; i < 8; i++)
        if (i < pixels) store_bytes(y + (ptrdiff_t)i * y_pixel, rows[i], channels);
}

static inline __attribute__((always_inline)) void
convert(const unit *u, const quantizer *q, bool g_is_1, bool whole, uint8_t *y, ptrdiff_t y_pixel) {
    uint32_t quads[CHANNELS / 4][PIXELS] __attribute__((aligned(32)));
    for (uint32_t c = 0; c < CHANNELS; c += 4)
        for (uint32_t p = 0; p < PIXELS; p += 8)
            _mm256_store_si256((__m256i *)&quads[c / 4][p], quad(u, c, p, q, g_is_1, whole));
    for (uint32_t p = 0; p < u->pixels; p += 8) {
        const uint32_t pixels = u->pixels - p < 8 ? u->pixels - p : 8;
        if (whole) store_8(quads[0] + p, 8, CHANNELS, y + (ptrdiff_t)p * y_pixel, y_pixel);
        else store_8(quads[0] + p, pixels, u->channels, y + (ptrdiff_t)p * y_pixel, y_pixel);
    }
}

void quernel_uk_quantize_f32_nchw_16x16x1_avx2(const quernel_i_quantize_args *r);
void quernel_uk_quantize_f32_nchw_16x16x1_avx2(const quernel_i_quantize_args *r) {
    const quantizer q = quantizer_of(r);
    const bool g_is_1 = r->g == 1.0f;
    for (uint32_t c = 0; c < r->channels; c += CHANNELS)
        for (uint32_t p = 0; p < r->pixels; p += PIXELS) {
            const unit u = {r->x + (ptrdiff_t)c * r->x_channel + p, r->x_channel, r->mult + c,
                            r->pixels - p < PIXELS ? r->pixels - p : PIXELS,
                            r->channels - c < CHANNELS ? r->channels - c : CHANNELS};
            const bool whole = u.pixels == PIXELS && u.channels == CHANNELS;
            uint8_t *y = r->y + (ptrdiff_t)p * r->y_pixel + c;
            if (!whole) convert(&u, &q, false, false, y, r->y_pixel);
            else if (g_is_1) convert(&u, &q, true, true, y, r->y_pixel);
            else convert(&u, &q, false, true, y, r->y_pixel);
        }
}
