// SPDX-License-Identifier: Apache-2.0
// One layer from enumeration to its published row.
#ifndef QUERNEL_TUNE_SESSION_H
#define QUERNEL_TUNE_SESSION_H

#include <signal.h>

#include "table/table.h"
#include "tune/common/json.h"
#include "tune/search/decide.h"
#include "tune/search/network_plans.h"
#include "tune/workload/workload.h"

/// What holds for all layers of one call of the tuner.
typedef struct session {
    const char *table; // where rows go
    // rows to start from: `table` as it was, and the embedded one
    const quernel_i_table *const *known;
    int32_t effort;
    uint64_t seed;
    double noise; // A/A floor of this host
    bool again;   // also layers that have a row
    json *json;   // or NULL
    volatile sig_atomic_t *interrupted;
} session;

typedef enum session_end {
    SESSION_WON = 0,
    SESSION_TIED,
    SESSION_ONLY,       // published; ONLY: a single plan is legal
    SESSION_KEPT,       // has a row already
    SESSION_ESTIMATED,  // nothing timed, nothing written
    SESSION_SKIPPED,    // this version does not offer it
    SESSION_FAILED,     // gives other bits than ref
    SESSION_UNFINISHED, // out of time, or interrupted
    SESSION_UNWRITTEN,  // the table cannot be written
    SESSION_ENDS
} session_end;

/// Tunes a layer until `deadline` (clock_now()). `ret_text` says in words what came of it.
session_end session_run(const session *s, const shape *layer, const request *wanted,
                        double deadline, char *ret_text, size_t capacity);

/// The same for a part of a network, timed as the whole, of which the gain has to be as large as
/// the part's share. What wins, or has won before, becomes the part's plan.
session_end session_run_within(const session *s, network_plans *plans, uint32_t part,
                               double deadline, char *ret_text, size_t capacity);
/// What the parts' plans gain together over the defaults, as winners are confirmed. False where
/// time is over.
bool session_time_whole(const session *s, const network_plans *plans, double deadline,
                        decision *ret);

#endif
