// SPDX-License-Identifier: Apache-2.0
// The search for islands: units, groups, a price, and a trial of each by the library. What it
// refuses is banned, and the groups are found anew without it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instance.h"
#include "trial.h"

typedef struct partitioner {
    quernel_ep_search c;
    quernel_ep_groups groups;
    quernel_ep_shape *shapes; // of values, for trials
    quernel_ep_partition out;
    bool banned; // a unit was banned in this round
    quernel_error *error;
} partitioner;

static int compare(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

// Room for all nodes and values of a group; what is filled in is counted.
static bool allocate_island(const partitioner *p, int32_t group, quernel_ep_island *ret_island) {
    uint32_t nodes = 0, inputs = 0, outputs = 0;
    for (int32_t u = p->groups.first[group]; u >= 0; u = p->groups.next[u])
        for (uint32_t i = 0; i < p->c.units[u].n_nodes; i++, nodes++) {
            const quernel_ep_node *n = quernel_ep_node_of(&p->c, p->c.units[u].nodes[i]);
            inputs += n->n_inputs, outputs += n->n_outputs;
        }
    *ret_island = (quernel_ep_island){.nodes = calloc(nodes + 1, sizeof *ret_island->nodes),
                                      .inputs = calloc(inputs + 1, sizeof *ret_island->inputs),
                                      .outputs = calloc(outputs + 1, sizeof *ret_island->outputs)};
    return ret_island->nodes && ret_island->inputs && ret_island->outputs;
}

static void free_island(quernel_ep_island *island) {
    free(island->nodes);
    free(island->inputs);
    free(island->outputs);
    quernel_ep_program_destroy(island->program);
}

static int32_t group_of(const partitioner *p, int32_t node) {
    return node < 0 || p->c.unit_of[node] < 0 ? -1 : p->groups.of[p->c.unit_of[node]];
}

static bool lists(const int32_t *list, uint32_t count, int32_t v) {
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == v) return true;
    return false;
}

static void add_edges(const partitioner *p, int32_t group, uint32_t node, quernel_ep_island *s) {
    const quernel_ep_node *n = quernel_ep_node_of(&p->c, node);
    for (uint32_t i = 0; i < n->n_inputs; i++) {
        const int32_t v = n->inputs[i];
        if (v < 0 || p->c.graph->values[v].data || group_of(p, p->c.producer[v]) == group) continue;
        if (!lists(s->inputs, s->n_inputs, v)) s->inputs[s->n_inputs++] = v;
    }
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i] >= 0 && quernel_ep_is_seen(&p->c, &p->groups, n->outputs[i], group))
            s->outputs[s->n_outputs++] = n->outputs[i];
}

static bool make_island(const partitioner *p, int32_t group, quernel_ep_island *ret_island) {
    if (!allocate_island(p, group, ret_island)) return false;
    for (int32_t u = p->groups.first[group]; u >= 0; u = p->groups.next[u]) {
        const quernel_ep_unit *unit = &p->c.units[u];
        for (uint32_t i = 0; i < unit->n_nodes; i++)
            ret_island->nodes[ret_island->n_nodes++] = unit->nodes[i];
        ret_island->macs += unit->macs;
    }
    qsort(ret_island->nodes, ret_island->n_nodes, sizeof *ret_island->nodes, compare);
    for (uint32_t i = 0; i < ret_island->n_nodes; i++)
        add_edges(p, group, ret_island->nodes[i], ret_island);
    return true;
}

static void ban(partitioner *p, int32_t unit, const char *text) {
    quernel_ep_unit *u = &p->c.units[unit];
    u->banned = p->banned = true;
    for (uint32_t i = 0; i < u->n_nodes; i++)
        quernel_ep_node_refuse(&p->c, u->nodes[i], "%s", text);
}

static int try_program(partitioner *p, const quernel_ep_island *island, int32_t *ret_step,
                       quernel_error *error) {
    quernel_ep_instance *instance = NULL;
    quernel_ep_shape *shapes = calloc(island->n_inputs + 1, sizeof *shapes);
    if (!shapes) return QUERNEL_E_MEMORY;
    for (uint32_t i = 0; i < island->n_inputs; i++) shapes[i] = p->shapes[island->inputs[i]];
    const int code = quernel_ep_instance_make(island->program, shapes, &instance, ret_step, error);
    quernel_ep_instance_destroy(instance);
    free(shapes);
    return code;
}

// The unit whose step writes what step `step` of the program writes, or the group's first.
static int32_t unit_of_step(const partitioner *p, int32_t group, int32_t step) {
    int32_t k = 0;
    // steps of a program are in the order of the nodes that make their outputs
    for (uint32_t node = 0; node < p->c.graph->n_nodes && step >= 0; node++) {
        if (group_of(p, (int32_t)node) != group) continue;
        const quernel_ep_unit *u = &p->c.units[p->c.unit_of[node]];
        for (uint32_t i = 0; i < u->n_steps; i++)
            if (p->c.producer[u->steps[i].y] == (int32_t)node && k++ == step)
                return p->c.unit_of[node];
    }
    return p->groups.first[group];
}

// Makes the island's program and a network of it; bans the unit that is refused.
static int try_island(partitioner *p, int32_t group, quernel_ep_island *island) {
    quernel_error error = {.index = -1};
    int32_t step = -1;
    int code = quernel_ep_program_build(&p->c, &p->groups, group, island, &island->program, &error);
    if (!code) code = try_program(p, island, &step, &error);
    if (code == QUERNEL_E_MEMORY || !code) return code;
    const char *why = *error.text ? error.text : quernel_status_string(code);
    ban(p, unit_of_step(p, group, step), why);
    return QUERNEL_OK;
}

