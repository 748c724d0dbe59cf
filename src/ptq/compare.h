// SPDX-License-Identifier: Apache-2.0
// Sums that comparisons are made of: over many outputs as over one.
#ifndef QUERNEL_PTQ_COMPARE_H
#define QUERNEL_PTQ_COMPARE_H

#include "quernel/ptq.h"

/// All that a comparison needs of its outputs, so that images are compared one after another.
typedef struct quernel_i_sums {
    uint64_t count, nonfinite;
    double signal, noise, power, product, size, error, max;
} quernel_i_sums;

/// Adds a comparison of `count` outputs to the sums. A pair that is not finite on either side is
/// only counted.
void quernel_i_compare_add(quernel_i_sums *sums, const float *reference, const float *y,
                           size_t count);
/// What the sums amount to.
quernel_comparison quernel_i_compare_end(const quernel_i_sums *sums);

/// 10·log10(signal / noise) within −300 … 300.
double quernel_i_compare_decibel(double signal, double noise);

#endif
