// SPDX-License-Identifier: Apache-2.0
// Float to rows, ranges, and the epilogue alone, in plain C. Both layouts share one loop: strides
// say which is which.
#include "kernels/ref/epilogue.h"

static void rows(const quernel_i_quantize_args *r) {
    for (uint32_t p = 0; p < r->pixels; p++)
        for (uint32_t c = 0; c < r->channels; c++)
            r->y[p * r->y_pixel + c] = (uint8_t)quernel_i_quantize(
                r->x[p * r->x_pixel + c * r->x_channel], r->mult[c], r->g, r->lo, r->hi, r->zero);
}

static void range(const quernel_i_range *r) {
    float min = *r->min, max = *r->max;
    for (uint32_t p = 0; p < r->pixels; p++)
        for (uint32_t c = 0; c < r->channels; c++) {
            const float y = r->x[p * r->x_pixel + c * r->x_channel] * r->mult[c];
            if ((quernel_i_bits(y) & 0x7f800000u) == 0x7f800000u) continue; // infinite or NaN
            if (y < min) min = y;
            if (y > max) max = y;
        }
    *r->min = min;
    *r->max = max;
}

void quernel_uk_quantize_f32_nhwc_1x1x1_ref(const quernel_i_quantize_args *r) { rows(r); }
void quernel_uk_quantize_f32_nchw_1x1x1_ref(const quernel_i_quantize_args *r) { rows(r); }
void quernel_uk_range_f32_nhwc_1x1x1_ref(const quernel_i_range *r) { range(r); }
void quernel_uk_range_f32_nchw_1x1x1_ref(const quernel_i_range *r) { range(r); }

void quernel_uk_epilogue_s32_1x1x1_ref(const int32_t *acc, size_t acc_row, uint32_t m, uint32_t n,
                                       const quernel_i_epilogue *f) {
    ref_epilogue(acc, acc_row, m, n, f);
}
