// SPDX-License-Identifier: Apache-2.0
// Lines of elements for AVX-512: sums and products in one pass (eltwise_spans.h), a span a vector.
#include "kernels/ukr.h"
#include "vnni.h"

enum { SPAN_VECTORS = 1 };
typedef __m512i vint;
typedef __m128i span_bits;
typedef struct span_values {
    __m512 at[SPAN_VECTORS];
} span_values;

static inline vint v_int(int32_t i) { return _mm512_set1_epi32(i); }
static inline span_bits span_flip(int32_t bits) { return _mm_set1_epi8((char)bits); }
static inline vint span_zero(int32_t z) { return v_int(z); }
static inline void span_load(const float *at, span_values *v) { v->at[0] = _mm512_loadu_ps(at); }
static inline void span_store(float *to, const span_values *v) { _mm512_storeu_ps(to, v->at[0]); }

static inline void span_codes(const uint8_t *at, span_bits flip, vint zero, span_values *v) {
    const __m128i q = _mm_xor_si128(_mm_loadu_si128((const __m128i *)at), flip);
    v->at[0] = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_cvtepu8_epi32(q), zero));
}

// A NaN becomes INT32_MIN, whose low byte is 0.
static inline __m128i span_pack(const span_values *v, vint zero, bool nan) {
    (void)nan;
    return _mm512_cvtepi32_epi8(_mm512_add_epi32(_mm512_cvtps_epi32(v->at[0]), zero));
}

#include "kernels/x86/eltwise_spans.h"

void quernel_uk_eltwise_f32_1x16x1_avx512vnni(const quernel_i_eltwise *e);
void quernel_uk_eltwise_f32_1x16x1_avx512vnni(const quernel_i_eltwise *e) { span_eltwise(e); }
