// SPDX-License-Identifier: Apache-2.0
// Small groups for CPUs with the matrix products of Armv8.6, u8 rows: these would multiply 8
// channels, of which dot products have their own 4 alone (kernels/arm/convgroups.h).
#define GROUPS_DOT(sum, w, x, lane) vsudotq_laneq_s32(sum, w, vreinterpretq_u8_s8(x), lane)
#include "kernels/arm/dotprod/convgroups.h"

void quernel_uk_convgroups_u8s8_4x16x4_i8mm_prepare(const int8_t *panel,
                                                    const quernel_i_window *window, void *dst);
void quernel_uk_convgroups_u8s8_4x16x4_i8mm_prepare(const int8_t *panel,
                                                    const quernel_i_window *window, void *dst) {
    convgroups_prepare(panel, window, dst);
}

void quernel_uk_convgroups_u8s8_4x16x4_i8mm(const quernel_i_conv *c);
void quernel_uk_convgroups_u8s8_4x16x4_i8mm(const quernel_i_conv *c) { convgroups(c); }
