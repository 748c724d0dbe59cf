// SPDX-License-Identifier: Apache-2.0
// minimum and maximum of y = x·m over lines of floats, for AVX2.
//
// The quick pass only leaves NaN out: minimum and maximum of x86 return their second operand, the
// result so far, for it. Where that ends in an infinity, the careful pass runs over everything
// again and counts non-finite y as 0, which cannot change a range that includes 0.
#ifndef QUERNEL_AVX2_RANGE_H
#define QUERNEL_AVX2_RANGE_H

#include <immintrin.h>
#include <math.h>
#include <stdbool.h>

#include "kernels/ukr.h"
#include "vector.h"

typedef struct range {
    __m256 min[2], max[2]; // two of each hide the latency
} range;

static inline __attribute__((always_inline)) void range_add(range *r, int i, __m256 x, __m256 m,
                                                            bool careful) {
    __m256 y = _mm256_mul_ps(x, m);
    if (careful) {
        const __m256 size = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), y);
        y = _mm256_and_ps(y, _mm256_cmp_ps(size, _mm256_set1_ps(INFINITY), _CMP_LT_OQ));
    }
    r->min[i] = _mm256_min_ps(y, r->min[i]);
    r->max[i] = _mm256_max_ps(y, r->max[i]);
}

// n floats; `m` has one factor for each, or a single one for all.
static inline __attribute__((always_inline)) void
range_line(range *r, const float *x, const float *m, uint32_t n, bool single, bool careful) {
    const __m256 one = _mm256_set1_ps(*m);
    uint32_t i = 0;
    for (; i + 16 <= n; i += 16) {
        range_add(r, 0, _mm256_loadu_ps(x + i), single ? one : _mm256_loadu_ps(m + i), careful);
        range_add(r, 1, _mm256_loadu_ps(x + i + 8), single ? one : _mm256_loadu_ps(m + i + 8),
                  careful);
    }
    for (; i < n; i += 8) {
        const __m256i mask = lanes_mask(n - i);
        range_add(r, 0, _mm256_maskload_ps(x + i, mask),
                  single ? one : _mm256_maskload_ps(m + i, mask), careful);
    }
}

static inline float range_lane(__m256 v, float (*pick)(float, float)) {
    float lanes[8], result = 0.0f;
    _mm256_storeu_ps(lanes, v);
    for (int i = 0; i < 8; i++) result = pick(lanes[i], result);
    return result;
}

static inline float range_less(float a, float b) { return a < b ? a : b; }
static inline float range_more(float a, float b) { return a > b ? a : b; }

/// Runs `lines` of `n` floats, `step` apart. `single`: a factor per line.
static inline __attribute__((always_inline)) bool range_lines(const quernel_i_range *a,
                                                              uint32_t lines, ptrdiff_t step,
                                                              uint32_t n, bool single,
                                                              bool careful) {
    range r;
    for (int i = 0; i < 2; i++) r.min[i] = r.max[i] = _mm256_setzero_ps();
    for (uint32_t i = 0; i < lines; i++)
        range_line(&r, a->x + (ptrdiff_t)i * step, a->mult + (single ? i : 0), n, single, careful);
    const float min = range_lane(_mm256_min_ps(r.min[0], r.min[1]), range_less);
    const float max = range_lane(_mm256_max_ps(r.max[0], r.max[1]), range_more);
    if (min == -INFINITY || max == INFINITY) return false;
    *a->min = range_less(min, *a->min);
    *a->max = range_more(max, *a->max);
    return true;
}

#endif
