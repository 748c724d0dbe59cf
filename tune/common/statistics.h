// SPDX-License-Identifier: Apache-2.0
// Medians with their 95 % interval.
#ifndef QUERNEL_TUNE_STATISTICS_H
#define QUERNEL_TUNE_STATISTICS_H

#include <stdint.h>

typedef struct median {
    double middle, lo, hi;
} median;

/// Sorts the values. The interval is that of order statistics: ranks n/2 ± 0.98·√n.
median median_of(double *values, uint32_t count);

#endif
