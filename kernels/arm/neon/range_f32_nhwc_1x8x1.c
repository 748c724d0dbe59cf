// SPDX-License-Identifier: Apache-2.0
// Range of float NHWC, or of a row-major matrix, for NEON: 8 channels at a time, two chains of
// minima and maxima. 5 operations for 4 values. Speed is a model here (llvm-mca 19, no Arm
// processor was timed): 8 values in 5 to 6 cycles on Neoverse N1, 2.5 to 3 on V1, which is the
// bound of their vector pipes.
#include "range.h"

void quernel_uk_range_f32_nhwc_1x8x1_neon(const quernel_i_range *r);
void quernel_uk_range_f32_nhwc_1x8x1_neon(const quernel_i_range *r) {
    const uint32_t whole = r->channels & ~7u, tail = r->channels & 7u;
    const float *x = r->x, *m = r->mult;
    const float32x4_t m0 = load_part(m + whole, lanes_of(tail, 0)),
                      m1 = load_part(m + whole + 4, lanes_of(tail, 4));
    range a = range_none(), b = range_none();
    for (uint32_t p = 0; p < r->pixels; p++, x += r->x_pixel) {
        for (uint32_t c = 0; c < whole; c += 8) {
            range_add(&a, vld1q_f32(x + c), vld1q_f32(m + c));
            range_add(&b, vld1q_f32(x + c + 4), vld1q_f32(m + c + 4));
        }
        if (tail) range_add(&a, load_part(x + whole, lanes_of(tail, 0)), m0);
        if (tail > 4) range_add(&b, load_part(x + whole + 4, lanes_of(tail, 4)), m1);
    }
    range_merge(a, b, r);
}
