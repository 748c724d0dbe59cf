// SPDX-License-Identifier: Apache-2.0
// quernel recheck: do the rows of a table still hold? Each is raced again, against what would run
// without it or against what another table says.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "table/class.h"
#include "table/table.h"
#include "tune/common/json.h"
#include "tune/common/random.h"
#include "tune/common/statistics.h"
#include "tune/program/options.h"
#include "tune/program/program.h"
#include "tune/program/shape_options.h"
#include "tune/search/contest.h"
#include "tune/search/publish.h"

static const char usage[] =
    "usage: quernel recheck [--table F] [--against F2] [--sample 8] [--rounds 31] [--seed N] "
    "[--json]\n"
    "\n"
    "Draws rows of this machine from a table (default: the tuner's), and times each row's plan "
    "against\n"
    "the default in paired rounds, after all have given the same bits. Exit 1 where a row is "
    "surely\n"
    "slower than the default (upper bound below 1), or gives other bits: quernel tune --again "
    "replaces\n"
    "it; and where no row could be raced. --against: times it against the plan of the same layer's "
    "row\n"
    "in F2 instead; closes with the\n"
    "share of rows within 1 % of each other, and what each table gains over the default.\n";

enum { ROUNDS_MAX = 1024 };          // what the stack holds
enum { DEFAULT, OTHER, OWN, PLANS }; // OTHER is the default where no --against was given

typedef struct recheck_options {
    const char *table, *against;
    uint32_t sample, rounds;
    uint64_t seed;
    bool as_json;
} recheck_options;

typedef struct verdict {
    median ratio;       // OTHER over OWN
    double gain[PLANS]; // DEFAULT over each
    const char *says;   // "holds", "lost", "wrong", "skipped"
    char reason[200];
} verdict;

typedef struct tally {
    uint32_t good, bad, skipped, raced, close;
    double gain[PLANS]; // logarithms, summed over the rows
} tally;

// Index of a row's plan among the contest's variants, -1 where its config is not legal any more. A
// tie's plan is the default's by definition: the row's own words may name sizes that the default
// has left.
static int add_plan(contest *c, const quernel_i_row *row) {
    const int added =
        row && row->verdict == QUERNEL_VERDICT_WIN ? contest_add(c, row->config, 0) : 0;
    for (int i = 0; i < added; i++) // never a plan against itself
        if (!strcmp(c->variants[i].config, c->variants[added].config)) return i;
    return added;
}

// In paired rounds; who goes first changes from round to round.
static void race_plans(contest *c, const int plan[PLANS], uint32_t rounds, verdict *ret) {
    double ratios[PLANS][ROUNDS_MAX], ns[PLANS];
    for (uint32_t r = 0; r < rounds; r++) {
        for (uint32_t i = 0; i < c->count; i++) {
            const uint32_t who = (i + r) % c->count;
            ns[who] = contest_sample(c, who);
        }
        ratios[DEFAULT][r] = ns[plan[OTHER]] / ns[plan[OWN]];
        for (uint32_t i = OTHER; i < PLANS; i++) ratios[i][r] = ns[plan[DEFAULT]] / ns[plan[i]];
    }
    ret->ratio = median_of(ratios[DEFAULT], rounds);
    for (uint32_t i = OTHER; i < PLANS; i++) ret->gain[i] = median_of(ratios[i], rounds).middle;
    ret->says = ret->ratio.hi < 1 ? "lost" : "holds";
}

static void check_plans(contest *c, const quernel_i_row *row, const quernel_i_row *other,
                        uint32_t rounds, verdict *ret) {
    const int plan[PLANS] = {0, add_plan(c, other), add_plan(c, row)};
    if (plan[OTHER] < 0 || plan[OWN] < 0)
        snprintf(ret->reason, sizeof ret->reason, "its config is not legal any more");
    else if (c->variants[plan[OTHER]].wrong || c->variants[plan[OWN]].wrong)
        ret->says = "wrong",
        snprintf(ret->reason, sizeof ret->reason, "other bits than the default");
    else race_plans(c, plan, rounds, ret);
}

