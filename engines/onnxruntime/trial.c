// SPDX-License-Identifier: Apache-2.0
// Shapes for a trial. A network of the wrong sizes would be refused for them, and what it would be
// refused for besides never be seen.
#include "trial.h"

#include <string.h>

#include "sizes.h"

enum { SIDE = 256 }; // of a picture: halved eight times

typedef struct trial {
    quernel_ep_search *c;
    quernel_ep_shape *shapes;
} trial;

// What is known of a value; the rest is `like`'s, or a picture's.
static void guess(trial *t, int32_t v, const quernel_ep_shape *like) {
    const quernel_ep_value *value = quernel_ep_value_of(t->c, v);
    quernel_ep_shape *s = &t->shapes[v];
    if (!value->has_shape || value->rank > QUERNEL_EP_MAX_RANK) return;
    s->rank = value->rank;
    for (uint32_t i = 0; i < s->rank; i++) {
        s->dims[i] = i ? SIDE : 1;
        if (like && like->rank == s->rank) s->dims[i] = like->dims[i];
        if (value->dims[i] > 0) s->dims[i] = value->dims[i];
    }
}

// A program of one step is enough to follow it: values 0 and 1 are its input and output, 2 is the
// second input of a product.
static bool follow_step(trial *t, const quernel_ep_step *step, int32_t x, int32_t y) {
    quernel_ep_image image = {.n_records = 3, .n_steps = 1};
    const bool two = step->kind == QUERNEL_EP_MATMUL;
    const int32_t z = two ? step->z : x;
    quernel_ep_record records[3] = {t->c->records[step->x], t->c->records[step->y],
                                    t->c->records[z]};
    quernel_ep_step own = *step;
    quernel_ep_sizes sizes[3];
    own.x = 0, own.y = 1, own.z = two ? 2 : -1;
    records[0].order = records[2].order = step->order, records[1].order = step->y_order;
    const quernel_ep_program p = {
        .image = &image, .records = records, .steps = &own, .data = t->c->data};
    if (!quernel_ep_sizes_of_shape(&t->shapes[x], step->order, &sizes[0]) ||
        !quernel_ep_sizes_of_shape(&t->shapes[z], step->order, &sizes[2]))
        return false;
    if (quernel_ep_sizes_follow(&p, 0, sizes, NULL)) return false;
    const quernel_ep_shape shape =
        quernel_ep_shape_of_sizes(&sizes[1], records[1].rank, step->y_order);
    guess(t, y, &shape);
    return true;
}

// Of a node that is not followed: the largest of its inputs, as of a sum that repeats one of them.
static quernel_ep_shape largest_input(const trial *t, const quernel_ep_node *n, uint32_t rank) {
    quernel_ep_shape largest = {0};
    for (uint32_t k = 0; k < n->n_inputs; k++) {
        if (n->inputs[k] < 0 || quernel_ep_is_constant(t->c, n->inputs[k])) continue;
        const quernel_ep_shape *s = &t->shapes[n->inputs[k]];
        if (s->rank != rank) continue;
        largest.rank = rank;
        for (uint32_t i = 0; i < rank; i++)
            if (s->dims[i] > largest.dims[i]) largest.dims[i] = s->dims[i];
    }
    return largest;
}

static void follow_node(trial *t, const quernel_ep_node *n) {
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        if (n->outputs[i] < 0) continue;
        const uint32_t rank = quernel_ep_value_of(t->c, n->outputs[i])->rank;
        const quernel_ep_shape like = largest_input(t, n, rank);
        guess(t, n->outputs[i], &like);
    }
}

static bool is_followed(const quernel_ep_step *s) {
    return s->kind == QUERNEL_EP_CONV || s->kind == QUERNEL_EP_POOL ||
           s->kind == QUERNEL_EP_RESIZE || s->kind == QUERNEL_EP_SHUFFLE ||
           s->kind == QUERNEL_EP_MATMUL;
}

// The nodes of a unit, between a step's x and y, have its output's shape: they are element-wise, or
// it is what they do.
static void follow_unit(trial *t, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(t->c, node);
    const quernel_ep_unit *u = &t->c->units[t->c->unit_of[node]];
    for (uint32_t i = 0; i < u->n_steps; i++) {
        const quernel_ep_step *s = &u->steps[i];
        const bool in = (uint32_t)s->y < t->c->graph->n_values;
        if (in && is_followed(s) && t->shapes[s->x].rank && n->outputs[0] == s->y &&
            follow_step(t, s, s->x, s->y))
            return;
    }
    follow_node(t, n);
}

bool quernel_ep_trial_find(quernel_ep_search *c, quernel_ep_shape **ret_shapes) {
    trial t = {c, quernel_ep_region_take(&c->region, c->graph->n_values, sizeof *t.shapes)};
    if (!t.shapes) return false;
    for (uint32_t v = 0; v < c->graph->n_values; v++)
        if (c->producer[v] < 0) guess(&t, (int32_t)v, NULL);
    for (uint32_t node = 0; node < c->graph->n_nodes; node++) {
        if (c->unit_of[node] >= 0) follow_unit(&t, node);
        else follow_node(&t, quernel_ep_node_of(c, node));
    }
    *ret_shapes = t.shapes;
    return true;
}
