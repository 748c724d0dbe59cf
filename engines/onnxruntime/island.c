// SPDX-License-Identifier: Apache-2.0
// Groups of units: merged along the values between them where no path leads out and back.
//
// Seen with each group as one node, the graph has no cycle, and stays so: two groups are merged
// only if one reads the other and there is no other way from the one to the other.
#include "island.h"

#include <string.h>

typedef struct search {
    const quernel_ep_search *c;
    quernel_ep_groups *g;
    uint32_t *seen;  // [nodes] stamp of the search that met it
    uint32_t *stack; // [nodes]
    uint32_t stamp, n_stack;
    int32_t target; // group
} search;

static int32_t group_of(const quernel_ep_search *c, const quernel_ep_groups *g, uint32_t node) {
    return c->unit_of[node] < 0 ? -1 : g->of[c->unit_of[node]];
}

static void push(search *s, uint32_t node) {
    if (s->seen[node] == s->stamp) return;
    s->seen[node] = s->stamp;
    s->stack[s->n_stack++] = node;
}

// Who enters a group may leave it anywhere.
static void enter(search *s, uint32_t node) {
    const int32_t group = group_of(s->c, s->g, node);
    if (s->seen[node] == s->stamp) return;
    if (group < 0) return push(s, node);
    for (int32_t u = s->g->first[group]; u >= 0; u = s->g->next[u])
        for (uint32_t i = 0; i < s->c->units[u].n_nodes; i++) push(s, s->c->units[u].nodes[i]);
}

// Enters what reads the node's outputs outside of `from`; true where that is the target, and may
// be.
static bool leave(search *s, uint32_t node, int32_t from) {
    const quernel_ep_node *n = quernel_ep_node_of(s->c, node);
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        const int32_t v = n->outputs[i];
        if (v < 0) continue;
        for (uint32_t r = s->c->readers_begin[v]; r < s->c->readers_begin[v + 1]; r++) {
            const int32_t group = group_of(s->c, s->g, s->c->readers[r]);
            if (group == s->target && from < 0) return true;
            if (group < 0 || (group != from && group != s->target)) enter(s, s->c->readers[r]);
        }
    }
    return false;
}

static bool has_detour(search *s, int32_t from, int32_t to) {
    s->stamp++, s->n_stack = 0, s->target = to;
    for (int32_t u = s->g->first[from]; u >= 0; u = s->g->next[u])
        for (uint32_t i = 0; i < s->c->units[u].n_nodes; i++)
            leave(s, s->c->units[u].nodes[i], from);
    while (s->n_stack)
        if (leave(s, s->stack[--s->n_stack], -1)) return true;
    return false;
}

void quernel_ep_step_inputs(const quernel_ep_search *c, const quernel_ep_step *s,
                            void (*visit)(void *user, int32_t v), void *user) {
    const quernel_ep_span list = s->arrays[QUERNEL_EP_LIST];
    const int32_t *values = quernel_ep_data_at(c, list);
    if (!list.bytes) visit(user, s->x);
    for (uint32_t i = 0; i < list.bytes / sizeof *values; i++) visit(user, values[i]);
    if (s->z >= 0) visit(user, s->z);
}

static int32_t unit_that_makes(const quernel_ep_search *c, int32_t v) {
    if ((uint32_t)v >= c->graph->n_values || c->producer[v] < 0) return -1;
    return c->unit_of[c->producer[v]];
}

typedef struct order_check {
    const quernel_ep_search *c;
    const quernel_ep_groups *g;
    int32_t from, order;
    bool fits;
} order_check;

static void check_order(void *user, int32_t v) {
    order_check *k = user;
    const int32_t unit = unit_that_makes(k->c, v);
    if (unit < 0 || k->g->of[unit] != k->from || k->c->graph->values[v].rank == 2) return;
    if (k->c->records[v].order != k->order) k->fits = false;
}

// Whether what one group writes has the channels where the other one reads them.
static bool orders_fit(const quernel_ep_search *c, const quernel_ep_groups *g, int32_t from,
                       int32_t to) {
    order_check k = {c, g, from, 0, true};
    for (int32_t u = g->first[to]; u >= 0 && k.fits; u = g->next[u])
        for (uint32_t i = 0; i < c->units[u].n_steps; i++) {
            k.order = c->units[u].steps[i].order;
            quernel_ep_step_inputs(c, &c->units[u].steps[i], check_order, &k);
        }
    return k.fits;
}

static void join(quernel_ep_groups *g, int32_t from, int32_t to) {
    int32_t last = g->first[to];
    while (g->next[last] >= 0) last = g->next[last];
    g->next[last] = g->first[from];
    for (int32_t u = g->first[from]; u >= 0; u = g->next[u]) g->of[u] = to;
    g->first[from] = -1;
}

typedef struct merger {
    search s;
    int32_t unit;
} merger;

static void merge(void *user, int32_t v) {
    merger *m = user;
    quernel_ep_groups *g = m->s.g;
    const int32_t unit = unit_that_makes(m->s.c, v);
    if (unit < 0 || g->of[unit] < 0 || g->of[unit] == g->of[m->unit]) return;
    const int32_t from = g->of[unit], to = g->of[m->unit];
    if (orders_fit(m->s.c, g, from, to) && !has_detour(&m->s, from, to)) join(g, from, to);
}

