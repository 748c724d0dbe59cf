// SPDX-License-Identifier: Apache-2.0
// minimum and maximum of 16 lanes at a time; what is infinite or NaN takes no part. Bound by loads:
// one line, a product and three comparisons.
#ifndef QUERNEL_AVX512VNNI_RANGE_H
#define QUERNEL_AVX512VNNI_RANGE_H

#include "kernels/ukr.h"
#include "vnni.h"

typedef struct extremes {
    __m512 min, max;
} extremes;

static inline void extend(extremes *e, __m512 x, __m512 m) {
    const __m512 y = _mm512_mul_ps(x, m);
    const __mmask16 finite =
        _mm512_cmp_ps_mask(_mm512_abs_ps(y), _mm512_set1_ps(__builtin_inff()), _CMP_LT_OQ);
    e->min = _mm512_mask_min_ps(e->min, finite, e->min, y);
    e->max = _mm512_mask_max_ps(e->max, finite, e->max, y);
}

static inline extremes extremes_of(const quernel_i_range *r) {
    return (extremes){_mm512_set1_ps(*r->min), _mm512_set1_ps(*r->max)};
}

static inline void extremes_keep(const quernel_i_range *r, const extremes *e) {
    *r->min = _mm512_reduce_min_ps(e->min);
    *r->max = _mm512_reduce_max_ps(e->max);
}

#endif
