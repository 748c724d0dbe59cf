// SPDX-License-Identifier: Apache-2.0
// 3x3 with stride 1 for base NEON, s8 rows, 36 products of 16 bits for 144, by half as many
// multiplications (inner16.h).
//
// Speed is a model: llvm-mca 22, caches and branches perfect; no Arm processor was timed. Cycles on
// Cortex-A72 · Cortex-A53 · Neoverse N1 (python3 bench/mca_conv3x3.py BUILD), of a tile of 4x4
// outputs of C channels, N oc:
//   products   18 · 52 · 21 for 128 of them, with the terms of weights 9.4 · 27 · 10.8 for 64:
//   36·C·N/64 times that, and 38 · 93 · 43 an oc for beginnings and ends of register tiles
//   inputs     39 · 101 · 41 for a channel, terms of rows included
//   outputs    44 · 122 · 48 for an oc, before the epilogue
// Products of the plain convolution a cycle for C = N = 16, 64, 256: 11.2, 20.0, 25.0 · 4.1, 7.2,
// 8.8 · 10.0, 17.6, 21.7, where the product makes 8.0 · 3.5 · 8.0, and sdot 28.4 on the N1.
#include "integers.h"
#include "kernels/template/winograd_s1.h"

#define WIDEN(bytes) vreinterpretq_u32_s16(vmovl_s8(vreinterpret_s8_u8(bytes)))
#include "conv3x3.h"

size_t quernel_uk_conv3x3_s8s8_2x16x4_neon_scratch(uint32_t k_quads);
size_t quernel_uk_conv3x3_s8s8_2x16x4_neon_scratch(uint32_t k_quads) {
    return conv3x3_scratch(k_quads);
}

void quernel_uk_conv3x3_s8s8_2x16x4_neon_prepare(const int8_t *panel, const quernel_i_window *w,
                                                 void *dst);
void quernel_uk_conv3x3_s8s8_2x16x4_neon_prepare(const int8_t *panel, const quernel_i_window *w,
                                                 void *dst) {
    conv3x3_prepare(panel, w, dst);
}

void quernel_uk_conv3x3_s8s8_2x16x4_neon(const quernel_i_conv *c);
void quernel_uk_conv3x3_s8s8_2x16x4_neon(const quernel_i_conv *c) { conv3x3(c); }
