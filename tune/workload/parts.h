// SPDX-License-Identifier: Apache-2.0
// What the files of a workload share: its data, its operators, its check.
#ifndef QUERNEL_TUNE_WORKLOAD_PARTS_H
#define QUERNEL_TUNE_WORKLOAD_PARTS_H

#include "tune/workload/workload.h"

/// A crop of the layer to lines [line0, line1) of its output.
typedef struct crop {
    uint32_t line0, line1;
    size_t x_skip, y_skip; // elements from the whole tensors' first to the crop's
} crop;

/// Uniform in [0, 1).
float workload_uniform(uint64_t *state);

/// Describes and fills x, y and residual. Returns 0 with a reason.
int workload_make_tensors(workload *w);
/// Draws and packs the weights. Returns 0 with a reason.
int workload_make_weights(workload *w);

void workload_quant(const workload *w, quernel_quant *q);
bool workload_knows_activation(const char *name);
/// The layer, or a crop of it (NULL: all of it), whose skips it fills. Returns a quernel_status.
int workload_make_operator(workload *w, int32_t isa, crop *c, quernel_operator **ret_op,
                           quernel_error *error);

#endif
