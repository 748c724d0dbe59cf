// SPDX-License-Identifier: Apache-2.0
// 3x3 with stride 1, 36 products for 144.
//
// Cycles for one output (a pixel and oc) of C channels, N oc; multiplying alone is
// 36·C/(16·24) = 0.094·C:
//   inputs    17 operations on each of 12 lines of 16 channels x 16 pixels, 36 widening loads, 72
//   stores: about 0.35·C/N outputs   13 operations on each of 10 lines of 8 output channels x 16
//   pixels, 16 products by the inverse, 36 loads: about 0.5 weights   about 3 for each of C·N, once
//   a strip
// so 6.9, 12.9, 24.9 for C = N = 64, 128, 256, where the direct product takes 24, 48, 96: 2.25·24 =
// 54 … 86 products of the plain convolution a cycle where vpmaddubsw's peak is 32. Weights of 256
// channels (4.7 MB) stream from L3, 3.4 bytes a cycle.
#include "integers.h"
#include "kernels/template/winograd_s1.h"

#include "madd16.h"
#define CONV3X3_TILES tiles
#include "conv3x3.h"

size_t quernel_uk_conv3x3_u8s8_6x16x2_avx2_scratch(uint32_t k_quads);
size_t quernel_uk_conv3x3_u8s8_6x16x2_avx2_scratch(uint32_t k_quads) {
    return conv3x3_scratch(k_quads);
}

void quernel_uk_conv3x3_u8s8_6x16x2_avx2_prepare(const int8_t *panel, const quernel_i_window *w,
                                                 void *dst);
void quernel_uk_conv3x3_u8s8_6x16x2_avx2_prepare(const int8_t *panel, const quernel_i_window *w,
                                                 void *dst) {
    conv3x3_prepare(panel, w, dst);
}

void quernel_uk_conv3x3_u8s8_6x16x2_avx2(const quernel_i_conv *c);
void quernel_uk_conv3x3_u8s8_6x16x2_avx2(const quernel_i_conv *c) { conv3x3(c); }
