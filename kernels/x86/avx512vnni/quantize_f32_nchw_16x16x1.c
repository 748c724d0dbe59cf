// SPDX-License-Identifier: Apache-2.0
// Float to rows for AVX-512, pixels contiguous: 16 channels x 16 pixels at a time. Each channel's
// codes are masked and shifted into the byte of its dword that is its own, four channels to a
// register; two rounds of unpacking leave four pixels of 16 channels in each register. 16 loads, 7
// operations a channel, 8 unpacks, 16 stores: 70 cycles per 256 values on two vector ports, 0.27 a
// number; strided reading is the other bound.
#include "quantize.h"

// Four channels from `c` on, of 16 pixels: lane p holds the codes of pixel p, channel c in its
// lowest byte.
static inline __m512i four_channels(const quernel_i_quantize_args *r, const quantizer *q,
                                    const float *x, uint32_t c, __mmask16 mask) {
    __m512i all = _mm512_setzero_si512();
    for (uint32_t i = 0; i < 4 && c + i < r->channels; i++) {
        const __m512 numbers = _mm512_maskz_loadu_ps(mask, x + (ptrdiff_t)(c + i) * r->x_channel);
        const __m512i codes = quantize_16(q, numbers, _mm512_set1_ps(r->mult[c + i]));
        const __m512i bytes = _mm512_and_si512(codes, _mm512_set1_epi32(0xff));
        all = _mm512_or_si512(all, _mm512_sllv_epi32(bytes, _mm512_set1_epi32((int)(8 * i))));
    }
    return all;
}

// Pixels 4d + j lie in lane d of v[j].
static inline void store_pixels(const __m512i v[4], uint8_t *y, ptrdiff_t y_pixel, uint32_t pixels,
                                __mmask16 mask) {
    for (uint32_t j = 0; j < 4; j++) {
        const __m128i pixel[4] = {
            _mm512_extracti32x4_epi32(v[j], 0), _mm512_extracti32x4_epi32(v[j], 1),
            _mm512_extracti32x4_epi32(v[j], 2), _mm512_extracti32x4_epi32(v[j], 3)};
        for (uint32_t d = 0; d < 4 && 4 * d + j < pixels; d++)
            _mm_mask_storeu_epi8(y + (ptrdiff_t)(4 * d + j) * y_pixel, mask, pixel[d]);
    }
}

static inline void block(const quernel_i_quantize_args *r, const quantizer *q, uint32_t p,
                         uint32_t c) {
    const uint32_t pixels = r->pixels - p;
    const __mmask16 mask = lanes(pixels);
    const float *x = r->x + p;
    __m512i w[4];
    for (uint32_t i = 0; i < 4; i++) w[i] = four_channels(r, q, x, c + 4 * i, mask);
    const __m512i low01 = _mm512_unpacklo_epi32(w[0], w[1]),
                  high01 = _mm512_unpackhi_epi32(w[0], w[1]);
    const __m512i low23 = _mm512_unpacklo_epi32(w[2], w[3]),
                  high23 = _mm512_unpackhi_epi32(w[2], w[3]);
    const __m512i v[4] = {_mm512_unpacklo_epi64(low01, low23), _mm512_unpackhi_epi64(low01, low23),
                          _mm512_unpacklo_epi64(high01, high23),
                          _mm512_unpackhi_epi64(high01, high23)};
    store_pixels(v, r->y + p * r->y_pixel + c, r->y_pixel, pixels, lanes(r->channels - c));
}

void quernel_uk_quantize_f32_nchw_16x16x1_avx512vnni(const quernel_i_quantize_args *r);
void quernel_uk_quantize_f32_nchw_16x16x1_avx512vnni(const quernel_i_quantize_args *r) {
    const quantizer q = quantizer_of(r);
    for (uint32_t p = 0; p < r->pixels; p += LANES)
        for (uint32_t c = 0; c < r->channels; c += LANES) block(r, &q, p, c);
}