static verdict check_row(const quernel_i_row *row, const quernel_i_row *other, uint32_t rounds) {
    verdict v = {.ratio = {NAN, NAN, NAN}, .gain = {NAN, NAN, NAN}, .says = "skipped"};
    shape s;
    request r;
    contest c;
    if (!shape_of_key(row->op, row->shape, row->env, &s, &r)) {
        snprintf(v.reason, sizeof v.reason, "%s",
                 strstr(row->env, " network") ? "timed within a network: quernel tune --network"
                                              : "its layer cannot be made again");
        return v;
    }
    r.full_check = FULL_CHECK_OFTEN;
    if (!contest_make(&c, &s, &r)) snprintf(v.reason, sizeof v.reason, "%s", c.workload.reason);
    else check_plans(&c, row, other, rounds, &v);
    contest_free(&c);
    return v;
}

static void count(tally *t, const verdict *v) {
    t->good += !strcmp(v->says, "holds"), t->skipped += !strcmp(v->says, "skipped");
    t->bad += !strcmp(v->says, "lost") || !strcmp(v->says, "wrong");
    if (isnan(v->ratio.middle)) return;
    t->raced++, t->close += fabs(log(v->ratio.middle)) <= log(1.01);
    for (uint32_t i = OTHER; i < PLANS; i++) t->gain[i] += log(v->gain[i]);
}

static void print_row(const quernel_i_row *row, const verdict *v, bool against) {
    printf("%-7s now %.3f [%.3f, %.3f], then %.3f", v->says, v->ratio.middle, v->ratio.lo,
           v->ratio.hi, row->ratio);
    if (against) printf(", over the default %.3f and %.3f", v->gain[OWN], v->gain[OTHER]);
    printf("  %s %s%s%s\n", row->op, row->shape, *v->reason ? ": " : "", v->reason);
    fflush(stdout);
}

static void print_tally(const tally *t, bool against) {
    if (against && t->raced)
        printf("%u of %u within 1 %%; over the default %.4f, and %.4f the other table (geometric "
               "means)\n",
               t->close, t->raced, exp(t->gain[OWN] / t->raced), exp(t->gain[OTHER] / t->raced));
    printf("%u hold, %u do not, %u skipped\n", t->good, t->bad, t->skipped);
}

static void write_row(json *j, const quernel_i_row *row, const verdict *v) {
    json_open(j, NULL, '{');
    json_text(j, "op", row->op), json_text(j, "shape", row->shape), json_text(j, "env", row->env),
        json_text(j, "config", row->config);
    json_text(j, "status", v->says), json_text(j, "reason", *v->reason ? v->reason : NULL),
        json_number(j, "then", row->ratio);
    json_number(j, "ratio", v->ratio.middle), json_number(j, "lo", v->ratio.lo),
        json_number(j, "hi", v->ratio.hi);
    json_number(j, "gain", v->gain[OWN]), json_number(j, "against_gain", v->gain[OTHER]);
    json_close(j, '}');
}

// Rows of this machine, wins before ties, each kind in random order.
static uint32_t draw(const quernel_i_table *t, const recheck_options *o, uint32_t *order) {
    char machine[QUERNEL_I_CLASS_MAX];
    quernel_i_class_print(quernel_i_cpu()->usable, machine, sizeof machine);
    uint64_t seed = o->seed;
    uint32_t count = 0;
    for (int wins = 1; wins >= 0; wins--) {
        const uint32_t first = count;
        for (uint32_t i = 0; i < t->good; i++)
            if (!strcmp(t->rows[i].machine, machine) &&
                (t->rows[i].verdict == QUERNEL_VERDICT_WIN) == wins)
                order[count++] = i;
        random_shuffle(&seed, order + first, count - first);
    }
    return count < o->sample ? count : o->sample;
}

