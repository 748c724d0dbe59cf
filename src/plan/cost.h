// SPDX-License-Identifier: Apache-2.0
// What a kernel of the product costs: counts, and what its line and its set's were measured to
// take for each. It ranks kernels of different sets, and says how many threads a run is worth.
#ifndef QUERNEL_PLAN_COST_H
#define QUERNEL_PLAN_COST_H

#include "cpu/machine.h"
#include "plan/problem.h"

/// Cycles of a layer, strips and copies left out; 0 where the kernel's way was not measured.
double quernel_i_cost_cycles(const quernel_i_problem *problem, const quernel_i_kernel *kernel,
                             const quernel_i_machine *machine);

/// Products of the set's direct kernel in whose time one of fewer output channels than a sub-panel
/// has makes an image of the layer.
double quernel_i_cost_narrow(const quernel_i_problem *problem);

/// Pieces, each of which takes as long as waking a thread at least, of one of `shares` of what the
/// layer takes one thread, by any kernel, within a factor of two. At least one, `most` at most.
uint32_t quernel_i_cost_pieces(const quernel_i_problem *problem, const quernel_i_kernel *kernel,
                               uint32_t shares, uint32_t most);

#endif
