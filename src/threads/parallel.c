// SPDX-License-Identifier: Apache-2.0
// Tasks on the caller's threads.
#include "threads/parallel.h"

#include "cpu/fpenv.h"

// Each task is wrapped so that it runs in the floating-point environment that the
// results are defined in.
typedef struct wrapped {
    void (*run)(void *arg, uint32_t task, uint32_t worker);
    void *arg;
} wrapped;

static void run_wrapped(void *arg, uint32_t task, uint32_t worker) {
    const wrapped *w = arg;
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    w->run(w->arg, task, worker);
    quernel_i_fpenv_leave(caller);
}

void quernel_i_parallel(const quernel_parallel *parallel, uint32_t tasks,
                        void (*run)(void *arg, uint32_t task, uint32_t worker), void *arg) {
    wrapped w = {run, arg};
    if (parallel && parallel->run) {
        parallel->run(parallel->user, tasks, run_wrapped, &w);
        return;
    }
    for (uint32_t i = 0; i < tasks; i++) run_wrapped(&w, i, 0);
}
