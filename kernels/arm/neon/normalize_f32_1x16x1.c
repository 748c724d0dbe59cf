// SPDX-License-Identifier: Apache-2.0
// Normalized rows for NEON: 16 channels in four vectors. Not timed.
#include "kernels/ukr.h"
#include "vector.h"

#define NORMALIZE_LANES 4

NEON_INLINE uint8x8_t load_4(const uint8_t *at) {
    uint32_t bits;
    memcpy(&bits, at, sizeof bits);
    return vcreate_u8(bits);
}
NEON_INLINE vfloat normalize_values(const uint8_t *at, int32_t type, int32_t zero) {
    if (type == QUERNEL_TYPE_F32) return vreinterpretq_f32_u8(vld1q_u8(at));
    if (type == QUERNEL_TYPE_BF16)
        return vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vreinterpret_u16_u8(vld1_u8(at))), 16));
    const int32x4_t q = type == QUERNEL_TYPE_S8
                            ? vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(load_4(at)))))
                            : vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(load_4(at)))));
    return vcvtq_f32_s32(vsubq_s32(q, vdupq_n_s32(zero)));
}
NEON_INLINE vfloat normalize_zero_below(vfloat t, vfloat bound, vfloat v) {
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(v), vcltq_f32(t, bound)));
}
NEON_INLINE vfloat normalize_load(const float *at) { return vld1q_f32(at); }
NEON_INLINE void normalize_store(float *at, vfloat v) { vst1q_f32(at, v); }

#include "kernels/template/normalize.h"

void quernel_uk_normalize_f32_1x16x1_neon(const quernel_i_normalize *n);
void quernel_uk_normalize_f32_1x16x1_neon(const quernel_i_normalize *n) { normalize_rows(n); }
