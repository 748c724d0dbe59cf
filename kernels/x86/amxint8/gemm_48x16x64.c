// SPDX-License-Identifier: Apache-2.0
// GEMM for AMX, u8 and s8 rows: blocks of 3 x 1 tiles, 48 rows x 16 output channels.
//
// A step: 4 tile loads (64 cache lines, 32 cycles on two load ports) for 3 products (48 cycles):
// 1024 MAC/cycle is the bound. For layers of 16 output channels or fewer, where 2 x 2 tiles would
// be 2 x 1 with 3 loads for 2 products and two chains, too few for a product's latency of 52
// cycles; three chains of 16 cycles nearly hide it. How its parts work: gemm.h.
#define ROW_TILES 3
#define COLUMN_TILES 1
// clang-format off
#define SEQUENCE(rows, weights, dot)                                                     \
    weights(0, 7) rows(0, 4) rows(1, 5) rows(2, 6) dot(0, 0, 0, 4, 7) dot(1, 0, 1, 5, 7) \
    dot(2, 0, 2, 6, 7)
// clang-format on
#include "gemm.h"

size_t quernel_uk_gemm_u8s8_48x16x64_amxint8_scratch(uint32_t k_quads);
size_t quernel_uk_gemm_u8s8_48x16x64_amxint8_scratch(uint32_t k_quads) {
    return scratch_bytes(k_quads);
}
size_t quernel_uk_gemm_s8s8_48x16x64_amxint8_scratch(uint32_t k_quads);
size_t quernel_uk_gemm_s8s8_48x16x64_amxint8_scratch(uint32_t k_quads) {
    return scratch_bytes(k_quads);
}
void quernel_uk_gemm_u8s8_48x16x64_amxint8(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_48x16x64_amxint8(const quernel_i_gemm *g) { gemm(g, false); }
void quernel_uk_gemm_s8s8_48x16x64_amxint8(const quernel_i_gemm *g);
void quernel_uk_gemm_s8s8_48x16x64_amxint8(const quernel_i_gemm *g) { gemm(g, true); }
