// SPDX-License-Identifier: Apache-2.0
// Range of float NCHW, for NEON: 8 pixels of a channel at a time, two chains of minima and maxima.
// 5 operations for 4 values. Speed is a model here (llvm-mca 19, no Arm processor was timed): 8
// values in 5 to 6 cycles on Neoverse N1, 2.5 to 3 on V1, which is the bound of their vector
// pipes.
#include "range.h"

void quernel_uk_range_f32_nchw_8x1x1_neon(const quernel_i_range *r);
void quernel_uk_range_f32_nchw_8x1x1_neon(const quernel_i_range *r) {
    const uint32_t whole = r->pixels & ~7u, tail = r->pixels & 7u;
    range a = range_none(), b = range_none();
    for (uint32_t c = 0; c < r->channels; c++) {
        const float *x = r->x + (ptrdiff_t)c * r->x_channel;
        const float32x4_t m = vdupq_n_f32(r->mult[c]);
        for (uint32_t p = 0; p < whole; p += 8) {
            range_add(&a, vld1q_f32(x + p), m);
            range_add(&b, vld1q_f32(x + p + 4), m);
        }
        // Lanes beyond the last pixel are 0·m, which is 0 or −0, or NaN where m is not finite.
        if (tail) range_add(&a, load_part(x + whole, lanes_of(tail, 0)), m);
        if (tail > 4) range_add(&b, load_part(x + whole + 4, lanes_of(tail, 4)), m);
    }
    range_merge(a, b, r);
}
