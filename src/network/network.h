// SPDX-License-Identifier: Apache-2.0
// What a network is inside, and the steps of its creation.
#ifndef QUERNEL_NETWORK_NETWORK_H
#define QUERNEL_NETWORK_NETWORK_H

#include "op/operator.h"
#include "pack/weights.h"
#include "quernel/network.h"

/// A tensor of a network.
typedef struct quernel_i_value {
    quernel_network_tensor desc; // sizes, strides and border filled in
    quernel_i_extent extent;     // bytes around element (0, 0, 0, 0)
    uint32_t slot;               // which of the inputs, or of the outputs
    uint32_t written;            // channels that the layers seen so far write
    bool read;
    uint32_t first, last; // layers between which it lives
    size_t bytes, origin; // inner: its memory, and element (0, 0, 0, 0) within it
    size_t arena_offset;  // inner: where its memory begins in the arena
    float *smooth;        // int8, while the network is made: [c]
} quernel_i_value;

/// A layer of a network: its operator, and what it reads and writes.
typedef struct quernel_i_step {
    quernel_operator *op;
    uint32_t x, y;
    int32_t residual;
    // bytes from the tensors' first elements to the slices'
    ptrdiff_t x_skip, y_skip, residual_skip;
} quernel_i_step;

struct quernel_network {
    quernel_allocator allocator;
    size_t bytes; // of this block: the structure, values and steps
    quernel_i_value *values;
    quernel_i_step *steps;
    uint32_t n_values, n_steps, threads;
    size_t operator_bytes; // the workspace begins with what the operators need; the arena follows
    size_t arena_bytes;
};

static inline bool quernel_i_value_int8(const quernel_i_value *v) {
    return v->desc.shape.type == QUERNEL_TYPE_S8 || v->desc.shape.type == QUERNEL_TYPE_U8;
}

/// Reads a descriptor of any size; then its arrays into `memory` of this many bytes, which
/// desc->tensors and desc->layers point into from then on.
int quernel_i_network_read(const quernel_network_desc *from, quernel_network_desc *ret_desc,
                           quernel_error *error);
size_t quernel_i_network_read_bytes(const quernel_network_desc *desc);
int quernel_i_network_read_arrays(quernel_network_desc *desc, void *memory, quernel_error *error);

/// Checks tensors and layers, infers what tensors hold, who reads them and how long they live, and
/// lays them out.
int quernel_i_values_find(quernel_network *net, const quernel_network_desc *desc,
                          quernel_error *error);

/// Gives each inner tensor its arena offset.
int quernel_i_arena_assign(quernel_network *net, quernel_error *error);

/// Floats that quernel_i_network_params_find needs, SIZE_MAX on overflow.
size_t quernel_i_network_params_count(const quernel_network *net);
/// Fills the smoothing factors that each int8 tensor is divided by: the caller's, or its readers'.
int quernel_i_network_params_find(quernel_network *net, const quernel_network_desc *desc,
                                  float *tables, quernel_error *error);
/// Completes the descriptor of a layer. `tables` as given to quernel_i_network_params_find.
quernel_conv2d_desc quernel_i_network_params_describe(const quernel_network *net,
                                                      const quernel_network_desc *desc,
                                                      uint32_t layer, float *tables);

/// The refusal of an operator, under the name of its layer.
int quernel_i_network_layer_refuse(quernel_error *error, int code, uint32_t layer);

#endif
