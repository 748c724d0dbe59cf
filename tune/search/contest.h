// SPDX-License-Identifier: Apache-2.0
// A contest: one layer, alone or within its network, one set of data, and variants of its plan that
// must give the same bits before they are timed.
#ifndef QUERNEL_TUNE_CONTEST_H
#define QUERNEL_TUNE_CONTEST_H

#include "table/key.h"
#include "tune/search/network_plans.h"
#include "tune/workload/workload.h"

typedef struct variant {
    char config[CONFIG_MAX];
    double predicted_ns;
    const quernel_operator *op; // the layer's
    quernel_operator *alone;    // the same, or NULL:
    quernel_network *network;   // then it is a part of this
    uint32_t calls;             // of a sample, so that it lasts at least 200 µs
    int wrong;                  // its bits differ: never timed
} variant;

typedef struct contest {
    workload workload;          // of a layer alone; its reason says why there is no contest
    const network_plans *plans; // else the network, and which of its layers
    uint32_t part;
    variant *variants; // 0 is the plan without a table or a config: the default
    uint32_t count, capacity;
    uint8_t *y, *workspace, *expected; // y as the default gives it; workspace of the largest
    size_t y_bytes, workspace_bytes;
    quernel_pool *pool;
    quernel_parallel parallel;
    int wrong; // the default's bits differ from ref
} contest;

/// Makes data, weights and the default variant, and checks that against ref. False with a reason in
/// workload.reason.
int contest_make(contest *c, const shape *layer, const request *wanted);
/// The same for a part of a network, whose other layers run by their plans; times are those of the
/// whole. The network has been checked against ref.
int contest_make_within(contest *c, const network_plans *plans, uint32_t part);
void contest_free(contest *c);

/// The key of the row that it decides.
void contest_key(const contest *c, quernel_i_key *ret_key);

/// Adds a variant and checks it: poisoned output, extreme data, guard pages behind output and
/// workspace. Returns its index; −1 where its config is refused or no memory is left; a variant
/// with other bits is kept and marked wrong.
int contest_add(contest *c, const char *config, double predicted_ns);

/// Nanoseconds of one run, as the mean of a sample of at least 200 µs. A sample during which
/// another process ran in this one's place is taken again, a few times at most; of a network it is
/// taken as it is.
double contest_sample(contest *c, uint32_t index);

#endif
