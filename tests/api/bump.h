// SPDX-License-Identifier: Apache-2.0
// An allocator over a fixed block that gives nothing back: it shows that the library needs no other
// one.
#ifndef QUERNEL_TESTS_BUMP_H
#define QUERNEL_TESTS_BUMP_H

#include <stdint.h>

#include "quernel/quernel.h"

typedef struct bump_heap {
    uint8_t *memory;
    size_t capacity;
    size_t used;
} bump_heap;

static inline void *bump_allocate(void *user, size_t bytes, size_t alignment) {
    bump_heap *h = user;
    const uintptr_t at =
        ((uintptr_t)h->memory + h->used + alignment - 1) & ~(uintptr_t)(alignment - 1);
    const size_t end = (size_t)(at - (uintptr_t)h->memory) + bytes;
    if (end > h->capacity) return NULL;
    h->used = end;
    return (void *)at;
}

static inline void bump_release(void *user, void *memory, size_t bytes) {
    (void)user;
    (void)memory;
    (void)bytes;
}

#endif
