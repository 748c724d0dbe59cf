// SPDX-License-Identifier: Apache-2.0
// Float to rows for AVX-512, pixels contiguous: 16 channels x 16 pixels at a time. Shifts and
// selections join the codes of four channels in a register, a dword a pixel; two rounds of
// unpacking leave four pixels of 16 channels in each register. Of 256 numbers: 64 operations for
// the codes, 28 to join them, 8 unpacks and 4 extracts, 52 cycles on two vector ports, 0.20 a
// number; measured from L2 0.24 on an Emerald Rapids, 0.33 on a Zen 4 with its one port for most
// of them, and there 0.45 from L3 and 0.75 from memory.
#include "quantize.h"

enum { PIXELS = LANES };

static inline void store_bytes(uint8_t *to, __m128i v, uint32_t n) {
    _mm_mask_storeu_epi8(to, lanes(n), v);
}

#include "kernels/x86/quantize_planes.h"

// What lies behind the last channel is not stored: any channel will do.
static inline __attribute__((always_inline)) __m512i codes_of(const planes *b, const quantizer *q,
                                                              uint32_t c, bool g_is_1) {
    if (c >= b->channels) c = 0;
    const float *x = b->x + (ptrdiff_t)c * b->x_channel;
    fetch(b, x);
    return quantize_16(q, _mm512_maskz_loadu_ps(lanes(b->pixels), x), _mm512_set1_ps(b->mult[c]),
                       g_is_1);
}

// The bits of `low` where `mask` has ones, else those of `high`.
static inline __m512i merge(int mask, __m512i low, __m512i high) {
    return _mm512_ternarylogic_epi32(_mm512_set1_epi32(mask), low, high, 0xca);
}

// Four channels from `c` on, of 16 pixels: lane p holds the codes of pixel p, channel c in its
// lowest byte.
static inline __attribute__((always_inline)) __m512i
four_channels(const planes *b, const quantizer *q, uint32_t c, bool g_is_1) {
    const __m512i low = codes_of(b, q, c, g_is_1), third = codes_of(b, q, c + 2, g_is_1);
    const __m512i second = _mm512_slli_epi32(codes_of(b, q, c + 1, g_is_1), 8),
                  fourth = _mm512_slli_epi32(codes_of(b, q, c + 3, g_is_1), 8);
    const __m512i upper = _mm512_slli_epi32(merge(0xff, third, fourth), 16);
    return _mm512_add_epi8(merge(0xffff, merge(0xff, low, second), upper), q->zero);
}

static void quads(const planes *b, const quantizer *q, uint8_t *to) {
    _mm512_storeu_si512(to, four_channels(b, q, 0, false));
}

// Pixels 4d + j lie in lane d of v. Halves are stored by lane: that takes no shuffle.
static inline __attribute__((always_inline)) void store_pixels(__m512i v, uint8_t *y,
                                                               ptrdiff_t y_pixel) {
    const __m256i half[2] = {_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1)};
#pragma GCC unroll 2
    for (uint32_t d = 0; d < 2; d++, y += 8 * y_pixel) {
        _mm_storeu_si128((__m128i *)y, _mm256_castsi256_si128(half[d]));
        _mm_storeu_si128((__m128i *)(y + 4 * y_pixel), _mm256_extracti128_si256(half[d], 1));
    }
}

static inline __attribute__((always_inline)) void
block(const planes *b, const quantizer *q, bool g_is_1, uint8_t *y, ptrdiff_t y_pixel) {
    __m512i w[4];
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++)
        w[i] = 4 * i < b->channels ? four_channels(b, q, 4 * i, g_is_1) : _mm512_setzero_si512();
    const __m512i low01 = _mm512_unpacklo_epi32(w[0], w[1]),
                  high01 = _mm512_unpackhi_epi32(w[0], w[1]);
    const __m512i low23 = _mm512_unpacklo_epi32(w[2], w[3]),
                  high23 = _mm512_unpackhi_epi32(w[2], w[3]);
    store_pixels(_mm512_unpacklo_epi64(low01, low23), y, y_pixel);
    store_pixels(_mm512_unpackhi_epi64(low01, low23), y + y_pixel, y_pixel);
    store_pixels(_mm512_unpacklo_epi64(high01, high23), y + 2 * y_pixel, y_pixel);
    store_pixels(_mm512_unpackhi_epi64(high01, high23), y + 3 * y_pixel, y_pixel);
}

void quernel_uk_quantize_f32_nchw_16x16x1_avx512vnni(const quernel_i_quantize_args *r);
void quernel_uk_quantize_f32_nchw_16x16x1_avx512vnni(const quernel_i_quantize_args *r) {
    if (r->g == 1.0f) quantize_planes(r, true);
    else quantize_planes(r, false);
}
