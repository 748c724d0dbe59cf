// SPDX-License-Identifier: Apache-2.0
// minimum and maximum of y = x·m over lines of floats, for the instruction sets of x86. Who
// includes it defines, beside the vector of template/functions.h,
//   RANGE_LANES           floats of a vector
//   range_load(x, n)      the first n of them, others 0; n may be larger
//   range_finite(y)       y, where it is neither infinite nor NaN, else 0
//   range_least(v), range_most(v)   of its lanes
//
// The quick pass only leaves NaN out: minimum and maximum of x86 return their second operand, the
// result so far, for it. Where that ends in an infinity, the careful pass runs over everything
// again and counts non-finite y as 0, which cannot change a range that includes 0.
#ifndef QUERNEL_X86_RANGE_H
#define QUERNEL_X86_RANGE_H

#include <math.h>
#include <stdbool.h>

#include "kernels/ukr.h"

typedef struct range {
    vfloat min[2], max[2]; // two of each hide the latency
} range;

static inline __attribute__((always_inline)) void range_add(range *r, int i, vfloat x, vfloat m,
                                                            bool careful) {
    const vfloat product = v_mul(x, m), y = careful ? range_finite(product) : product;
    r->min[i] = v_min(y, r->min[i]);
    r->max[i] = v_max(y, r->max[i]);
}

// n floats; `m` has one factor for each, or a single one for all.
static inline __attribute__((always_inline)) void
range_line(range *r, const float *x, const float *m, uint32_t n, bool single, bool careful) {
    const vfloat one = v_set(*m);
    uint32_t i = 0;
    for (; i + 2 * RANGE_LANES <= n; i += 2 * RANGE_LANES)
        for (int j = 0; j < 2; j++) {
            const uint32_t at = i + j * RANGE_LANES;
            range_add(r, j, range_load(x + at, RANGE_LANES),
                      single ? one : range_load(m + at, RANGE_LANES), careful);
        }
    for (; i < n; i += RANGE_LANES)
        range_add(r, 0, range_load(x + i, n - i), single ? one : range_load(m + i, n - i), careful);
}

// Runs `lines` of `n` floats, `step` apart. `single`: a factor per line.
static inline __attribute__((always_inline)) bool range_pass(const quernel_i_range *a,
                                                             uint32_t lines, ptrdiff_t step,
                                                             uint32_t n, bool single,
                                                             bool careful) {
    range r;
    for (int i = 0; i < 2; i++) r.min[i] = r.max[i] = v_set(0.0f);
    for (uint32_t i = 0; i < lines; i++)
        range_line(&r, a->x + (ptrdiff_t)i * step, a->mult + (single ? i : 0), n, single, careful);
    const float min = range_least(v_min(r.min[0], r.min[1])),
                max = range_most(v_max(r.max[0], r.max[1]));
    if (min == -INFINITY || max == INFINITY) return false;
    if (min < *a->min) *a->min = min;
    if (max > *a->max) *a->max = max;
    return true;
}

static inline __attribute__((always_inline)) void
range_lines(const quernel_i_range *a, uint32_t lines, ptrdiff_t step, uint32_t n, bool single) {
    if (!range_pass(a, lines, step, n, single, false)) range_pass(a, lines, step, n, single, true);
}

#endif
