// SPDX-License-Identifier: Apache-2.0
// Block sizes, the split into tasks, and the layout of the workspace.
#ifndef QUERNEL_PLAN_SIZES_H
#define QUERNEL_PLAN_SIZES_H

#include "plan/plan.h"

/// Fills strips, chunks, units, tasks and the workspace of a layer whose kernels and path are chosen.
int quernel_i_plan_sizes(quernel_i_layer *layer, const quernel_i_config *config, size_t l2_bytes, const char *where,
                         quernel_error *error);

#endif
