// SPDX-License-Identifier: Apache-2.0
// quernel recheck: do the rows of a table still hold? Each is raced again against what would run without it.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "table/class.h"
#include "table/table.h"
#include "tune/contest.h"
#include "tune/json.h"
#include "tune/program.h"
#include "tune/publish.h"
#include "tune/random.h"
#include "tune/shape_options.h"
#include "tune/statistics.h"

static const char usage[] =
    "usage: quernel recheck [--table F] [--sample 8] [--rounds 31] [--seed N] [--json]\n\n"
    "Draws rows of this machine from a table (default: the tuner's), and times each row's plan against the\n"
    "default in paired rounds, after both have given the same bits. Exit 1 where a row is surely slower than the\n"
    "default (upper bound below 1), or gives other bits: quernel tune --again replaces it.\n";

enum { ROUNDS_MOST = 1024 };

typedef struct wish {
    const char *table;
    uint32_t sample, rounds;
    uint64_t seed;
    bool as_json;
} wish;

typedef struct verdict {
    median ratio;
    const char *says; // "holds", "lost", "wrong", "skipped"
    char reason[200];
} verdict;

static median race_rows(contest *c, uint32_t tuned, uint32_t rounds) {
    double ratios[ROUNDS_MOST];
    for (uint32_t r = 0; r < rounds; r++) {
        double ns[2];
        for (uint32_t side = 0; side < 2; side++) {
            const uint32_t who = (side + r) % 2;
            ns[who] = contest_sample(c, who ? tuned : 0);
        }
        ratios[r] = ns[0] / ns[1];
    }
    return median_of(ratios, rounds);
}

static verdict check_row(const quernel_i_row *row, const wish *w) {
    verdict v = {.ratio = {NAN, NAN, NAN}, .says = "skipped"};
    shape s;
    request r;
    contest c;
    if (!shape_of_key(row->op, row->shape, row->env, &s, &r)) {
        snprintf(v.reason, sizeof v.reason, "its layer cannot be made again");
        return v;
    }
    r.full_check = 100000000;
    if (!contest_make(&c, &s, &r)) snprintf(v.reason, sizeof v.reason, "%s", c.subject.reason);
    else {
        // A tie's plan is the default's by definition; the row's own words may name sizes that the default has left.
        const int tuned = row->verdict == QUERNEL_VERDICT_WIN ? contest_add(&c, row->config, 0) : 0;
        if (tuned < 0) snprintf(v.reason, sizeof v.reason, "its config is not legal any more");
        else if (c.variants[tuned].wrong)
            v.says = "wrong", snprintf(v.reason, sizeof v.reason, "other bits than the default");
        else {
            v.ratio = race_rows(&c, (uint32_t)tuned, w->rounds);
            v.says = v.ratio.hi < 1 ? "lost" : "holds";
        }
    }
    contest_free(&c);
    return v;
}

static void print_row(const quernel_i_row *row, const verdict *v) {
    printf("%-7s now %.3f [%.3f, %.3f], then %.3f  %s %s%s%s\n", v->says, v->ratio.middle, v->ratio.lo, v->ratio.hi,
           row->ratio, row->op, row->shape, *v->reason ? ": " : "", v->reason);
    fflush(stdout);
}

static void write_row(json *j, const quernel_i_row *row, const verdict *v) {
    json_open(j, NULL, '{');
    json_text(j, "op", row->op), json_text(j, "shape", row->shape), json_text(j, "env", row->env),
        json_text(j, "config", row->config);
    json_text(j, "status", v->says), json_text(j, "reason", *v->reason ? v->reason : NULL),
        json_number(j, "then", row->ratio);
    json_number(j, "ratio", v->ratio.middle), json_number(j, "lo", v->ratio.lo), json_number(j, "hi", v->ratio.hi);
    json_close(j, '}');
}

// Rows of this machine, wins before ties, each kind in random order.
static uint32_t draw(const quernel_i_table *t, const wish *w, uint32_t *order) {
    char machine[QUERNEL_I_CLASS_MOST];
    quernel_i_class_print(quernel_i_cpu()->usable, machine, sizeof machine);
    uint64_t seed = w->seed;
    uint32_t count = 0;
    for (int wins = 1; wins >= 0; wins--) {
        const uint32_t first = count;
        for (uint32_t i = 0; i < t->good; i++)
            if (!strcmp(t->rows[i].machine, machine) && (t->rows[i].verdict == QUERNEL_VERDICT_WIN) == wins)
                order[count++] = i;
        random_shuffle(&seed, order + first, count - first);
    }
    return count < w->sample ? count : w->sample;
}

static int recheck(const quernel_i_table *t, const wish *w) {
    uint32_t *order = malloc(((size_t)t->good + 1) * sizeof *order);
    if (!order) return usage_error("recheck", "memory", "none left");
    const uint32_t count = draw(t, w, order);
    json j = {stdout, 1};
    uint32_t bad = 0, skipped = 0;
    if (w->as_json) json_open(&j, NULL, '{'), json_text(&j, "schema", "quernel-recheck-1"), json_open(&j, "rows", '[');
    for (uint32_t i = 0; i < count; i++) {
        const quernel_i_row *row = &t->rows[order[i]];
        const verdict v = check_row(row, w);
        bad += !strcmp(v.says, "lost") || !strcmp(v.says, "wrong"), skipped += !strcmp(v.says, "skipped");
        if (w->as_json) write_row(&j, row, &v);
        else print_row(row, &v);
    }
    if (w->as_json) json_close(&j, ']'), json_close(&j, '}'), putchar('\n');
    else printf("%u hold, %u do not, %u skipped\n", count - bad - skipped, bad, skipped);
    free(order);
    return bad ? EXIT_WRONG : EXIT_DONE;
}

static bool take(wish *w, const option_seen o) {
    if (!strcmp(o.name, "json")) return w->as_json = true;
    if (!strcmp(o.name, "table")) return (w->table = o.value) != NULL;
    if (!strcmp(o.name, "sample")) return parse_u32(o.value, 1, &w->sample);
    if (!strcmp(o.name, "rounds")) return parse_u32(o.value, 3, &w->rounds) && w->rounds <= ROUNDS_MOST;
    return !strcmp(o.name, "seed") && parse_u64(o.value, &w->seed);
}

int command_recheck(int argc, char **argv) {
    wish w = {.sample = 8, .rounds = 31, .seed = 1};
    options o = {argc, 0, argv};
    for (option_seen seen; (seen = option_next(&o, " help json ")).name;) {
        if (!strcmp(seen.name, "help")) {
            fputs(usage, stdout);
            return EXIT_DONE;
        }
        if (!take(&w, seen)) return usage_error("recheck", seen.name, seen.value);
    }
    if (!w.table) w.table = publish_default_path();
    if (!w.table) return usage_error("recheck", "--table", NULL);
    setenv("QUERNEL_TABLE", "none", 1);
    quernel_i_table *t = quernel_i_table_read(w.table, NULL, NULL);
    int code = EXIT_USAGE;
    if (!t || t->wrong) usage_error("recheck", w.table, t ? t->wrong : "no memory");
    else code = recheck(t, &w);
    quernel_i_table_free(t);
    return code;
}
