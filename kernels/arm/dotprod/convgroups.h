// SPDX-License-Identifier: Apache-2.0
// Small groups by the dot products, which multiply a quad of each of 4 oc by a lane of a pixel; who
// includes it defines
//   GROUPS_DOT(sum, w, x, lane)   sum + weights · that lane of x's bytes, four to a lane
#ifndef QUERNEL_DOTPROD_CONVGROUPS_H
#define QUERNEL_DOTPROD_CONVGROUPS_H

#include "kernels/arm/neon/epilogue.h"

#ifndef GROUPS_DOT
#error "GROUPS_DOT: the instruction that adds four products to a lane"
#endif

#define GROUPS_MR 4
#define GROUPS_EACH(BODY) EACH_4(BODY)
#define GROUPS_SUMS ints16

NEON_INLINE ints16 groups_start(const int32_t *init) { return load_ints(init); }
NEON_INLINE void groups_store(int32_t *acc, ints16 sums) { store_ints(acc, sums); }

// Block j of 4 oc of all pixels times a lane of each, by the weights at `at`.
#define DOT_LANE(j, lane, at)                             \
    {                                                     \
        const int8x16_t w = vld1q_s8(b + (at));           \
        s[0].q[j] = GROUPS_DOT(s[0].q[j], w, x[0], lane); \
        s[1].q[j] = GROUPS_DOT(s[1].q[j], w, x[1], lane); \
        s[2].q[j] = GROUPS_DOT(s[2].q[j], w, x[2], lane); \
        s[3].q[j] = GROUPS_DOT(s[3].q[j], w, x[3], lane); \
    }
NEON_INLINE void groups_add(ints16 s[GROUPS_MR], const int8x16_t x[GROUPS_MR], const int8_t *b){
    DOT_LANE(0, 0, 0) DOT_LANE(1, 1, 16) DOT_LANE(2, 2, 32) DOT_LANE(3, 3, 48)} NEON_INLINE
    void groups_add_wide(ints16 s[GROUPS_MR], const int8x16_t x[GROUPS_MR], const int8_t *b) {
    DOT_LANE(0, 0, 0)
    DOT_LANE(1, 0, 16)
    DOT_LANE(2, 2, 32)
    DOT_LANE(3, 2, 48) DOT_LANE(0, 1, 64) DOT_LANE(1, 1, 80) DOT_LANE(2, 3, 96) DOT_LANE(3, 3, 112)
}

static inline void groups_arrange(const int8_t quads[2][64], bool wide, int8_t *to) {
    memcpy(to, quads, (size_t)64 << wide);
}

#include "kernels/arm/convgroups.h"

#endif
