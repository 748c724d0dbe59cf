// SPDX-License-Identifier: Apache-2.0
// GEMM for AVX-512-VNNI of up to four output channels (gemm_narrow.h): tiles of 16 rows x 1, 8 x 2,
// 5 x 3 or 4 x 4. Per 64 k a load for each row and each output channel, and 16 (15) vpdpbusd: 8
// cycles on two ports, and 30 shuffles to add up 16 vectors' lanes at the end.
#include "epilogue.h"
#include "vnni.h"

#define DOT_LANES 16
#define NARROW_SUMS DOT_LANES
static inline __m512i dots_of(const void *from) { return _mm512_loadu_si512(from); }
static inline __m512i dots_some(const void *from, uint32_t n) {
    return _mm512_maskz_loadu_epi32(lanes(n), from);
}
static inline __m512i dots_start(int32_t x) { return _mm512_maskz_set1_epi32(1, x); }
static inline __m512i add_pairs(__m512i v0, __m512i v1) {
    return _mm512_add_epi32(_mm512_unpacklo_epi32(v0, v1), _mm512_unpackhi_epi32(v0, v1));
}
static inline __m512i add_fours(const __m512i v[4]) {
    const __m512i v01 = add_pairs(v[0], v[1]), v23 = add_pairs(v[2], v[3]);
    return _mm512_add_epi32(_mm512_unpacklo_epi64(v01, v23), _mm512_unpackhi_epi64(v01, v23));
}
static inline __m512i add_quarters(__m512i v0, __m512i v1) {
    return _mm512_add_epi32(_mm512_shuffle_i32x4(v0, v1, 0x88), _mm512_shuffle_i32x4(v0, v1, 0xdd));
}
static inline __attribute__((always_inline)) void add_up(int32_t *to,
                                                         const __m512i v[NARROW_SUMS]) {
    _mm512_storeu_si512(to, add_quarters(add_quarters(add_fours(v), add_fours(v + 4)),
                                         add_quarters(add_fours(v + 8), add_fours(v + 12))));
}
#include "kernels/x86/vnni_dot.h"

#include "kernels/template/gemm_narrow.h"

NARROW_TILE(1, 1)
NARROW_TILE(16, 1)
NARROW_TILE(1, 2)
NARROW_TILE(8, 2)
NARROW_TILE(1, 3)
NARROW_TILE(5, 3)
NARROW_TILE(1, 4)
NARROW_TILE(4, 4)

void quernel_uk_gemm_u8s8_16x4x64_avx512vnni_prepare(const int8_t *panel, uint32_t k_quads,
                                                     void *dst);
void quernel_uk_gemm_u8s8_16x4x64_avx512vnni_prepare(const int8_t *panel, uint32_t k_quads,
                                                     void *dst) {
    narrow_prepare(panel, k_quads, dst);
}

void quernel_uk_gemm_u8s8_16x4x64_avx512vnni(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_16x4x64_avx512vnni(const quernel_i_gemm *g) {
    static const narrow_tiles tiles[NARROW_NR] = {{narrow_1_1, narrow_16_1, 16},
                                                  {narrow_1_2, narrow_8_2, 8},
                                                  {narrow_1_3, narrow_5_3, 5},
                                                  {narrow_1_4, narrow_4_4, 4}};
    narrow_run(g, tiles);
}
