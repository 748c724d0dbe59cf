// SPDX-License-Identifier: Apache-2.0
// Guarded memory: a mapping with a page without rights at each end.
#define _DEFAULT_SOURCE
#include "memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLACK = 512 }; // bytes beside the buffer that are poisoned and looked at

static size_t page_bytes(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static int map(guarded *g, size_t capacity) {
    guarded_free(g);
    const size_t page = page_bytes();
    capacity = (capacity + page - 1) / page * page;
    uint8_t *all = mmap(NULL, capacity + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) return -1;
    if (mprotect(all + page, capacity, PROT_READ | PROT_WRITE)) {
        munmap(all, capacity + 2 * page);
        return -1;
    }
    g->map = all + page;
    g->capacity = capacity;
    return 0;
}

void guarded_free(guarded *g) {
    const size_t page = page_bytes();
    if (g->map) munmap(g->map - page, g->capacity + 2 * page);
    *g = (guarded){0};
}

uint8_t *guarded_take(guarded *g, size_t bytes, size_t alignment, guarded_place place,
                      uint8_t poison, uint8_t **ret_window, size_t *ret_window_bytes) {
    const size_t need = bytes + alignment + 2 * SLACK;
    if (g->capacity < need && map(g, need * 2)) return NULL;
    uint8_t *at = g->map;
    if (place == GUARDED_END) at += (g->capacity - bytes) & ~(alignment - 1);
    if (place == GUARDED_MIDDLE) at += (SLACK / alignment + 1) * alignment;
    uint8_t *const end = g->map + g->capacity;
    uint8_t *const first = at - g->map > SLACK ? at - SLACK : g->map;
    uint8_t *const last = end - (at + bytes) > SLACK ? at + bytes + SLACK : end;
    memset(first, poison, (size_t)(last - first));
    *ret_window = first;
    *ret_window_bytes = (size_t)(last - first);
    return at;
}
