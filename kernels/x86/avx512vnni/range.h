// SPDX-License-Identifier: Apache-2.0
// The vector of kernels/x86/range.h, for AVX-512.
#ifndef QUERNEL_AVX512VNNI_RANGE_H
#define QUERNEL_AVX512VNNI_RANGE_H

#include <math.h>
#include <stdint.h>

#include "vnni.h"

enum { RANGE_LANES = LANES };

static inline __m512 range_load(const float *x, uint32_t n) {
    return _mm512_maskz_loadu_ps(lanes(n), x);
}

static inline __m512 range_finite(__m512 y) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v_abs(y), _mm512_set1_ps(INFINITY), _CMP_LT_OQ),
                               y);
}

static inline float range_least(__m512 v) { return _mm512_reduce_min_ps(v); }
static inline float range_most(__m512 v) { return _mm512_reduce_max_ps(v); }

#include "kernels/x86/range.h"

#endif
