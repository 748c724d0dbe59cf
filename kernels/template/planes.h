// SPDX-License-Identifier: Apache-2.0
// Output in planes: rows side by side, output channels apart (NCHW). For any instruction set.
//
// A tile writes a line or two of each of its planes, which no hardware prefetcher follows: stores
// would wait for memory one by one. So lines are fetched into L2 before they are written, spread
// over the products that come before (Sapphire Rapids, 27 MB as 128 planes: 8.6 ms without, 1.1
// so), but for those that a kernel writes past the caches as a whole (1.1, without reading them).
#ifndef QUERNEL_TEMPLATE_PLANES_H
#define QUERNEL_TEMPLATE_PLANES_H

#include "kernels/ukr.h"

/// Elements of an output channel side by side, output channels further apart than a cache line.
static inline bool planes_are(const quernel_i_epilogue *f) {
    return f->y_row >= 1 && f->y_row <= 4 && f->y_col >= 64;
}

static inline void planes_fetch_line(const uint8_t *at) { __builtin_prefetch(at, 0, 2); }

/// Fetches what is written of `bytes` of a plane; of those that go past the caches only the lines
/// that are not written as a whole.
static inline void planes_fetch(const uint8_t *y, ptrdiff_t bytes, bool past) {
    const uint8_t *end = y + bytes;
    for (const uint8_t *at = y; at < end && !past; at += 64) planes_fetch_line(at);
    if (past && (uintptr_t)y % 64) planes_fetch_line(y);
    if ((uintptr_t)end % 64) planes_fetch_line(end - 1);
}

#endif
