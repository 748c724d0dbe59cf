// SPDX-License-Identifier: Apache-2.0
// Memory of one call: blocks that are all given back at its end, or back to a mark.
#ifndef QUERNEL_PTQ_ARENA_H
#define QUERNEL_PTQ_ARENA_H

#include "base/alloc.h"
#include "base/error.h"

typedef struct quernel_i_arena {
    quernel_allocator memory;
    struct quernel_i_arena_block *last;
} quernel_i_arena;

typedef struct quernel_i_arena_block {
    struct quernel_i_arena_block *before;
    size_t bytes;
} quernel_i_arena_block;
_Static_assert(sizeof(quernel_i_arena_block) <= QUERNEL_I_LINE, "a block's head takes one line");

/// count·size bytes, line-aligned, or NULL with the error filled (QUERNEL_E_MEMORY).
static inline void *quernel_i_arena_take(quernel_i_arena *a, size_t count, size_t size,
                                         quernel_error *error) {
    size_t bytes;
    const bool fits = quernel_i_mul(count, size, &bytes) && bytes < SIZE_MAX / 4;
    quernel_i_arena_block *block =
        fits ? quernel_i_allocate(&a->memory, bytes + QUERNEL_I_LINE) : NULL;
    if (!block) {
        quernel_i_error_set(error, QUERNEL_E_MEMORY, "allocator", -1,
                            "audit: no memory for %zu elements of %zu bytes", count, size);
        return NULL;
    }
    *block = (quernel_i_arena_block){a->last, bytes + QUERNEL_I_LINE};
    a->last = block;
    return (uint8_t *)block + QUERNEL_I_LINE;
}

/// Gives back what was taken since `a->last` was `mark` (NULL: everything).
static inline void quernel_i_arena_rewind(quernel_i_arena *a, quernel_i_arena_block *mark) {
    while (a->last != mark) {
        quernel_i_arena_block *block = a->last;
        a->last = block->before;
        quernel_i_release(&a->memory, block, block->bytes);
    }
}

#endif
