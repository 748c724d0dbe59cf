// SPDX-License-Identifier: Apache-2.0
// Image tensors: dense strides, and the checks that every floor above makes.
#ifndef QUERNEL_BASE_TENSOR_H
#define QUERNEL_BASE_TENSOR_H

#include <stdbool.h>

#include "quernel/tensor.h"

/// Bytes that a tensor covers, relative to its data pointer: [low, high).
typedef struct quernel_i_extent {
    int64_t low, high;
} quernel_i_extent;

/// A buffer that a run is handed, under the name that messages use.
typedef struct quernel_i_buffer {
    const char *name;
    const void *data;
    quernel_i_extent extent;
    size_t alignment;
} quernel_i_buffer;

/// Refuses a buffer that is NULL or misaligned.
int quernel_i_buffer_check(const quernel_i_buffer *buffer, const char *where, quernel_error *error);
bool quernel_i_buffers_overlap(const quernel_i_buffer *a, const quernel_i_buffer *b);

/// Fills missing strides and checks sizes, strides, border and layout of one tensor.
int quernel_i_tensor_check(quernel_tensor *tensor, const char *where, const char *name,
                           quernel_i_extent *ret_extent, quernel_error *error);

#endif
