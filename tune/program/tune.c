// SPDX-License-Identifier: Apache-2.0
// quernel tune: layer by layer within a budget, each row published at once.
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tune/common/clock.h"
#include "tune/probe/host.h"
#include "tune/program/options.h"
#include "tune/program/program.h"
#include "tune/program/tune.h"
#include "tune/search/publish.h"

static const char usage[] =
    "usage: quernel tune (--layers F | --gemm F | --misses F | --gemm MxNxK | "
    "--conv … | --deconv … | --network F)\n"
    "       [layer options] [--effort estimate|measure|patient|exhaustive] "
    "[--budget 60s]\n"
    "       [--seed N] [--noise SHARE] [--table OUT] [--again] [--json OUT]\n"
    "\n"
    "Fills a table (default: tuned.qtn in the XDG cache). Every plan that "
    "races has given the default's\n"
    "bits; the winner is timed against the default in a process of its own "
    "before it is believed; a row\n"
    "is written at once. A layer that has a row of this effort is kept "
    "(--again: tuned again), so a run\n"
    "that was killed is continued by the same command. The budget is hard; "
    "cheap layers, and those that\n"
    "a network repeats, go first. --noise: the host's noise floor where it "
    "is known, e.g. 0.02; else up\n"
    "to two seconds are spent on measuring it.\n"
    "--network: a list of networks (bench/shapes/networks.csv: the column input is the row of the "
    "model\n"
    "that a layer reads, counted from 1, 0 its input; residual likewise, what is added; slice, "
    "where "
    "a\n"
    "layer's channels of the output begin). Layers with one key are tuned at a time within the run "
    "of the\n"
    "whole, whose time decides: a plan wins where the whole surely gains 2 % of what they have of "
    "it.\n"
    "Such rows are taken before those of layers timed alone. --boundary, --layout and --scale are "
    "those of a network's "
    "input\n"
    "and output; --filter S: models whose name holds S.\n"
    "Closes with won, tied, kept, failed and the table's path. Exit: 1 "
    "where a layer failed or the table\n"
    "could not be written.\n";

// Races look at it between samples: what was published stays, the current layer is dropped.
static volatile sig_atomic_t interrupted;
static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

// "90", "90s", "2m", "1h".
static bool parse_budget(const char *text, double *ret) {
    char *end;
    const double value = text ? strtod(text, &end) : 0;
    if (!(value > 0) || value > 1e7) return false;
    const double unit = !*end || !strcmp(end, "s") ? 1
                        : !strcmp(end, "m")        ? 60
                        : !strcmp(end, "h")        ? 3600
                                                   : 0;
    *ret = value * unit;
    return unit > 0;
}

// A share below 1: "0.02".
static bool parse_noise(const char *text, double *ret) {
    char *end;
    *ret = strtod(text, &end);
    return end != text && !*end && *ret >= 0 && *ret < 1;
}

static bool take(void *user, option o) {
    tune_options *t = user;
    if (!strcmp(o.name, "again")) return t->session.again = true;
    if (option_is(o, "network")) return (t->network = o.value) != NULL;
    if (option_is(o, "budget")) return parse_budget(o.value, &t->budget);
    if (option_is(o, "noise")) return parse_noise(o.value, &t->noise);
    if (option_is(o, "effort"))
        return (t->session.effort = quernel_i_row_effort_parse(o.value)) >= 0;
    if (option_is(o, "seed")) return parse_u64(o.value, &t->session.seed);
    if (option_is(o, "table")) return (t->session.table = o.value) != NULL;
    if (option_is(o, "json")) return (t->json_path = o.value) != NULL;
    return strcmp(o.name, "config") && shape_options_take(&t->layers, o);
}

// By session_end; also the names in the JSON file.
const char *const tune_ends[SESSION_ENDS] = {"won",     "tied",   "alone",      "kept",     "model",
                                             "skipped", "failed", "unfinished", "unwritten"};

void tune_print_progress(progress *p, tally *t, double work, const char *name, session_end end,
                         const char *text) {
    const double spent = clock_now() - p->start;
    t->ends[end]++, p->index++, p->passed += work;
    const double done = p->passed / p->total, eta = fmin(spent / done - spent, p->budget - spent);
    fprintf(stderr, "[%d/%d, %.0f of %.0f s, about %.0f to go] %s: %s: %s\n", p->index, p->count,
            spent, p->budget, fmax(eta, 0), name, tune_ends[end], text);
}

