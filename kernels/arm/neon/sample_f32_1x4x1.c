// SPDX-License-Identifier: Apache-2.0
// Samples for NEON: 4 elements a vector, loaded one by one into its lanes. Bound: their loads, 2
// cycles a tap where two are loaded a cycle (Neoverse N1). Not timed.
#include "vector.h"

#define SAMPLE_LANES 4
NEON_INLINE vfloat sample_load(const float *from) { return vld1q_f32(from); }
NEON_INLINE void sample_store(float *to, vfloat v) { vst1q_f32(to, v); }
NEON_INLINE vfloat sample_gather(const float *x, const int32_t at[SAMPLE_LANES]) {
    vfloat v = vld1q_dup_f32(x + at[0]);
    v = vld1q_lane_f32(x + at[1], v, 1);
    v = vld1q_lane_f32(x + at[2], v, 2);
    return vld1q_lane_f32(x + at[3], v, 3);
}

#include "kernels/template/sample.h"

void quernel_uk_sample_f32_1x4x1_neon(const quernel_i_sample *s);
void quernel_uk_sample_f32_1x4x1_neon(const quernel_i_sample *s) { sample(s); }
