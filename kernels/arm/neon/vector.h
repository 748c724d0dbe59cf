// SPDX-License-Identifier: Apache-2.0
// Loads and stores of a part of a vector, and 16 values in four vectors.
#ifndef QUERNEL_NEON_VECTOR_H
#define QUERNEL_NEON_VECTOR_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NEON_INLINE static inline __attribute__((always_inline))

/// The four vectors of 16 oc. EACH_4 writes its body out, so that they stay in registers at
/// any optimization.
typedef struct ints16 {
    int32x4_t q[4];
} ints16;
typedef struct floats16 {
    float32x4_t q[4];
} floats16;
#define EACH_4(BODY) BODY(0) BODY(1) BODY(2) BODY(3)

/// What kernels/template/functions.h takes.
typedef float32x4_t vfloat;
NEON_INLINE vfloat v_set(float x) { return vdupq_n_f32(x); }
NEON_INLINE vfloat v_load(const float *from) { return vld1q_f32(from); }
NEON_INLINE void v_store(float *to, vfloat v) { vst1q_f32(to, v); }
NEON_INLINE vfloat v_fma(vfloat a, vfloat b, vfloat c) { return vfmaq_f32(c, a, b); }
NEON_INLINE vfloat v_add(vfloat a, vfloat b) { return vaddq_f32(a, b); }
NEON_INLINE vfloat v_sub(vfloat a, vfloat b) { return vsubq_f32(a, b); }
NEON_INLINE vfloat v_mul(vfloat a, vfloat b) { return vmulq_f32(a, b); }
NEON_INLINE vfloat v_div(vfloat a, vfloat b) { return vdivq_f32(a, b); }
NEON_INLINE vfloat v_max(vfloat a, vfloat b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
NEON_INLINE vfloat v_min(vfloat a, vfloat b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
NEON_INLINE vfloat v_abs(vfloat v) { return vabsq_f32(v); }
NEON_INLINE vfloat v_power(vfloat j) {
    const uint32x4_t exponent = vshlq_n_u32(vreinterpretq_u32_f32(j), 23);
    return vreinterpretq_f32_u32(vaddq_u32(exponent, vdupq_n_u32(0x3f800000)));
}

NEON_INLINE ints16 load_ints(const int32_t *from) {
    return (ints16){
        {vld1q_s32(from), vld1q_s32(from + 4), vld1q_s32(from + 8), vld1q_s32(from + 12)}};
}

NEON_INLINE floats16 load_floats(const float *from) {
    return (floats16){
        {vld1q_f32(from), vld1q_f32(from + 4), vld1q_f32(from + 8), vld1q_f32(from + 12)}};
}

NEON_INLINE void store_ints(int32_t *to, ints16 v) {
#define BODY(i) vst1q_s32(to + 4 * i, v.q[i]);
    EACH_4(BODY)
#undef BODY
}

/// The low bytes of 16 values.
NEON_INLINE uint8x16_t low_bytes(ints16 v) {
    const int16x8_t low = vuzp1q_s16(vreinterpretq_s16_s32(v.q[0]), vreinterpretq_s16_s32(v.q[1]));
    const int16x8_t high = vuzp1q_s16(vreinterpretq_s16_s32(v.q[2]), vreinterpretq_s16_s32(v.q[3]));
    return vuzp1q_u8(vreinterpretq_u8_s16(low), vreinterpretq_u8_s16(high));
}

/// The first n <= 16 bytes, stored in at most four pieces.
NEON_INLINE void store_bytes(uint8_t *to, uint8x16_t v, uint32_t n) {
    if (n == 16) {
        vst1q_u8(to, v);
        return;
    }
    if (n & 8) {
        vst1_u8(to, vget_low_u8(v));
        v = vextq_u8(v, v, 8);
        to += 8;
    }
    if (n & 4) {
        const uint32_t bits = vgetq_lane_u32(vreinterpretq_u32_u8(v), 0);
        memcpy(to, &bits, sizeof bits);
        v = vextq_u8(v, v, 4);
        to += 4;
    }
    if (n & 2) {
        const uint16_t bits = vgetq_lane_u16(vreinterpretq_u16_u8(v), 0);
        memcpy(to, &bits, sizeof bits);
        v = vextq_u8(v, v, 2);
        to += 2;
    }
    if (n & 1) *to = vgetq_lane_u8(v, 0);
}

/// How many lanes of the vector that begins `at` values behind the first are filled by n values.
NEON_INLINE uint32_t lanes_of(uint32_t n, uint32_t at) {
    return n <= at ? 0 : n - at < 4 ? n - at : 4;
}

/// The first n <= 4 floats; the others are 0.
NEON_INLINE float32x4_t load_part(const float *from, uint32_t n) {
    if (n == 4) return vld1q_f32(from);
    float32x4_t v = vdupq_n_f32(0.0f);
    if (n > 0) v = vsetq_lane_f32(from[0], v, 0);
    if (n > 1) v = vsetq_lane_f32(from[1], v, 1);
    if (n > 2) v = vsetq_lane_f32(from[2], v, 2);
    return v;
}

/// Four oc of four rows become four rows of four oc.
NEON_INLINE void transpose_4x4(int32x4_t v[4]) {
    const int32x4_t ab0 = vzip1q_s32(v[0], v[2]), ab1 = vzip2q_s32(v[0], v[2]);
    const int32x4_t cd0 = vzip1q_s32(v[1], v[3]), cd1 = vzip2q_s32(v[1], v[3]);
    v[0] = vzip1q_s32(ab0, cd0);
    v[1] = vzip2q_s32(ab0, cd0);
    v[2] = vzip1q_s32(ab1, cd1);
    v[3] = vzip2q_s32(ab1, cd1);
}

#endif
