// SPDX-License-Identifier: Apache-2.0
// Memory between two pages that nobody may touch, poisoned; and calls that survive touching them.
#ifndef QUERNEL_KCHECK_GUARD_H
#define QUERNEL_KCHECK_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GUARD_BLOCKS = 40 };

/// All blocks of one case, given back together.
typedef struct guard {
    struct {
        void *map;
        size_t mapped;
        uint8_t *data;
        size_t bytes;
        uint64_t sum; // of the bytes when it was sealed
        bool sealed;
    } block[GUARD_BLOCKS];
    int count;
    bool at_end; // blocks end at the page behind them; else they begin at the page before them
} guard;

/// `bytes` bytes filled with `poison`; an address that is a multiple of `alignment` (whose multiple
/// `bytes` should be).
void *guard_take(guard *g, size_t bytes, size_t alignment, uint8_t poison);
/// From here on no block that was taken so far may change (but those that guard_open names).
void guard_seal(guard *g);
void guard_open(guard *g, const void *data);
bool guard_unchanged(const guard *g);
void guard_free(guard *g);

/// What a call did besides its work.
typedef struct call_report {
    bool touched;   // a guard page, or another fault
    bool registers; // a callee-saved register came back changed
    bool control;   // MXCSR or FPCR came back changed
} call_report;

/// Calls function(a, b, c, d, e) with watched registers.
call_report guard_call(void (*function)(void), const void *a, uintptr_t b, uintptr_t c, uintptr_t d,
                       const void *e);

#endif
