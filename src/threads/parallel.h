// SPDX-License-Identifier: Apache-2.0
// Running tasks in parallel.
#ifndef QUERNEL_THREADS_PARALLEL_H
#define QUERNEL_THREADS_PARALLEL_H

#include "quernel/threads.h"

/// Runs tasks by the caller's function, or one after another, each in Quernel's floating-point
/// environment.
void quernel_i_parallel(const quernel_parallel *parallel, uint32_t tasks,
                        void (*run)(void *arg, uint32_t task, uint32_t worker), void *arg);

#endif
