// SPDX-License-Identifier: Apache-2.0
// Medians with their 95 % interval.
#include "tune/common/statistics.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

median median_of(double *v, uint32_t count) {
    qsort(v, count, sizeof *v, compare);
    const double half = 0.98 * sqrt((double)count);
    const int32_t lo = (int32_t)floor(count / 2.0 - half), hi = (int32_t)ceil(count / 2.0 + half);
    median m = {v[count / 2], v[lo < 0 ? 0 : lo],
                v[hi >= (int32_t)count ? (int32_t)count - 1 : hi]};
    if (count % 2 == 0) m.middle = (v[count / 2 - 1] + v[count / 2]) / 2;
    return m;
}
