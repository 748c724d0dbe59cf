// SPDX-License-Identifier: Apache-2.0
// GEMM for the dot products of Armv8.2 of up to four output channels, s8 rows
// (kernels/arm/gemm_narrow.h).
//
// By llvm-mca 22 (caches and branches perfect), products a cycle with 1 and 4 output channels,
// where tiles of 16 have 1.8 and 7.1 useful ones on N1: N1 9.8, 18.2; V1 28.1, 50.6; A55 5.6, 8.3.
#include <arm_neon.h>

#define ROWS_BY_FOUR 4
#define MULTIPLY(x, w, acc) acc = vdotq_s32(acc, vreinterpretq_s8_s32(w), vreinterpretq_s8_s32(x))
#include "kernels/arm/gemm_narrow.h"

void quernel_uk_gemm_s8s8_8x4x16_dotprod_prepare(const int8_t *panel, uint32_t k_quads, void *dst);
void quernel_uk_gemm_s8s8_8x4x16_dotprod_prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    narrow_prepare(panel, k_quads, dst);
}

void quernel_uk_gemm_s8s8_8x4x16_dotprod(const quernel_i_gemm *g);
void quernel_uk_gemm_s8s8_8x4x16_dotprod(const quernel_i_gemm *g) { narrow_run(g, tiles); }
