// SPDX-License-Identifier: Apache-2.0
// A small legal network that tests spoil one member at a time.
#ifndef QUERNEL_TESTS_API_NETWORK_H
#define QUERNEL_TESTS_API_NETWORK_H

#include <stdbool.h>

#include "quernel/quernel.h"

/// Tensors, layers, elements of input and output.
enum {
    NETWORKED_TENSORS = 3,
    NETWORKED_LAYERS = 3,
    NETWORKED_X = 6 * 5 * 7,
    NETWORKED_Y = 8 * 5 * 7
};

/// Tensor 0: float input, 1x6x5x7. Layer 0: 3x3, 6 → 6, into tensor 1 (u8, inner). Layers 1 and 2:
/// 3x3, 6 → 4 each, into the two halves of tensor 2 (float output).
typedef struct networked {
    quernel_network_desc desc; ///< its arrays are those of the object that networked_init was given
    quernel_network_tensor tensors[NETWORKED_TENSORS];
    quernel_network_layer layers[NETWORKED_LAYERS];
    quernel_weights *smoothed; ///< weights for layer 1 or 2 with other factors than theirs
    quernel_weights *wide, *narrow;
    float ones[8];
} networked;

/// False (and a failed check) where the weights cannot be packed.
bool networked_init(networked *n);
void networked_free(networked *n);

/// What a run needs: an input with values in it, a poisoned output, a workspace.
typedef struct networked_buffers {
    float *x, *y;
    void *workspace;
    size_t workspace_bytes;
} networked_buffers;
#define NETWORKED_POISON 1e30f

networked_buffers networked_take(const quernel_network *net);
void networked_give(networked_buffers *b);

#endif
