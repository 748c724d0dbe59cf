// SPDX-License-Identifier: Apache-2.0
// Random small networks: chains, branches, concatenations, residuals, every kind of layer, every
// type and layout now and then.
#ifndef QUERNEL_TESTS_NETWORK_DRAW_H
#define QUERNEL_TESTS_NETWORK_DRAW_H

#include "../op/rng.h"
#include "quernel/quernel.h"

enum { MAX_TENSORS = 20, MAX_LAYERS = 32, MAX_OWNED = 8 * MAX_LAYERS };

/// A tensor as it is drawn, beside what create is handed.
typedef struct drawn_tensor {
    quernel_tensor sizes; ///< type, layout and sizes as they must come out
    float *smooth;        ///< [c] that its values are divided by, or NULL
    bool read;            ///< by a layer
    bool smoothed;        ///< a reader that takes all channels demands `smooth`
    bool exact;           ///< `smooth` has to be said
    int32_t copied;       ///< tensor whose codes all of its own are, or −1
    bool covers;          ///< it has all channels of that tensor
} drawn_tensor;

typedef struct drawn {
    rng r;
    quernel_network_tensor tensors[MAX_TENSORS]; ///< as they are handed to create
    drawn_tensor drawn[MAX_TENSORS];
    uint32_t n_tensors;
    quernel_network_layer layers[MAX_LAYERS];
    uint32_t n_layers;
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

/// Whether z has 1 or y's images, lines and pixels.
bool draw_spreads(const quernel_tensor *z, const quernel_tensor *y);

/// Steps of draw_network: memory that lives as long as the network, a tensor, a convolution's
/// layers, those of the other kinds.
void *draw_own(drawn *d, size_t bytes);
float *draw_own_floats(drawn *d, size_t count, float lo, float hi);
/// Tables of codes; `narrow`: of s8 without −128.
const uint8_t *draw_table(drawn *d, uint32_t tables, bool narrow);
uint32_t draw_tensor(drawn *d, quernel_tensor sizes);
uint32_t draw_input(drawn *d, quernel_tensor sizes);
void draw_activation(drawn *d, quernel_epilogue *f, uint32_t out);
void draw_convolutions(drawn *d, uint32_t x);
void draw_others(drawn *d, uint32_t x);

static inline bool draw_is_int8(const quernel_tensor *t) {
    return t->type == QUERNEL_TYPE_S8 || t->type == QUERNEL_TYPE_U8;
}

#endif
