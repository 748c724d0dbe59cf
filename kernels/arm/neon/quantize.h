// SPDX-License-Identifier: Apache-2.0
// Float to rows for NEON: quernel_i_quantize on vectors. A NaN passes maximum and minimum and
// converts to 0.
#ifndef QUERNEL_NEON_QUANTIZE_H
#define QUERNEL_NEON_QUANTIZE_H

#include "kernels/ukr.h"
#include "vector.h"

typedef struct quantizer {
    float32x4_t g, lo, hi;
    int32x4_t zero;
} quantizer;

NEON_INLINE quantizer quantizer_of(const quernel_i_quantize_args *r) {
    return (quantizer){vdupq_n_f32(r->g), vdupq_n_f32(r->lo), vdupq_n_f32(r->hi),
                       vdupq_n_s32(r->zero)};
}

/// The codes of x·m, each in the low byte of its lane.
NEON_INLINE int32x4_t quantize_4(float32x4_t x, float32x4_t m, const quantizer *q) {
    const float32x4_t t = vmulq_f32(vmulq_f32(x, m), q->g);
    return vaddq_s32(vcvtnq_s32_f32(vminq_f32(vmaxq_f32(t, q->lo), q->hi)), q->zero);
}

#endif
