// SPDX-License-Identifier: Apache-2.0
// Chooses a layer's plan: config, tables, model.
#ifndef QUERNEL_TABLE_CHOOSE_H
#define QUERNEL_TABLE_CHOOSE_H

#include "plan/plan.h"
#include "table/row.h"

/// Told of each row that was looked at: `wrong` is why it was not taken, NULL where it was.
typedef void quernel_i_choose_seen(void *user, const char *table, const quernel_i_row *row, quernel_match match,
                                   const char *wrong);

/// Plans the problem and says where the plan came from. `seen` may be NULL; with it nothing is counted or recorded.
int quernel_i_choose(const quernel_i_problem *problem, const quernel_i_machine *machine, const char *config,
                     quernel_i_plan *ret_plan, quernel_plan_choice *ret_choice, quernel_i_choose_seen *seen, void *user,
                     quernel_error *error);

/// Appends the layer to the file that QUERNEL_RECORD_MISSES names, once per process.
void quernel_i_misses_record(const char *op, const char *shape, const char *env);

#endif
