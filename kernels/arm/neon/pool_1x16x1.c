// SPDX-License-Identifier: Apache-2.0
// Pools for NEON, as AVX2's: 16 channels of bytes a vector, 4 of floats. Sums of bytes are added in
// lanes of 16 bits (uaddw), which hold 256 of them. Not timed.
#include <math.h>

#include "kernels/ukr.h"
#include "vector.h"

NEON_INLINE float32x4_t load_bf16(const uint8_t *at) {
    uint16_t half[4];
    memcpy(half, at, sizeof half);
    return vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vld1_u16(half)), 16));
}

NEON_INLINE float32x4_t load_f32(const uint8_t *at) { return vreinterpretq_f32_u8(vld1q_u8(at)); }
NEON_INLINE void store_f32(uint8_t *y, float32x4_t v) { vst1q_u8(y, vreinterpretq_u8_f32(v)); }

#define POOL_RUN max_u8
#define POOL_LANES 16
#define POOL_ELEMENT 1
#define POOL_RESULT 1
#define POOL_VECTORS 4
#define POOL_INNER uint8x16_t
#define POOL_OUTER uint8x16_t
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 0
#define POOL_START vdupq_n_u8(0)
#define POOL_ADD(inner, at) vmaxq_u8(inner, vld1q_u8(at))
#define POOL_OUTER_START(p) vdupq_n_u8(0)
#define POOL_FLUSH(outer, inner) vmaxq_u8(outer, inner)
#define POOL_STORE(y, v, p) vst1q_u8(y, v)
#include "kernels/template/pool.h"

NEON_INLINE int8x16_t load_s8(const uint8_t *at) { return vreinterpretq_s8_u8(vld1q_u8(at)); }

#define POOL_RUN max_s8
#define POOL_LANES 16
#define POOL_ELEMENT 1
#define POOL_RESULT 1
#define POOL_VECTORS 4
#define POOL_INNER int8x16_t
#define POOL_OUTER int8x16_t
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 0
#define POOL_START vdupq_n_s8(-128)
#define POOL_ADD(inner, at) vmaxq_s8(inner, load_s8(at))
#define POOL_OUTER_START(p) vdupq_n_s8(-128)
#define POOL_FLUSH(outer, inner) vmaxq_s8(outer, inner)
#define POOL_STORE(y, v, p) vst1q_u8(y, vreinterpretq_u8_s8(v))
#include "kernels/template/pool.h"

// fmax would make a NaN of one, and +0 of zeros of both signs: v_max is e > u ? e : u.
#define POOL_RUN max_f32
#define POOL_LANES 4
#define POOL_ELEMENT 4
#define POOL_RESULT 4
#define POOL_VECTORS 4
#define POOL_INNER float32x4_t
#define POOL_OUTER float32x4_t
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 0
#define POOL_START vdupq_n_f32(-INFINITY)
#define POOL_ADD(inner, at) v_max(load_f32(at), inner)
#define POOL_OUTER_START(p) vdupq_n_f32(-INFINITY)
#define POOL_FLUSH(outer, inner) v_max(inner, outer)
#define POOL_STORE(y, v, p) store_f32(y, v)
#include "kernels/template/pool.h"

#define POOL_RUN max_bf16
#define POOL_LANES 4
#define POOL_ELEMENT 2
#define POOL_RESULT 4
#define POOL_VECTORS 4
#define POOL_INNER float32x4_t
#define POOL_OUTER float32x4_t
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 0
#define POOL_START vdupq_n_f32(-INFINITY)
#define POOL_ADD(inner, at) v_max(load_bf16(at), inner)
#define POOL_OUTER_START(p) vdupq_n_f32(-INFINITY)
#define POOL_FLUSH(outer, inner) v_max(inner, outer)
#define POOL_STORE(y, v, p) store_f32(y, v)
#include "kernels/template/pool.h"

/// Sums of 16 channels: 16-bit lanes of the lower and the upper 8; 32-bit lanes.
typedef struct sums16 {
    uint16x8_t low, high;
} sums16;
typedef struct sums32 {
    uint32x4_t v[4];
} sums32;

NEON_INLINE sums16 sums16_add(sums16 s, uint8x16_t bytes) {
    return (sums16){vaddw_u8(s.low, vget_low_u8(bytes)), vaddw_high_u8(s.high, bytes)};
}

NEON_INLINE sums32 sums32_of(uint32_t init) {
    const uint32x4_t v = vdupq_n_u32(init);
    return (sums32){{v, v, v, v}};
}

