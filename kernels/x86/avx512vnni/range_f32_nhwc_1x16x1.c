// SPDX-License-Identifier: Apache-2.0
// Ranges for AVX-512, channels contiguous (range.h).
#include "range.h"

void quernel_uk_range_f32_nhwc_1x16x1_avx512vnni(const quernel_i_range *r);
void quernel_uk_range_f32_nhwc_1x16x1_avx512vnni(const quernel_i_range *r) {
    extremes e = extremes_of(r);
    for (uint32_t p = 0; p < r->pixels; p++)
        for (uint32_t c = 0; c < r->channels; c += LANES) {
            const __mmask16 mask = lanes(r->channels - c);
            extend(&e, _mm512_maskz_loadu_ps(mask, r->x + p * r->x_pixel + c),
                   _mm512_maskz_loadu_ps(mask, r->mult + c));
        }
    extremes_keep(r, &e);
}
