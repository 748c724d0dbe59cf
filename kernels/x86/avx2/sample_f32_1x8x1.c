// SPDX-License-Identifier: Apache-2.0
// Samples for AVX2: gathers, 8 elements a vector. Bound: their 8 loads a tap, 4 cycles; 6 to 7 on
// an Intel core with two loads a cycle, all around it included.
#include "vector.h"

#define SAMPLE_LANES 8
static inline vfloat sample_load(const float *from) { return _mm256_loadu_ps(from); }
static inline void sample_store(float *to, vfloat v) { _mm256_storeu_ps(to, v); }
static inline vfloat sample_gather(const float *x, const int32_t *at) {
    return _mm256_i32gather_ps(x, _mm256_loadu_si256((const __m256i *)at), sizeof(float));
}

#include "kernels/template/sample.h"

void quernel_uk_sample_f32_1x8x1_avx2(const quernel_i_sample *s);
void quernel_uk_sample_f32_1x8x1_avx2(const quernel_i_sample *s) { sample(s); }
