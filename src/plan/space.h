// SPDX-License-Identifier: Apache-2.0
// The search space: every plan that a layer could have, each once, with the time that the model
// predicts for it.
#ifndef QUERNEL_PLAN_SPACE_H
#define QUERNEL_PLAN_SPACE_H

#include "plan/plan.h"

typedef struct quernel_i_candidate {
    quernel_i_config config; // complete: every knob says what the plan chose
    double ns;               // as the model predicts
    uint32_t chained;        // quernel_i_space's own, while it looks for equal ones
} quernel_i_candidate;

/// Plans of the problem on the machine: every kernel that can run it, every word of every choice,
/// and every combination of the counts' tries (knobs.def) in which at most `moves` counts, or one
/// set, leave the plan's own choice. The machine's sets are permitted ones
/// (quernel_i_machine_asked). Legal by construction: each was made by quernel_i_plan_make, which
/// refuses the others. Stores up to `capacity` of them, the plan's own choices first; returns how
/// many were stored.
size_t quernel_i_space(const quernel_i_problem *problem, const quernel_i_machine *machine,
                       uint32_t moves, quernel_i_candidate *ret, size_t capacity);

#endif
