// SPDX-License-Identifier: Apache-2.0
// Small groups for base NEON, s8 rows, exact on any data (kernels/arm/convgroups.h).
//
// smull makes 8 products of 4 channels and 2 oc, exact in 16 bits; sadalp adds them in pairs to 4
// sums of 32 bits. Each lane of a pixel is doubled for that, two by two in a register.
//
// A tap of 2 pixels with groups of 4: 16 smull, 16 sadalp, 4 zips, 6 loads. By llvm-mca 22 (caches
// and branches perfect) 128 products take N1 18.2 cycles, N2 18.1, V1 and V2 9.1, A55 53.
#include "epilogue.h"

// Of each pair of oc two sums.
typedef struct sums {
    int32x4_t q[8];
} sums16;

#define GROUPS_MR 2
#define GROUPS_EACH(BODY) BODY(0) BODY(1)
#define GROUPS_SUMS sums16

NEON_INLINE sums16 groups_start(const int32_t *init) {
    const int32x4_t none = vdupq_n_s32(0);
    sums16 s;
#define BODY(i)                                             \
    s.q[2 * i] = vzip1q_s32(vld1q_s32(init + 4 * i), none); \
    s.q[2 * i + 1] = vzip2q_s32(vld1q_s32(init + 4 * i), none);
    EACH_4(BODY)
#undef BODY
    return s;
}

NEON_INLINE void groups_store(int32_t *acc, sums16 s) {
#define BODY(i) vst1q_s32(acc + 4 * i, vpaddq_s32(s.q[2 * i], s.q[2 * i + 1]));
    EACH_4(BODY)
#undef BODY
}

// Lanes 0 and 1, or 2 and 3, of a pixel, each of them twice.
typedef struct lanes {
    int8x16_t of[2];
} lanes;
NEON_INLINE lanes twice(int8x16_t x) {
    const int32x4_t v = vreinterpretq_s32_s8(x);
    return (lanes){
        {vreinterpretq_s8_s32(vzip1q_s32(v, v)), vreinterpretq_s8_s32(vzip2q_s32(v, v))}};
}

// 8 products of each half of both pixels' lanes. In one asm with what adds them: compilers move the
// products apart from the sums, and then spill.
#define PRODUCTS                                                             \
    "smull %[p].8h, %[w].8b, %[x].8b\n\tsmull %[q].8h, %[w].8b, %[y].8b\n\t" \
    "smull2 %[r].8h, %[w].16b, %[x].16b\n\tsmull2 %[t].8h, %[w].16b, %[y].16b\n\t"
#define PRODUCTS_OUT [p] "=&w"(p), [q] "=&w"(q), [r] "=&w"(r), [t] "=&w"(t)
#define PRODUCTS_IN(part) [w] "w"(w), [x] "w"(x0.of[part]), [y] "w"(x1.of[part])

// Sums `low` and `high` of each pixel, weights at `at` times the lanes of a part.
#define ADD_HALVES(low, high, part, at)                                                 \
    {                                                                                   \
        const int8x16_t w = vld1q_s8(b + (at));                                         \
        int16x8_t p, q, r, t;                                                           \
        __asm__(PRODUCTS "sadalp %[a].4s, %[p].8h\n\tsadalp %[c].4s, %[q].8h\n\t"       \
                         "sadalp %[d].4s, %[r].8h\n\tsadalp %[e].4s, %[t].8h"           \
                : [a] "+w"(s[0].q[low]), [c] "+w"(s[1].q[low]), [d] "+w"(s[0].q[high]), \
                  [e] "+w"(s[1].q[high]), PRODUCTS_OUT                                  \
                : PRODUCTS_IN(part));                                                   \
    }
// Both halves belong to one sum.
#define ADD_BOTH(sum, part, at)                                                   \
    {                                                                             \
        const int8x16_t w = vld1q_s8(b + (at));                                   \
        int16x8_t p, q, r, t;                                                     \
        __asm__(PRODUCTS "sadalp %[a].4s, %[p].8h\n\tsadalp %[c].4s, %[q].8h\n\t" \
                         "sadalp %[a].4s, %[r].8h\n\tsadalp %[c].4s, %[t].8h"     \
                : [a] "+w"(s[0].q[sum]), [c] "+w"(s[1].q[sum]), PRODUCTS_OUT      \
                : PRODUCTS_IN(part));                                             \
    }

NEON_INLINE void groups_add(sums16 s[GROUPS_MR], const int8x16_t x[GROUPS_MR], const int8_t *b) {
    const lanes x0 = twice(x[0]), x1 = twice(x[1]);
    ADD_HALVES(0, 2, 0, 0) ADD_HALVES(1, 3, 0, 16) ADD_HALVES(4, 6, 1, 32) ADD_HALVES(5, 7, 1, 48)
}
NEON_INLINE void groups_add_wide(sums16 s[GROUPS_MR], const int8x16_t x[GROUPS_MR],
                                 const int8_t *b) {
    const lanes x0 = twice(x[0]), x1 = twice(x[1]);
    ADD_BOTH(0, 0, 0)
    ADD_BOTH(1, 0, 16)
    ADD_BOTH(2, 0, 32)
    ADD_BOTH(3, 0, 48) ADD_BOTH(4, 1, 64) ADD_BOTH(5, 1, 80) ADD_BOTH(6, 1, 96) ADD_BOTH(7, 1, 112)
}

// Pairs of oc beside each other that meet both lanes of a register: those of two blocks of 4 oc, or
// one pair's two quads.
static inline void groups_arrange(const int8_t quads[2][64], bool wide, int8_t *to) {
    for (uint32_t i = 0; i < 8; i++)
        for (uint32_t half = 0; half <= wide; half++, to += 8) {
            const uint32_t pair = wide ? i : i / 4 * 4 + i % 2 * 2 + i / 2 % 2;
            memcpy(to, quads[half] + 8 * pair, 8);
        }
}

#include "kernels/arm/convgroups.h"

void quernel_uk_convgroups_s8s8_2x16x4_neon_prepare(const int8_t *panel,
                                                    const quernel_i_window *window, void *dst);
void quernel_uk_convgroups_s8s8_2x16x4_neon_prepare(const int8_t *panel,
                                                    const quernel_i_window *window, void *dst) {
    convgroups_prepare(panel, window, dst);
}

void quernel_uk_convgroups_s8s8_2x16x4_neon(const quernel_i_conv *c);
void quernel_uk_convgroups_s8s8_2x16x4_neon(const quernel_i_conv *c) { convgroups(c); }
