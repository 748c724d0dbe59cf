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
    uint32_t home;        // inner: the tensor whose memory it takes over where that ends, or itself
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
    quernel_i_ahead ahead; // weights of the next layer that has any
} quernel_i_step;

struct quernel_network {
    quernel_allocator allocator;
    size_t bytes; // of this block: the structure, values and steps
    quernel_i_value *values;
    quernel_i_step *steps;
    uint32_t n_values, n_steps, threads;
    size_t operator_bytes; // the workspace begins with what the operators need; the arena follows
    size_t arena_bytes;
    bool far; // L2 does not keep its weights from run to run
};

static inline bool quernel_i_value_int8(const quernel_i_value *v) {
    return v->desc.shape.type == QUERNEL_TYPE_S8 || v->desc.shape.type == QUERNEL_TYPE_U8;
}

/// A network that is being made. Tensors and layers are the library's own copies.
typedef struct quernel_i_layer quernel_i_layer;
typedef struct quernel_i_draft {
    quernel_network_desc desc;
    const quernel_network_tensor *tensors;
    quernel_i_layer *layers;
    quernel_network *net;
    float *tables; // of quernel_i_factors_find
} quernel_i_draft;

/// Reads a descriptor of any size; then its arrays into `memory` of this many bytes.
int quernel_i_network_read(const quernel_network_desc *from, quernel_i_draft *ret_draft,
                           quernel_error *error);
size_t quernel_i_network_read_bytes(const quernel_i_draft *draft);
int quernel_i_network_read_arrays(quernel_i_draft *draft, void *memory, quernel_error *error);

/// Checks the tensors and copies them into the network; then, where the layers have been followed,
/// lays them out.
int quernel_i_values_copy(quernel_i_draft *draft, quernel_error *error);
int quernel_i_values_lay_out(quernel_i_draft *draft, quernel_error *error);

/// Checks the layers in their order, infers the sizes of what they write, and notes who reads what
/// and how long it lives.
int quernel_i_network_follow(quernel_i_draft *draft, quernel_error *error);

/// Gives each inner tensor its arena offset.
int quernel_i_arena_assign(quernel_i_draft *draft, quernel_error *error);

/// Floats that quernel_i_factors_find needs.
size_t quernel_i_factors_count(const quernel_network *net);
/// Fills the smoothing factors that each int8 tensor is divided by: the caller's, or those that its
/// readers, or the tensors that its codes are copied to, ask for.
int quernel_i_factors_find(quernel_i_draft *draft, quernel_error *error);
/// Two arrays behind the factors, each of the widest int8 tensor's channels.
float *quernel_i_factors_scratch(const quernel_i_draft *draft, uint32_t which);

#endif
