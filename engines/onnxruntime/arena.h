// SPDX-License-Identifier: Apache-2.0
// Memory that is freed all at once.
#ifndef QUERNEL_EP_ARENA_H
#define QUERNEL_EP_ARENA_H

#include <stddef.h>

typedef struct quernel_ep_arena {
    struct quernel_ep_chunk *last;
    size_t used, capacity; // of the last chunk
} quernel_ep_arena;

/// Zeroed bytes, aligned for anything; NULL where there is no memory.
void *quernel_ep_arena_get(quernel_ep_arena *arena, size_t bytes);
/// Of `count` elements; NULL where that overflows as well.
void *quernel_ep_arena_array(quernel_ep_arena *arena, size_t count, size_t size);
void quernel_ep_arena_free(quernel_ep_arena *arena);

#endif
