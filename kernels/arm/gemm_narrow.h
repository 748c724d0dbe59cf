// SPDX-License-Identifier: Apache-2.0
// GEMM of up to four output channels (template/gemm_narrow.h) by vectors of 16 k; who includes it
// defines
//   MULTIPLY      of the template
//   ROWS_BY_FOUR  rows of a tile of four output channels: 2, or 4 where a product takes no register
//                 beside its operands
// Others are 8 rows x 1, 4 x 2, 4 x 3: per 16 k a load for each row and each output channel.
#ifndef QUERNEL_ARM_GEMM_NARROW_H
#define QUERNEL_ARM_GEMM_NARROW_H

#if !defined MULTIPLY || !defined ROWS_BY_FOUR
#error "MULTIPLY, ROWS_BY_FOUR: the product, and a tile"
#endif

#include "kernels/arm/neon/bytes.h"
#include "kernels/arm/neon/epilogue.h"

#define DOT_VECTOR int32x4_t
#define DOT_LANES 4
#define NARROW_SUMS 16
NEON_INLINE int32x4_t dots_of(const void *from) { return vreinterpretq_s32_u8(vld1q_u8(from)); }
NEON_INLINE int32x4_t dots_some(const void *from, uint32_t n) {
    return vreinterpretq_s32_u8(load_bytes(from, 4 * n));
}
NEON_INLINE int32x4_t dots_start(int32_t x) { return vsetq_lane_s32(x, vdupq_n_s32(0), 0); }
NEON_INLINE void add_up(int32_t *to, const int32x4_t v[NARROW_SUMS]) {
#define BODY(i)                                                          \
    vst1q_s32(to + 4 * i, vpaddq_s32(vpaddq_s32(v[4 * i], v[4 * i + 1]), \
                                     vpaddq_s32(v[4 * i + 2], v[4 * i + 3])));
    EACH_4(BODY)
#undef BODY
}

#include "kernels/template/gemm_narrow.h"

NARROW_TILE(1, 1)
NARROW_TILE(8, 1)
NARROW_TILE(1, 2)
NARROW_TILE(4, 2)
NARROW_TILE(1, 3)
NARROW_TILE(4, 3)
NARROW_TILE(1, 4)
// Whose arguments are macros.
#define TILE_OF(rows, oc) NARROW_TILE(rows, oc)
#define PASTE_NAME(rows, oc) narrow_##rows##_##oc
#define NAME_OF(rows, oc) PASTE_NAME(rows, oc)
TILE_OF(ROWS_BY_FOUR, 4)
static const narrow_tiles tiles[NARROW_NR] = {{narrow_1_1, narrow_8_1, 8},
                                              {narrow_1_2, narrow_4_2, 4},
                                              {narrow_1_3, narrow_4_3, 4},
                                              {narrow_1_4, NAME_OF(ROWS_BY_FOUR, 4), ROWS_BY_FOUR}};

#endif
