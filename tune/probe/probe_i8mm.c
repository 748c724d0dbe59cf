// SPDX-License-Identifier: Apache-2.0
// Matrix products of Armv8.6: smmla.
#include <arm_neon.h>

#include "tune/probe/probe.h"

uint64_t probe_i8mm(uint32_t rounds) {
    int8x16_t a = vdupq_n_s8(1), b = vdupq_n_s8(2);
    int32x4_t acc[16];
    for (int i = 0; i < 16; i++) acc[i] = vdupq_n_s32(i);
    for (uint32_t r = 0; r < rounds; r++) {
        __asm__ volatile("" : "+w"(a), "+w"(b));
        for (int i = 0; i < 16; i++) acc[i] = vmmlaq_s32(acc[i], a, b);
    }
    for (int i = 0; i < 16; i++) __asm__ volatile("" ::"w"(acc[i]));
    return (uint64_t)rounds * 16 * 32;
}
