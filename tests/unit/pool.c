// SPDX-License-Identifier: Apache-2.0
// The built-in pool keeps the promises of a quernel_parallel_for_fn.
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "quernel/quernel.h"
#include "tests.h"

enum { TASKS = 1000, MAX_WORKERS = 8 };

typedef struct watched {
    atomic_uint done[TASKS];
    atomic_uint inside[MAX_WORKERS];
    atomic_uint overlaps, strangers;
    uint32_t workers;
} watched;

static void task(void *arg, uint32_t index, uint32_t worker) {
    watched *w = arg;
    if (worker >= w->workers || index >= TASKS) {
        atomic_fetch_add(&w->strangers, 1);
        return;
    }
    if (atomic_fetch_add(&w->inside[worker], 1) != 0) atomic_fetch_add(&w->overlaps, 1);
    atomic_fetch_add(&w->done[index], 1);
    for (volatile int i = 0; i < 200; i++) continue;
    atomic_fetch_sub(&w->inside[worker], 1);
}

static void check_run(const quernel_parallel *parallel, uint32_t workers, uint32_t tasks) {
    static watched w;
    for (uint32_t i = 0; i < TASKS; i++) atomic_store(&w.done[i], 0);
    atomic_store(&w.overlaps, 0);
    atomic_store(&w.strangers, 0);
    w.workers = workers;
    parallel->run(parallel->user, tasks, task, &w);
    size_t wrong = 0;
    for (uint32_t i = 0; i < TASKS; i++) wrong += atomic_load(&w.done[i]) != (i < tasks);
    CHECK(wrong == 0, "%u threads, %u tasks: %zu did not run just once", workers, tasks, wrong);
    CHECK(atomic_load(&w.overlaps) == 0, "two tasks ran at once with one worker");
    CHECK(atomic_load(&w.strangers) == 0, "a worker or task out of range");
}

static quernel_pool *make(uint32_t threads) {
    quernel_pool *pool = NULL;
    quernel_error error = {0};
    CHECK(quernel_pool_create(threads, &pool, &error) == QUERNEL_OK && pool, "%u threads: %s",
          threads, error.text);
    return pool;
}

void test_pool_runs_each_task_once(void) {
    static const uint32_t tasks[] = {0, 1, 2, 3, 7, 100, TASKS};
    for (uint32_t threads = 1; threads <= MAX_WORKERS; threads++) {
        quernel_pool *pool = make(threads);
        if (!pool) return;
        const quernel_parallel parallel = quernel_pool_parallel(pool);
        CHECK(parallel.threads == threads, "a pool of %u says %u", threads, parallel.threads);
        for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
            check_run(&parallel, threads, tasks[i]);
        quernel_pool_destroy(pool);
    }
}

void test_pool_workers_are_exclusive(void) {
    quernel_pool *pool = make(4);
    if (!pool) return;
    const quernel_parallel parallel = quernel_pool_parallel(pool);
    for (int i = 0; i < 50; i++) check_run(&parallel, 4, TASKS);
    quernel_pool_destroy(pool);
}

/// Pools that come and go, used once, often, or not at all.
void test_pool_is_reused(void) {
    for (int i = 0; i < 50; i++) {
        quernel_pool *pool = make(3);
        if (!pool) return;
        const quernel_parallel parallel = quernel_pool_parallel(pool);
        for (int run = 0; run < i % 4; run++) check_run(&parallel, 3, 20);
        quernel_pool_destroy(pool);
    }
}

typedef struct second {
    quernel_parallel parallel;
    atomic_uint count;
} second;

static void count_task(void *arg, uint32_t index, uint32_t worker) {
    (void)index;
    (void)worker;
    atomic_fetch_add((atomic_uint *)arg, 1);
}

static void *run_second(void *arg) {
    second *s = arg;
    for (int i = 0; i < 500; i++) s->parallel.run(s->parallel.user, 10, count_task, &s->count);
    return NULL;
}

/// Two threads use one pool: each run is whole.
void test_pool_second_run(void) {
    quernel_pool *pool = make(2);
    if (!pool) return;
    second a = {.parallel = quernel_pool_parallel(pool)}, b = a;
    pthread_t thread;
    if (CHECK(pthread_create(&thread, NULL, run_second, &a) == 0, "pthread_create")) {
        run_second(&b);
        pthread_join(thread, NULL);
        CHECK(atomic_load(&a.count) == 5000 && atomic_load(&b.count) == 5000,
              "%u and %u of 5000 tasks", atomic_load(&a.count), atomic_load(&b.count));
    }
    quernel_pool_destroy(pool);
}

enum { HANG = 100 }; // seconds that nothing takes but a hang

static int count_all(const quernel_pool *pool) {
    const quernel_parallel parallel = quernel_pool_parallel((quernel_pool *)pool);
    atomic_uint count = 0;
    parallel.run(parallel.user, TASKS, count_task, &count);
    return atomic_load(&count) == TASKS;
}

// ThreadSanitizer cannot follow threads that a child starts, and qemu ends with an assertion.
static uint32_t child_threads(void) {
#ifdef __SANITIZE_THREAD__
    return 1;
#else
    return getenv("QUERNEL_TEST_EMULATED") ? 1 : 3;
#endif
}

// In a child: 0 where the parent's pool, and one made here, do their work and end.
static int use_and_destroy(quernel_pool *pool) {
    alarm(HANG);
    quernel_pool *own = NULL;
    if (!count_all(pool) || quernel_pool_create(child_threads(), &own, NULL) || !count_all(own))
        return 1;
    quernel_pool_destroy(pool);
    quernel_pool_destroy(own);
    return 0;
}

static atomic_bool at_work;
static void *keep_busy(void *arg) {
    while (atomic_load(&at_work)) count_all(arg);
    return NULL;
}

// Forks; the parent's pool works on.
static void check_fork(quernel_pool *pool, const char *when) {
    const pid_t child = fork();
    if (!child) _exit(use_and_destroy(pool));
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child, "fork");
    CHECK(status == 0, "%s: the child ended with status %#x", when, (unsigned)status);
    CHECK(count_all(pool), "%s: the parent's pool", when);
}

/// A child has no threads but the one that forked: it works alone, ends the pool, makes its own.
void test_pool_is_forked(void) {
#ifdef __SANITIZE_ADDRESS__
    test_skip(
        "a fork may find the lock of the sanitizer's own allocator held, and the child hangs");
    return;
#endif
    quernel_pool *pool = make(4);
    if (!pool) return;
    check_fork(pool, "unused");
    check_fork(pool, "used");
    pthread_t thread;
    atomic_store(&at_work, true);
    if (CHECK(pthread_create(&thread, NULL, keep_busy, pool) == 0, "pthread_create")) {
        for (int i = 0; i < 50; i++) check_fork(pool, "in use"); // its mutex may be held
        atomic_store(&at_work, false);
        pthread_join(thread, NULL);
    }
    quernel_pool_destroy(pool);
}
