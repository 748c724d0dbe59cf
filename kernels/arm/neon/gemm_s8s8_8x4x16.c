// SPDX-License-Identifier: Apache-2.0
// GEMM for base NEON of up to four output channels, s8 rows (kernels/arm/gemm_narrow.h): smull
// makes 8 products of 16 bits, sadalp adds them in pairs.
//
// By llvm-mca 22 (caches and branches perfect), products a cycle with 1 and 4 output channels,
// where tiles of 16 have 0.4 and 1.8 useful ones: N1 5.8, 7.5; V1 15.8, 15.8; A55 2.6, 2.9.
#include <arm_neon.h>

#define ROWS_BY_FOUR 2
#define MULTIPLY(x, w, acc) \
    acc = add_products(vreinterpretq_s8_s32(x), vreinterpretq_s8_s32(w), acc)
static inline __attribute__((always_inline)) int32x4_t add_products(int8x16_t x, int8x16_t w,
                                                                    int32x4_t acc) {
    acc = vpadalq_s16(acc, vmull_s8(vget_low_s8(x), vget_low_s8(w)));
    return vpadalq_s16(acc, vmull_high_s8(x, w));
}
#include "kernels/arm/gemm_narrow.h"

void quernel_uk_gemm_s8s8_8x4x16_neon_prepare(const int8_t *panel, uint32_t k_quads, void *dst);
void quernel_uk_gemm_s8s8_8x4x16_neon_prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    narrow_prepare(panel, k_quads, dst);
}

void quernel_uk_gemm_s8s8_8x4x16_neon(const quernel_i_gemm *g);
void quernel_uk_gemm_s8s8_8x4x16_neon(const quernel_i_gemm *g) { narrow_run(g, tiles); }
