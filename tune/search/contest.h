// SPDX-License-Identifier: Apache-2.0
// A contest: one layer, one set of data, and variants of its plan that must give the same bits
// before they are timed.
#ifndef QUERNEL_TUNE_CONTEST_H
#define QUERNEL_TUNE_CONTEST_H

#include "tune/workload/workload.h"

enum { CONFIG_MAX = 320 };

typedef struct variant {
    char config[CONFIG_MAX];
    double predicted_ns;
    quernel_operator *op;
    uint32_t calls; // of a sample, so that it lasts at least 200 µs
    int wrong;      // its bits differ: never timed
} variant;

typedef struct contest {
    workload workload;
    variant *variants; // 0 is the plan without a table or a config: the default
    uint32_t count, capacity;
    uint8_t *workspace, *expected; // of the largest variant; y as the default gives it
    size_t workspace_bytes;
    quernel_pool *pool;
    quernel_parallel parallel;
    int wrong; // the default's bits differ from ref
} contest;

/// Makes data, weights and the default variant, and checks that against ref. False with a reason in
/// workload.reason.
int contest_make(contest *c, const shape *layer, const request *wanted);
void contest_free(contest *c);

/// Adds a variant and checks it: poisoned output, extreme data, guard pages behind output and
/// workspace. Returns its index; −1 where its config is refused or no memory is left; a variant
/// with other bits is kept and marked wrong.
int contest_add(contest *c, const char *config, double predicted_ns);

/// Nanoseconds of one run, as the mean of a sample of at least 200 µs. A sample during which
/// another process ran in this one's place is taken again, a few times at most.
double contest_sample(contest *c, uint32_t index);

#endif
