// SPDX-License-Identifier: Apache-2.0
// Chunks in a list.
#include "arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct quernel_ep_chunk {
    struct quernel_ep_chunk *before;
    _Alignas(max_align_t) unsigned char bytes[];
};

enum { CHUNK_BYTES = 1 << 16 }; // a small network's graph in one or two

static int add_chunk(quernel_ep_arena *arena, size_t bytes) {
    if (bytes < CHUNK_BYTES) bytes = CHUNK_BYTES;
    if (bytes > SIZE_MAX - sizeof(struct quernel_ep_chunk)) return -1;
    struct quernel_ep_chunk *chunk = calloc(1, sizeof *chunk + bytes);
    if (!chunk) return -1;
    chunk->before = arena->last;
    *arena = (quernel_ep_arena){chunk, 0, bytes};
    return 0;
}

void *quernel_ep_arena_get(quernel_ep_arena *arena, size_t bytes) {
    const size_t unit = _Alignof(max_align_t);
    if (bytes > SIZE_MAX - unit) return NULL;
    bytes = (bytes + unit - 1) / unit * unit;
    const bool full = !arena->last || bytes > arena->capacity - arena->used;
    if (full && add_chunk(arena, bytes)) return NULL;
    void *found = arena->last->bytes + arena->used;
    arena->used += bytes;
    return found;
}

void *quernel_ep_arena_array(quernel_ep_arena *arena, size_t count, size_t size) {
    return size && count > SIZE_MAX / size ? NULL : quernel_ep_arena_get(arena, count * size);
}

void quernel_ep_arena_free(quernel_ep_arena *arena) {
    for (struct quernel_ep_chunk *chunk = arena->last, *before; chunk; chunk = before) {
        before = chunk->before;
        free(chunk);
    }
    *arena = (quernel_ep_arena){0};
}
