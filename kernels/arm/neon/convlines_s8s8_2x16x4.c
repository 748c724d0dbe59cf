// SPDX-License-Identifier: Apache-2.0
// Convolution by Winograd's algorithm down the lines (template/convlines.h) for base NEON, s8 rows,
// by half as many multiplications (inner16.h).
//
// Speed is a model: llvm-mca 22, caches and branches perfect; no Arm processor was timed. Cycles on
// Cortex-A72 · Cortex-A53 · Neoverse N1 for one output (a pixel and oc) of 7x7 with stride 2, 3
// channels, 64 oc, where the product takes 21 · 48 · 21:
//   products   12.9 · 35 · 14.2: 7/4 points of 11 quads, each 10.7 · 29 · 11.8 for 16 oc with the
//   terms of rows and weights; 1.9 · 4.5 · 2.1 for beginnings and ends of register tiles
//   outputs    1.6 · 4.4 · 1.8
//   inputs     0.3 · 0.6 · 0.3
// 1.27 · 1.08 · 1.15 times as fast; 5x5 with stride 2 0.87 at best, 3x3 less.
#define WIDEN(bytes) vreinterpretq_u32_s16(vmovl_s8(vreinterpret_s8_u8(bytes)))
#include "convlines.h"

size_t quernel_uk_convlines_s8s8_2x16x4_neon_scratch(uint32_t k_quads);
size_t quernel_uk_convlines_s8s8_2x16x4_neon_scratch(uint32_t k_quads) {
    return convlines_scratch(k_quads);
}

void quernel_uk_convlines_s8s8_2x16x4_neon_prepare(const int8_t *panel, const quernel_i_window *w,
                                                   void *dst);
void quernel_uk_convlines_s8s8_2x16x4_neon_prepare(const int8_t *panel, const quernel_i_window *w,
                                                   void *dst) {
    convlines_prepare(panel, w, dst);
}

void quernel_uk_convlines_s8s8_2x16x4_neon(const quernel_i_conv *c);
void quernel_uk_convlines_s8s8_2x16x4_neon(const quernel_i_conv *c) { convlines(c); }