NEON_INLINE sums32 sums32_add(sums32 s, sums16 t) {
    return (sums32){{vaddw_u16(s.v[0], vget_low_u16(t.low)), vaddw_high_u16(s.v[1], t.low),
                     vaddw_u16(s.v[2], vget_low_u16(t.high)), vaddw_high_u16(s.v[3], t.high)}};
}

NEON_INLINE void sums32_store(uint8_t *y, sums32 s) {
#define BODY(i) vst1q_u8(y + 16 * i, vreinterpretq_u8_u32(s.v[i]));
    EACH_4(BODY)
#undef BODY
}

#define POOL_RUN sum_u8
#define POOL_LANES 16
#define POOL_ELEMENT 1
#define POOL_RESULT 4
#define POOL_VECTORS 2
#define POOL_INNER sums16
#define POOL_OUTER sums32
#define POOL_INNER_MAX 256u // of 255: 16 bits
#define POOL_BY_LINE 0
#define POOL_START ((sums16){vdupq_n_u16(0), vdupq_n_u16(0)})
#define POOL_ADD(inner, at) sums16_add(inner, vld1q_u8(at))
#define POOL_OUTER_START(p) sums32_of((uint32_t)(p)->init)
#define POOL_FLUSH(outer, inner) sums32_add(outer, inner)
#define POOL_STORE(y, v, p) sums32_store(y, v)
#include "kernels/template/pool.h"

// As u8, 128 more each.
#define POOL_RUN sum_s8
#define POOL_LANES 16
#define POOL_ELEMENT 1
#define POOL_RESULT 4
#define POOL_VECTORS 2
#define POOL_INNER sums16
#define POOL_OUTER sums32
#define POOL_INNER_MAX 256u // of 255: 16 bits
#define POOL_BY_LINE 0
#define POOL_START ((sums16){vdupq_n_u16(0), vdupq_n_u16(0)})
#define POOL_ADD(inner, at) sums16_add(inner, veorq_u8(vld1q_u8(at), vdupq_n_u8(0x80)))
#define POOL_OUTER_START(p) sums32_of((uint32_t)(p)->init - 128u * (p)->kernel_h * (p)->kernel_w)
#define POOL_FLUSH(outer, inner) sums32_add(outer, inner)
#define POOL_STORE(y, v, p) sums32_store(y, v)
#include "kernels/template/pool.h"

#define POOL_RUN sum_f32
#define POOL_LANES 4
#define POOL_ELEMENT 4
#define POOL_RESULT 4
#define POOL_VECTORS 4
#define POOL_INNER float32x4_t
#define POOL_OUTER float32x4_t
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 1
#define POOL_START vdupq_n_f32(0.0f)
#define POOL_ADD(inner, at) vaddq_f32(inner, load_f32(at))
#define POOL_OUTER_START(p) vdupq_n_f32(0.0f)
#define POOL_FLUSH(outer, inner) vaddq_f32(outer, inner)
#define POOL_STORE(y, v, p) store_f32(y, vmulq_n_f32(v, (p)->factor))
#include "kernels/template/pool.h"

#define POOL_RUN sum_bf16
#define POOL_LANES 4
#define POOL_ELEMENT 2
#define POOL_RESULT 4
#define POOL_VECTORS 4
#define POOL_INNER float32x4_t
#define POOL_OUTER float32x4_t
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 1
#define POOL_START vdupq_n_f32(0.0f)
#define POOL_ADD(inner, at) vaddq_f32(inner, load_bf16(at))
#define POOL_OUTER_START(p) vdupq_n_f32(0.0f)
#define POOL_FLUSH(outer, inner) vaddq_f32(outer, inner)
#define POOL_STORE(y, v, p) store_f32(y, vmulq_n_f32(v, (p)->factor))
#include "kernels/template/pool.h"

#define KERNEL(name, run)               \
    void name(const quernel_i_pool *p); \
    void name(const quernel_i_pool *p) { run(p); }
KERNEL(quernel_uk_poolmax_u8_1x16x1_neon, max_u8)
KERNEL(quernel_uk_poolmax_s8_1x16x1_neon, max_s8)
KERNEL(quernel_uk_poolmax_f32_1x4x1_neon, max_f32)
KERNEL(quernel_uk_poolmax_bf16_1x4x1_neon, max_bf16)
KERNEL(quernel_uk_poolsum_u8_1x16x1_neon, sum_u8)
KERNEL(quernel_uk_poolsum_s8_1x16x1_neon, sum_s8)
KERNEL(quernel_uk_poolsum_f32_1x4x1_neon, sum_f32)
KERNEL(quernel_uk_poolsum_bf16_1x4x1_neon, sum_bf16)
