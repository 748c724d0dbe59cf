// SPDX-License-Identifier: Apache-2.0
// Base NEON: smull, smull2 and two sadalp of 16 products, and 16-byte loads.
#include <arm_neon.h>

#include "tune/probe/probe.h"

uint64_t probe_neon(uint32_t rounds) {
    int8x16_t a = vdupq_n_s8(1), b = vdupq_n_s8(2);
    int32x4_t acc[8];
    for (int i = 0; i < 8; i++) acc[i] = vdupq_n_s32(i);
    for (uint32_t r = 0; r < rounds; r++) {
        __asm__ volatile("" : "+w"(a), "+w"(b));
        for (int i = 0; i < 8; i += 2) {
            acc[i] = vpadalq_s16(acc[i], vmull_s8(vget_low_s8(a), vget_low_s8(b)));
            acc[i + 1] = vpadalq_s16(acc[i + 1], vmull_high_s8(a, b));
        }
    }
    for (int i = 0; i < 8; i++) __asm__ volatile("" ::"w"(acc[i]));
    return (uint64_t)rounds * 4 * 16;
}

void probe_read_neon(const void *from, size_t bytes) {
    const uint8_t *p = from, *end = p + bytes;
    uint8x16_t a = vdupq_n_u8(0), b = a;
    for (; p < end; p += 64) {
        a = vorrq_u8(vorrq_u8(a, vld1q_u8(p)), vld1q_u8(p + 16));
        b = vorrq_u8(vorrq_u8(b, vld1q_u8(p + 32)), vld1q_u8(p + 48));
    }
    __asm__ volatile("" ::"w"(vorrq_u8(a, b)));
}
