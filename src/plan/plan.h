// SPDX-License-Identifier: Apache-2.0
// The plan: kernels, path and block sizes of a layer, from its shape, the instruction sets and the cache sizes.
#ifndef QUERNEL_PLAN_PLAN_H
#define QUERNEL_PLAN_PLAN_H

#include "gemm/layer.h"

/// What a caller demands, from a config string "key=value …". 0, −1 or NULL: no demand.
typedef struct quernel_i_config {
    const quernel_i_kernel *kernel;
    int32_t path; // quernel_i_path or −1
    uint32_t strip_h, strip_w, chunk, block, parts;
} quernel_i_config;

/// Reads a config string (NULL: no demands). Refuses unknown keys, kernels and values, naming them.
int quernel_i_config_parse(const char *text, const char *where, quernel_i_config *ret_config, quernel_error *error);

/// Fills the plan's part of the layer, whose geometry, weights, quant and finish are set. `usable` is the mask of
/// instruction sets. Refuses a config that is not legal for this layer, and sizes that overflow.
int quernel_i_plan_make(quernel_i_layer *layer, uint32_t usable, const quernel_i_config *config, const char *where,
                        quernel_error *error);

/// Writes the plan as a config string; returns its whole length.
size_t quernel_i_plan_explain(const quernel_i_layer *layer, char *text, size_t capacity);

#endif
