// SPDX-License-Identifier: Apache-2.0
// Layers one after another, each alone.
#include <stdio.h>
#include <stdlib.h>

#include "tune/common/clock.h"
#include "tune/program/tune.h"

// What a race of the layer costs, and what it costs for each use of the layer in its network.
static double cost_of(const shape *s) { return (double)s->macs + 1e6; }
static double cost_per_use(const shape *s) { return cost_of(s) / (s->repeat ? s->repeat : 1); }

static const shape *sorted_shapes; // qsort's comparison has no argument of its own
static int by_cost(const void *a, const void *b) {
    const double x = cost_per_use(&sorted_shapes[*(const int *)a]),
                 y = cost_per_use(&sorted_shapes[*(const int *)b]);
    return x != y ? (x > y) - (x < y) : *(const int *)a - *(const int *)b;
}

// One layer, or none where the budget is spent before it.
static session_end tune_one(const tune_options *o, int index, double deadline, char *text,
                            size_t capacity) {
    request r = *shape_options_request(&o->layers, index);
    r.full_check = FULL_CHECK_OFTEN;
    if (clock_now() < deadline)
        return session_run(&o->session, &o->layers.shapes[index], &r, deadline, text, capacity);
    snprintf(text, capacity, "the budget is spent");
    return SESSION_UNFINISHED;
}

// Cheapest first: a race that is cut short has no result, so that shares of a small budget would
// all be wasted. A race ends by itself; those that the budget cannot pay run with fewer candidates,
// or not at all.
static tally tune_in_order(const tune_options *o, const int *order) {
    const shape_options *s = &o->layers;
    tally t = {0};
    progress p = {.count = s->count, .start = clock_now(), .budget = o->budget};
    for (int i = 0; i < s->count; i++) p.total += cost_of(&s->shapes[i]);
    for (int n = 0; n < s->count && !*o->session.interrupted; n++) {
        const shape *layer = &s->shapes[order[n]];
        char name[SHAPE_NAME_MAX], text[512];
        shape_name(layer, name, sizeof name);
        const session_end end = tune_one(o, order[n], p.start + o->budget, text, sizeof text);
        tune_print_progress(&p, &t, cost_of(layer), name, end, text);
    }
    return t;
}

tally tune_layers(const tune_options *o) {
    const shape_options *s = &o->layers;
    tally t = {0};
    int *order = malloc((size_t)s->count * sizeof *order);
    for (int i = 0; order && i < s->count; i++) order[i] = i;
    sorted_shapes = s->shapes;
    if (order) qsort(order, (size_t)s->count, sizeof *order, by_cost), t = tune_in_order(o, order);
    else t.ends[SESSION_SKIPPED] = s->count;
    free(order);
    return t;
}
