// SPDX-License-Identifier: Apache-2.0
// Parts of a network by their keys.
#include "tune/search/network_plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op/product.h"
#include "table/key.h"

static bool same_key(const quernel_i_key *a, const quernel_i_key *b) {
    return !strcmp(a->op, b->op) && !strcmp(a->shape, b->shape);
}

// The first row with the key of row `row`.
static uint32_t first_alike(const quernel_network *network, uint32_t row) {
    quernel_i_key own, other;
    quernel_i_key_of(&quernel_i_product_of(quernel_network_operator(network, row))->problem, &own);
    for (uint32_t i = 0; i < row; i++) {
        quernel_i_key_of(&quernel_i_product_of(quernel_network_operator(network, i))->problem,
                         &other);
        if (same_key(&own, &other)) return i;
    }
    return row;
}

bool network_plans_make(network_plans *p, network_workload *w) {
    quernel_network *network = NULL;
    *p = (network_plans){.network = w};
    p->part_of = malloc(w->count * sizeof *p->part_of);
    p->configs = calloc(w->count, sizeof *p->configs);
    if (!p->part_of || !p->configs || network_plan(w, NULL, 1, w->request.isa, &network, NULL)) {
        snprintf(w->reason, sizeof w->reason, "no memory");
        return false;
    }
    for (uint32_t i = 0; i < w->count; i++) {
        const uint32_t first = first_alike(network, i);
        p->part_of[i] = first < i ? p->part_of[first] : p->parts++;
    }
    quernel_network_destroy(network);
    return true;
}

void network_plans_free(network_plans *p) { free(p->part_of), free(p->configs); }

static const char *config_for(const network_plans *p, uint32_t row, uint32_t part,
                              const char *config) {
    if (p->part_of[row] == part || (part == NETWORK_WHOLE && !config)) return config;
    const char *own = p->configs[p->part_of[row]];
    return *own ? own : NULL;
}

int network_plans_create(const network_plans *p, uint32_t part, const char *config,
                         quernel_network **ret_network) {
    const network_workload *w = p->network;
    const char **configs = malloc(w->count * sizeof *configs);
    if (!configs) return QUERNEL_E_MEMORY;
    for (uint32_t i = 0; i < w->count; i++) configs[i] = config_for(p, i, part, config);
    const int code = network_plan(w, configs, 1, w->request.isa, ret_network, NULL);
    free(configs);
    return code;
}

static uint32_t first_row(const network_plans *p, uint32_t part) {
    uint32_t row = 0;
    while (part != NETWORK_WHOLE && p->part_of[row] != part) row++;
    return row;
}

const quernel_operator *network_plans_operator(const network_plans *p, uint32_t part,
                                               const quernel_network *network) {
    return quernel_network_operator(network, first_row(p, part));
}

double network_plans_share(const network_plans *p, uint32_t part) {
    uint64_t own = 0;
    for (uint32_t i = 0; i < p->network->count; i++)
        if (p->part_of[i] == part) own += p->network->rows[i].macs;
    return (double)own / (double)network_macs(p->network);
}

const shape *network_plans_layer(const network_plans *p, uint32_t part, uint32_t *ret_count) {
    *ret_count = 0;
    for (uint32_t i = 0; i < p->network->count; i++) *ret_count += p->part_of[i] == part;
    return &p->network->rows[first_row(p, part)];
}
