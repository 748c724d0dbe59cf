// SPDX-License-Identifier: Apache-2.0
// What a kernel of the product costs: counts, and what its line and its set's were measured to
// take for each. It ranks kernels of different sets, and says how many threads a run is worth.
#ifndef QUERNEL_PLAN_COST_H
#define QUERNEL_PLAN_COST_H

#include "plan/problem.h"

/// Cycles of a layer, strips and copies left out; 0 where the kernel's way was not measured.
double quernel_i_cost_cycles(const quernel_i_problem *problem, const quernel_i_kernel *kernel);

/// Nanoseconds that one thread takes for a layer, within a factor of two; of any kernel.
double quernel_i_cost_ns(const quernel_i_problem *problem, const quernel_i_kernel *kernel);

#endif
