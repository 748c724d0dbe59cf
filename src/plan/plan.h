// SPDX-License-Identifier: Apache-2.0
// The plan: kernels, path and block sizes of a layer, from its shape, the instruction sets and the cache sizes.
#ifndef QUERNEL_PLAN_PLAN_H
#define QUERNEL_PLAN_PLAN_H

#include "exec/layer.h"

/// What a caller demands, from a config string "key=value …". 0 or NULL: no demand; a choice holds its place + 1.
typedef struct quernel_i_config {
    const quernel_i_kernel *kernel;
#define COUNT(key, member, tries, meaning) uint32_t key;
#define CHOICE(key, member, words, meaning) uint32_t key;
#include "plan/knobs.def"
} quernel_i_config;

/// A line of knobs.def.
typedef struct quernel_i_knob {
    const char *key;
    const char *words, *tries;       // of a choice, of a count; the other is NULL
    const char *meaning;
    size_t in_config, in_layer;      // offsets of uint32_t
} quernel_i_knob;

/// Every knob but "kernel", in the order of knobs.def; ends where `key` is NULL.
extern const quernel_i_knob quernel_i_knobs[];

static inline uint32_t *quernel_i_knob_demand(const quernel_i_knob *knob, quernel_i_config *config) {
    return (uint32_t *)((char *)config + knob->in_config);
}
/// What the layer's plan chose, as a demand for it.
uint32_t quernel_i_knob_chosen(const quernel_i_knob *knob, const quernel_i_layer *layer);

/// Reads a config string (NULL: no demands). Refuses unknown keys, kernels and values, naming them.
int quernel_i_config_parse(const char *text, const char *where, quernel_i_config *ret_config, quernel_error *error);

/// Writes the demands as a config string, terminated where capacity > 0; returns its whole length.
size_t quernel_i_config_print(const quernel_i_config *config, char *text, size_t capacity);

/// Every choice of a layer's plan as a demand.
quernel_i_config quernel_i_config_of(const quernel_i_layer *layer);

/// Fills the plan's part of the layer, whose geometry, weights, quant and finish are set. `usable` is the mask of
/// instruction sets. Refuses a config that is not legal for this layer, and sizes that overflow.
int quernel_i_plan_make(quernel_i_layer *layer, uint32_t usable, const quernel_i_config *config, const char *where,
                        quernel_error *error);

/// Writes the plan as a config string; returns its whole length.
size_t quernel_i_plan_explain(const quernel_i_layer *layer, char *text, size_t capacity);

#endif
