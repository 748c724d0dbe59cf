// SPDX-License-Identifier: Apache-2.0
// Offsets of inner tensors in one arena: tensors that live at the same time lie apart, all others
// may share memory.
//
// The largest come first, each as low as it can lie. A chain of layers then alternates between two
// ranges that stay in the caches, and what a layer writes never lies where the one before it
// has just written.
#include "base/error.h"
#include "network/network.h"

enum { NOWHERE = -1 };

static bool has_arena_offset(const quernel_i_value *v) {
    return v->arena_offset != (size_t)NOWHERE;
}

static bool clash(const quernel_i_value *a, const quernel_i_value *b) {
    const bool together = a->first <= b->last && b->first <= a->last;
    return together && a->arena_offset < b->arena_offset + b->bytes &&
           b->arena_offset < a->arena_offset + a->bytes;
}

// Moves v above a tensor that it clashes with; false where there is none.
static bool lift(const quernel_network *net, quernel_i_value *v) {
    for (uint32_t i = 0; i < net->n_values; i++) {
        const quernel_i_value *other = &net->values[i];
        if (other == v || !has_arena_offset(other) || !clash(v, other)) continue;
        v->arena_offset = other->arena_offset + other->bytes;
        return true;
    }
    return false;
}

static quernel_i_value *largest_left(quernel_network *net) {
    quernel_i_value *largest = NULL;
    for (uint32_t i = 0; i < net->n_values; i++) {
        quernel_i_value *v = &net->values[i];
        if (v->desc.role == QUERNEL_NETWORK_INNER && !has_arena_offset(v) &&
            (!largest || v->bytes > largest->bytes))
            largest = v;
    }
    return largest;
}

int quernel_i_arena_assign(quernel_network *net, quernel_error *error) {
    for (uint32_t i = 0; i < net->n_values; i++) net->values[i].arena_offset = (size_t)NOWHERE;
    net->arena_bytes = 0;
    for (quernel_i_value *v; (v = largest_left(net));) {
        v->arena_offset = 0;
        while (lift(net, v)) {
        }
        if (v->bytes > SIZE_MAX / 4 - v->arena_offset)
            return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "tensors", -1,
                                       "network: tensors: their size overflows");
        if (v->arena_offset + v->bytes > net->arena_bytes)
            net->arena_bytes = v->arena_offset + v->bytes;
    }
    return QUERNEL_OK;
}
