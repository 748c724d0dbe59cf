// SPDX-License-Identifier: Apache-2.0
// From a program and the sizes of its values to the description of a network.
#ifndef QUERNEL_EP_LOWER_H
#define QUERNEL_EP_LOWER_H

#include "sizes.h"

/// Where a value lives: channels of a tensor.
typedef struct quernel_ep_home {
    int32_t tensor; // −1: not decided, or nowhere
    uint32_t channel;
} quernel_ep_home;

/// Descriptors of kinds other than CONV.
typedef union quernel_ep_layer_desc {
    quernel_eltwise_desc eltwise;
    quernel_pool2d_desc pool;
    quernel_resize2d_desc resize;
    quernel_shuffle2d_desc shuffle;
    quernel_matmul_desc matmul;
    quernel_normalize_desc normalize;
} quernel_ep_layer_desc;

/// A description in the making. Everything is the region's.
typedef struct quernel_ep_lowering {
    const quernel_ep_program *program;
    quernel_ep_region region;
    quernel_ep_sizes *sizes; // [records]
    quernel_ep_home *homes;  // [records]
    uint32_t *readers;       // [records] steps that read it
    uint32_t *last_step;     // [records] the step that writes it; of a concat the last one
    quernel_network_tensor *tensors;
    int32_t *sources; // [tensors] record whose memory a tensor of the run's is, or constant
    uint32_t n_tensors;
    quernel_network_layer *layers;
    quernel_ep_layer_desc *descs; // [layers]
    uint32_t *steps;              // [layers] the step that a layer is of
    uint32_t n_layers, capacity;
} quernel_ep_lowering;

/// Fills it; `sizes` of the inputs and constants are set. On failure index is a step.
int quernel_ep_lower(const quernel_ep_program *p, const quernel_ep_shape *inputs,
                     quernel_ep_lowering *ret_lowering, quernel_error *error);
void quernel_ep_lowering_free(quernel_ep_lowering *l);

/// Adds a tensor of a record's type and meaning.
int32_t quernel_ep_tensor_add(quernel_ep_lowering *l, int32_t record, int32_t role);
/// Decides which values are channels of which tensor.
void quernel_ep_homes_find(quernel_ep_lowering *l);
/// Adds the layers of a step.
void quernel_ep_layers_add(quernel_ep_lowering *l, uint32_t step);
/// Whether a step only says that a float input is quantized by whoever reads it.
bool quernel_ep_is_elided(const quernel_ep_lowering *l, uint32_t step);

#endif