// Tells what disturbs, and returns the noise floor.
static double measure_noise(double budget) {
    host_health health;
    host_measure(fmin(2, budget / 20), &health);
    const char *advice;
    for (int i = 0; (advice = host_advice(&health, i)); i++)
        fprintf(stderr, "quernel: tune: %s\n", advice);
    return fmin(health.noise, 0.1);
}

static void print_tally(FILE *to, const tally *t, const char *table) {
    const int *n = t->ends;
    fprintf(to, "%d won, %d tied, %d kept, %d failed", n[SESSION_WON],
            n[SESSION_TIED] + n[SESSION_ONLY], n[SESSION_KEPT],
            n[SESSION_FAILED] + n[SESSION_UNWRITTEN]);
    if (n[SESSION_SKIPPED]) fprintf(to, ", %d skipped", n[SESSION_SKIPPED]);
    if (n[SESSION_UNFINISHED]) fprintf(to, ", %d unfinished", n[SESSION_UNFINISHED]);
    fprintf(to, "; %s\n", table);
}

static tally tune_into(tune_options *o, json *j) {
    if (j) {
        *j = json_document(j->to, "quernel-tune-1");
        json_text(j, "table", o->session.table);
        json_open(j, "layers", '[');
    }
    o->session.json = j;
    const tally t = o->network ? tune_networks(o) : tune_layers(o);
    if (!j) return t;
    json_close(j, ']');
    for (int i = 0; i < SESSION_ENDS; i++) json_integer(j, tune_ends[i], t.ends[i]);
    json_document_end(j);
    return t;
}

static int tune(tune_options *o, json *j) {
    o->session.noise = o->noise < 0 ? measure_noise(o->budget) : o->noise;
    quernel_i_table *old = quernel_i_table_read(o->session.table, NULL, NULL);
    if (old && old->wrong && strcmp(old->wrong, "no such file")) {
        usage_error("tune", o->session.table, old->wrong);
        quernel_i_table_free(old);
        return EXIT_USAGE;
    }
    const quernel_i_table *known[] = {old, NULL};
    o->session.known = known, o->session.interrupted = &interrupted;
    const tally t = tune_into(o, j);
    print_tally(j && j->to == stdout ? stderr : stdout, &t, o->session.table);
    quernel_i_table_free(old);
    if (interrupted) return EXIT_INTERRUPTED;
    return t.ends[SESSION_FAILED] || t.ends[SESSION_UNWRITTEN] ? EXIT_WRONG : EXIT_DONE;
}

static void catch_signals(void) {
    const struct sigaction stop = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &stop, NULL), sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL); // the confirming process may die
}

static void help(void) { fputs(usage, stdout), fputs(shape_options_help, stdout); }

static int tune_file(tune_options *o) {
    json_file out;
    int code = o->network ? tune_networks_read(o) : shape_options_read(&o->layers, "tune");
    if (code != GO_ON) return code;
    if (!json_file_open(&out, o->json_path)) return usage_error("tune", "--json", o->json_path);
    catch_signals();
    code = tune(o, o->json_path ? &out.json : NULL);
    return json_file_close(&out) ? code : write_error("tune", o->json_path);
}

int command_tune(int argc, char **argv) {
    static const command_line line = {"tune", " again ", help, take};
    tune_options o = {.budget = 60,
                      .noise = -1,
                      .session = {.effort = QUERNEL_EFFORT_MEASURE, .seed = 1},
                      .layers = SHAPE_OPTIONS_INIT};
    int code = options_read(&line, argc, argv, &o);
    if (!o.session.table) o.session.table = publish_default_path();
    if (code == GO_ON && !o.session.table)
        code = usage_error("tune", "--table", "none given, and no home folder to keep one in");
    // The default is what runs without a table; the confirming process inherits it.
    if (code == GO_ON) setenv("QUERNEL_TABLE", "none", 1), code = tune_file(&o);
    shape_options_free(&o.layers);
    return code;
}
