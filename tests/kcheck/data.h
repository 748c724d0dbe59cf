// SPDX-License-Identifier: Apache-2.0
// Adversarial data: the bytes and floats that break kernels.
#ifndef QUERNEL_KCHECK_DATA_H
#define QUERNEL_KCHECK_DATA_H

#include <stddef.h>

#include "../op/rng.h"

/// Activations and weights of one case are filled in one of these ways.
typedef enum data_kind {
    DATA_RANDOM,
    DATA_MIN,
    DATA_MAX,
    DATA_ALTERNATING,
    DATA_ONE_HOT,
    DATA_EQUAL,
    DATA_SMALL,
    DATA_MIXED, // of those at random, in stretches
    DATA_KINDS
} data_kind;

void data_bytes(rng *r, data_kind kind, uint8_t *to, size_t count, bool is_signed);
/// Ordinary values with NaN, infinities, subnormals, −0, ties of `step` and huge ones strewn in.
void data_floats(rng *r, float *to, size_t count, float step);
/// A factor: ordinary, 1e9, subnormal, or a power of two, that makes ties.
float data_factor(rng *r);

#endif
