// SPDX-License-Identifier: Apache-2.0
// GEMM for CPUs with the matrix products of Armv8.6 of up to four output channels, s8 rows: by dot
// products, for which rows need not be gathered in pairs.
#include <arm_neon.h>

#define ROWS_BY_FOUR 4
#define MULTIPLY(x, w, acc) acc = vdotq_s32(acc, vreinterpretq_s8_s32(w), vreinterpretq_s8_s32(x))
#include "kernels/arm/gemm_narrow.h"

void quernel_uk_gemm_s8s8_8x4x16_i8mm_prepare(const int8_t *panel, uint32_t k_quads, void *dst);
void quernel_uk_gemm_s8s8_8x4x16_i8mm_prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    narrow_prepare(panel, k_quads, dst);
}

void quernel_uk_gemm_s8s8_8x4x16_i8mm(const quernel_i_gemm *g);
void quernel_uk_gemm_s8s8_8x4x16_i8mm(const quernel_i_gemm *g) { narrow_run(g, tiles); }
