// SPDX-License-Identifier: Apache-2.0
// Which kernels run a problem.
#ifndef QUERNEL_PLAN_KERNELS_H
#define QUERNEL_PLAN_KERNELS_H

#include "plan/plan.h"

/// Refuses a demanded kernel that cannot run the problem, or not on this machine.
int quernel_i_plan_kernel_check(const quernel_i_problem *p, const quernel_i_config *config,
                                const quernel_i_machine *m, quernel_error *error);

/// The kernels. A demanded one has been checked.
quernel_i_plan_kernels quernel_i_plan_kernels_of(const quernel_i_problem *p,
                                                 const quernel_i_config *config,
                                                 const quernel_i_machine *m);

#endif
