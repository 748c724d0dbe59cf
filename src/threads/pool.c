// SPDX-License-Identifier: Apache-2.0
// The built-in pool: workers sleep on a condition, are handed one round of tasks, and take tasks
// from a shared counter. The mutex is held for the hand-over alone. A round is over for who wakes
// when no task is left: nobody waits for the waking of a thread, which takes longer than some runs.
//
// A forked child has the caller's thread alone, and a copy of the mutex as it was at that moment:
// in it a pool is memory, whose runs stay on the caller's thread.
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "quernel/threads.h"

// What one call of quernel_parallel.run hands out.
typedef struct round {
    void (*task)(void *arg, uint32_t task, uint32_t worker);
    void *arg;
    uint32_t tasks;
} round;

// A thread beside the caller.
typedef struct helper {
    quernel_pool *pool;
    pthread_t thread;
    uint32_t worker;
} helper;

struct quernel_pool {
    uint32_t born; // `forks` of the process that has the threads
    pthread_mutex_t mutex;
    pthread_cond_t wake, done;
    uint32_t helpers;
    round round;
    uint64_t turn;    // counts rounds: a sleeping worker waits for a new one
    uint32_t working; // helpers that still work on the round
    bool open;        // helpers may still begin with it
    bool stop;
    atomic_flag busy; // a run has the pool
    atomic_uint next; // next task
    helper helper[];
};

static uint32_t forks; // that led from the first process of the library to this one
static void count_fork(void) { forks++; }

static int watched; // 0, or why forks cannot be counted
static void watch_forks(void) { watched = pthread_atfork(NULL, NULL, count_fork); }

static bool is_forked(const quernel_pool *p) { return p->born != forks; }

static void work(quernel_pool *p, const round *r, uint32_t worker) {
    for (;;) {
        const uint32_t task = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (task >= r->tasks) return;
        r->task(r->arg, task, worker);
    }
}

static void *help(void *arg) {
    const helper *h = arg;
    quernel_pool *p = h->pool;
    uint64_t seen = 0;
    for (;;) {
        pthread_mutex_lock(&p->mutex);
        while (p->turn == seen && !p->stop) pthread_cond_wait(&p->wake, &p->mutex);
        const bool stop = p->stop, late = !p->open;
        const round r = p->round;
        seen = p->turn;
        if (!stop && !late) p->working++;
        pthread_mutex_unlock(&p->mutex);
        if (stop) return NULL;
        if (late) continue;
        work(p, &r, h->worker);
        pthread_mutex_lock(&p->mutex);
        if (--p->working == 0) pthread_cond_signal(&p->done);
        pthread_mutex_unlock(&p->mutex);
    }
}

// A pool that is busy (or a run from within a task) does without, as one that lost its threads: the
// caller works alone.
static void run(void *user, uint32_t tasks, void (*task)(void *arg, uint32_t task, uint32_t worker),
                void *arg) {
    quernel_pool *p = user;
    if (tasks <= 1 || p->helpers == 0 || is_forked(p) ||
        atomic_flag_test_and_set_explicit(&p->busy, memory_order_acquire)) {
        for (uint32_t i = 0; i < tasks; i++) task(arg, i, 0);
        return;
    }
    const round r = {task, arg, tasks};
    pthread_mutex_lock(&p->mutex);
    p->round = r;
    p->open = true;
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    p->turn++;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mutex);
    work(p, &r, 0);
    pthread_mutex_lock(&p->mutex);
    p->open = false;
    while (p->working) pthread_cond_wait(&p->done, &p->mutex);
    pthread_mutex_unlock(&p->mutex);
    atomic_flag_clear_explicit(&p->busy, memory_order_release);
}

static bool start(quernel_pool *p) {
    helper *h = &p->helper[p->helpers];
    *h = (helper){.pool = p, .worker = p->helpers + 1};
    if (pthread_create(&h->thread, NULL, help, h)) return false;
    p->helpers++;
    return true;
}

int quernel_pool_create(uint32_t threads, quernel_pool **ret_pool, quernel_error *error) {
    if (!ret_pool) return quernel_i_error_null(error, "pool", "ret_pool");
    const int code =
        quernel_i_check_range(error, QUERNEL_E_VALUE, "pool", "threads", threads, 1, 4096);
    if (code) return code;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    quernel_pool *p = watched ? NULL : calloc(1, sizeof *p + (threads - 1) * sizeof(helper));
    if (!p)
        return quernel_i_error_set(error, QUERNEL_E_MEMORY, "threads", -1,
                                   "pool: no memory for %u threads", threads);
    p->born = forks;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->done, NULL);
    atomic_flag_clear(&p->busy);
    while (p->helpers + 1 < threads)
        if (!start(p)) {
            quernel_pool_destroy(p);
            return quernel_i_error_set(error, QUERNEL_E_MEMORY, "threads", -1,
                                       "pool: cannot start %u threads", threads);
        }
    *ret_pool = p;
    return QUERNEL_OK;
}

static void end_threads(quernel_pool *p) {
    pthread_mutex_lock(&p->mutex);
    p->stop = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mutex);
    for (uint32_t i = 0; i < p->helpers; i++) pthread_join(p->helper[i].thread, NULL);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->mutex);
}

void quernel_pool_destroy(quernel_pool *p) {
    if (p && !is_forked(p)) end_threads(p);
    free(p);
}

quernel_parallel quernel_pool_parallel(quernel_pool *pool) {
    return (quernel_parallel){
        .run = pool ? run : NULL, .user = pool, .threads = pool ? pool->helpers + 1 : 1};
}
