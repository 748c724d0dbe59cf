// SPDX-License-Identifier: Apache-2.0
// Pools for AVX2.
//
// Maxima of bytes: a load and a maximum for 32 channels of a tap, two vectors side by side, so that
// the loop over the taps weighs half: 9 taps of 64 channels are 18 loads, 9 cycles at two a cycle.
// Sums of bytes are added in lanes of 16 bits, which hold 256 of them: 5 micro-operations for 32
// channels of a tap. s8 is summed as u8, 128 more each. Floats: 8 channels a vector, four of them.
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels/ukr.h"

static inline __m256i load(const void *at) { return _mm256_loadu_si256(at); }

static inline __m256 load_bf16(const void *at) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(at)), 16));
}

#define POOL_RUN max_u8
#define POOL_LANES 32
#define POOL_ELEMENT 1
#define POOL_RESULT 1
#define POOL_VECTORS 2
#define POOL_INNER __m256i
#define POOL_OUTER __m256i
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 0
#define POOL_START _mm256_setzero_si256()
#define POOL_ADD(inner, at) _mm256_max_epu8(inner, load(at))
#define POOL_OUTER_START(p) _mm256_setzero_si256()
#define POOL_FLUSH(outer, inner) _mm256_max_epu8(outer, inner)
#define POOL_STORE(y, v, p) _mm256_storeu_si256((__m256i *)(void *)(y), v)
#include "kernels/template/pool.h"

#define POOL_RUN max_s8
#define POOL_LANES 32
#define POOL_ELEMENT 1
#define POOL_RESULT 1
#define POOL_VECTORS 2
#define POOL_INNER __m256i
#define POOL_OUTER __m256i
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 0
#define POOL_START _mm256_set1_epi8(-128)
#define POOL_ADD(inner, at) _mm256_max_epi8(inner, load(at))
#define POOL_OUTER_START(p) _mm256_set1_epi8(-128)
#define POOL_FLUSH(outer, inner) _mm256_max_epi8(outer, inner)
#define POOL_STORE(y, v, p) _mm256_storeu_si256((__m256i *)(void *)(y), v)
#include "kernels/template/pool.h"

// Fewer than 32 channels.
static inline __m128i load_16(const void *at) { return _mm_loadu_si128(at); }

#define POOL_RUN max16_u8
#define POOL_LANES 16
#define POOL_ELEMENT 1
#define POOL_RESULT 1
#define POOL_VECTORS 1
#define POOL_INNER __m128i
#define POOL_OUTER __m128i
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 0
#define POOL_START _mm_setzero_si128()
#define POOL_ADD(inner, at) _mm_max_epu8(inner, load_16(at))
#define POOL_OUTER_START(p) _mm_setzero_si128()
#define POOL_FLUSH(outer, inner) _mm_max_epu8(outer, inner)
#define POOL_STORE(y, v, p) _mm_storeu_si128((__m128i *)(void *)(y), v)
#include "kernels/template/pool.h"

#define POOL_RUN max16_s8
#define POOL_LANES 16
#define POOL_ELEMENT 1
#define POOL_RESULT 1
#define POOL_VECTORS 1
#define POOL_INNER __m128i
#define POOL_OUTER __m128i
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 0
#define POOL_START _mm_set1_epi8(-128)
#define POOL_ADD(inner, at) _mm_max_epi8(inner, load_16(at))
#define POOL_OUTER_START(p) _mm_set1_epi8(-128)
#define POOL_FLUSH(outer, inner) _mm_max_epi8(outer, inner)
#define POOL_STORE(y, v, p) _mm_storeu_si128((__m128i *)(void *)(y), v)
#include "kernels/template/pool.h"

// The maximum of x86 returns its second operand for NaN and for equal zeros: e > u ? e : u.
#define POOL_RUN max_f32
#define POOL_LANES 8
#define POOL_ELEMENT 4
#define POOL_RESULT 4
#define POOL_VECTORS 4
#define POOL_INNER __m256
#define POOL_OUTER __m256
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 0
#define POOL_START _mm256_set1_ps(-INFINITY)
#define POOL_ADD(inner, at) _mm256_max_ps(_mm256_loadu_ps((const float *)(const void *)(at)), inner)
#define POOL_OUTER_START(p) _mm256_set1_ps(-INFINITY)
#define POOL_FLUSH(outer, inner) _mm256_max_ps(inner, outer)
#define POOL_STORE(y, v, p) _mm256_storeu_ps((float *)(void *)(y), v)
#include "kernels/template/pool.h"

#define POOL_RUN max_bf16
#define POOL_LANES 8
#define POOL_ELEMENT 2
#define POOL_RESULT 4
#define POOL_VECTORS 4
#define POOL_INNER __m256
#define POOL_OUTER __m256
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 0
#define POOL_START _mm256_set1_ps(-INFINITY)
#define POOL_ADD(inner, at) _mm256_max_ps(load_bf16(at), inner)
#define POOL_OUTER_START(p) _mm256_set1_ps(-INFINITY)
#define POOL_FLUSH(outer, inner) _mm256_max_ps(inner, outer)
#define POOL_STORE(y, v, p) _mm256_storeu_ps((float *)(void *)(y), v)
#include "kernels/template/pool.h"

/// Sums of 32 channels: 16-bit lanes of 0 … 7 and 16 … 23, and of the others; 32-bit lanes.
typedef struct sums16 {
    __m256i even, odd;
} sums16;
typedef struct sums32 {
    __m256i v[4];
} sums32;

