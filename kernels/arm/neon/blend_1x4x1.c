// SPDX-License-Identifier: Apache-2.0
// Blends for NEON: 4 channels a vector. Not timed.
#include "kernels/ukr.h"
#include "vector.h"

NEON_INLINE uint8x8_t load_4(const uint8_t *at) {
    uint32_t bits;
    memcpy(&bits, at, sizeof bits);
    return vcreate_u8(bits);
}
NEON_INLINE vfloat of_ints(int32x4_t q, int32_t zero) {
    return vcvtq_f32_s32(vsubq_s32(q, vdupq_n_s32(zero)));
}
NEON_INLINE vfloat load_u8(const uint8_t *at, int32_t zero) {
    return of_ints(vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(load_4(at))))), zero);
}
NEON_INLINE vfloat load_s8(const uint8_t *at, int32_t zero) {
    return of_ints(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(load_4(at))))), zero);
}
NEON_INLINE vfloat load_f32(const uint8_t *at) { return vreinterpretq_f32_u8(vld1q_u8(at)); }
NEON_INLINE vfloat load_bf16(const uint8_t *at) {
    return vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vreinterpret_u16_u8(vld1_u8(at))), 16));
}
NEON_INLINE void store_some(float *y, vfloat v, uint32_t n) {
    float lanes[4];
    vst1q_f32(lanes, v);
    memcpy(y, lanes, n * sizeof *y);
}

#define BLEND_RUN blend_u8
#define BLEND_LANES 4
#define BLEND_ELEMENT 1
#define BLEND_LOAD(at, zero) load_u8(at, zero)
#define BLEND_STORE vst1q_f32
#define BLEND_STORE_SOME store_some
#include "kernels/template/blend.h"

#define BLEND_RUN blend_s8
#define BLEND_LANES 4
#define BLEND_ELEMENT 1
#define BLEND_LOAD(at, zero) load_s8(at, zero)
#define BLEND_STORE vst1q_f32
#define BLEND_STORE_SOME store_some
#include "kernels/template/blend.h"

#define BLEND_RUN blend_f32
#define BLEND_LANES 4
#define BLEND_ELEMENT 4
#define BLEND_LOAD(at, zero) load_f32(at)
#define BLEND_STORE vst1q_f32
#define BLEND_STORE_SOME store_some
#include "kernels/template/blend.h"

#define BLEND_RUN blend_bf16
#define BLEND_LANES 4
#define BLEND_ELEMENT 2
#define BLEND_LOAD(at, zero) load_bf16(at)
#define BLEND_STORE vst1q_f32
#define BLEND_STORE_SOME store_some
#include "kernels/template/blend.h"

#define KERNEL(name, run)                \
    void name(const quernel_i_blend *b); \
    void name(const quernel_i_blend *b) { run(b); }
KERNEL(quernel_uk_blend_u8_1x4x1_neon, blend_u8)
KERNEL(quernel_uk_blend_s8_1x4x1_neon, blend_s8)
KERNEL(quernel_uk_blend_f32_1x4x1_neon, blend_f32)
KERNEL(quernel_uk_blend_bf16_1x4x1_neon, blend_bf16)
