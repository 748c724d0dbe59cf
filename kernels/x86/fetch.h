// SPDX-License-Identifier: Apache-2.0
// Asks for cache lines of codes that are about to be written, where L2 does not hold them
// (`past_caches`): a store that misses waits for its line, and those behind it with it. Into L1,
// for writing; prefetching into L2 gains nothing (Zen 4). An x86 CPU without the instruction takes
// it for none.
#ifndef QUERNEL_X86_FETCH_H
#define QUERNEL_X86_FETCH_H

#include "kernels/ukr.h"

/// Those of `rows` rows from row m on, of output channel n and those side by side with it.
static inline void fetch_codes(const quernel_i_epilogue *f, uint32_t m, uint32_t n, uint32_t rows) {
    const uint8_t *y = (const uint8_t *)f->y + (ptrdiff_t)m * f->y_row + n;
    for (uint32_t r = 0; r < rows; r++, y += f->y_row) __asm__ volatile("prefetchw (%0)" ::"r"(y));
}

/// Whether output channel n begins a line's worth of them.
static inline bool fetch_begins(uint32_t n) { return n % 64 == 0; }

#endif
