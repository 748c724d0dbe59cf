// SPDX-License-Identifier: Apache-2.0
// quernel record: measures the search space of layers into landscapes, which the replay test and
// the plots read.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cpu/cpu.h"
#include "op/operator.h"
#include "table/class.h"
#include "table/key.h"
#include "tune/common/random.h"
#include "tune/program/options.h"
#include "tune/program/program.h"
#include "tune/program/shape_options.h"
#include "tune/search/contest.h"
#include "tune/search/finalists.h"
#include "tune/search/landscape.h"

static const char usage[] =
    "usage: quernel record (--layers F | --gemm F | --gemm MxNxK | --conv … | --deconv …)\n"
    "       [layer options] [--configs 40] [--rounds 30] [--seed N] [--seconds 60] --out DIR\n"
    "\n"
    "Measures plans of each layer, all of them in every round, in random order, and writes one "
    "landscape\n"
    "for each: half of the plans are those that the model likes best, the others are drawn from "
    "the rest.\n"
    "tune/FORMAT.md describes the file. One with fewer rounds is continued, so --seconds cuts the "
    "work\n"
    "into pieces.\n";

enum { CONFIGS_MAX = 512 };

typedef struct record_options {
    const char *directory;
    uint32_t configs, rounds, seconds;
    uint64_t seed;
    shape_options layers;
} record_options;

// The best by the model, then others by chance.
static void add_variants(contest *c, uint32_t wanted, uint64_t seed) {
    const uint32_t usable = quernel_i_cpu()->usable & ~(1u << QUERNEL_ISA_REF);
    size_t count = 0;
    quernel_i_candidate *all = finalists_list(c, usable ? usable : 1, 2, &count);
    for (size_t next = 0; next < count && c->count < wanted; next++) {
        const size_t at =
            c->count < wanted / 2 ? next : next + random_below(&seed, (uint32_t)(count - next));
        const quernel_i_candidate chosen = all[at];
        all[at] = all[next];
        char config[CONFIG_MAX];
        quernel_i_config_print(&chosen.config, config, sizeof config);
        if (strcmp(config, c->variants[0].config)) contest_add(c, config, chosen.ns);
    }
    free(all);
}

// Takes over the rounds of a landscape that has the same plans; returns how many.
static uint32_t resume(const char *path, const contest *c, double *ns, uint32_t rounds) {
    landscape old;
    if (access(path, R_OK) || !landscape_read(path, &old)) return 0;
    bool same = old.count == c->count;
    for (uint32_t i = 0; same && i < c->count; i++)
        same = !strcmp(old.configs[i], c->variants[i].config);
    const uint32_t taken = !same ? 0 : old.rounds < rounds ? old.rounds : rounds;
    for (uint32_t i = 0; i < c->count && taken; i++)
        for (uint32_t r = 0; r < taken; r++) ns[i * rounds + r] = landscape_ns(&old, i, r);
    landscape_free(&old);
    return taken;
}

// Rounds `done` and on; returns how many there are in the end.
static uint32_t measure(contest *c, uint32_t done, const record_options *o, double *ns) {
    uint32_t order[CONFIGS_MAX];
    uint64_t seed = o->seed + done;
    if (done < o->rounds)
        for (uint32_t i = 0; i < c->count; i++) contest_sample(c, i);
    for (uint32_t i = 0; i < c->count; i++) order[i] = i;
    const time_t start = time(NULL);
    for (; done < o->rounds && difftime(time(NULL), start) < o->seconds; done++) {
        random_shuffle(&seed, order, c->count);
        for (uint32_t i = 0; i < c->count; i++)
            ns[order[i] * o->rounds + done] = contest_sample(c, order[i]);
    }
    return done;
}

static int write_landscape(const char *path, const contest *c, const double *ns, uint32_t rounds,
                           uint32_t stride) {
    quernel_i_key key;
    char machine[128];
    quernel_i_key_of(&c->variants[0].op->problem, &key);
    quernel_i_class_print(c->variants[0].op->usable, machine, sizeof machine);
    FILE *to = fopen(path, "w");
    if (!to) return 0;
    fprintf(to, "# quernel landscape 1\n# op\t%s\n# shape\t%s\n# env\t%s\n# class\t%s\n", key.op,
            key.shape, key.env, machine);
    for (uint32_t i = 0; i < c->count; i++) {
        fputs(c->variants[i].config, to);
        for (uint32_t r = 0; r < rounds; r++) fprintf(to, "\t%.0f", ns[i * stride + r]);
        fputc('\n', to);
    }
    return !fclose(to);
}

static int measure_into(const char *path, contest *c, const record_options *o) {
    double *ns = malloc(sizeof *ns * c->count * o->rounds);
    const uint32_t rounds = ns ? measure(c, resume(path, c, ns, o->rounds), o, ns) : 0;
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < c->count; i++) wrong += c->variants[i].wrong != 0;
    int code = wrong ? EXIT_WRONG : EXIT_DONE;
    if (!ns || !write_landscape(path, c, ns, rounds, o->rounds))
        code = usage_error("record", "--out cannot be written", path);
    else printf("%s: %u plans, %u rounds, %u with other bits\n", path, c->count, rounds, wrong);
    fflush(stdout);
    free(ns);
    return code;
}

static int record(const record_options *o, const shape *s, const request *r) {
    contest c;
    char path[1024], name[160];
    int code = EXIT_DONE;
    shape_name(s, name, sizeof name);
    snprintf(path, sizeof path, "%s/%s.tsv", o->directory, name);
    if (!contest_make(&c, s, r))
        fprintf(stderr, "quernel: record: %s: skipped: %s\n", name, c.workload.reason);
    else {
        add_variants(&c, o->configs, o->seed);
        code = measure_into(path, &c, o);
    }
    contest_free(&c);
    return code;
}

static void help(void) { fputs(usage, stdout), fputs(shape_options_help, stdout); }

static bool take(void *user, option o) {
    record_options *r = user;
    if (option_is(o, "out")) return (r->directory = o.value) != NULL;
    if (!strcmp(o.name, "configs"))
        return parse_u32(o.value, 2, &r->configs) && r->configs <= CONFIGS_MAX;
    if (!strcmp(o.name, "rounds")) return parse_u32(o.value, 1, &r->rounds);
    if (!strcmp(o.name, "seconds")) return parse_u32(o.value, 1, &r->seconds);
    if (!strcmp(o.name, "seed")) return parse_u64(o.value, &r->seed);
    return shape_options_take(&r->layers, o);
}

static int record_all(record_options *o) {
    shape_options *s = &o->layers;
    int code = shape_options_read(s, "record");
    if (code != GO_ON) return code;
    s->request.full_check = FULL_CHECK_OFTEN;
    code = EXIT_DONE;
    for (int i = 0; i < s->count && code == EXIT_DONE; i++)
        code = record(o, &s->shapes[i], &s->request);
    return code;
}

int command_record(int argc, char **argv) {
    static const command_line line = {"record", "", help, take};
    record_options o = {
        .configs = 40, .rounds = 30, .seconds = 60, .seed = 1, .layers = SHAPE_OPTIONS_INIT};
    int code = options_read(&line, argc, argv, &o);
    if (code == GO_ON && !o.directory) code = usage_error("record", "--out", NULL);
    if (code == GO_ON) code = record_all(&o);
    shape_options_free(&o.layers);
    return code;
}
