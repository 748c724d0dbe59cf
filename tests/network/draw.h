// SPDX-License-Identifier: Apache-2.0
// Random small networks: chains, branches, concatenations, residuals, every type and layout now and
// then.
#ifndef QUERNEL_TESTS_NETWORK_DRAW_H
#define QUERNEL_TESTS_NETWORK_DRAW_H

#include "../op/rng.h"
#include "quernel/quernel.h"

enum { MAX_TENSORS = 12, MAX_LAYERS = 24, MAX_OWNED = 4 * MAX_LAYERS };

typedef struct drawn {
    rng r;
    quernel_network_tensor tensors[MAX_TENSORS]; ///< as they are handed to create
    quernel_tensor sizes[MAX_TENSORS];           ///< type, layout and sizes as they must come out
    float *smooth[MAX_TENSORS];                  ///< [c] that readers smooth with, or NULL
    uint32_t n_tensors;
    quernel_network_layer layers[MAX_LAYERS];
    uint32_t n_layers;
    /// by a layer; by the weights of one that takes all channels
    bool read[MAX_TENSORS], smoothed[MAX_TENSORS];
    void *owned[MAX_OWNED];
    uint32_t n_owned;
} drawn;

/// Draws network `number` of a seed. Always legal.
void draw_network(drawn *d, uint64_t seed, uint64_t number);
void draw_free(drawn *d);

/// Elements of a dense tensor of these sizes.
size_t draw_count(const quernel_tensor *t);
/// Fills an input with values of its type.
void draw_fill(drawn *d, const quernel_tensor *t, void *data);

#endif
