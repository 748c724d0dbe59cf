// SPDX-License-Identifier: Apache-2.0
// Block sizes, the split into tasks, and the layout of the workspace.
#ifndef QUERNEL_PLAN_BLOCKING_H
#define QUERNEL_PLAN_BLOCKING_H

#include "plan/plan.h"

/// Bytes that a worker's slice of the workspace may hold of rows, or of weights and what works with them.
#define QUERNEL_I_SLICE_MOST ((size_t)1920 << 10)

/// Fills strips, chunks, units, tasks and the workspace of a layer whose kernels and path are chosen.
int quernel_i_plan_sizes(quernel_i_layer *layer, const quernel_i_config *config, size_t l2_bytes, const char *where,
                         quernel_error *error);

#endif
