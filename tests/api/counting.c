// SPDX-License-Identifier: Apache-2.0
// Keeps account of the blocks that the library takes.
#include "counting.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"

static void *counting_allocate(void *user, size_t bytes, size_t alignment) {
    counting *c = user;
    void *memory = NULL;
    pthread_mutex_lock(&c->lock);
    if (alignment == 0 || (alignment & (alignment - 1)) || alignment > 4096 || bytes == 0)
        c->wrong++;
    if (++c->calls != c->fail_at) {
        const size_t unit = alignment < sizeof(void *) ? sizeof(void *) : alignment;
        memory = aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
    }
    if (memory) {
        memset(memory, 0xcd, bytes);
        size_t i = 0;
        while (i < COUNTING_BLOCKS && c->blocks[i].memory) i++;
        if (i == COUNTING_BLOCKS) abort();
        c->blocks[i] = (counting_block){memory, bytes};
        c->live++;
        c->bytes += bytes;
        if (c->bytes > c->peak) c->peak = c->bytes;
    }
    pthread_mutex_unlock(&c->lock);
    return memory;
}

static void counting_release(void *user, void *memory, size_t bytes) {
    counting *c = user;
    pthread_mutex_lock(&c->lock);
    size_t i = 0;
    while (i < COUNTING_BLOCKS && c->blocks[i].memory != memory) i++;
    if (!memory || i == COUNTING_BLOCKS || c->blocks[i].bytes != bytes) {
        c->wrong++;
    } else {
        c->blocks[i] = (counting_block){NULL, 0};
        c->live--;
        c->bytes -= bytes;
        memset(memory, 0xdd, bytes);
        free(memory);
    }
    pthread_mutex_unlock(&c->lock);
}

void counting_init(counting *c, size_t fail_at) {
    memset(c, 0, sizeof *c);
    c->allocator = (quernel_allocator){counting_allocate, counting_release, c, {0}};
    c->fail_at = fail_at;
    pthread_mutex_init(&c->lock, NULL);
}

void counting_check(counting *c, const char *what) {
    CHECK(c->live == 0, "%s: %zu blocks were not released", what, c->live);
    CHECK(c->wrong == 0, "%s: %zu wrong alignments, sizes or releases", what, c->wrong);
    pthread_mutex_destroy(&c->lock);
}
