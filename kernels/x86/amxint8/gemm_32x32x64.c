// SPDX-License-Identifier: Apache-2.0
// GEMM for AMX, u8 and s8 rows: blocks of 2 x 2 tiles, 32 rows x 32 output channels.
//
// A step: 4 tile loads (64 cache lines, 32 cycles on two load ports) for 4 products (64 cycles):
// 1024 MAC/cycle is the bound. Stores of a block hidden in the first step of the next, its epilogue
// spread over the rest (gemm.h): with 9 steps (3x3, 64 channels) 32 rows by 4 in 8 steps, 3.4
// cycles per 16 outputs on ports that products leave free. Where there are fewer than 4 steps the
// epilogue (220 cycles a block) is the bound: 1x1 with 64 channels cannot pass 29 %. Not timed
// here; a prototype of this design reached 91–94 % on 3x3 layers (64.2 cycles a step).
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