static inline __attribute__((always_inline)) sums16 sums16_add(sums16 s, __m256i bytes) {
    const __m256i zero = _mm256_setzero_si256();
    s.even = _mm256_add_epi16(s.even, _mm256_unpacklo_epi8(bytes, zero));
    s.odd = _mm256_add_epi16(s.odd, _mm256_unpackhi_epi8(bytes, zero));
    return s;
}

static inline __attribute__((always_inline)) sums32 sums32_of(int32_t init) {
    const __m256i v = _mm256_set1_epi32(init);
    return (sums32){{v, v, v, v}};
}

static inline __attribute__((always_inline)) sums32 sums32_add(sums32 s, sums16 t) {
    const __m128i part[] = {_mm256_castsi256_si128(t.even), _mm256_castsi256_si128(t.odd),
                            _mm256_extracti128_si256(t.even, 1),
                            _mm256_extracti128_si256(t.odd, 1)};
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) s.v[i] = _mm256_add_epi32(s.v[i], _mm256_cvtepu16_epi32(part[i]));
    return s;
}

static inline __attribute__((always_inline)) void sums32_store(uint8_t *y, sums32 s) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) _mm256_storeu_si256((__m256i *)(void *)y + i, s.v[i]);
}

#define POOL_RUN sum_u8
#define POOL_LANES 32
#define POOL_ELEMENT 1
#define POOL_RESULT 4
#define POOL_VECTORS 1
#define POOL_INNER sums16
#define POOL_OUTER sums32
#define POOL_INNER_MAX 256u // of 255: 16 bits
#define POOL_BY_LINE 0
#define POOL_START ((sums16){_mm256_setzero_si256(), _mm256_setzero_si256()})
#define POOL_ADD(inner, at) sums16_add(inner, load(at))
#define POOL_OUTER_START(p) sums32_of((p)->init)
#define POOL_FLUSH(outer, inner) sums32_add(outer, inner)
#define POOL_STORE(y, v, p) sums32_store(y, v)
#include "kernels/template/pool.h"

#define POOL_RUN sum_s8
#define POOL_LANES 32
#define POOL_ELEMENT 1
#define POOL_RESULT 4
#define POOL_VECTORS 1
#define POOL_INNER sums16
#define POOL_OUTER sums32
#define POOL_INNER_MAX 256u // of 255: 16 bits
#define POOL_BY_LINE 0
#define POOL_START ((sums16){_mm256_setzero_si256(), _mm256_setzero_si256()})
#define POOL_ADD(inner, at) sums16_add(inner, _mm256_xor_si256(load(at), _mm256_set1_epi8(-128)))
#define POOL_OUTER_START(p) \
    sums32_of((int32_t)((uint32_t)(p)->init - 128u * (p)->kernel_h * (p)->kernel_w))
#define POOL_FLUSH(outer, inner) sums32_add(outer, inner)
#define POOL_STORE(y, v, p) sums32_store(y, v)
#include "kernels/template/pool.h"

#define POOL_RUN sum_f32
#define POOL_LANES 8
#define POOL_ELEMENT 4
#define POOL_RESULT 4
#define POOL_VECTORS 4
#define POOL_INNER __m256
#define POOL_OUTER __m256
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 1
#define POOL_START _mm256_setzero_ps()
#define POOL_ADD(inner, at) _mm256_add_ps(inner, _mm256_loadu_ps((const float *)(const void *)(at)))
#define POOL_OUTER_START(p) _mm256_setzero_ps()
#define POOL_FLUSH(outer, inner) _mm256_add_ps(outer, inner)
#define POOL_STORE(y, v, p) \
    _mm256_storeu_ps((float *)(void *)(y), _mm256_mul_ps(v, _mm256_set1_ps((p)->factor)))
#include "kernels/template/pool.h"

#define POOL_RUN sum_bf16
#define POOL_LANES 8
#define POOL_ELEMENT 2
#define POOL_RESULT 4
#define POOL_VECTORS 4
#define POOL_INNER __m256
#define POOL_OUTER __m256
#define POOL_INNER_MAX UINT32_MAX
#define POOL_BY_LINE 1
#define POOL_START _mm256_setzero_ps()
#define POOL_ADD(inner, at) _mm256_add_ps(inner, load_bf16(at))
#define POOL_OUTER_START(p) _mm256_setzero_ps()
#define POOL_FLUSH(outer, inner) _mm256_add_ps(outer, inner)
#define POOL_STORE(y, v, p) \
    _mm256_storeu_ps((float *)(void *)(y), _mm256_mul_ps(v, _mm256_set1_ps((p)->factor)))
#include "kernels/template/pool.h"

#define KERNEL(name, run)               \
    void name(const quernel_i_pool *p); \
    void name(const quernel_i_pool *p) { run; }
KERNEL(quernel_uk_poolmax_u8_1x32x1_avx2, p->channels < 32 ? max16_u8(p) : max_u8(p))
KERNEL(quernel_uk_poolmax_s8_1x32x1_avx2, p->channels < 32 ? max16_s8(p) : max_s8(p))
KERNEL(quernel_uk_poolmax_f32_1x8x1_avx2, max_f32(p))
KERNEL(quernel_uk_poolmax_bf16_1x8x1_avx2, max_bf16(p))
KERNEL(quernel_uk_poolsum_u8_1x32x1_avx2, sum_u8(p))
KERNEL(quernel_uk_poolsum_s8_1x32x1_avx2, sum_s8(p))
KERNEL(quernel_uk_poolsum_f32_1x8x1_avx2, sum_f32(p))
KERNEL(quernel_uk_poolsum_bf16_1x8x1_avx2, sum_bf16(p))
