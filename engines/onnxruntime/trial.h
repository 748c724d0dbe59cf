// SPDX-License-Identifier: Apache-2.0
// Shapes for a trial: of values whose dimensions are not known, ones that fit each other.
#ifndef QUERNEL_EP_TRIAL_H
#define QUERNEL_EP_TRIAL_H

#include "unit.h"

/// A shape for every value of the graph. Known dimensions stay; of inputs a batch is 1 and a line
/// of pixels is such that it can be halved often; the rest follows from node to node, as far as the
/// nodes say how. Rank 0: no shape. False without memory.
bool quernel_ep_trial_find(quernel_ep_search *c, quernel_ep_shape **ret_shapes);

#endif
