// SPDX-License-Identifier: Apache-2.0
// Float to rows for AVX-512, channels contiguous: 16 values take 2 loads, 2 multiplications, 2
// comparisons, 2 conversions (the second stores 16 bytes) and an addition: 3.5 cycles on two vector
// ports; tails are masks.
#include "quantize.h"

void quernel_uk_quantize_f32_nhwc_1x16x1_avx512vnni(const quernel_i_quantize_args *r);
void quernel_uk_quantize_f32_nhwc_1x16x1_avx512vnni(const quernel_i_quantize_args *r) {
    const quantizer q = quantizer_of(r);
    for (uint32_t p = 0; p < r->pixels; p++) {
        const float *x = r->x + p * r->x_pixel;
        uint8_t *y = r->y + p * r->y_pixel;
        for (uint32_t c = 0; c < r->channels; c += LANES) {
            const __mmask16 mask = lanes(r->channels - c);
            const __m512 numbers = _mm512_maskz_loadu_ps(mask, x + c),
                         factors = _mm512_maskz_loadu_ps(mask, r->mult + c);
            _mm512_mask_cvtepi32_storeu_epi8(y + c, mask, quantize_16(&q, numbers, factors));
        }
    }
}
