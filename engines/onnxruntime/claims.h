// SPDX-License-Identifier: Apache-2.0
// Programs between the search for islands and the call for their code: what was made on trial, with
// the whole graph in sight, is what runs, and no weight is packed twice.
#ifndef QUERNEL_EP_CLAIMS_H
#define QUERNEL_EP_CLAIMS_H

#include "compiler.h"

/// A program that waits, known by the names of what it reads and writes.
typedef struct quernel_ep_claim {
    struct quernel_ep_claim *next;
    quernel_ep_program *program;
    char **names; // inputs, then outputs
    uint32_t n_inputs, n_outputs;
} quernel_ep_claim;

/// Takes the island's program over. False without memory.
bool quernel_ep_claims_add(quernel_ep_claim **claims, const quernel_ep_graph *graph,
                           quernel_ep_island *island);

/// The program that reads and writes these, in this order; NULL: there is none.
quernel_ep_program *quernel_ep_claims_take(quernel_ep_claim **claims, const char *const *inputs,
                                           uint32_t n_inputs, const char *const *outputs,
                                           uint32_t n_outputs);
void quernel_ep_claims_free(quernel_ep_claim **claims);

#endif
