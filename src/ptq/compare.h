// SPDX-License-Identifier: Apache-2.0
// Sums that comparisons are made of: over many outputs as over one.
#ifndef QUERNEL_PTQ_COMPARE_H
#define QUERNEL_PTQ_COMPARE_H

#include "quernel/ptq.h"

typedef struct quernel_i_sums {
    uint64_t count, nonfinite;
    double signal, noise, power, product, size, error, max;
} quernel_i_sums;

void quernel_i_compare_add(quernel_i_sums *sums, const float *reference, const float *y,
                           size_t count);
quernel_comparison quernel_i_compare_end(const quernel_i_sums *sums);

/// 10·log10(signal / noise) within −300 … 300.
double quernel_i_compare_decibel(double signal, double noise);

#endif
