// SPDX-License-Identifier: Apache-2.0
// A QuantizeLinear whose code is a function of one other code: whatever lies between, inner pairs
// of QuantizeLinear and DequantizeLinear too, becomes a table of 256 codes, exactly as ONNX means
// it.
#include <math.h>
#include <string.h>

#include "expr.h"

// Nodes of the expression while it is found, the last one first; values that it still needs.
typedef struct walk {
    quernel_ep_draft *d;
    uint32_t nodes[QUERNEL_EP_EXPR_MAX], n_nodes;
    int32_t open[QUERNEL_EP_EXPR_MAX];
    uint32_t n_open;
} walk;

static bool holds(const walk *w, uint32_t node) {
    for (uint32_t i = 0; i < w->n_nodes; i++)
        if (w->nodes[i] == node) return true;
    return false;
}

static bool is_private(const walk *w, int32_t v) {
    const quernel_ep_search *c = w->d->c;
    if (quernel_ep_value_of(c, v)->graph_output) return false;
    for (uint32_t r = c->readers_begin[v]; r < c->readers_begin[v + 1]; r++)
        if (!holds(w, c->readers[r])) return false;
    return true;
}

static bool open_input(walk *w, int32_t v) {
    if (v < 0 || quernel_ep_may_be_constant(w->d->c, v)) return true;
    for (uint32_t i = 0; i < w->n_open; i++)
        if (w->open[i] == v) return true;
    if (w->n_open == QUERNEL_EP_EXPR_MAX) return false;
    w->open[w->n_open++] = v;
    return true;
}

static bool add(walk *w, uint32_t node) {
    quernel_ep_term t;
    if (w->n_nodes == QUERNEL_EP_EXPR_MAX || !quernel_ep_term_find(w->d->c, node, &t)) return false;
    const quernel_ep_node *n = quernel_ep_node_of(w->d->c, node);
    w->nodes[w->n_nodes++] = node;
    // of Q and DQ the other inputs are the coding
    for (uint32_t i = 0; i < (t.coding.type ? 1 : n->n_inputs); i++)
        if (!open_input(w, n->inputs[i])) return false;
    return true;
}

// Replaces the open value that is made last by what it is made of; all who read it are known then.
static bool step_back(walk *w) {
    const quernel_ep_search *c = w->d->c;
    uint32_t last = 0;
    for (uint32_t i = 1; i < w->n_open; i++)
        if (c->producer[w->open[i]] > c->producer[w->open[last]]) last = i;
    const int32_t v = w->n_open ? w->open[last] : -1;
    if (v < 0 || c->producer[v] < 0 || !is_private(w, v)) return false;
    w->open[last] = w->open[--w->n_open];
    return add(w, (uint32_t)c->producer[v]);
}

// Nodes of the longest expression with one root of codes; 0 where there is none. Q and DQ alone
// change nothing that a copy does not.
static uint32_t find_longest(walk *w, uint32_t node, int32_t *ret_root) {
    uint32_t longest = 0, functions = 0;
    if (!add(w, node)) return 0;
    do {
        const quernel_ep_node *n = quernel_ep_node_of(w->d->c, w->nodes[w->n_nodes - 1]);
        functions += strcmp(n->op, "QuantizeLinear") && strcmp(n->op, "DequantizeLinear");
        const int32_t v = w->n_open == 1 ? w->open[0] : -1;
        if (v < 0 || !w->d->c->records[v].coding.type || !functions) continue;
        longest = w->n_nodes;
        *ret_root = v;
    } while (step_back(w));
    return longest;
}

static void sort(uint32_t *nodes, uint32_t count) {
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = i; k && nodes[k] < nodes[k - 1]; k--) {
            const uint32_t other = nodes[k];
            nodes[k] = nodes[k - 1], nodes[k - 1] = other;
        }
}

static bool build(walk *w, uint32_t count, quernel_ep_expr *e, int32_t order, uint32_t channels) {
    sort(w->nodes, count);
    const uint32_t rank = quernel_ep_value_of(w->d->c, e->root)->rank;
    for (uint32_t i = 0; i < count; i++) {
        quernel_ep_term t;
        if (!quernel_ep_term_find(w->d->c, w->nodes[i], &t) ||
            !quernel_ep_term_bind(w->d, e, &t, rank, order, channels))
            return false;
        e->terms[e->n_terms++] = t;
        quernel_ep_draft_take(w->d, w->nodes[i]);
    }
    return true;
}

static int32_t code_of(int32_t type, uint32_t bits) {
    return type == QUERNEL_EP_TYPE_S8 ? (int8_t)(uint8_t)bits : (int32_t)bits;
}

// A table for each channel, or one. False where a code has no result.
static bool tabulate(quernel_ep_draft *d, const quernel_ep_expr *e, uint32_t tables,
                     quernel_ep_step *step) {
    uint8_t *table = quernel_ep_region_take(&d->c->region, tables, 256);
    if (!table) return false;
    for (uint32_t i = 0; i < 256 * tables; i++) {
        const int32_t code = code_of(d->c->records[e->root].type, i % 256);
        const double y = quernel_ep_expr_at(e, code, i / 256);
        if (isnan(y)) return QUERNEL_EP_REFUSE(d, "its function is not defined for code %d", code);
        table[i] = (uint8_t)(int32_t)y;
    }
    step->arrays[QUERNEL_EP_TABLE] = quernel_ep_data_put(d->c, table, (size_t)256 * tables);
    return true;
}

static bool match(quernel_ep_draft *d, const walk *found, uint32_t count, int32_t root,
                  int32_t order) {
    walk w = *found;
    quernel_ep_expr e = {.root = root};
    const uint32_t channels = quernel_ep_channels(d->c, root, order);
    const uint32_t n_nodes = d->n_nodes;
    quernel_ep_step *step = quernel_ep_draft_step(d, QUERNEL_EP_ELTWISE, QUERNEL_ELTWISE_LOOKUP);
    w.d = d;
    if (build(&w, count, &e, order, channels) &&
        tabulate(d, &e, e.per_channel ? channels : 1, step)) {
        step->x = root, step->y = quernel_ep_node_of(d->c, d->node)->outputs[0];
        step->order = step->y_order = e.per_channel ? order : QUERNEL_EP_ORDER_ANY;
        return quernel_ep_draft_commit(d);
    }
    d->n_nodes = n_nodes;
    d->n_steps = 0;
    return false;
}

bool quernel_ep_match_lookup(quernel_ep_search *c, uint32_t node) {
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    walk w = {.d = &d};
    int32_t root = -1;
    const uint32_t count = find_longest(&w, node, &root);
    if (!count || !quernel_ep_value_of(c, root)->has_shape) return false;
    const uint32_t rank = quernel_ep_value_of(c, root)->rank;
    if (rank < 2 || rank > 4) return false;
    // constants of one per channel say which axis that is
    return match(&d, &w, count, root, QUERNEL_EP_ORDER_IMAGE) ||
           match(&d, &w, count, root, QUERNEL_EP_ORDER_ROWS);
}
