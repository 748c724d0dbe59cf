// SPDX-License-Identifier: Apache-2.0
// 3x3 with stride 2 for base NEON, u8 rows: as conv3x3s2f4_s8s8_2x16x4.c. Points of rows are at
// most 4590, of weights 4608 (winograd_s2f4.h): their sum stays within 16 bits.
#include "integers.h"
#include "kernels/template/winograd_s2f4.h"

#define WIDEN(bytes) vreinterpretq_u32_u16(vmovl_u8(bytes))
#include "conv3x3.h"

size_t quernel_uk_conv3x3s2f4_u8s8_2x16x4_neon_scratch(uint32_t k_quads);
size_t quernel_uk_conv3x3s2f4_u8s8_2x16x4_neon_scratch(uint32_t k_quads) {
    return conv3x3_scratch(k_quads);
}

void quernel_uk_conv3x3s2f4_u8s8_2x16x4_neon_prepare(const int8_t *panel, const quernel_i_window *w,
                                                     void *dst);
void quernel_uk_conv3x3s2f4_u8s8_2x16x4_neon_prepare(const int8_t *panel, const quernel_i_window *w,
                                                     void *dst) {
    conv3x3_prepare(panel, w, dst);
}

void quernel_uk_conv3x3s2f4_u8s8_2x16x4_neon(const quernel_i_conv *c);
void quernel_uk_conv3x3s2f4_u8s8_2x16x4_neon(const quernel_i_conv *c) { conv3x3(c); }
