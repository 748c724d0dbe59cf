// SPDX-License-Identifier: Apache-2.0
// Ways of running tasks that a caller may choose: legal, and unlike the ones that anybody would
// think of first.
#ifndef QUERNEL_TESTS_SPREAD_H
#define QUERNEL_TESTS_SPREAD_H

#include "case.h"

/// Context of one run: what the tasks are spread over, and whether all of them ran.
typedef struct spread {
    rng r;
    uint32_t workers;
    uint32_t calls; ///< of the parallel_for, over the run
} spread;

/// A quernel_parallel of the given kind for `workers` workers. `s` must outlive it. Pools are made
/// once per process. OP_SPREAD_NONE gives {NULL, NULL}.
quernel_parallel spread_make(op_spread kind, uint32_t workers, uint64_t seed, spread *s);

#endif
