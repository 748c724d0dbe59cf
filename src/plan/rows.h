// SPDX-License-Identifier: Apache-2.0
// How the rows that the kernel reads come to be.
#ifndef QUERNEL_PLAN_ROWS_H
#define QUERNEL_PLAN_ROWS_H

#include "plan/plan.h"

/// The path: the demanded one, or the best. False where a demand is not legal.
bool quernel_i_plan_path_of(const quernel_i_problem *p, const quernel_i_plan_kernels *k,
                            const quernel_i_config *config, const quernel_i_machine *m,
                            quernel_i_path *ret);

quernel_i_plan_rows quernel_i_plan_rows_of(const quernel_i_problem *p,
                                           const quernel_i_plan_kernels *k, quernel_i_path path);

#endif
