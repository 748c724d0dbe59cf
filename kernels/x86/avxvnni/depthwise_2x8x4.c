// SPDX-License-Identifier: Apache-2.0
// Depthwise for AVX-VNNI, u8 and s8 rows: 8 channels in a register, two output lines, of 7x7 one
// (kernels/template/depthwise_dot.h).
//
// A pixel of 3x3: 4 unpacks and an insert, 1 xor, 6 vpdpbusd for two times 8 outputs, then AVX2's
// epilogue. Model (llvm-mca 14, alderlake, the loops alone), cycles for 16 outputs: 3x3 7.8,
// 5x5 16.6, 7x7 27.6; not timed here.
#include "kernels/x86/avx2/epilogue.h"
#include "vnni.h"

enum { CHANNELS = 8, SEVEN = 1 };

static inline __m256i vector_bytes(int8_t x) { return _mm256_set1_epi8(x); }
static inline __m256i vector_zero(void) { return _mm256_setzero_si256(); }
static inline __m256i vector_xor(__m256i a, __m256i b) { return _mm256_xor_si256(a, b); }
static inline __m256i vector_add(__m256i a, __m256i b) { return _mm256_add_epi32(a, b); }
static inline __m256i vector_sub(__m256i a, __m256i b) { return _mm256_sub_epi32(a, b); }
static inline void vector_store(int32_t *to, __m256i v) { _mm256_store_si256((__m256i *)to, v); }

static inline __attribute__((always_inline)) __m128i bytes_of(const uint8_t *a, uint32_t count) {
    uint8_t some[CHANNELS] = {0};
    if (count < CHANNELS) memcpy(some, a, count), a = some;
    return _mm_loadl_epi64((const __m128i *)a);
}

static inline __attribute__((always_inline)) __m256i interleave(const uint8_t *const at[4],
                                                                uint32_t count) {
    const __m128i upper = _mm_unpacklo_epi8(bytes_of(at[0], count), bytes_of(at[1], count));
    const __m128i lower = _mm_unpacklo_epi8(bytes_of(at[2], count), bytes_of(at[3], count));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi16(upper, lower)),
                                   _mm_unpackhi_epi16(upper, lower), 1);
}
#include "kernels/template/depthwise_dot.h"

void quernel_uk_depthwise_u8s8_2x8x4_avxvnni(const quernel_i_depthwise *d);
void quernel_uk_depthwise_u8s8_2x8x4_avxvnni(const quernel_i_depthwise *d) { depthwise(d, false); }
void quernel_uk_depthwise_s8s8_2x8x4_avxvnni(const quernel_i_depthwise *d);
void quernel_uk_depthwise_s8s8_2x8x4_avxvnni(const quernel_i_depthwise *d) { depthwise(d, true); }
