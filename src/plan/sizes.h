// SPDX-License-Identifier: Apache-2.0
// Arithmetic of sizes that the parts of the plan share.
#ifndef QUERNEL_PLAN_SIZES_H
#define QUERNEL_PLAN_SIZES_H

#include <stddef.h>
#include <stdint.h>

static inline size_t min(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t max(size_t a, size_t b) { return a > b ? a : b; }

/// How many of size `piece` cover `total`.
static inline uint32_t pieces(uint32_t total, uint32_t piece) {
    return (total + piece - 1) / piece;
}

#endif
