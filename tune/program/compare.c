// SPDX-License-Identifier: Apache-2.0
// quernel compare: two plans of one layer, paired. The tuner's confirming process is this command
// with --serve.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tune/common/json.h"
#include "tune/common/statistics.h"
#include "tune/program/options.h"
#include "tune/program/program.h"
#include "tune/program/shape_options.h"
#include "tune/search/contest.h"

static const char usage[] =
    "usage: quernel compare (--gemm MxNxK | --conv … | --deconv … | --op O --shape S --env E)\n"
    "       [layer options] --config C [--against C2] [--rounds 48] [--json] [--serve]\n"
    "\n"
    "Times two plans of a layer in paired rounds, after both have given the same bits. --against: "
    "without\n"
    "it what would run without C. --op, --shape, --env: as in a row of a table. --serve: reads 0\n"
    "(against) or 1 (config) line by line from stdin and answers each with the nanoseconds of a "
    "run.\n";

enum { ROUNDS_MAX = 4096 }; // what the stack holds

// Until stdin ends.
static void serve(contest *c) {
    char line[16];
    while (fgets(line, sizeof line, stdin)) {
        printf("%.1f\n", contest_sample(c, *line == '1' ? 1 : 0));
        fflush(stdout);
    }
}

typedef struct pair {
    const contest *contest;
    uint32_t rounds;
    median ratio, against, config; // against over config; nanoseconds
} pair;

static void print_text(const pair *p) {
    const variant *v = p->contest->variants;
    printf("against  %.3f ms  %s\nconfig   %.3f ms  %s\n", 1e-6 * p->against.middle, v[0].config,
           1e-6 * p->config.middle, v[1].config);
    printf("ratio    %.4f [%.4f, %.4f] against/config, %u paired rounds\n", p->ratio.middle,
           p->ratio.lo, p->ratio.hi, p->rounds);
}

static void print_json(const pair *p) {
    json j = json_document(stdout, "quernel-pair-1");
    json_text(&j, "against", p->contest->variants[0].config),
        json_text(&j, "config", p->contest->variants[1].config);
    json_number(&j, "against_ns", p->against.middle),
        json_number(&j, "config_ns", p->config.middle);
    json_number(&j, "ratio", p->ratio.middle), json_number(&j, "lo", p->ratio.lo),
        json_number(&j, "hi", p->ratio.hi);
    json_integer(&j, "rounds", p->rounds);
    json_document_end(&j);
}

// The two take turns in who goes first.
static pair race_pair(contest *c, uint32_t rounds) {
    double ratios[ROUNDS_MAX], ns[2][ROUNDS_MAX];
    for (uint32_t r = 0; r < rounds; r++) {
        for (uint32_t side = 0; side < 2; side++) {
            const uint32_t index = (side + r) % 2;
            ns[index][r] = contest_sample(c, index);
        }
        ratios[r] = ns[0][r] / ns[1][r];
    }
    return (pair){c, rounds, median_of(ratios, rounds), median_of(ns[0], rounds),
                  median_of(ns[1], rounds)};
}

typedef struct compare_options {
    const char *op, *shape, *env, *config, *against;
    uint32_t rounds;
    bool as_json, serve;
    shape_options layers;
} compare_options;

static void help(void) { fputs(usage, stdout), fputs(shape_options_help, stdout); }

static bool take(void *user, option o) {
    compare_options *c = user;
    const struct {
        const char *name, **to;
    } texts[] = {{"op", &c->op},
                 {"shape", &c->shape},
                 {"env", &c->env},
                 {"config", &c->config},
                 {"against", &c->against}};
    if (!strcmp(o.name, "json")) return c->as_json = true;
    if (!strcmp(o.name, "serve")) return c->serve = true;
    if (!strcmp(o.name, "rounds"))
        return parse_u32(o.value, 3, &c->rounds) && c->rounds <= ROUNDS_MAX;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!strcmp(o.name, texts[i].name)) return (*texts[i].to = o.value) != NULL;
    return shape_options_take(&c->layers, o);
}

static int compare(const compare_options *o, const shape *s, request r) {
    contest c;
    r.config = o->against, r.full_check = FULL_CHECK_OFTEN;
    int code = EXIT_DONE;
    if (!contest_make(&c, s, &r)) code = usage_error("compare", "layer", c.workload.reason);
    else if (contest_add(&c, o->config, 0) < 0)
        code = usage_error("compare", "--config", o->config);
    else if (c.variants[1].wrong)
        code = EXIT_WRONG,
        fprintf(stderr, "quernel: compare: --config gives other bits: %s\n", o->config);
    else if (o->serve) serve(&c);
    else {
        const pair p = race_pair(&c, o->rounds);
        (o->as_json ? print_json : print_text)(&p);
    }
    contest_free(&c);
    return code;
}

static int compare_key(const compare_options *o) {
    shape s;
    request r;
    if (!shape_of_key(o->op, o->shape, o->env, &s, &r))
        return usage_error("compare", "--op, --shape, --env", o->op);
    r.isa = o->layers.request.isa;
    return compare(o, &s, r);
}

static int compare_layer(compare_options *o) {
    const int code = shape_options_read(&o->layers, "compare");
    return code == GO_ON ? compare(o, &o->layers.shapes[0], *shape_options_request(&o->layers, 0))
                         : code;
}

int command_compare(int argc, char **argv) {
    static const command_line line = {"compare", " json serve ", help, take};
    compare_options o = {.rounds = 48, .layers = SHAPE_OPTIONS_INIT};
    int code = options_read(&line, argc, argv, &o);
    if (code == GO_ON && !o.config) code = usage_error("compare", "--config", NULL);
    if (code == GO_ON) code = o.op && o.shape && o.env ? compare_key(&o) : compare_layer(&o);
    shape_options_free(&o.layers);
    return code;
}
