// SPDX-License-Identifier: Apache-2.0
// The layers of a drawn network, each run as an operator of its own over dense tensors.
#ifndef QUERNEL_TESTS_NETWORK_ALONE_H
#define QUERNEL_TESTS_NETWORK_ALONE_H

#include "draw.h"

/// Values of all tensors, dense.
typedef struct alone {
    const drawn *d;
    uint8_t *values[MAX_TENSORS];
} alone;

/// Memory of so many bytes, line-aligned, with a value in each.
void *alone_take(size_t bytes, int poison);
/// A tensor of so many channels as it lies here.
quernel_tensor alone_dense(quernel_tensor t, uint32_t channels);
/// Bytes from its first element.
int64_t alone_offset(const quernel_tensor *t, uint32_t n, uint32_t c, uint32_t h, uint32_t w);

/// Runs one layer; false, and a failed check, where that is refused.
bool alone_run_layer(alone *a, uint32_t layer);

#endif
