// SPDX-License-Identifier: Apache-2.0
// GEMM for AMX, u8 and s8 rows: blocks of 2 x 2 tiles, 32 rows x 32 output channels.
//
// A step: 4 tile loads (64 cache lines, 32 cycles on two load ports) for 4 products (64 cycles):
// 1024 MAC/cycle is the bound. On an Emerald Rapids the unit takes 64 cycles for zeros and 75 for
// other data, whose power it seems to follow; in L1, without results, a step takes no more. Then:
// 80 % of that with 18 steps (K = 1152), 75 % with 9, 50 % with 4, 36 % with 2, 24 % with 1. What
// is lost is some 230 cycles a block between its last product and the next one's second step, where
// sums are stored, and where the epilogue (136 cycles for 16 x 2 rows at best) has no products
// beside it.
#define ROW_TILES 2
#define COLUMN_TILES 2
// clang-format off
#define SEQUENCE(rows, weights, dot)                                                        \
    rows(0, 4) weights(0, 6) weights(1, 7) rows(1, 5) dot(0, 0, 0, 4, 6) dot(0, 1, 1, 4, 7) \
    dot(1, 0, 2, 5, 6)                                                                      \
    dot(1, 1, 3, 5, 7)
// clang-format on
#include "gemm.h"

size_t quernel_uk_gemm_u8s8_32x32x64_amxint8_scratch(uint32_t k_quads);
size_t quernel_uk_gemm_u8s8_32x32x64_amxint8_scratch(uint32_t k_quads) {
    return scratch_bytes(k_quads);
}
size_t quernel_uk_gemm_s8s8_32x32x64_amxint8_scratch(uint32_t k_quads);
size_t quernel_uk_gemm_s8s8_32x32x64_amxint8_scratch(uint32_t k_quads) {
    return scratch_bytes(k_quads);
}
void quernel_uk_gemm_u8s8_32x32x64_amxint8(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_32x32x64_amxint8(const quernel_i_gemm *g) { gemm(g, false); }
void quernel_uk_gemm_s8s8_32x32x64_amxint8(const quernel_i_gemm *g);
void quernel_uk_gemm_s8s8_32x32x64_amxint8(const quernel_i_gemm *g) { gemm(g, true); }
