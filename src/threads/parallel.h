// SPDX-License-Identifier: Apache-2.0
// Running tasks in parallel.
#ifndef QUERNEL_THREADS_PARALLEL_H
#define QUERNEL_THREADS_PARALLEL_H

#include "quernel/threads.h"

/// Nanoseconds from handing out a task to a sleeping thread's beginning with it: of less work than
/// that a thread gets nothing (20 to 35 us measured under KVM on two CPUs).
#define QUERNEL_I_PARALLEL_WAKE_NS 25000

/// Runs tasks by the caller's function, or one after another, each in Quernel's floating-point
/// environment.
void quernel_i_parallel(const quernel_parallel *parallel, uint32_t tasks,
                        void (*run)(void *arg, uint32_t task, uint32_t worker), void *arg);

#endif
