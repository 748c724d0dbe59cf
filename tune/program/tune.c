// SPDX-License-Identifier: Apache-2.0
// quernel tune: layer by layer within a budget, each row published at once.
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tune/common/clock.h"
#include "tune/probe/host.h"
#include "tune/program/options.h"
#include "tune/program/program.h"
#include "tune/program/shape_options.h"
#include "tune/search/publish.h"
#include "tune/search/session.h"

static const char usage[] =
    "usage: quernel tune (--layers F | --gemm F | --misses F | --conv … | --gemm MxNxK) [layer options]\n"
    "       [--effort estimate|measure|patient|exhaustive] [--budget 60s] [--seed N] [--noise SHARE]\n"
    "       [--table OUT] [--again] [--json OUT]\n\n"
    "Fills a table (default: tuned.qtn in the XDG cache). Every plan that races has given the default's bits; the\n"
    "winner is timed against the default in a process of its own before it is believed; a row is written at once.\n"
    "A layer that has a row of this effort is kept (--again: tuned again): a run that was killed goes on where it\n"
    "was. The budget is hard; cheap layers, and those that a network repeats, go first. --noise: the host's noise\n"
    "floor where it is known, e.g. 0.02; else up to two seconds are spent on looking for it.\n"
    "Closes with won, tied, kept, failed and the table's path. Exit: 1 where a layer failed or the table could not\n"
    "be written.\n";

static volatile sig_atomic_t interrupted;
static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

typedef struct wish {
    double budget;
    double noise; // the A/A floor as the caller knows it; below 0: looked for
    const char *json_path;
    session session;
} wish;

// "90", "90s", "2m", "1h".
static bool parse_budget(const char *text, double *ret) {
    char *end;
    const double value = text ? strtod(text, &end) : 0;
    if (!(value > 0) || value > 1e7) return false;
    const double unit = !*end || !strcmp(end, "s") ? 1 : !strcmp(end, "m") ? 60 : !strcmp(end, "h") ? 3600 : 0;
    *ret = value * unit;
    return unit > 0;
}

// A share below 1: "0.02".
static bool parse_noise(const char *text, double *ret) {
    char *end;
    *ret = strtod(text, &end);
    return end != text && !*end && *ret >= 0 && *ret < 1;
}

static bool take(wish *w, shape_options *s, const option_seen o) {
    if (!strcmp(o.name, "again")) return w->session.again = true;
    if (!o.value) return false;
    if (!strcmp(o.name, "budget")) return parse_budget(o.value, &w->budget);
    if (!strcmp(o.name, "noise")) return parse_noise(o.value, &w->noise);
    if (!strcmp(o.name, "effort")) return (w->session.effort = quernel_i_effort_named(o.value)) >= 0;
    if (!strcmp(o.name, "seed")) return parse_u64(o.value, &w->session.seed);
    if (!strcmp(o.name, "table")) return (w->session.table = o.value) != NULL;
    if (!strcmp(o.name, "json")) return (w->json_path = o.value) != NULL;
    return strcmp(o.name, "config") && shape_options_take(s, o);
}

// What a race of the layer costs, and what it is worth: a layer that a network runs five times is worth five.
static double cost_of(const shape *s) { return (double)s->macs + 1e6; }
static double cost_per_use(const shape *s) { return cost_of(s) / (s->repeat ? s->repeat : 1); }

static const shape *sorted_shapes;
static int by_cost(const void *a, const void *b) {
    const double x = cost_per_use(&sorted_shapes[*(const int *)a]), y = cost_per_use(&sorted_shapes[*(const int *)b]);
    return x != y ? (x > y) - (x < y) : *(const int *)a - *(const int *)b;
}

typedef struct tally {
    int ends[SESSION_ENDS];
} tally;

static const char *const ends[SESSION_ENDS] = {"won",     "tied",   "alone",      "kept",     "model",
                                               "skipped", "failed", "unfinished", "unwritten"};

static void tell(int index, int count, double spent, double budget, double done, const char *name, session_end end,
                 const char *text) {
    const double eta = done > 0 ? fmin(spent / done - spent, budget - spent) : budget;
    fprintf(stderr, "[%d/%d, %.0f of %.0f s, about %.0f to go] %s: %s: %s\n", index + 1, count, spent, budget,
            fmax(eta, 0), name, ends[end], text);
}

