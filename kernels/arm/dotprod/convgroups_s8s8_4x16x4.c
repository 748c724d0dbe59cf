// SPDX-License-Identifier: Apache-2.0
// Small groups for the dot products of Armv8.2, s8 rows (kernels/arm/convgroups.h).
//
// A tap of 4 pixels with groups of 4: 16 sdot, 8 loads. By llvm-mca 22 (caches and branches
// perfect) 256 products take N1 13 cycles, N2 8.1, V1 4.3, V2 5.6, A55 37; with groups of 8 twice
// as many 23, 18.1, 9.1, 10.1, 71.
#define GROUPS_DOT(sum, w, x, lane) vdotq_laneq_s32(sum, w, x, lane)
#include "convgroups.h"

void quernel_uk_convgroups_s8s8_4x16x4_dotprod_prepare(const int8_t *panel,
                                                       const quernel_i_window *window, void *dst);
void quernel_uk_convgroups_s8s8_4x16x4_dotprod_prepare(const int8_t *panel,
                                                       const quernel_i_window *window, void *dst) {
    convgroups_prepare(panel, window, dst);
}

void quernel_uk_convgroups_s8s8_4x16x4_dotprod(const quernel_i_conv *c);
void quernel_uk_convgroups_s8s8_4x16x4_dotprod(const quernel_i_conv *c) { convgroups(c); }
