// SPDX-License-Identifier: Apache-2.0
// Winograd's algorithm down the lines for base NEON, u8 rows: as convlines_s8s8_2x16x4.c. Points of
// rows are at most 5355, of weights 15 360 (winograd_lines.h): their sum stays within 16 bits.
#define WIDEN(bytes) vreinterpretq_u32_u16(vmovl_u8(bytes))
#include "convlines.h"

size_t quernel_uk_convlines_u8s8_2x16x4_neon_scratch(uint32_t k_quads);
size_t quernel_uk_convlines_u8s8_2x16x4_neon_scratch(uint32_t k_quads) {
    return convlines_scratch(k_quads);
}

void quernel_uk_convlines_u8s8_2x16x4_neon_prepare(const int8_t *panel, const quernel_i_window *w,
                                                   void *dst);
void quernel_uk_convlines_u8s8_2x16x4_neon_prepare(const int8_t *panel, const quernel_i_window *w,
                                                   void *dst) {
    convlines_prepare(panel, w, dst);
}

void quernel_uk_convlines_u8s8_2x16x4_neon(const quernel_i_conv *c);
void quernel_uk_convlines_u8s8_2x16x4_neon(const quernel_i_conv *c) { convlines(c); }
