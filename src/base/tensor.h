// SPDX-License-Identifier: Apache-2.0
// Image tensors: dense strides, and the checks that every floor above asks for.
#ifndef QUERNEL_BASE_TENSOR_H
#define QUERNEL_BASE_TENSOR_H

#include "quernel/operator.h"

/// Bytes that a tensor covers, relative to its data pointer: [low, high).
typedef struct quernel_i_extent {
    int64_t low, high;
} quernel_i_extent;

/// Fills missing strides and checks sizes, strides, border and layout of one tensor.
int quernel_i_tensor_check(quernel_tensor *tensor, const char *where, const char *name, quernel_i_extent *ret_extent,
                           quernel_error *error);

#endif
