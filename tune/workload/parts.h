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
/// Weights as training leaves them, times `scale`, of such a layer. Returns a quernel_status.
int workload_pack_weights(const shape *p, uint64_t seed, int32_t smooth, float scale,
                          quernel_weights **ret_weights, quernel_error *error);
/// Memory for this many bytes, filled for the type; floats are activations. NULL without memory.
uint8_t *workload_allocate_filled(size_t bytes, int32_t type, uint64_t seed);

void workload_quant(const workload *w, quernel_quant *q);
/// Sets an activation with its parameters but slopes. False where the name is unknown.
bool workload_set_activation(const char *name, quernel_epilogue *f);
/// A value for each output channel, so that a kernel that mixes up channels is seen.
void workload_fill_channels(uint32_t out, float *bias, float *slopes);
/// The layer, or a crop of it (NULL: all of it), whose skips it fills. Returns a quernel_status.
int workload_make_operator(workload *w, int32_t isa, crop *c, quernel_operator **ret_op,
                           quernel_error *error);

#endif
