// SPDX-License-Identifier: Apache-2.0
// quernel record: measures the search space of layers into landscapes, which the replay test and the plots read.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cpu/cpu.h"
#include "op/operator.h"
#include "plan/space.h"
#include "table/class.h"
#include "table/key.h"
#include "tune/common/random.h"
#include "tune/program/options.h"
#include "tune/program/program.h"
#include "tune/program/shape_options.h"
#include "tune/search/contest.h"
#include "tune/search/landscape.h"

static const char usage[] =
    "usage: quernel record (--layers F | --gemm F | --shape …) [shape options] [--configs 40] [--rounds 30] [--seed N]\n"
    "       [--seconds 60] --out DIR\n\n"
    "Measures plans of each layer, all of them in every round, in random order, and writes one landscape a\n"
    "layer: half of the plans are those that the model likes best, the others are drawn from the rest.\n"
    "tune/FORMAT.md says what is in it. A landscape with fewer rounds is gone on with: --seconds cuts the work\n"
    "into pieces.\n";

enum { SPACE_MOST = 4096, CONFIGS_MOST = 512 };

typedef struct wish {
    const char *directory;
    uint32_t configs, rounds, seconds;
    uint64_t seed;
} wish;

static int by_prediction(const void *a, const void *b) {
    const double x = ((const quernel_i_candidate *)a)->ns, y = ((const quernel_i_candidate *)b)->ns;
    return (x > y) - (x < y);
}

// The best by the model, then others by chance.
static void add_variants(contest *c, uint32_t wanted, uint64_t seed) {
    const quernel_operator *op = c->variants[0].op;
    quernel_i_candidate *all = malloc(SPACE_MOST * sizeof *all);
    if (!all) return;
    const uint32_t usable = quernel_i_cpu()->usable & ~(1u << QUERNEL_ISA_REF);
    size_t count = quernel_i_space(&op->layer, usable ? usable : 1, 2, all, SPACE_MOST);
    qsort(all, count, sizeof *all, by_prediction);
    for (size_t next = 0; next < count && c->count < wanted; next++) {
        const size_t at = c->count < wanted / 2 ? next : next + random_below(&seed, (uint32_t)(count - next));
        const quernel_i_candidate chosen = all[at];
        all[at] = all[next];
        char config[CONFIG_MOST];
        quernel_i_config_print(&chosen.config, config, sizeof config);
        if (strcmp(config, c->variants[0].config)) contest_add(c, config, chosen.ns);
    }
    free(all);
}

// Takes over the rounds of a landscape that has the same plans; returns how many.
static uint32_t take_up(const char *path, const contest *c, double *ns, uint32_t rounds) {
    landscape old;
    if (access(path, R_OK) || !landscape_read(path, &old)) return 0;
    bool same = old.count == c->count;
    for (uint32_t i = 0; same && i < c->count; i++) same = !strcmp(old.configs[i], c->variants[i].config);
    const uint32_t taken = !same ? 0 : old.rounds < rounds ? old.rounds : rounds;
    for (uint32_t i = 0; i < c->count && taken; i++)
        for (uint32_t r = 0; r < taken; r++) ns[i * rounds + r] = landscape_ns(&old, i, r);
    landscape_free(&old);
    return taken;
}

// Rounds `done` and on; returns how many there are in the end.
static uint32_t measure(contest *c, uint32_t done, const wish *w, double *ns) {
    uint32_t order[CONFIGS_MOST];
    uint64_t seed = w->seed + done;
    if (done < w->rounds)
        for (uint32_t i = 0; i < c->count; i++) contest_sample(c, i);
    for (uint32_t i = 0; i < c->count; i++) order[i] = i;
    const time_t start = time(NULL);
    for (; done < w->rounds && difftime(time(NULL), start) < w->seconds; done++) {
        random_shuffle(&seed, order, c->count);
        for (uint32_t i = 0; i < c->count; i++) ns[order[i] * w->rounds + done] = contest_sample(c, order[i]);
    }
    return done;
}

static int write_landscape(const char *path, const contest *c, const double *ns, uint32_t rounds, uint32_t stride) {
    quernel_i_key key;
    char machine[128];
    quernel_i_key_of(&c->variants[0].op->layer, &key);
    quernel_i_class_print(c->variants[0].op->usable, machine, sizeof machine);
    FILE *to = fopen(path, "w");
    if (!to) return 0;
    fprintf(to, "# quernel landscape 1\n# op\t%s\n# shape\t%s\n# env\t%s\n# class\t%s\n", key.op, key.shape, key.env,
            machine);
    for (uint32_t i = 0; i < c->count; i++) {
        fputs(c->variants[i].config, to);
        for (uint32_t r = 0; r < rounds; r++) fprintf(to, "\t%.0f", ns[i * stride + r]);
        fputc('\n', to);
    }
    return !fclose(to);
}

static int record(const wish *w, const shape *s, const request *r) {
    contest c;
    char path[1024], name[160];
    shape_name(s, name, sizeof name);
    snprintf(path, sizeof path, "%s/%s.tsv", w->directory, name);
    int code = EXIT_DONE;
    if (!contest_make(&c, s, r)) fprintf(stderr, "quernel: record: %s: skipped: %s\n", name, c.workload.reason);
    else {
        add_variants(&c, w->configs, w->seed);
        uint32_t wrong = 0;
        double *ns = malloc(sizeof *ns * c.count * w->rounds);
        const uint32_t rounds = ns ? measure(&c, take_up(path, &c, ns, w->rounds), w, ns) : 0;
        for (uint32_t i = 0; i < c.count; i++) wrong += c.variants[i].wrong != 0;
        if (wrong) code = EXIT_WRONG;
        if (!ns || !write_landscape(path, &c, ns, rounds, w->rounds))
            code = usage_error("record", "--out cannot be written", path);
        else printf("%s: %u plans, %u rounds, %u with other bits\n", path, c.count, rounds, wrong);
        fflush(stdout);
        free(ns);
    }
    contest_free(&c);
    return code;
}

int command_record(int argc, char **argv) {
    wish w = {.configs = 40, .rounds = 30, .seconds = 60, .seed = 1};
    shape_options s = SHAPE_OPTIONS_INIT;
    options o = {argc, 0, argv};
    for (option_seen seen; (seen = option_next(&o, " help ")).name;) {
        bool known = true;
        if (!strcmp(seen.name, "help")) {
            fputs(usage, stdout);
            fputs(shape_options_help, stdout);
            return EXIT_DONE;
        }
        if (!strcmp(seen.name, "out") && seen.value) w.directory = seen.value;
        else if (!strcmp(seen.name, "configs"))
            known = parse_u32(seen.value, 2, &w.configs) && w.configs <= CONFIGS_MOST;
        else if (!strcmp(seen.name, "rounds")) known = parse_u32(seen.value, 1, &w.rounds);
        else if (!strcmp(seen.name, "seconds")) known = parse_u32(seen.value, 1, &w.seconds);
        else if (!strcmp(seen.name, "seed")) known = parse_u64(seen.value, &w.seed);
        else known = shape_options_take(&s, seen);
        if (!known) return usage_error("record", seen.name, seen.value);
    }
    if (!w.directory) return usage_error("record", "--out", NULL);
    int code = shape_options_read(&s, "record");
    s.request.full_check = 100000000;
    for (int i = 0; i < s.count && code == EXIT_DONE; i++) code = record(&w, &s.shapes[i], &s.request);
    shape_options_free(&s);
    return code;
}