static void merge_all(const quernel_ep_search *c, merger *m) {
    for (uint32_t node = 0; node < c->graph->n_nodes; node++) {
        const int32_t u = c->unit_of[node];
        if (u < 0 || m->s.g->of[u] < 0) continue;
        m->unit = u;
        for (uint32_t i = 0; i < c->units[u].n_steps; i++)
            if (c->producer[c->units[u].steps[i].y] == (int32_t)node)
                quernel_ep_step_inputs(c, &c->units[u].steps[i], merge, m);
    }
}

bool quernel_ep_is_seen(const quernel_ep_search *c, const quernel_ep_groups *g, int32_t v,
                        int32_t group) {
    if ((uint32_t)v >= c->graph->n_values) return false; // a unit's own
    if (c->graph->values[v].graph_output) return true;
    for (uint32_t r = c->readers_begin[v]; r < c->readers_begin[v + 1]; r++)
        if (group_of(c, g, c->readers[r]) != group) return true;
    return false;
}

static bool is_node(const quernel_ep_search *c, const quernel_ep_unit *unit, const char *op) {
    return unit->n_nodes == 1 && !strcmp(quernel_ep_node_of(c, unit->nodes[0])->op, op);
}

// What a unit of one node makes; its steps may have values of their own in between.
static int32_t made_by(const quernel_ep_search *c, const quernel_ep_unit *unit) {
    return quernel_ep_node_of(c, unit->nodes[0])->outputs[0];
}

// Whether what a unit reads first is made in `group`.
static bool reads_from(const quernel_ep_search *c, const quernel_ep_groups *g,
                       const quernel_ep_unit *unit, int32_t group) {
    const int32_t maker = unit_that_makes(c, unit->steps[0].x);
    return maker >= 0 && g->of[maker] == group;
}

// A QuantizeLinear at the entry of a group whose codes others read, too.
static bool is_shared_entry(const quernel_ep_search *c, const quernel_ep_groups *g,
                            const quernel_ep_unit *unit, int32_t group) {
    return is_node(c, unit, "QuantizeLinear") && !reads_from(c, g, unit, group) &&
           quernel_ep_is_seen(c, g, made_by(c, unit), group);
}

// Operators that hand on codes as they are; ONNX Runtime runs them on codes between a
// DequantizeLinear and a QuantizeLinear.
static bool moves_only(const char *op) {
    static const char *const names[] = {"Reshape", "Transpose", "Squeeze", "Unsqueeze",
                                        "Flatten", "Slice",     "Split",   "MaxPool"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(op, names[i])) return true;
    return false;
}

// A DequantizeLinear at the exit of a group whose numbers are only moved outside.
static bool is_moved_exit(const quernel_ep_search *c, const quernel_ep_groups *g,
                          const quernel_ep_unit *unit, int32_t group) {
    if (!is_node(c, unit, "DequantizeLinear") || !reads_from(c, g, unit, group)) return false;
    const int32_t y = made_by(c, unit);
    if (c->graph->values[y].graph_output) return false;
    for (uint32_t r = c->readers_begin[y]; r < c->readers_begin[y + 1]; r++)
        if (group_of(c, g, c->readers[r]) == group ||
            !moves_only(quernel_ep_node_of(c, c->readers[r])->op))
            return false;
    return true;
}

// Codes at a group's edge that others read are an input or an output, a quarter of the bytes, and
// who quantizes them before it or dequantizes them behind it stays outside.
static void drop_edges(const quernel_ep_search *c, quernel_ep_groups *g, int32_t group) {
    int32_t *at = &g->first[group];
    while (*at >= 0) {
        const int32_t u = *at;
        const quernel_ep_unit *unit = &c->units[u];
        const bool alone = at == &g->first[group] && g->next[u] < 0;
        if (!alone && (is_shared_entry(c, g, unit, group) || is_moved_exit(c, g, unit, group)))
            *at = g->next[u], g->of[u] = -1;
        else at = &g->next[u];
    }
}

int quernel_ep_groups_find(quernel_ep_search *c, quernel_ep_groups *ret_groups) {
    quernel_ep_groups g = {.n_groups = c->n_units};
    g.of = quernel_ep_region_take(&c->region, c->n_units, sizeof *g.of);
    g.first = quernel_ep_region_take(&c->region, c->n_units, sizeof *g.first);
    g.next = quernel_ep_region_take(&c->region, c->n_units, sizeof *g.next);
    merger m = {.s = {.c = c, .g = &g}};
    m.s.seen = quernel_ep_region_take(&c->region, c->graph->n_nodes, sizeof *m.s.seen);
    m.s.stack = quernel_ep_region_take(&c->region, c->graph->n_nodes, sizeof *m.s.stack);
    if (c->region.failed) return QUERNEL_E_MEMORY;
    for (uint32_t u = 0; u < c->n_units; u++) {
        g.next[u] = -1;
        g.of[u] = g.first[u] = c->units[u].banned ? -1 : (int32_t)u;
    }
    if (!c->options->units) merge_all(c, &m);
    for (uint32_t i = 0; i < g.n_groups && !c->options->units; i++) drop_edges(c, &g, (int32_t)i);
    *ret_groups = g;
    return QUERNEL_OK;
}
