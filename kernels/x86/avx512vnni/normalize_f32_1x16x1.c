// SPDX-License-Identifier: Apache-2.0
// Normalized rows for AVX-512: 16 channels a vector. A power is 12 operations of two ports, or of
// one double-pumped one: 6 to 12 cycles for 16; sums wait for an addition each, 3 to 4 cycles. Zen
// 4, ns an element: softmax of 197 codes 0.54, layer of 384 codes 0.37, of 384 floats 0.39, RMS
// 0.23 (bench_elements --benchmark_filter=normalize).
#include "kernels/ukr.h"
#include "vnni.h"

#define NORMALIZE_LANES 16

static inline __attribute__((always_inline)) vfloat normalize_values(const uint8_t *at,
                                                                     int32_t type, int32_t zero) {
    if (type == QUERNEL_TYPE_F32) return _mm512_loadu_ps(at);
    if (type == QUERNEL_TYPE_BF16)
        return _mm512_castsi512_ps(
            _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)at)), 16));
    const __m128i bytes = _mm_loadu_si128((const __m128i *)at);
    const __m512i q =
        type == QUERNEL_TYPE_S8 ? _mm512_cvtepi8_epi32(bytes) : _mm512_cvtepu8_epi32(bytes);
    return _mm512_cvtepi32_ps(_mm512_sub_epi32(q, _mm512_set1_epi32(zero)));
}
static inline vfloat normalize_zero_below(vfloat t, vfloat bound, vfloat v) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(t, bound, _CMP_NLT_UQ), v);
}
static inline vfloat normalize_load(const float *at) { return _mm512_loadu_ps(at); }
static inline void normalize_store(float *at, vfloat v) { _mm512_storeu_ps(at, v); }

#include "kernels/template/normalize.h"

void quernel_uk_normalize_f32_1x16x1_avx512vnni(const quernel_i_normalize *n);
void quernel_uk_normalize_f32_1x16x1_avx512vnni(const quernel_i_normalize *n) { normalize_rows(n); }
