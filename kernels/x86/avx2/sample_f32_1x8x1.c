// SPDX-License-Identifier: Apache-2.0
// Samples for AVX2: gathers, 8 elements a vector. Bound: their 8 loads a tap, 4 cycles; 6 to 7 on
// an Intel core with two loads a cycle, all around it included. The last elements are made again
// with those before them, fewer than a vector one by one.
#include "kernels/ukr.h"
#include "vector.h"

void quernel_uk_sample_f32_1x8x1_avx2(const quernel_i_sample *s);

static inline __m256 tap_8(const quernel_i_sample *s, size_t i) {
    const __m256i at = _mm256_loadu_si256((const __m256i *)(s->at + i));
    return _mm256_i32gather_ps(s->x, at, sizeof(float));
}

static inline void sample_8(const quernel_i_sample *s, size_t i) {
    __m256 sum = _mm256_mul_ps(_mm256_loadu_ps(s->share + i), tap_8(s, i));
    for (size_t j = i + s->step, left = s->taps - 1; left; left--, j += s->step)
        sum = _mm256_fmadd_ps(_mm256_loadu_ps(s->share + j), tap_8(s, j), sum);
    _mm256_storeu_ps(s->y + i, sum);
}

static inline void sample_1(const quernel_i_sample *s, size_t i) {
    __m128 sum = _mm_mul_ss(_mm_load_ss(s->share + i), _mm_load_ss(s->x + s->at[i]));
    for (size_t j = i + s->step, left = s->taps - 1; left; left--, j += s->step)
        sum = _mm_fmadd_ss(_mm_load_ss(s->share + j), _mm_load_ss(s->x + s->at[j]), sum);
    _mm_store_ss(s->y + i, sum);
}

void quernel_uk_sample_f32_1x8x1_avx2(const quernel_i_sample *s) {
    const size_t count = s->count;
    size_t i = 0;
    for (; i + 8 <= count; i += 8) sample_8(s, i);
    if (i < count && count >= 8) sample_8(s, count - 8);
    for (; i < count && count < 8; i++) sample_1(s, i);
}