static int take_group(partitioner *p, int32_t group) {
    quernel_ep_island island;
    if (!make_island(p, group, &island)) return free_island(&island), QUERNEL_E_MEMORY;
    const bool banned = p->banned;
    p->banned = false;
    const int code = try_island(p, group, &island);
    if (code || p->banned) free_island(&island);
    else p->out.islands[p->out.n_islands++] = island;
    p->banned |= banned;
    return code;
}

static bool is_wanted(const partitioner *p, int32_t group) {
    if (p->groups.first[group] < 0) return false;
    return p->c.options->all || quernel_ep_pays(&p->c, &p->groups, group);
}

static void clear(partitioner *p) {
    for (uint32_t i = 0; i < p->out.n_islands; i++) free_island(&p->out.islands[i]);
    p->out.n_islands = 0;
}

static int take_all(partitioner *p) {
    int code;
    do {
        clear(p);
        p->banned = false;
        code = quernel_ep_groups_find(&p->c, &p->groups);
        for (uint32_t g = 0; g < p->groups.n_groups && !code; g++)
            if (is_wanted(p, (int32_t)g)) code = take_group(p, (int32_t)g);
    } while (!code && p->banned);
    return code;
}

// Each node that is in no island, with what was found against it.
static void list_refusals(partitioner *p) {
    bool *taken = calloc(p->c.graph->n_nodes + 1, sizeof *taken);
    for (uint32_t i = 0; i < p->out.n_islands && taken; i++)
        for (uint32_t k = 0; k < p->out.islands[i].n_nodes; k++)
            taken[p->out.islands[i].nodes[k]] = true;
    for (uint32_t node = 0; node < p->c.graph->n_nodes && taken; node++) {
        if (taken[node]) continue;
        quernel_ep_refusal *r = &p->out.refusals[p->out.n_refusals++];
        const char *why = p->c.unit_of[node] < 0 ? "nothing that is taken reads or writes it"
                                                 : "its island would cost more than it gains";
        r->node = node;
        snprintf(r->reason, sizeof r->reason, "%s", p->c.reasons[node] ? p->c.reasons[node] : why);
    }
    free(taken);
}

int quernel_ep_partition_find(const quernel_ep_graph *graph, const quernel_ep_options *options,
                              quernel_ep_partition *ret_partition, quernel_error *error) {
    partitioner p = {.error = error};
    int code = quernel_ep_search_make(graph, options, &p.c);
    if (!code) quernel_ep_units_find(&p.c);
    p.out.islands = calloc(p.c.n_units + 1, sizeof *p.out.islands);
    p.out.refusals = calloc(graph->n_nodes + 1, sizeof *p.out.refusals);
    if (p.c.region.failed || !p.out.islands || !p.out.refusals) code = QUERNEL_E_MEMORY;
    if (!code && !quernel_ep_trial_find(&p.c, &p.shapes)) code = QUERNEL_E_MEMORY;
    if (!code) code = take_all(&p);
    if (!code) list_refusals(&p);
    quernel_ep_search_free(&p.c);
    if (!code) *ret_partition = p.out;
    else quernel_ep_partition_free(&p.out);
    return code ? quernel_ep_fail(error, code, -1, "islands: no memory") : QUERNEL_OK;
}

void quernel_ep_partition_free(quernel_ep_partition *p) {
    for (uint32_t i = 0; i < p->n_islands; i++) free_island(&p->islands[i]);
    free(p->islands);
    free(p->refusals);
    *p = (quernel_ep_partition){NULL, 0, NULL, 0};
}

// All units of a graph that is one island already: what was found in the whole graph is found here.
static int32_t group_all(quernel_ep_search *c, quernel_ep_groups *g) {
    for (uint32_t u = 0; u < c->n_units; u++) {
        g->of[u] = 0, g->next[u] = u + 1 < c->n_units ? (int32_t)u + 1 : -1;
        g->first[u] = u ? -1 : 0;
    }
    return 0;
}

static int build_whole(quernel_ep_search *c, const quernel_ep_island *island,
                       quernel_ep_program **ret_program, quernel_error *error) {
    quernel_ep_groups groups;
    quernel_ep_units_find(c);
    int code = quernel_ep_groups_find(c, &groups);
    if (code) return quernel_ep_fail(error, code, -1, "program: no memory");
    for (uint32_t i = 0; i < island->n_nodes; i++)
        if (c->unit_of[island->nodes[i]] < 0)
            return quernel_ep_fail(
                error, QUERNEL_E_UNSUPPORTED, -1, "program: node %u: %s", island->nodes[i],
                c->reasons[island->nodes[i]] ? c->reasons[island->nodes[i]] : "is not taken");
    return quernel_ep_program_build(c, &groups, group_all(c, &groups), island, ret_program, error);
}

int quernel_ep_program_create(const quernel_ep_graph *graph, const quernel_ep_island *island,
                              const quernel_ep_options *options, quernel_ep_program **ret_program,
                              quernel_error *error) {
    quernel_ep_search c;
    int code = quernel_ep_search_make(graph, options, &c);
    if (code) quernel_ep_fail(error, code, -1, "program: no memory");
    else code = build_whole(&c, island, ret_program, error);
    quernel_ep_search_free(&c);
    return code;
}
