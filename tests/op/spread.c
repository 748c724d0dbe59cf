// SPDX-License-Identifier: Apache-2.0
// Ways of running tasks: backwards on one worker, shuffled over workers, and the built-in pool.
#include "spread.h"

#include <stdlib.h>

enum { MAX_WORKERS = 8 };

static void run_reverse(void *user, uint32_t tasks, void (*task)(void *, uint32_t, uint32_t),
                        void *arg) {
    ((spread *)user)->calls++;
    for (uint32_t i = tasks; i > 0; i--) task(arg, i - 1, 0);
}

static void run_shuffled(void *user, uint32_t tasks, void (*task)(void *, uint32_t, uint32_t),
                         void *arg) {
    spread *s = user;
    s->calls++;
    uint32_t *order = malloc((tasks ? tasks : 1) * sizeof *order);
    if (!order) abort();
    for (uint32_t i = 0; i < tasks; i++) {
        const uint32_t j = (uint32_t)rng_int(&s->r, 0, (int32_t)i);
        order[i] = order[j];
        order[j] = i;
    }
    for (uint32_t i = 0; i < tasks; i++)
        task(arg, order[i], (uint32_t)rng_int(&s->r, 0, (int32_t)s->workers - 1));
    free(order);
}

quernel_parallel spread_make(op_spread kind, uint32_t workers, uint64_t seed, spread *s) {
    static quernel_pool *pools[MAX_WORKERS + 1];
    *s = (spread){.r = {seed}, .workers = workers ? workers : 1};
    if (kind == OP_SPREAD_REVERSE)
        return (quernel_parallel){.run = run_reverse, .user = s, .threads = 1};
    if (kind == OP_SPREAD_SHUFFLE)
        return (quernel_parallel){.run = run_shuffled, .user = s, .threads = s->workers};
    if (kind != OP_SPREAD_POOL || workers > MAX_WORKERS)
        return (quernel_parallel)QUERNEL_PARALLEL_INIT;
    if (!pools[workers] && quernel_pool_create(workers, &pools[workers], NULL) != QUERNEL_OK) {
        return (quernel_parallel)QUERNEL_PARALLEL_INIT;
    }
    return quernel_pool_parallel(pools[workers]);
}
