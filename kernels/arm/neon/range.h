// SPDX-License-Identifier: Apache-2.0
// Ranges for NEON: minimum and maximum finite product.
//
// A product that is infinite or NaN is replaced by 0, which is neutral. The sign of a zero never
// reaches the result: only what is less than *least, or greater than *greatest, is stored there.
#ifndef QUERNEL_NEON_RANGE_H
#define QUERNEL_NEON_RANGE_H

#include "kernels/ukr.h"
#include "vector.h"

typedef struct range {
    float32x4_t min, max;
} range;

NEON_INLINE range range_none(void) { return (range){vdupq_n_f32(0.0f), vdupq_n_f32(0.0f)}; }

NEON_INLINE void range_add(range *r, float32x4_t x, float32x4_t m) {
    const float32x4_t y = vmulq_f32(x, m);
    const uint32x4_t finite = vcaltq_f32(y, vdupq_n_f32(__builtin_inff()));
    const float32x4_t taken = vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(y), finite));
    r->min = vminq_f32(r->min, taken);
    r->max = vmaxq_f32(r->max, taken);
}

NEON_INLINE void range_merge(range a, range b, const quernel_i_range *r) {
    const float min = vminvq_f32(vminq_f32(a.min, b.min));
    const float max = vmaxvq_f32(vmaxq_f32(a.max, b.max));
    if (min < *r->min) *r->min = min;
    if (max > *r->max) *r->max = max;
}

#endif
