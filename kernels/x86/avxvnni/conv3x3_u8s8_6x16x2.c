// SPDX-License-Identifier: Apache-2.0
// 3x3 with stride 1 for AVX-VNNI, 36 products for 144: AVX2's kernel with products by vpdpwssd, of
// 16 bits at half the rate of bytes.
//
// Cycles for one output (a pixel and oc) of C channels, N oc, by count: multiplying
// 36·C/(16·32) = 0.070·C, inputs 0.35·C/N, outputs 0.5: 5.4, 9.9, 18.9 for C = N = 64, 128, 256,
// where the direct product takes 9·C/64 = 9, 18, 36: 108 to 122 products of the plain convolution
// a cycle, where vpdpbusd's peak is 64. With stride 2 (81 products for 144) and down the lines
// alone (half of them) half the rate eats the gain. Model (llvm-mca 14, alderlake, the loop of 6
// rows): 12.1 cycles a group of 4 k, 31.8 products a cycle. Measured on a Sapphire Rapids class
// core: 12.5, with 5 rows as many; layers from 28x28 pixels on 110 to 143 % of the direct peak.
#include "dot16.h"
#include "kernels/x86/avx2/integers.h"

#include "kernels/template/winograd_s1.h"

#define CONV3X3_TILES dot_tiles
#include "kernels/x86/avx2/conv3x3.h"

size_t quernel_uk_conv3x3_u8s8_6x16x2_avxvnni_scratch(uint32_t k_quads);
size_t quernel_uk_conv3x3_u8s8_6x16x2_avxvnni_scratch(uint32_t k_quads) {
    return conv3x3_scratch(k_quads);
}

void quernel_uk_conv3x3_u8s8_6x16x2_avxvnni_prepare(const int8_t *panel, const quernel_i_window *w,
                                                    void *dst);
void quernel_uk_conv3x3_u8s8_6x16x2_avxvnni_prepare(const int8_t *panel, const quernel_i_window *w,
                                                    void *dst) {
    conv3x3_prepare(panel, w, dst);
}

void quernel_uk_conv3x3_u8s8_6x16x2_avxvnni(const quernel_i_conv *c);
void quernel_uk_conv3x3_u8s8_6x16x2_avxvnni(const quernel_i_conv *c) { conv3x3(c); }
