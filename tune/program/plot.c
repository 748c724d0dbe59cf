// SPDX-License-Identifier: Apache-2.0
// quernel plot: which two knobs a landscape is drawn over, and what the model predicts for its
// plans.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "tune/common/outfile.h"
#include "tune/program/options.h"
#include "tune/program/output.h"
#include "tune/program/plot.h"
#include "tune/program/program.h"
#include "tune/program/shape_options.h"

static const char usage[] = "usage: quernel plot LANDSCAPE [--x KEY] [--y KEY] [--out F.svg]\n"
                            "\n"
                            "Draws what quernel record measured. A cell is the best plan with "
                            "those two values, as its time over\n"
                            "the best plan's; without --x and --y the two knobs with the most "
                            "values. The default is framed.\n"
                            "--out: without it stdout.\n";

static int value_index(const axis *a, const char *value) {
    for (int i = 0; i < a->count; i++)
        if (!strcmp(a->value[i], value)) return i;
    return -1;
}

// Numbers by size, words by letters behind them.
static int by_number(const void *a, const void *b) {
    const double x = strtod(a, NULL), y = strtod(b, NULL);
    return x != y ? (x > y) - (x < y) : strcmp(a, b);
}

// The values of a knob in a landscape, in order.
static axis make_axis(const landscape *l, const char *key) {
    axis a = {.key = key};
    for (uint32_t p = 0; p < l->count; p++) {
        char value[AXIS_WORD];
        if (config_word(l->configs[p], key, value, AXIS_WORD) && value_index(&a, value) < 0 &&
            a.count < AXIS_VALUES)
            strcpy(a.value[a.count++], value);
    }
    qsort(a.value, (size_t)a.count, sizeof *a.value, by_number);
    return a;
}

// The keys that were named; else the knobs with the most values.
static void choose_axes(plot *p, const char *x, const char *y) {
    for (const quernel_i_knob *k = quernel_i_knobs; k->key; k++) {
        const axis a = make_axis(p->land, k->key);
        if (!x && a.count > p->x.count) {
            if (!y) p->y = p->x;
            p->x = a;
        } else if (!y && a.count > p->y.count) p->y = a;
    }
    if (x) p->x = make_axis(p->land, x);
    if (y) p->y = make_axis(p->land, y);
}

// What the model says of each plan, by making it.
static void predict(plot *p) {
    shape s;
    request r;
    workload u;
    const landscape *l = p->land;
    for (uint32_t i = 0; i < l->count; i++) p->predicted[i] = NAN;
    if (!shape_of_key(l->op, l->shape, l->env, &s, &r)) return;
    if (workload_make(&u, &s, &r))
        for (uint32_t i = 0; i < l->count; i++) {
            quernel_operator *op = NULL;
            quernel_plan_choice choice = QUERNEL_PLAN_CHOICE_INIT;
            if (workload_operator(&u, l->configs[i], &op, NULL)) continue;
            if (!quernel_operator_choice(op, &choice)) p->predicted[i] = choice.predicted_ns;
            quernel_operator_destroy(op);
        }
    workload_free(&u);
}

static int make_plot(const landscape *l, const char *x, const char *y, FILE *to) {
    plot p = {.land = l, .to = to};
    const uint32_t best = landscape_best(l);
    p.over_best = malloc(l->count * sizeof *p.over_best),
    p.predicted = malloc(l->count * sizeof *p.predicted);
    const int fine = p.over_best && p.predicted;
    if (fine) {
        for (uint32_t i = 0; i < l->count; i++) p.over_best[i] = landscape_ratio(l, i, best);
        p.best_ns = landscape_median(l, best);
        choose_axes(&p, x, y);
        predict(&p);
    }
    if (fine && p.x.count && p.y.count) plot_draw(&p);
    free(p.over_best), free(p.predicted);
    return fine && p.x.count && p.y.count;
}

static void help(void) { fputs(usage, stdout); }

typedef struct plot_options {
    const char *path, *x, *y, *out;
} plot_options;

static bool take(void *user, option o) {
    plot_options *p = user;
    if (option_is(o, "?") && !p->path) return (p->path = o.value) != NULL;
    if (option_is(o, "x")) return (p->x = o.value) != NULL;
    if (option_is(o, "y")) return (p->y = o.value) != NULL;
    return option_is(o, "out") && (p->out = o.value);
}

static int plot_into(const plot_options *o, const landscape *l) {
    outfile out = {.to = stdout};
    if (o->out && !outfile_open(&out, o->out)) return usage_error("plot", "--out", o->out);
    const bool made = make_plot(l, o->x, o->y, out.to);
    const bool written = !o->out || outfile_close(&out, made);
    if (!made) return usage_error("plot", "--x, --y", "no plan has such a key");
    return written ? EXIT_DONE : write_error("plot", o->out);
}

int command_plot(int argc, char **argv) {
    static const command_line line = {"plot", "", help, take};
    plot_options o = {0};
    int code = options_read(&line, argc, argv, &o);
    if (code == GO_ON && !o.path) code = usage_error("plot", "LANDSCAPE", NULL);
    landscape l;
    if (code == GO_ON && !landscape_read(o.path, &l)) code = EXIT_USAGE;
    if (code != GO_ON) return code;
    code = plot_into(&o, &l);
    landscape_free(&l);
    return code;
}
