// SPDX-License-Identifier: Apache-2.0
// Blends for AVX2: 8 channels a vector.
#include "kernels/ukr.h"
#include "kernels/x86/turn_8x4.h" // store_dwords
#include "vector.h"

static inline vfloat of_ints(__m256i q, int32_t zero) {
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(q, _mm256_set1_epi32(zero)));
}
static inline __m128i load_8(const uint8_t *at) { return _mm_loadl_epi64((const __m128i *)at); }
static inline void store(float *y, vfloat v) { _mm256_storeu_ps(y, v); }

#define BLEND_RUN blend_u8
#define BLEND_LANES 8
#define BLEND_ELEMENT 1
#define BLEND_LOAD(at, zero) of_ints(_mm256_cvtepu8_epi32(load_8(at)), zero)
#define BLEND_STORE store
#define BLEND_STORE_SOME store_dwords
#include "kernels/template/blend.h"

#define BLEND_RUN blend_s8
#define BLEND_LANES 8
#define BLEND_ELEMENT 1
#define BLEND_LOAD(at, zero) of_ints(_mm256_cvtepi8_epi32(load_8(at)), zero)
#define BLEND_STORE store
#define BLEND_STORE_SOME store_dwords
#include "kernels/template/blend.h"

#define BLEND_RUN blend_f32
#define BLEND_LANES 8
#define BLEND_ELEMENT 4
#define BLEND_LOAD(at, zero) _mm256_loadu_ps((const float *)(const void *)(at))
#define BLEND_LOAD_SOME(at, n, zero) \
    _mm256_maskload_ps((const float *)(const void *)(at), lanes_mask(n))
#define BLEND_STORE store
#define BLEND_STORE_SOME store_dwords
#include "kernels/template/blend.h"

#define BLEND_RUN blend_bf16
#define BLEND_LANES 8
#define BLEND_ELEMENT 2
#define BLEND_LOAD(at, zero)               \
    _mm256_castsi256_ps(_mm256_slli_epi32( \
        _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)(at))), 16))
#define BLEND_STORE store
#define BLEND_STORE_SOME store_dwords
#include "kernels/template/blend.h"

#define KERNEL(name, run)                \
    void name(const quernel_i_blend *b); \
    void name(const quernel_i_blend *b) { run(b); }
KERNEL(quernel_uk_blend_u8_1x8x1_avx2, blend_u8)
KERNEL(quernel_uk_blend_s8_1x8x1_avx2, blend_s8)
KERNEL(quernel_uk_blend_f32_1x8x1_avx2, blend_f32)
KERNEL(quernel_uk_blend_bf16_1x8x1_avx2, blend_bf16)
