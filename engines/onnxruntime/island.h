// SPDX-License-Identifier: Apache-2.0
// Islands: units that are merged as long as what lies between them allows.
#ifndef QUERNEL_EP_ISLAND_H
#define QUERNEL_EP_ISLAND_H

#include "unit.h"

/// Groups of units. Those of a group form a chain that begins at `first`.
typedef struct quernel_ep_groups {
    int32_t *of;    // [units] group, −1: in none
    int32_t *first; // [groups], −1: empty
    int32_t *next;  // [units]
    uint32_t n_groups;
} quernel_ep_groups;

/// Groups of all units that are not banned; with `units`, one of each.
int quernel_ep_groups_find(quernel_ep_search *c, quernel_ep_groups *ret_groups);

/// Whether a value is read, or seen, outside of a group.
bool quernel_ep_is_seen(const quernel_ep_search *c, const quernel_ep_groups *g, int32_t v,
                        int32_t group);
/// Whether the group is worth its edges.
bool quernel_ep_pays(const quernel_ep_search *c, const quernel_ep_groups *g, int32_t group);

/// Calls `visit` for every value that a step reads.
void quernel_ep_step_inputs(const quernel_ep_search *c, const quernel_ep_step *s,
                            void (*visit)(void *user, int32_t v), void *user);

#endif
