// SPDX-License-Identifier: Apache-2.0
// quernel compare: two plans of one layer, paired. The tuner's confirming process is this command with --serve.
#include <stdlib.h>
#include <string.h>

#include "tune/common/json.h"
#include "tune/common/statistics.h"
#include "tune/program/options.h"
#include "tune/program/program.h"
#include "tune/program/shape_options.h"
#include "tune/search/contest.h"

static const char usage[] =
    "usage: quernel compare (--gemm MxNxK | --conv … | --deconv … | --op O --shape S --env E) [layer options] --config C\n"
    "       [--against C2] [--rounds 48] [--json] [--serve]\n\n"
    "Times two plans of a layer in paired rounds, after both have given the same bits. --against: without it\n"
    "what would run without C. --op, --shape, --env: as in a row of a table. --serve: reads 0 (against) or 1\n"
    "(config) line by line from stdin and answers each with the nanoseconds of a run.\n";

enum { ROUNDS_MOST = 4096 };

static void serve(contest *c) {
    char line[16];
    while (fgets(line, sizeof line, stdin)) {
        printf("%.1f\n", contest_sample(c, *line == '1' ? 1 : 0));
        fflush(stdout);
    }
}

static void race_pair(contest *c, uint32_t rounds, bool as_json) {
    double ratios[ROUNDS_MOST], ns[2][ROUNDS_MOST];
    for (uint32_t r = 0; r < rounds; r++) {
        for (uint32_t side = 0; side < 2; side++) {
            const uint32_t who = (side + r) % 2;
            ns[who][r] = contest_sample(c, who);
        }
        ratios[r] = ns[0][r] / ns[1][r];
    }
    const median ratio = median_of(ratios, rounds), against = median_of(ns[0], rounds), own = median_of(ns[1], rounds);
    if (!as_json) {
        printf(
            "against  %.3f ms  %s\nconfig   %.3f ms  %s\nratio    %.4f [%.4f, %.4f] against/config, %u paired rounds\n",
            1e-6 * against.middle, c->variants[0].config, 1e-6 * own.middle, c->variants[1].config, ratio.middle,
            ratio.lo, ratio.hi, rounds);
        return;
    }
    json j = {stdout, 1};
    json_open(&j, NULL, '{');
    json_text(&j, "schema", "quernel-pair-1");
    json_text(&j, "against", c->variants[0].config), json_text(&j, "config", c->variants[1].config);
    json_number(&j, "against_ns", against.middle), json_number(&j, "config_ns", own.middle);
    json_number(&j, "ratio", ratio.middle), json_number(&j, "lo", ratio.lo), json_number(&j, "hi", ratio.hi);
    json_integer(&j, "rounds", rounds);
    json_close(&j, '}');
    putchar('\n');
}

typedef struct wish {
    const char *op, *shape, *env, *config, *against;
    uint32_t rounds;
    bool as_json, serve;
} wish;

static bool take(wish *w, shape_options *s, const option_seen o) {
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        {"op", &w->op}, {"shape", &w->shape}, {"env", &w->env}, {"config", &w->config}, {"against", &w->against}};
    if (!strcmp(o.name, "json")) return w->as_json = true;
    if (!strcmp(o.name, "serve")) return w->serve = true;
    if (!strcmp(o.name, "rounds")) return parse_u32(o.value, 3, &w->rounds) && w->rounds <= ROUNDS_MOST;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!strcmp(o.name, texts[i].name)) return (*texts[i].to = o.value) != NULL;
    return shape_options_take(s, o);
}

static int compare(const wish *w, const shape *s, request r) {
    contest c;
    r.config = w->against, r.full_check = 100000000;
    int code = EXIT_DONE;
    if (!contest_make(&c, s, &r)) code = usage_error("compare", "layer", c.workload.reason);
    else if (contest_add(&c, w->config, 0) < 0) code = usage_error("compare", "--config", w->config);
    else if (c.variants[1].wrong)
        code = EXIT_WRONG, fprintf(stderr, "quernel: compare: --config gives other bits: %s\n", w->config);
    else if (w->serve) serve(&c);
    else race_pair(&c, w->rounds, w->as_json);
    contest_free(&c);
    return code;
}

int command_compare(int argc, char **argv) {
    wish w = {.rounds = 48};
    shape_options s = SHAPE_OPTIONS_INIT;
    options o = {argc, 0, argv};
    for (option_seen seen; (seen = option_next(&o, " help json serve ")).name;) {
        if (!strcmp(seen.name, "help")) {
            fputs(usage, stdout);
            fputs(shape_options_help, stdout);
            return EXIT_DONE;
        }
        if (!take(&w, &s, seen)) return usage_error("compare", seen.name, seen.value);
    }
    if (!w.config) return usage_error("compare", "--config", NULL);
    shape by_key;
    if (w.op && w.shape && w.env) {
        request r;
        if (!shape_of_key(w.op, w.shape, w.env, &by_key, &r))
            return usage_error("compare", "--op, --shape, --env", w.op);
        r.isa = s.request.isa;
        return compare(&w, &by_key, r);
    }
    int code = shape_options_read(&s, "compare");
    if (code == EXIT_DONE) code = compare(&w, &s.shapes[0], *shape_options_request(&s, 0));
    shape_options_free(&s);
    return code;
}
