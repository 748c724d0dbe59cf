// SPDX-License-Identifier: Apache-2.0
// GEMM for AVX-VNNI of up to four output channels (gemm_narrow.h): tiles of 8 rows x 1, 4 x 2, 2 x
// 3 or 2 x 4. Per 32 k a load for each row and each output channel, and 8 (6) vpdpbusd: 4 cycles on
// two ports.
#include "kernels/x86/avx2/epilogue.h"
#include "vnni.h"

#define DOT_LANES 8
#define NARROW_SUMS DOT_LANES
static inline __m256i dots_of(const void *from) { return vector_of(from); }
static inline __m256i dots_some(const void *from, uint32_t n) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_epi32(from, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lanes));
}
static inline __m256i dots_start(int32_t x) { return _mm256_zextsi128_si256(_mm_cvtsi32_si128(x)); }
static inline __m256i add_fours(const __m256i v[4]) {
    return _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));
}
static inline __attribute__((always_inline)) void add_up(int32_t *to,
                                                         const __m256i v[NARROW_SUMS]) {
    const __m256i low = add_fours(v), high = add_fours(v + 4);
    _mm256_storeu_si256((__m256i *)to,
                        _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20),
                                         _mm256_permute2x128_si256(low, high, 0x31)));
}
#include "kernels/x86/vnni_dot.h"

#include "kernels/template/gemm_narrow.h"

NARROW_TILE(1, 1)
NARROW_TILE(8, 1)
NARROW_TILE(1, 2)
NARROW_TILE(4, 2)
NARROW_TILE(1, 3)
NARROW_TILE(2, 3)
NARROW_TILE(1, 4)
NARROW_TILE(2, 4)

void quernel_uk_gemm_u8s8_8x4x32_avxvnni_prepare(const int8_t *panel, uint32_t k_quads, void *dst);
void quernel_uk_gemm_u8s8_8x4x32_avxvnni_prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    narrow_prepare(panel, k_quads, dst);
}

void quernel_uk_gemm_u8s8_8x4x32_avxvnni(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_8x4x32_avxvnni(const quernel_i_gemm *g) {
    static const narrow_tiles tiles[NARROW_NR] = {{narrow_1_1, narrow_8_1, 8},
                                                  {narrow_1_2, narrow_4_2, 4},
                                                  {narrow_1_3, narrow_2_3, 2},
                                                  {narrow_1_4, narrow_2_4, 2}};
    narrow_run(g, tiles);
}
