// SPDX-License-Identifier: Apache-2.0
// quernel record: measures the search space of layers into landscapes, which the replay test and
// the plots read.
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cpu/cpu.h"
#include "op/product.h"
#include "table/class.h"
#include "table/key.h"
#include "tune/common/folders.h"
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

enum { CONFIGS_MAX = 512, ROUNDS_MAX = 512 }; // of a landscape, whose lines hold as many times

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

// The contest's plans with room for all rounds. False where no memory is left.
static bool describe(const contest *c, uint32_t rounds, landscape *ret) {
    const quernel_i_product *op = quernel_i_product_of(c->variants[0].op);
    quernel_i_key key;
    *ret = (landscape){.count = c->count, .rounds = rounds};
    contest_key(c, &key);
    snprintf(ret->op, sizeof ret->op, "%s", key.op);
    snprintf(ret->shape, sizeof ret->shape, "%s", key.shape);
    snprintf(ret->env, sizeof ret->env, "%s", key.env);
    quernel_i_class_print(op->usable, ret->machine, sizeof ret->machine);
    ret->configs = malloc(c->count * sizeof *ret->configs);
    ret->ns = calloc((size_t)c->count * rounds, sizeof *ret->ns);
    if (!ret->configs || !ret->ns) return false;
    for (uint32_t i = 0; i < c->count; i++)
        snprintf(ret->configs[i], sizeof *ret->configs, "%s", c->variants[i].config);
    return true;
}

// Takes over the rounds of a file that has the same plans; returns how many.
static uint32_t resume(const char *path, landscape *l) {
    landscape old;
    if (access(path, R_OK) || !landscape_read(path, &old)) return 0;
    bool same = old.count == l->count;
    for (uint32_t i = 0; same && i < l->count; i++) same = !strcmp(old.configs[i], l->configs[i]);
    const uint32_t taken = !same ? 0 : old.rounds < l->rounds ? old.rounds : l->rounds;
    for (uint32_t i = 0; i < l->count && taken; i++)
        for (uint32_t r = 0; r < taken; r++) l->ns[i * l->rounds + r] = landscape_ns(&old, i, r);
    landscape_free(&old);
    return taken;
}

// Rounds `done` and on, until the seconds are over; returns how many there are in the end.
static uint32_t measure(contest *c, uint32_t done, const record_options *o, landscape *l) {
    uint32_t order[CONFIGS_MAX];
    uint64_t seed = o->seed + done; // a continued file gets other orders than it has
    if (done < l->rounds)
        for (uint32_t i = 0; i < c->count; i++) contest_sample(c, i); // warms up
    for (uint32_t i = 0; i < c->count; i++) order[i] = i;
    const time_t start = time(NULL);
    for (; done < l->rounds && difftime(time(NULL), start) < o->seconds; done++) {
        random_shuffle(&seed, order, c->count);
        for (uint32_t i = 0; i < c->count; i++)
            l->ns[order[i] * l->rounds + done] = contest_sample(c, order[i]);
    }
    return done;
}

static int measure_into(const char *path, contest *c, const record_options *o) {
    landscape l;
    const bool made = describe(c, o->rounds, &l);
    const uint32_t rounds = made ? measure(c, resume(path, &l), o, &l) : 0;
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < c->count; i++) wrong += c->variants[i].wrong != 0;
    int code = wrong ? EXIT_WRONG : EXIT_DONE;
    if (!made || !landscape_write(path, &l, rounds)) code = write_error("record", path);
    else printf("%s: %u plans, %u rounds, %u with other bits\n", path, c->count, rounds, wrong);
    fflush(stdout);
    landscape_free(&l);
    return code;
}

static int record(const record_options *o, const shape *s, const request *r) {
    contest c;
    char path[PATH_MAX + SHAPE_NAME_MAX], name[SHAPE_NAME_MAX];
    int code = EXIT_DONE;
    shape_name(s, name, sizeof name);
    snprintf(path, sizeof path, "%s/%s.tsv", o->directory, name);
    if (!folders_make(path)) return write_error("record", path); // before all is measured
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
    if (!strcmp(o.name, "rounds"))
        return parse_u32(o.value, 1, &r->rounds) && r->rounds <= ROUNDS_MAX;
    if (!strcmp(o.name, "seconds")) return parse_u32(o.value, 1, &r->seconds);
    if (!strcmp(o.name, "seed")) return parse_u64(o.value, &r->seed);
    return shape_options_take(&r->layers, o);
}

static int record_all(record_options *o) {
    shape_options *s = &o->layers;
    int code = shape_options_read(s, "record");
    if (code != GO_ON) return code;
    code = EXIT_DONE;
    for (int i = 0; i < s->count && code == EXIT_DONE; i++) {
        request r = *shape_options_request(s, i);
        r.full_check = FULL_CHECK_OFTEN;
        code = record(o, &s->shapes[i], &r);
    }
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
