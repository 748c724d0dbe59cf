// SPDX-License-Identifier: Apache-2.0
// Ranges for AVX-512, pixels contiguous (range.h).
#include "range.h"

void quernel_uk_range_f32_nchw_16x1x1_avx512vnni(const quernel_i_range *r);
void quernel_uk_range_f32_nchw_16x1x1_avx512vnni(const quernel_i_range *r) {
    extremes e = extremes_of(r);
    for (uint32_t c = 0; c < r->channels; c++) {
        const __m512 factor = _mm512_set1_ps(r->mult[c]);
        const float *x = r->x + c * r->x_channel;
        for (uint32_t p = 0; p < r->pixels; p += LANES)
            extend(&e, _mm512_maskz_loadu_ps(lanes(r->pixels - p), x + p), factor);
    }
    extremes_keep(r, &e);
}
