// SPDX-License-Identifier: Apache-2.0
// The plans of a network's layers. Layers with one key have one plan, as they will by the table:
// they are a part, which is tuned as one.
#ifndef QUERNEL_TUNE_NETWORK_PLANS_H
#define QUERNEL_TUNE_NETWORK_PLANS_H

#include "tune/workload/network.h"

enum { CONFIG_MAX = 320 };

typedef struct network_plans {
    network_workload *network;
    uint32_t *part_of; // [rows]
    uint32_t parts;
    char (*configs)[CONFIG_MAX]; // [parts] that run; "": the default
} network_plans;

/// All layers: NULL as a config is the default of each, any other stands for `configs`.
#define NETWORK_WHOLE UINT32_MAX

/// Finds the parts; their plans are the defaults. False, with the network's reason, where it cannot
/// be planned.
bool network_plans_make(network_plans *p, network_workload *network);
void network_plans_free(network_plans *p);

/// Creates the network with `config` for one part, the others by their plans. Returns a
/// quernel_status.
int network_plans_create(const network_plans *p, uint32_t part, const char *config,
                         quernel_network **ret_network);
/// The operator of the part's first layer.
const quernel_operator *network_plans_operator(const network_plans *p, uint32_t part,
                                               const quernel_network *network);
/// What the part has of the network's multiply-adds.
double network_plans_share(const network_plans *p, uint32_t part);
/// The part's first layer, and how many it has.
const shape *network_plans_layer(const network_plans *p, uint32_t part, uint32_t *ret_count);

#endif
