// SPDX-License-Identifier: Apache-2.0
// Looks a layer up: exact rows of every table first, then rows of its bucket, then near ones. Each
// row is checked before it is taken; one that fails is counted with its reason, and the next is
// looked at.
#include "table/choose.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/desc.h"
#include "cpu/cpu.h"
#include "plan/model.h"
#include "table/class.h"
#include "table/key.h"
#include "table/table.h"

#define VETO 1.05 // predicted time of a row of another shape over that of the model's own choice
#define RATES_WITHIN 1.5    // a factor between the rates of one class of machine
enum { LOOKED_AT_MAX = 8 }; // rows of a table and kind

// What becomes of a look-up, the first four as quernel_match; then why a row was refused.
enum {
    MISSED = 0,
    NEAR = QUERNEL_MATCH_NEAR,
    BUCKET = QUERNEL_MATCH_BUCKET,
    EXACT = QUERNEL_MATCH_EXACT,
    NO_KERNEL,
    OTHER_ISA,
    OTHER_KREV,
    OTHER_MACHINE,
    NOT_LEGAL,
    VETOED,
    OUTCOMES
};
static _Atomic uint64_t counters[OUTCOMES];
static const char *const reasons[] = {
    [NO_KERNEL] = "its kernel or a key of its config is not in this library",
    [OTHER_ISA] = "its instruction set may not be used here",
    [OTHER_KREV] = "its kernel has another revision now",
    [OTHER_MACHINE] = "it was measured on another class of machine",
    [NOT_LEGAL] = "its config is not legal for this layer",
    [VETOED] = "the model thinks it worse for this shape"};

// The problem that is looked up.
typedef struct search {
    const quernel_i_problem *problem;
    const quernel_i_machine *machine;
    quernel_i_plan *plan; // of the row that is taken
    quernel_i_key key;
    const char *env; // of the rows that are looked at
    char machine_class[QUERNEL_I_CLASS_MAX];
    double model_ns; // of the model's choice
    quernel_plan_choice *choice;
    quernel_i_choose_seen *seen;
    void *user;
} search;

// "mac/l1=610 mac/l2=1200" (per 1000 bytes): every ratio that both sides have must be near.
static bool rates_agree(const char *theirs, const char *own) {
    while (*own) {
        const size_t name = strcspn(own, "= ");
        for (const char *at = theirs; own[name] == '=' && *at;
             at += strcspn(at, " "), at += *at == ' ') {
            if (strncmp(at, own, name + 1)) continue;
            const double ratio = (double)strtoul(at + name + 1, NULL, 10) /
                                 (double)strtoul(own + name + 1, NULL, 10);
            if (!(ratio < RATES_WITHIN && ratio > 1 / RATES_WITHIN)) return false;
        }
        own += strcspn(own, " ");
        own += *own == ' ';
    }
    return true;
}

// Plans by the row; 0 where it may be taken.
static int check_row(search *s, const quernel_i_row *row, quernel_match match) {
    quernel_i_config config;
    if (quernel_i_config_parse(row->config, s->problem->where, &config, NULL) || !config.kernel)
        return NO_KERNEL;
    if (!(s->machine->isas >> config.kernel->isa & 1)) return OTHER_ISA;
    if (config.kernel->krev != row->krev) return OTHER_KREV;
    // The rates are those of all that the process may use: under a lower ceiling they say nothing.
    const bool rated = s->machine->isas == quernel_i_cpu()->usable;
    if (strcmp(row->machine, s->machine_class) ||
        (rated && !rates_agree(row->rates, quernel_i_tables_rates())))
        return OTHER_MACHINE;
    if (row->verdict != QUERNEL_VERDICT_WIN) config = (quernel_i_config){0}; // the default is kept
    if (quernel_i_plan_make_permitted(s->problem, &config, s->machine, s->plan, NULL))
        return NOT_LEGAL;
    const bool slower = quernel_i_model_ns(s->problem, s->plan, s->machine) > VETO * s->model_ns;
    return match != QUERNEL_MATCH_EXACT && slower ? VETOED : 0;
}

static bool consider(search *s, const quernel_i_table *t, const quernel_i_row *row,
                     quernel_match match) {
    const int wrong = check_row(s, row, match);
    if (s->seen) s->seen(s->user, t->path, row, match, wrong ? reasons[wrong] : NULL);
    else if (wrong) atomic_fetch_add_explicit(&counters[wrong], 1, memory_order_relaxed);
    if (wrong) return false;
    quernel_plan_choice *c = s->choice;
    c->from = QUERNEL_FROM_TABLE, c->match = match, c->verdict = row->verdict,
    c->rounds = row->rounds;
    c->ratio = row->ratio, c->lo = row->lo, c->hi = row->hi;
    // times of a network are not the layer's
    if (s->env == s->key.env) c->base_ns = row->base_ns, c->best_ns = row->best_ns;
    snprintf(c->table, sizeof c->table, "%s", t->path);
    snprintf(c->date, sizeof c->date, "%s", row->date);
    snprintf(c->lost, sizeof c->lost, "%s", row->lost);
    return true;
}

