// SPDX-License-Identifier: Apache-2.0
// How a run is spread over threads, and the built-in pool of them.
#ifndef QUERNEL_THREADS_H
#define QUERNEL_THREADS_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Runs `task(arg, i, worker)` once for every i < tasks and returns when all have ended.
/// `worker` is smaller than the `threads` of the operator's descriptor, and no two tasks run at the
/// same time with the same worker: it picks the slice of the workspace. Running all tasks on one
/// worker, in any order, is legal: the result is the same.
typedef void quernel_parallel_for_fn(void *user, uint32_t tasks,
                                     void (*task)(void *arg, uint32_t task, uint32_t worker),
                                     void *arg);

/// How a run is spread over threads: NULL, or one whose `run` is NULL, runs everything on the
/// calling thread. Frozen.
typedef struct quernel_parallel {
    quernel_parallel_for_fn *run;
    void *user;
    /// workers that `run` uses at most; a run refuses more than its operator's threads. 0: not said
    uint32_t threads;
    uint32_t reserved[3]; ///< 0
} quernel_parallel;
#define QUERNEL_PARALLEL_INIT      \
    {                              \
        NULL, NULL, 0, { 0, 0, 0 } \
    }

/// The built-in pool: `threads - 1` sleeping threads and the caller. One run at a time uses it; a
/// second one that comes meanwhile runs on its own calling thread. Threads do not survive fork: in
/// a child every run with its parent's pool is on the calling thread, and a pool made there has
/// threads again.
typedef struct quernel_pool quernel_pool;

/// Starts a pool.
/// Limits: threads of 1 … 4096.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (threads); QUERNEL_E_MEMORY (memory, or a
/// thread that the system does not start).
/// Threads: any. Owner: the caller (quernel_pool_destroy).
QUERNEL_API int quernel_pool_create(uint32_t threads, quernel_pool **ret_pool,
                                    quernel_error *error);

/// Waits until the pool's threads have ended, and frees it. NULL is allowed.
/// Threads: any, while no run uses the pool.
QUERNEL_API void quernel_pool_destroy(quernel_pool *pool);

/// The pool as a quernel_parallel, valid until the pool is destroyed.
/// Returns one that runs everything on the calling thread where `pool` is NULL.
/// Threads: any.
QUERNEL_API quernel_parallel quernel_pool_parallel(quernel_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