// The same layer's row in another table, on the same kind of machine: the one that was written
// last.
static const quernel_i_row *partner(const quernel_i_table *t, const quernel_i_row *row) {
    for (uint32_t i = t->good; i--;) {
        const quernel_i_row *r = &t->rows[i];
        if (!strcmp(r->op, row->op) && !strcmp(r->shape, row->shape) && !strcmp(r->env, row->env) &&
            !strcmp(r->machine, row->machine))
            return r;
    }
    return NULL;
}

// A row against its partner; without --against the partner is NULL and not needed.
static verdict recheck_row(const quernel_i_row *row, const quernel_i_table *against,
                           uint32_t rounds) {
    const quernel_i_row *other = against ? partner(against, row) : NULL;
    if (!against || other) return check_row(row, other, rounds);
    return (verdict){
        {NAN, NAN, NAN}, {NAN, NAN, NAN}, "skipped", "the other table has no row of it"};
}

static tally recheck_rows(const quernel_i_table *t, const quernel_i_table *against,
                          const recheck_options *o, const uint32_t *order, uint32_t drawn,
                          json *j) {
    tally all = {0};
    for (uint32_t i = 0; i < drawn; i++) {
        const quernel_i_row *row = &t->rows[order[i]];
        const verdict v = recheck_row(row, against, o->rounds);
        count(&all, &v);
        if (j) write_row(j, row, &v);
        else print_row(row, &v, against != NULL);
    }
    return all;
}

static int recheck(const quernel_i_table *t, const quernel_i_table *against,
                   const recheck_options *o) {
    uint32_t *order = malloc(((size_t)t->good + 1) * sizeof *order);
    if (!order) return usage_error("recheck", "memory", "none left");
    const uint32_t drawn = draw(t, o, order);
    json j = {stdout, 1};
    if (o->as_json) j = json_document(stdout, "quernel-recheck-1"), json_open(&j, "rows", '[');
    const tally all = recheck_rows(t, against, o, order, drawn, o->as_json ? &j : NULL);
    if (o->as_json) json_close(&j, ']'), json_document_end(&j);
    else print_tally(&all, against != NULL);
    free(order);
    if (all.good + all.bad) return all.bad ? EXIT_WRONG : EXIT_DONE;
    usage_error("recheck", o->table, "nothing was checked: no row of this machine could be raced");
    return EXIT_WRONG;
}

static quernel_i_table *read_table(const char *path) {
    quernel_i_table *t = quernel_i_table_read(path, NULL, NULL);
    if (t && !t->wrong) return t;
    usage_error("recheck", path, t ? t->wrong : "no memory");
    quernel_i_table_free(t);
    return NULL;
}

static void help(void) { fputs(usage, stdout); }

static bool take(void *user, option o) {
    recheck_options *r = user;
    if (!strcmp(o.name, "json")) return r->as_json = true;
    if (option_is(o, "table")) return (r->table = o.value) != NULL;
    if (option_is(o, "against")) return (r->against = o.value) != NULL;
    if (option_is(o, "sample")) return parse_u32(o.value, 1, &r->sample);
    if (option_is(o, "rounds")) return parse_u32(o.value, 3, &r->rounds) && r->rounds <= ROUNDS_MAX;
    return option_is(o, "seed") && parse_u64(o.value, &r->seed);
}

static int recheck_files(const recheck_options *o) {
    quernel_i_table *t = read_table(o->table),
                    *against = o->against ? read_table(o->against) : NULL;
    const bool readable = t && (against || !o->against);
    const int code = readable ? recheck(t, against, o) : EXIT_USAGE;
    quernel_i_table_free(t), quernel_i_table_free(against);
    return code;
}

int command_recheck(int argc, char **argv) {
    static const command_line line = {"recheck", " json ", help, take};
    recheck_options o = {.sample = 8, .rounds = 31, .seed = 1};
    const int code = options_read(&line, argc, argv, &o);
    if (code != GO_ON) return code;
    if (!o.table) o.table = publish_default_path();
    if (!o.table) return usage_error("recheck", "--table", NULL);
    setenv("QUERNEL_TABLE", "none", 1); // the default is what runs without a table
    return recheck_files(&o);
}
