// SPDX-License-Identifier: Apache-2.0
// Float to rows for AVX-512, channels contiguous. 64 codes take 16 operations, 7 to pack them, on
// two vector ports 11.5 cycles; what is left is converted 16 at a time, the last of them by masks.
#include "quantize.h"

static inline __attribute__((always_inline)) __m512i codes_of(const quantizer *q, const float *x,
                                                              const float *mult, bool g_is_1) {
    return quantize_16(q, _mm512_loadu_ps(x), _mm512_loadu_ps(mult), g_is_1);
}

static inline __attribute__((always_inline)) void row(const float *x, const float *mult, uint32_t n,
                                                      const quantizer *q, bool g_is_1, uint8_t *y) {
    for (; n >= 4 * LANES; n -= 4 * LANES, x += 4 * LANES, mult += 4 * LANES, y += 4 * LANES) {
        const __m512i bytes = pack_low_bytes(
            codes_of(q, x, mult, g_is_1), codes_of(q, x + 16, mult + 16, g_is_1),
            codes_of(q, x + 32, mult + 32, g_is_1), codes_of(q, x + 48, mult + 48, g_is_1));
        _mm512_storeu_si512(y, _mm512_add_epi8(bytes, q->zero));
    }
    for (uint32_t c = 0; c < n; c += LANES) {
        const __mmask16 mask = lanes(n - c);
        const __m512i codes = quantize_16(q, _mm512_maskz_loadu_ps(mask, x + c),
                                          _mm512_maskz_loadu_ps(mask, mult + c), g_is_1);
        _mm512_mask_cvtepi32_storeu_epi8(y + c, mask, _mm512_add_epi8(codes, q->zero));
    }
}

#include "kernels/x86/quantize_lines.h"

void quernel_uk_quantize_f32_nhwc_1x16x1_avx512vnni(const quernel_i_quantize_args *r);
void quernel_uk_quantize_f32_nhwc_1x16x1_avx512vnni(const quernel_i_quantize_args *r) {
    quantize_lines(r);
}
