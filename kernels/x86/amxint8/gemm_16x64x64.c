// SPDX-License-Identifier: Apache-2.0
// GEMM for AMX, u8 and s8 rows: blocks of 1 x 4 tiles, 16 rows x 64 output channels.
//
// A step: 5 tile loads (80 cache lines, 40 cycles on two load ports) for 4 products (64 cycles):
// 1024 MAC/cycle is the bound, with less room for loads than 2 x 2 tiles. The fourth tile of
// weights takes the place of the first when its product is done: with rows in 4 and sums in 0 … 3
// there are only three. For calls of up to 16 rows, where 2 x 2 tiles would be 1 x 2, and where a
// row of results should be a whole cache line: 64 output channels of bytes. How its parts work:
// gemm.h.
#define ROW_TILES 1
#define COLUMN_TILES 4
// clang-format off
#define SEQUENCE(rows, weights, dot)                                                      \
    rows(0, 4) weights(0, 5) weights(1, 6) weights(2, 7) dot(0, 0, 0, 4, 5) weights(3, 5) \
    dot(0, 1, 1, 4, 6)                                                                    \
    dot(0, 2, 2, 4, 7) dot(0, 3, 3, 4, 5)
// clang-format on
#include "gemm.h"

size_t quernel_uk_gemm_u8s8_16x64x64_amxint8_scratch(uint32_t k_quads);
size_t quernel_uk_gemm_u8s8_16x64x64_amxint8_scratch(uint32_t k_quads) {
    return scratch_bytes(k_quads);
}
size_t quernel_uk_gemm_s8s8_16x64x64_amxint8_scratch(uint32_t k_quads);
size_t quernel_uk_gemm_s8s8_16x64x64_amxint8_scratch(uint32_t k_quads) {
    return scratch_bytes(k_quads);
}
void quernel_uk_gemm_u8s8_16x64x64_amxint8(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_16x64x64_amxint8(const quernel_i_gemm *g) { gemm(g, false); }
void quernel_uk_gemm_s8s8_16x64x64_amxint8(const quernel_i_gemm *g);
void quernel_uk_gemm_s8s8_16x64x64_amxint8(const quernel_i_gemm *g) { gemm(g, true); }
