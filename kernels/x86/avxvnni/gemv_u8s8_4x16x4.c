// SPDX-License-Identifier: Apache-2.0
// GEMV for AVX-VNNI: per group of 4 k two 32-byte halves of a line of weights, and two vpdpbusd and
// a broadcast per row. One row takes a line per cycle at least, as much as L2 delivers; from beyond
// L2 reading is the bound, for all four.
#include "kernels/x86/avx2/epilogue.h"
#include "vnni.h"

#define GEMV_HALVES(op, r, u) op(c, 0, r, u) op(d, 8, r, u)
static inline __m256i vector_set(int32_t x) { return _mm256_set1_epi32(x); }
static inline __m256i vector_zero(void) { return _mm256_setzero_si256(); }
static inline __m256i vector_add(__m256i a, __m256i b) { return _mm256_add_epi32(a, b); }
static inline void vector_store(int32_t *to, __m256i v) { _mm256_store_si256((__m256i *)to, v); }
#include "kernels/x86/vnni_dot.h"

#include "kernels/template/gemv_dot.h" // over those above

PANEL(1, 4)
PANEL(2, 2)
PANEL(3, 2)
PANEL(4, 1)

void quernel_uk_gemv_u8s8_4x16x4_avxvnni(const quernel_i_gemm *g);
void quernel_uk_gemv_u8s8_4x16x4_avxvnni(const quernel_i_gemm *g) {
    static panel_function *const panels[GEMV_MR] = {panel_1, panel_2, panel_3, panel_4};
    gemv_run(g, panels);
}
