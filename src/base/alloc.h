// SPDX-License-Identifier: Apache-2.0
// Memory through the caller's allocator, and arithmetic of sizes that cannot overflow unseen.
#ifndef QUERNEL_BASE_ALLOC_H
#define QUERNEL_BASE_ALLOC_H

#include <assert.h>
#include <stdbool.h>

#include "quernel/common.h"

#define QUERNEL_I_LINE 64 // bytes of a cache line: everything that kernels read is aligned to it
_Static_assert((QUERNEL_I_LINE & (QUERNEL_I_LINE - 1)) == 0, "allocators take powers of two");

/// The allocator to use: the caller's, or the C library's where it is NULL.
quernel_allocator quernel_i_allocator(const quernel_allocator *allocator);
int quernel_i_allocator_check(const quernel_allocator *allocator, const char *where,
                              quernel_error *error);

static inline void *quernel_i_allocate(const quernel_allocator *a, size_t bytes) {
    assert(a && a->allocate);
    return a->allocate(a->user, bytes, QUERNEL_I_LINE);
}
static inline void quernel_i_release(const quernel_allocator *a, void *memory, size_t bytes) {
    if (memory) a->release(a->user, memory, bytes);
}

/// The least multiple of `to` that is no less; `to` > 0, and the sum with it does not overflow.
static inline size_t quernel_i_round_up(size_t value, size_t to) {
    assert(to > 0 && value <= SIZE_MAX - (to - 1));
    return (value + to - 1) / to * to;
}

/// value = a·b, false when it overflows size_t. `ret` may be `a` or `b`.
static inline bool quernel_i_mul(size_t a, size_t b, size_t *ret) {
    return !__builtin_mul_overflow(a, b, ret);
}

/// A block that is laid out by successive takes: first with base NULL to learn its size, then to
/// hand out pointers.
typedef struct quernel_i_layout {
    uint8_t *base;
    size_t used;
    bool overflow;
} quernel_i_layout;

/// Takes count·size bytes, line-aligned. Returns an address (NULL while sizing).
void *quernel_i_take(quernel_i_layout *layout, size_t count, size_t size);
/// The same, of a layout that is sized alone. Returns where the piece begins.
static inline size_t quernel_i_take_offset(quernel_i_layout *layout, size_t count, size_t size) {
    const size_t at = layout->used;
    quernel_i_take(layout, count, size);
    return at;
}

#endif