// Cheapest first: a race that is cut short tells nothing, so that shares of a small budget would all be wasted. A race
// ends by itself; those that the budget cannot pay run with fewer candidates, or not at all.
static tally run(wish *w, const shape_options *s, const int *order) {
    tally t = {0};
    const double start = clock_now(), deadline = start + w->budget;
    double total = 0, passed = 0;
    for (int i = 0; i < s->count; i++) total += cost_of(&s->shapes[i]);
    for (int n = 0; n < s->count && !interrupted; n++) {
        const shape *layer = &s->shapes[order[n]];
        char name[160], text[512] = "the budget is spent";
        shape_name(layer, name, sizeof name);
        request r = *shape_options_request(s, order[n]);
        r.full_check = 100000000;
        session_end end = SESSION_UNFINISHED;
        if (clock_now() < deadline) end = session_run(&w->session, layer, &r, deadline, text, sizeof text);
        passed += cost_of(layer);
        t.ends[end]++;
        tell(n, s->count, clock_now() - start, w->budget, passed / total, name, end, text);
    }
    return t;
}

static tally run_in_order(wish *w, const shape_options *s) {
    tally t = {0};
    int *order = malloc((size_t)s->count * sizeof *order);
    for (int i = 0; order && i < s->count; i++) order[i] = i;
    sorted_shapes = s->shapes;
    if (order) qsort(order, (size_t)s->count, sizeof *order, by_cost), t = run(w, s, order);
    else t.ends[SESSION_SKIPPED] = s->count;
    free(order);
    return t;
}

// Tells what disturbs, and returns the noise floor.
static double look_at_host(double budget) {
    host_health health;
    host_look(fmin(2, budget / 20), &health);
    const char *advice;
    for (int i = 0; (advice = host_advice(&health, i)); i++) fprintf(stderr, "quernel: tune: %s\n", advice);
    return fmin(health.noise, 0.1);
}

static int tune(wish *w, const shape_options *s, json *j) {
    w->session.noise = w->noise < 0 ? look_at_host(w->budget) : w->noise;
    quernel_i_table *old = quernel_i_table_read(w->session.table, NULL, NULL);
    if (old && old->wrong && strcmp(old->wrong, "no such file")) {
        usage_error("tune", w->session.table, old->wrong);
        quernel_i_table_free(old);
        return EXIT_USAGE;
    }
    const quernel_i_table *known[] = {old, NULL};
    w->session.known = known, w->session.json = j, w->session.interrupted = &interrupted;
    if (j)
        json_open(j, NULL, '{'), json_text(j, "schema", "quernel-tune-1"), json_text(j, "table", w->session.table),
            json_open(j, "layers", '[');
    const tally t = run_in_order(w, s);
    if (j) {
        json_close(j, ']');
        for (int i = 0; i < SESSION_ENDS; i++) json_integer(j, ends[i], t.ends[i]);
        json_close(j, '}'), fputc('\n', j->to);
    }
    FILE *to = j && j->to == stdout ? stderr : stdout;
    fprintf(to, "%d won, %d tied, %d kept, %d failed", t.ends[SESSION_WON], t.ends[SESSION_TIED] + t.ends[SESSION_ONLY],
            t.ends[SESSION_KEPT], t.ends[SESSION_FAILED] + t.ends[SESSION_UNWRITTEN]);
    if (t.ends[SESSION_SKIPPED]) fprintf(to, ", %d skipped", t.ends[SESSION_SKIPPED]);
    if (t.ends[SESSION_UNFINISHED]) fprintf(to, ", %d unfinished", t.ends[SESSION_UNFINISHED]);
    fprintf(to, "; %s\n", w->session.table);
    quernel_i_table_free(old);
    if (interrupted) return EXIT_INTERRUPTED;
    return t.ends[SESSION_FAILED] || t.ends[SESSION_UNWRITTEN] ? EXIT_WRONG : EXIT_DONE;
}

static void catch_signals(void) {
    const struct sigaction stop = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &stop, NULL), sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL); // the confirming process may die
}

int command_tune(int argc, char **argv) {
    wish w = {.budget = 60, .noise = -1, .session = {.effort = QUERNEL_EFFORT_MEASURE, .seed = 1}};
    shape_options s = SHAPE_OPTIONS_INIT;
    options o = {argc, 0, argv};
    for (option_seen seen; (seen = option_next(&o, " help again ")).name;) {
        if (!strcmp(seen.name, "help")) {
            fputs(usage, stdout);
            fputs(shape_options_help, stdout);
            return EXIT_DONE;
        }
        if (!take(&w, &s, seen)) return usage_error("tune", seen.name, seen.value);
    }
    if (!w.session.table) w.session.table = publish_default_path();
    if (!w.session.table) return usage_error("tune", "--table", "none given, and no home folder to keep one in");
    setenv("QUERNEL_TABLE", "none", 1); // the default is what runs without a table; the confirming process inherits it
    int code = shape_options_read(&s, "tune");
    json_file out;
    if (code == EXIT_DONE && !json_file_open(&out, w.json_path)) code = usage_error("tune", "--json", w.json_path);
    if (code == EXIT_DONE) {
        catch_signals();
        code = tune(&w, &s, w.json_path ? &out.json : NULL);
        if (!json_file_close(&out)) code = usage_error("tune", "--json", w.json_path);
    }
    shape_options_free(&s);
    return code;
}
