// SPDX-License-Identifier: Apache-2.0
// Vectors of integers as the Winograd templates take them: 8 of 16 bits or 4 of 32 bits, modulo
// 2^16 and 2^32. Unsigned: signed vectors may not overflow in C.
#ifndef QUERNEL_NEON_INTEGERS_H
#define QUERNEL_NEON_INTEGERS_H

#include <arm_neon.h>
#include <stdint.h>

typedef uint32x4_t vint;
#define INTEGERS static inline __attribute__((always_inline)) vint
#define HALVES(v) vreinterpretq_u16_u32(v)
#define OF_HALVES(v) vreinterpretq_u32_u16(v)
INTEGERS vint_zero(void) { return vdupq_n_u32(0); }
INTEGERS vint_load(const void *from) { return vld1q_u32((const uint32_t *)from); }
INTEGERS vint_load_unaligned(const void *from) { return vld1q_u32((const uint32_t *)from); }
static inline void vint_store(void *to, vint v) { vst1q_u32((uint32_t *)to, v); }

INTEGERS add16(vint a, vint b) { return OF_HALVES(vaddq_u16(HALVES(a), HALVES(b))); }
INTEGERS sub16(vint a, vint b) { return OF_HALVES(vsubq_u16(HALVES(a), HALVES(b))); }
INTEGERS left16(vint v, int bits) { return OF_HALVES(HALVES(v) << bits); }
INTEGERS times16(vint v, int16_t factor) {
    return OF_HALVES(vmulq_u16(HALVES(v), vdupq_n_u16((uint16_t)factor)));
}

// The 16-bit values of two vectors in turn.
static inline __attribute__((always_inline)) void zip16(vint a, vint b, vint to[2]) {
    to[0] = OF_HALVES(vzip1q_u16(HALVES(a), HALVES(b)));
    to[1] = OF_HALVES(vzip2q_u16(HALVES(a), HALVES(b)));
}
// Of each lane of 32 bits the lower, or the higher, half of a, and above it b's.
INTEGERS join_low16(vint a, vint b) { return vsliq_n_u32(a, b, 16); }
INTEGERS join_high16(vint a, vint b) { return vsriq_n_u32(b, a, 16); }

INTEGERS add32(vint a, vint b) { return vaddq_u32(a, b); }
INTEGERS sub32(vint a, vint b) { return vsubq_u32(a, b); }
INTEGERS left32(vint v, int bits) { return v << bits; }
INTEGERS right32(vint v, int bits) {
    return vreinterpretq_u32_s32(vreinterpretq_s32_u32(v) >> bits);
}
INTEGERS times32(vint v, int32_t factor) { return vmulq_u32(v, vdupq_n_u32((uint32_t)factor)); }
#undef INTEGERS
#undef HALVES
#undef OF_HALVES

#endif
