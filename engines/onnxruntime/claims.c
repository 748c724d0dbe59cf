// SPDX-License-Identifier: Apache-2.0
// Programs between the search for islands and the call for their code.
#include "claims.h"

#include <stdlib.h>
#include <string.h>

static void destroy(quernel_ep_claim *claim) {
    for (uint32_t i = 0; claim->names && i < claim->n_inputs + claim->n_outputs; i++)
        free(claim->names[i]);
    free(claim->names);
    quernel_ep_program_destroy(claim->program);
    free(claim);
}

static bool name_all(quernel_ep_claim *claim, const quernel_ep_graph *g,
                     const quernel_ep_island *island) {
    const uint32_t count = claim->n_inputs + claim->n_outputs;
    claim->names = calloc(count + 1, sizeof *claim->names);
    for (uint32_t i = 0; claim->names && i < count; i++) {
        const int32_t v =
            i < claim->n_inputs ? island->inputs[i] : island->outputs[i - claim->n_inputs];
        claim->names[i] = strdup(g->values[v].name);
        if (!claim->names[i]) return false;
    }
    return claim->names != NULL;
}

bool quernel_ep_claims_add(quernel_ep_claim **claims, const quernel_ep_graph *graph,
                           quernel_ep_island *island) {
    quernel_ep_claim *claim = calloc(1, sizeof *claim);
    if (!claim) return false;
    claim->n_inputs = island->n_inputs, claim->n_outputs = island->n_outputs;
    if (!name_all(claim, graph, island)) return destroy(claim), false;
    claim->program = island->program;
    island->program = NULL;
    claim->next = *claims;
    *claims = claim;
    return true;
}

// For each of `names` its place in `wanted`. False where one is missing.
static bool place(char *const *names, const char *const *wanted, uint32_t count,
                  uint32_t *ret_places) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = 0;
        while (at < count && strcmp(names[i], wanted[at])) at++;
        if (at == count) return false;
        ret_places[i] = at;
    }
    return true;
}

quernel_ep_program *quernel_ep_claims_take(quernel_ep_claim **claims, const char *const *inputs,
                                           uint32_t n_inputs, const char *const *outputs,
                                           uint32_t n_outputs) {
    uint32_t *places = calloc((size_t)n_inputs + n_outputs + 1, sizeof *places);
    quernel_ep_program *program = NULL;
    for (quernel_ep_claim **at = claims; places && *at && !program; at = &(*at)->next) {
        quernel_ep_claim *claim = *at;
        if (claim->n_inputs != n_inputs || claim->n_outputs != n_outputs ||
            !place(claim->names + n_inputs, outputs, n_outputs, places + n_inputs) ||
            !place(claim->names, inputs, n_inputs, places))
            continue;
        program = claim->program;
        quernel_ep_program_permute(program, places, places + n_inputs);
        claim->program = NULL;
        *at = claim->next;
        destroy(claim);
        break;
    }
    free(places);
    return program;
}

void quernel_ep_claims_free(quernel_ep_claim **claims) {
    for (quernel_ep_claim *claim = *claims, *next; claim; claim = next) {
        next = claim->next;
        destroy(claim);
    }
    *claims = NULL;
}
