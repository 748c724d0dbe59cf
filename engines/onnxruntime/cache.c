// SPDX-License-Identifier: Apache-2.0
// A list with the last used in front. What is in use is never dropped, so that it may be longer for
// a while.
#include "cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// Shapes that are kept: detectors and recognizers of text alternate between a handful of sizes; one
// more costs its network's plan, not its weights.
enum { INSTANCES_MOST = 16 };

typedef struct entry {
    quernel_ep_lease lease; // first: what users see
    struct entry *next;
    uint32_t users;
    quernel_ep_shape shapes[];
} entry;

struct quernel_ep_cache {
    const quernel_ep_program *program;
    size_t shape_bytes;
    pthread_mutex_t mutex;
    entry *first;
    uint32_t count;
};

quernel_ep_cache *quernel_ep_cache_create(const quernel_ep_program *program) {
    quernel_ep_cache *cache = calloc(1, sizeof *cache);
    if (!cache) return NULL;
    cache->program = program;
    cache->shape_bytes = quernel_ep_program_signature(program).n_inputs * sizeof(quernel_ep_shape);
    pthread_mutex_init(&cache->mutex, NULL);
    return cache;
}

static void destroy_entry(entry *e) {
    quernel_ep_instance_destroy(e->lease.instance);
    free(e);
}

void quernel_ep_cache_destroy(quernel_ep_cache *cache) {
    if (!cache) return;
    for (entry *e = cache->first, *next; e; e = next) {
        next = e->next;
        destroy_entry(e);
    }
    pthread_mutex_destroy(&cache->mutex);
    free(cache);
}

// Takes the entry of these shapes out of the list.
static entry *unlink_found(quernel_ep_cache *cache, const quernel_ep_shape *shapes) {
    for (entry **at = &cache->first, *e; (e = *at); at = &e->next)
        if (!memcmp(e->shapes, shapes, cache->shape_bytes)) {
            *at = e->next;
            return e;
        }
    return NULL;
}

static int make(quernel_ep_cache *cache, const quernel_ep_shape *shapes, entry **ret_entry,
                quernel_error *error) {
    entry *e = calloc(1, sizeof *e + cache->shape_bytes);
    if (!e) return QUERNEL_E_MEMORY;
    memcpy(e->shapes, shapes, cache->shape_bytes);
    const int status =
        quernel_ep_instance_create(cache->program, shapes, &e->lease.instance, error);
    if (status) {
        free(e);
        return status;
    }
    cache->count++;
    *ret_entry = e;
    return QUERNEL_OK;
}

// Drops the last ones that nobody uses, until there are few enough.
static void trim(quernel_ep_cache *cache) {
    while (cache->count > INSTANCES_MOST) {
        entry **idle = NULL;
        for (entry **at = &cache->first; *at; at = &(*at)->next)
            if (!(*at)->users) idle = at;
        if (!idle) return;
        entry *e = *idle;
        *idle = e->next;
        cache->count--;
        destroy_entry(e);
    }
}

int quernel_ep_cache_take(quernel_ep_cache *cache, const quernel_ep_shape *shapes,
                          quernel_ep_lease **ret_lease, quernel_error *error) {
    pthread_mutex_lock(&cache->mutex);
    entry *e = unlink_found(cache, shapes);
    const int status = e ? QUERNEL_OK : make(cache, shapes, &e, error);
    if (!status) {
        e->users++;
        e->next = cache->first;
        cache->first = e;
        trim(cache);
        *ret_lease = &e->lease;
    }
    pthread_mutex_unlock(&cache->mutex);
    return status;
}

void quernel_ep_cache_give(quernel_ep_cache *cache, quernel_ep_lease *lease) {
    pthread_mutex_lock(&cache->mutex);
    ((entry *)lease)->users--;
    trim(cache);
    pthread_mutex_unlock(&cache->mutex);
}
