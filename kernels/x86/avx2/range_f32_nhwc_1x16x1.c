// SPDX-License-Identifier: Apache-2.0
// Range of float NHWC, or of a row-major matrix, for AVX2.
#include "range.h"

void quernel_uk_range_f32_nhwc_1x16x1_avx2(const quernel_i_range *r);
void quernel_uk_range_f32_nhwc_1x16x1_avx2(const quernel_i_range *r) {
    range_lines(r, r->pixels, r->x_pixel, r->channels, false);
}
