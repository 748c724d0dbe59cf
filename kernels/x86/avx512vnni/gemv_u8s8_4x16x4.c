// SPDX-License-Identifier: Apache-2.0
// GEMV for AVX-512-VNNI: per group of 4 k one 64-byte line of weights, and one vpdpbusd and a
// broadcast per row. One row takes a line per cycle at least, as much as L2 delivers; from beyond
// L2 reading is the bound, for all four.
#include "epilogue.h"
#include "vnni.h"

#define GEMV_HALVES(op, r, u) op(c, 0, r, u)
static inline __m512i vector_of(const void *from) { return _mm512_loadu_si512(from); }
static inline __m512i vector_set(int32_t x) { return _mm512_set1_epi32(x); }
static inline __m512i vector_zero(void) { return _mm512_setzero_si512(); }
static inline __m512i vector_add(__m512i a, __m512i b) { return _mm512_add_epi32(a, b); }
static inline void vector_store(int32_t *to, __m512i v) { _mm512_store_si512(to, v); }
#include "kernels/x86/vnni_dot.h"

#include "kernels/template/gemv_dot.h" // over those above

PANEL(1, 4)
PANEL(2, 4)
PANEL(3, 4)
PANEL(4, 4)

void quernel_uk_gemv_u8s8_4x16x4_avx512vnni(const quernel_i_gemm *g);
void quernel_uk_gemv_u8s8_4x16x4_avx512vnni(const quernel_i_gemm *g) {
    static panel_function *const panels[GEMV_MR] = {panel_1, panel_2, panel_3, panel_4};
    gemv_run(g, panels);
}
