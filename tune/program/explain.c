// SPDX-License-Identifier: Apache-2.0
// quernel explain: what runs for a layer, why, what lost and by how much, and how to choose
// otherwise.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "plan/plan.h"
#include "table/row.h"
#include "tune/common/json.h"
#include "tune/program/options.h"
#include "tune/program/output.h"
#include "tune/program/program.h"
#include "tune/program/shape_options.h"

static const char usage[] =
    "usage: quernel explain (--gemm MxNxK | --conv … | --deconv … | --layers F …) [layer options]\n"
    "       [--config C] [--table F|none] [--json]\n"
    "\n"
    "Which plan runs and where it came from, which tables were searched and why a row was not "
    "taken,\n"
    "what else could run and what the model predicts for it, and how to override the choice.\n";

enum { CANDIDATES = 16 }; // of the JSON; the report prints fewer

static void print_sets(void) {
    printf("  %-11s   one of:", "");
    for (int i = 0; i < QUERNEL_I_ISA_COUNT; i++)
        if (quernel_i_isas[i].name) printf(" %s", quernel_i_isas[i].name);
    printf("\n");
}

// The keys of a config, from the same list as everything that reads them.
static void help(void) {
    fputs(usage, stdout);
    fputs(shape_options_help, stdout);
    printf("\nKeys of --config, all optional:\n");
    printf("  %-11s a kernel's name (kernels/kernels.def)\n", "kernel");
    for (const quernel_i_knob *k = quernel_i_knobs; k->key; k++) {
        printf("  %-11s %s\n", k->key, k->meaning);
        if (k->words) printf("  %-11s   one of: %s\n", "", k->words);
        else if (!k->tries) print_sets();
    }
}

static void print_text(const workload *s) {
    char text[16384];
    quernel_operator_report(s->op, text, sizeof text);
    fputs(text, stdout);
    printf("memory     workspace %zu bytes, packed weights %zu bytes\n", s->workspace_bytes,
           s->weights_bytes);
}

static void write_choice(json *j, const quernel_plan_choice *c) {
    static const char *const matches[] = {NULL, "near", "bucket", "exact"};
    json_text(j, "config_from", output_plan_source(c->from));
    json_text(j, "table", *c->table ? c->table : NULL), json_text(j, "match", matches[c->match]);
    json_number(j, "predicted_ns", c->predicted_ns);
    if (c->from != QUERNEL_FROM_TABLE) return;
    json_text(j, "verdict", quernel_i_row_verdict_name(c->verdict)), json_text(j, "date", c->date);
    json_number(j, "base_ns", c->base_ns), json_number(j, "best_ns", c->best_ns);
    json_number(j, "ratio", c->ratio), json_number(j, "lo", c->lo), json_number(j, "hi", c->hi);
    json_integer(j, "rounds", c->rounds), json_text(j, "lost", c->lost);
}

static void write_candidates(json *j, const quernel_operator *op) {
    quernel_plan_candidate others[CANDIDATES];
    json_open(j, "candidates", '[');
    const size_t count = quernel_operator_candidates(op, others, CANDIDATES);
    for (size_t i = 0; i < count; i++) {
        json_open(j, NULL, '{');
        json_text(j, "config", others[i].config),
            json_number(j, "predicted_ns", others[i].predicted_ns);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void write_json(json *j, const workload *s) {
    char config[512];
    quernel_plan_choice choice = QUERNEL_PLAN_CHOICE_INIT;
    quernel_operator_explain(s->op, config, sizeof config);
    quernel_operator_choice(s->op, &choice);
    json_open(j, NULL, '{');
    json_text(j, "config", config);
    write_choice(j, &choice);
    output_tables(j);
    write_candidates(j, s->op);
    json_integer(j, "workspace_bytes", (int64_t)s->workspace_bytes);
    json_integer(j, "bytes_weights", (int64_t)s->weights_bytes);
    json_close(j, '}');
}

static int explain(const shape_options *s, json *j) {
    for (int i = 0; i < s->count; i++) {
        workload u;
        const int made = workload_make(&u, &s->shapes[i], shape_options_request(s, i));
        if (made && j) write_json(j, &u);
        else if (made) print_text(&u);
        else usage_error("explain", "layer", u.reason);
        if (made && !j && i + 1 < s->count) putchar('\n');
        workload_free(&u);
        if (!made) return EXIT_USAGE;
    }
    return EXIT_DONE;
}

typedef struct explain_options {
    shape_options layers;
    bool as_json;
} explain_options;

static bool take(void *user, option o) {
    explain_options *e = user;
    if (!strcmp(o.name, "json")) return e->as_json = true;
    if (option_is(o, "table")) return !setenv("QUERNEL_TABLE", o.value, 1);
    return shape_options_take(&e->layers, o);
}

static int explain_json(const shape_options *s) {
    json j = json_document(stdout, "quernel-explain-1");
    json_open(&j, "layers", '[');
    const int code = explain(s, &j);
    if (code == EXIT_DONE) json_close(&j, ']'), json_document_end(&j);
    return code;
}

int command_explain(int argc, char **argv) {
    static const command_line line = {"explain", " json ", help, take};
    explain_options e = {.layers = SHAPE_OPTIONS_INIT};
    int code = options_read(&line, argc, argv, &e);
    if (code == GO_ON) code = shape_options_read(&e.layers, "explain");
    if (code == GO_ON) code = e.as_json ? explain_json(&e.layers) : explain(&e.layers, NULL);
    shape_options_free(&e.layers);
    return code;
}
