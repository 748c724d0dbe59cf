// SPDX-License-Identifier: Apache-2.0
// Range of float NCHW, for AVX-512.
#include "range.h"

void quernel_uk_range_f32_nchw_16x1x1_avx512vnni(const quernel_i_range *r);
void quernel_uk_range_f32_nchw_16x1x1_avx512vnni(const quernel_i_range *r) {
    range_lines(r, r->channels, r->x_channel, r->pixels, true);
}
