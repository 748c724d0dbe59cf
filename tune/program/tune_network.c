// SPDX-License-Identifier: Apache-2.0
// Networks: layers with one key at a time, within the run of the whole.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tune/common/clock.h"
#include "tune/program/tune.h"
#include "tune/search/network_plans.h"

// Input and output are as the options say of a layer's tensors.
static network_request request_of(const tune_options *o) {
    const request *r = &o->layers.request;
    const bool f32 = r->boundary == BOUNDARY_F32;
    const int32_t type = f32 ? QUERNEL_TYPE_F32 : r->x_type,
                  layout = f32 && r->nchw ? QUERNEL_LAYOUT_NCHW : QUERNEL_LAYOUT_NHWC;
    return (network_request){.x_type = type,
                             .x_layout = layout,
                             .y_type = type,
                             .y_layout = layout,
                             .inner = r->x_type,
                             .dynamic = f32 && r->dynamic,
                             .threads = r->threads,
                             .isa = r->isa,
                             .seed = r->seed};
}

// Of all parts: each is raced by runs of the whole.
static double work_of(const network_workload *n) { return 1e6 + (double)network_macs(n); }

// The part with the largest share among those that `taken` does not name.
static uint32_t largest(const network_plans *p, const bool *taken) {
    uint32_t best = 0;
    double most = -1;
    for (uint32_t i = 0; i < p->parts; i++)
        if (!taken[i] && network_plans_share(p, i) > most) most = network_plans_share(p, best = i);
    return best;
}

static void name_part(const network_plans *p, uint32_t part, char *text, size_t capacity) {
    char layer[SHAPE_NAME_MAX];
    uint32_t layers;
    shape_name(network_plans_layer(p, part, &layers), layer, sizeof layer);
    snprintf(text, capacity, layers > 1 ? "%s and %u like it" : "%s", layer, layers - 1);
}

static session_end tune_part(const tune_options *o, network_plans *plans, uint32_t part,
                             double deadline, char *text, size_t capacity) {
    if (clock_now() < deadline)
        return session_run_within(&o->session, plans, part, deadline, text, capacity);
    snprintf(text, capacity, "the budget is spent");
    return SESSION_UNFINISHED;
}

static void tell_whole(const tune_options *o, const network_plans *plans, double deadline) {
    const char *model = plans->network->rows[0].model;
    decision d;
    uint32_t tuned = 0;
    for (uint32_t i = 0; i < plans->parts; i++) tuned += *plans->configs[i] != 0;
    if (!tuned) fprintf(stderr, "%s: every layer keeps its default\n", model);
    else if (!session_time_whole(&o->session, plans, deadline, &d))
        fprintf(stderr, "%s: no time is left for the whole\n", model);
    else
        fprintf(stderr, "%s: the whole is %.3f times as fast as by the defaults [%.3f, %.3f]\n",
                model, d.ratio.middle, d.ratio.lo, d.ratio.hi);
}

// The parts with the largest share of the work come first, each with all the time that it wants:
// the budget may not last for all, and the next call goes on.
static void tune_parts(const tune_options *o, network_plans *plans, bool *taken, progress *p,
                       tally *t) {
    const double deadline = p->start + p->budget, work = work_of(plans->network);
    for (uint32_t n = 0; n < plans->parts && !*o->session.interrupted; n++) {
        char name[SHAPE_NAME_MAX + 32], text[512]; // "and N like it"
        const uint32_t part = largest(plans, taken);
        taken[part] = true;
        name_part(plans, part, name, sizeof name);
        const session_end end = tune_part(o, plans, part, deadline, text, sizeof text);
        tune_print_progress(p, t, work / plans->parts, name, end, text);
    }
    if (!*o->session.interrupted) tell_whole(o, plans, deadline);
}

// Lets each part race; one end for all of them where there is no such network.
static void tune_network(const tune_options *o, network_workload *n, progress *p, tally *t) {
    network_plans plans = {0};
    bool differs = false;
    const bool made = network_check(n, &differs) && network_plans_make(&plans, n);
    bool *taken = made ? calloc(plans.parts, sizeof *taken) : NULL;
    p->count = p->index + (int)(taken ? plans.parts : 1);
    if (taken) tune_parts(o, &plans, taken, p, t);
    else
        tune_print_progress(p, t, work_of(n), n->rows[0].model,
                            differs ? SESSION_FAILED : SESSION_SKIPPED, n->reason);
    free(taken);
    network_plans_free(&plans);
}

tally tune_networks(const tune_options *o) {
    const shape_options *s = &o->layers;
    const uint32_t rows = (uint32_t)s->count;
    const network_request r = request_of(o);
    tally t = {0};
    progress p = {.start = clock_now(), .budget = o->budget};
    for (uint32_t i = 0; i < rows; i++) p.total += (double)s->shapes[i].macs;
    for (uint32_t i = 0; i < rows && !*o->session.interrupted;) {
        network_workload n;
        const uint32_t count = network_rows(s->shapes, i, rows);
        if (network_make(&n, s->shapes + i, count, &r)) tune_network(o, &n, &p, &t);
        else
            p.count = p.index + 1,
            tune_print_progress(&p, &t, work_of(&n), n.rows[0].model, SESSION_SKIPPED, n.reason);
        network_free(&n);
        i += count;
    }
    return t;
}

// Whole networks alone: a filter of layers would tear them.
static void filter_models(shape_options *s, const char *filter) {
    int kept = 0;
    for (int i = 0; i < s->count; i++)
        if (!filter || strstr(s->shapes[i].model, filter)) s->shapes[kept++] = s->shapes[i];
    s->count = kept;
}

static int check_models(const tune_options *o) {
    const shape_options *s = &o->layers;
    const uint32_t rows = (uint32_t)s->count;
    for (uint32_t i = 0; i < rows;) {
        network_workload n = {.rows = s->shapes + i, .count = network_rows(s->shapes, i, rows)};
        if (!network_check_rows(&n)) return usage_error("tune", o->network, n.reason);
        i += n.count;
    }
    return GO_ON;
}

int tune_networks_read(tune_options *o) {
    shape_options *s = &o->layers;
    const char *filter = s->filter;
    if (s->count || s->layers || s->gemm)
        return usage_error("tune", "--network", "other layers are named beside it");
    s->filter = NULL, s->layers = o->network;
    const int code = shape_options_read(s, "tune");
    if (code != GO_ON) return code;
    filter_models(s, filter);
    return s->count ? check_models(o) : usage_error("tune", "--filter", filter);
}