static quernel_match match_of(const search *s, const quernel_i_row *row) {
    if (strcmp(row->op, s->key.op) || strcmp(row->env, s->env)) return QUERNEL_MATCH_NONE;
    if (!strcmp(row->shape, s->key.shape)) return QUERNEL_MATCH_EXACT;
    // says nothing about another shape
    if (row->verdict != QUERNEL_VERDICT_WIN) return QUERNEL_MATCH_NONE;
    const uint64_t own[] = {s->key.m, s->key.n, s->key.k}, theirs[] = {row->m, row->n, row->k};
    bool same = true;
    for (int i = 0; i < 3; i++)
        same = same && round(log2((double)own[i])) == round(log2((double)theirs[i]));
    if (same) return QUERNEL_MATCH_BUCKET;
    return quernel_i_key_octaves(&s->key, row->m, row->n, row->k) <= 1 ? QUERNEL_MATCH_NEAR
                                                                       : QUERNEL_MATCH_NONE;
}

// The rows of one kind, the nearest first and among equals the newest.
static bool search_table(search *s, const quernel_i_table *t, quernel_match match) {
    struct {
        double octaves;
        uint32_t row;
    } best[LOOKED_AT_MAX];
    uint32_t count = 0;
    for (uint32_t i = t->good; i-- > 0;) {
        const quernel_i_row *row = &t->rows[i];
        if (match_of(s, row) != match) continue;
        const double octaves = quernel_i_key_octaves(&s->key, row->m, row->n, row->k);
        uint32_t at = count;
        for (; at > 0 && best[at - 1].octaves > octaves; at--)
            if (at < LOOKED_AT_MAX) best[at] = best[at - 1];
        if (at < LOOKED_AT_MAX) best[at].octaves = octaves, best[at].row = i;
        if (count < LOOKED_AT_MAX) count++;
    }
    for (uint32_t i = 0; i < count; i++)
        if (consider(s, t, &t->rows[best[i].row], match)) return true;
    return false;
}

static bool search_all(search *s, const quernel_i_table *given, quernel_match match) {
    const quernel_i_table *const *tables = quernel_i_tables();
    bool taken = given && search_table(s, given, match);
    for (uint32_t i = 0; !taken && tables[i]; i++) taken = search_table(s, tables[i], match);
    return taken;
}

// Of equal matches what was timed among neighbours, as layers run, before what was timed alone.
static bool search_tables(search *s) {
    const quernel_i_table *given = quernel_i_table_given();
    const char *const envs[] = {s->key.network_env, s->key.env};
    bool taken = false;
    for (int match = QUERNEL_MATCH_EXACT; !taken && match > QUERNEL_MATCH_NONE; match--)
        for (int i = 0; !taken && i < 2; i++)
            s->env = envs[i], taken = search_all(s, given, (quernel_match)match);
    quernel_i_table_given_release();
    return taken;
}

// The plan of a row, or else `own`, that of the model.
static quernel_i_plan look_up(const quernel_i_problem *problem, const quernel_i_machine *machine,
                              const quernel_i_plan *own, quernel_plan_choice *choice,
                              quernel_i_choose_seen *seen, void *user) {
    quernel_i_plan by_row;
    search s = {.problem = problem,
                .machine = machine,
                .plan = &by_row,
                .model_ns = quernel_i_model_ns(problem, own, machine),
                .choice = choice,
                .seen = seen,
                .user = user};
    quernel_i_key_of(problem, &s.key);
    quernel_i_class_print(machine->isas, s.machine_class, sizeof s.machine_class);
    const bool taken = search_tables(&s);
    if (!seen) {
        atomic_fetch_add_explicit(&counters[choice->match], 1, memory_order_relaxed);
        if (choice->match != QUERNEL_MATCH_EXACT)
            quernel_i_misses_record(s.key.op, s.key.shape, s.key.env);
    }
    return taken ? by_row : *own;
}

int quernel_i_choose(const quernel_i_problem *problem, const quernel_i_machine *machine,
                     const char *config, quernel_i_plan *ret_plan, quernel_plan_choice *ret_choice,
                     quernel_i_choose_seen *seen, void *user, quernel_error *error) {
    quernel_i_config demands;
    quernel_i_plan own;
    int code = quernel_i_config_parse(config, problem->where, &demands, error);
    if (!code) code = quernel_i_plan_make_permitted(problem, &demands, machine, &own, error);
    if (code) return code;
    *ret_choice = (quernel_plan_choice)QUERNEL_PLAN_CHOICE_INIT;
    if (config) ret_choice->from = QUERNEL_FROM_CONFIG;
    *ret_plan = config ? own : look_up(problem, machine, &own, ret_choice, seen, user);
    ret_choice->predicted_ns = quernel_i_model_ns(problem, ret_plan, machine);
    return QUERNEL_OK;
}

int quernel_table_counters_get(quernel_table_counters *ret) {
    if (!ret) return QUERNEL_E_NULL;
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_table_counters, QUERNEL_TABLE_COUNTERS_MIN, "tables", "size");
    if (quernel_i_desc_check(desc, ret, NULL)) return QUERNEL_E_VALUE;
    uint64_t now[OUTCOMES];
    for (int i = 0; i < OUTCOMES; i++)
        now[i] = atomic_load_explicit(&counters[i], memory_order_relaxed);
    const quernel_table_counters all = {sizeof all,     now[EXACT],      now[BUCKET],
                                        now[NEAR],      now[MISSED],     now[NO_KERNEL],
                                        now[OTHER_ISA], now[OTHER_KREV], now[OTHER_MACHINE],
                                        now[NOT_LEGAL], now[VETOED]};
    quernel_i_desc_write(desc, ret, &all);
    return QUERNEL_OK;
}
