// SPDX-License-Identifier: Apache-2.0
// Offsets of inner tensors in one arena: tensors that live at the same time lie apart, all others
// may share memory.
//
// Where a layer writes element for element over what it reads last, y takes that tensor's memory
// over: its home. Then the largest come first, each as low as it can lie. A chain of layers then
// alternates between two ranges that stay in the caches, and what a layer writes never lies where
// the one before it has just written.
#include "base/error.h"
#include "network/layer.h"

enum { NOWHERE = -1 };

// Every element of both lies at the same place.
static bool same_places(const quernel_i_value *a, const quernel_i_value *b) {
    const quernel_tensor *s = &a->desc.shape, *t = &b->desc.shape;
    return quernel_type_size((quernel_type)s->type) == quernel_type_size((quernel_type)t->type) &&
           s->n == t->n && s->c == t->c && s->h == t->h && s->w == t->w &&
           s->stride_n == t->stride_n && s->stride_c == t->stride_c && s->stride_h == t->stride_h &&
           s->stride_w == t->stride_w && a->bytes == b->bytes && a->origin == b->origin;
}

// Layer i writes y over `tensor`, which it reads from `channel` on and nobody reads later.
static bool take_over(quernel_network *net, const quernel_i_layer *l, uint32_t i, uint32_t tensor,
                      uint32_t channel) {
    quernel_i_value *v = &net->values[tensor], *y = &net->values[l->desc.y];
    if (v->desc.role != QUERNEL_NETWORK_INNER || y->desc.role != QUERNEL_NETWORK_INNER)
        return false;
    if (v->last != i || y->first != i || l->y_channels != y->desc.shape.c) return false;
    if (channel != 0 || !same_places(v, y)) return false;
    quernel_i_value *home = &net->values[v->home];
    y->home = v->home;
    home->last = y->last;
    return true;
}

// A residual may be written over, but not where the layer also multiplies it.
static void find_home(quernel_network *net, const quernel_i_layer *l, uint32_t i) {
    const uint32_t x = l->desc.x, z = (uint32_t)l->desc.residual;
    const bool second = l->desc.residual >= 0;
    if (l->kind->over_x && take_over(net, l, i, x, l->desc.x_channel)) return;
    if (l->kind->over_z && second && (l->kind->over_x || z != x))
        take_over(net, l, i, z, l->desc.residual_channel);
}

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
        if (v->desc.role == QUERNEL_NETWORK_INNER && v->home == i && !has_arena_offset(v) &&
            (!largest || v->bytes > largest->bytes))
            largest = v;
    }
    return largest;
}

int quernel_i_arena_assign(quernel_i_draft *draft, quernel_error *error) {
    quernel_network *net = draft->net;
    for (uint32_t i = 0; i < net->n_steps; i++) find_home(net, &draft->layers[i], i);
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
    for (uint32_t i = 0; i < net->n_values; i++)
        net->values[i].arena_offset = net->values[net->values[i].home].arena_offset;
    return QUERNEL_OK;
}
