// SPDX-License-Identifier: Apache-2.0
// One layer: enumerate, prune, check, race, confirm, publish.
#include "tune/search/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op/product.h"
#include "tune/common/clock.h"
#include "tune/search/confirm.h"
#include "tune/search/contest.h"
#include "tune/search/finalists.h"
#include "tune/search/outcome.h"

enum {
    RACED_ROUNDS = 12, // rounds that a candidate runs on average
    BASE_SAMPLES = 5   // whose median is the default's time in a row
};
#define CONFIRM_SHARE 0.7 // of the time a race may take; the rest confirms

// A layer's race while it runs.
typedef struct racing {
    contest *contest;
    outcome outcome;
    const quernel_i_row *kept; // the row that it has already
    double deadline;
    volatile sig_atomic_t *interrupted;
} racing;

// A race_sample; below 0, which ends the race, when time is over.
static double sample(void *user, uint32_t index, uint32_t round) {
    racing *r = user;
    (void)round;
    if (*r->interrupted || clock_now() > r->deadline) return -1;
    return contest_sample(r->contest, r->outcome.plan[index]);
}

// How many counts of a plan's own choice a candidate may change.
static uint32_t moves_of(int32_t effort) { return effort >= QUERNEL_EFFORT_PATIENT ? 3 : 2; }

// As many finalists as the time allows, so that a race can end; at least one beside the default.
static uint32_t finalists_for(const session *s, contest *c, double seconds) {
    const double once = fmax(1e-9 * contest_sample(c, 0), 200e-6); // a sample
    // Each costs its share of the race, and its check. Few leave a race of small shares of a whole,
    // where differences are small against the noise.
    const double rounds = c->plans ? decide_rounds(s->effort) : RACED_ROUNDS,
                 confirm = c->plans ? 100 : 50, check = c->plans ? 8 : 4; // samples
    const double fit = (CONFIRM_SHARE * seconds - confirm * once) / (once * (rounds + check));
    const uint32_t wanted = decide_finalists(s->effort),
                   max = wanted < CANDIDATES_MAX ? wanted : CANDIDATES_MAX - 8;
    return fit < 1 ? 0 : fit > max ? max : (uint32_t)fit;
}

// The default's time, in ns.
static double base_of(contest *c) {
    double ns[BASE_SAMPLES];
    for (int i = 0; i < BASE_SAMPLES; i++) ns[i] = contest_sample(c, 0);
    return median_of(ns, BASE_SAMPLES).middle;
}

// Ends with these words.
static session_end end_as(session_end end, const char *words, char *text, size_t capacity) {
    snprintf(text, capacity, "%s", words);
    return end;
}

// Those with the right bits race. Returns how many there are.
static uint32_t take_candidates(outcome *o, const char **configs) {
    const contest *c = o->contest;
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->count && count < CANDIDATES_MAX; i++)
        if (!c->variants[i].wrong) configs[count] = c->variants[i].config, o->plan[count++] = i;
    return count;
}

static int decide_within(const session *s, racing *r, const char *const *configs, decision *ret) {
    const contest *c = r->contest;
    const double min_gain = decide_min_gain_within(network_plans_share(c->plans, c->part));
    confirmer_within confirm = {.plans = c->plans,
                                .part = c->part,
                                .configs = configs,
                                .deadline = r->deadline,
                                .interrupted = r->interrupted};
    const int fine = decide(r->outcome.count, s->effort, s->seed, min_gain, sample, r,
                            confirm_within_sample, &confirm, ret, r->outcome.ratios);
    confirm_within_end(&confirm);
    return fine;
}

static int decide_alone(const session *s, racing *r, const char *const *configs, decision *ret) {
    const quernel_operator *op = r->contest->variants[0].op;
    confirmer confirm = {.op = op, .configs = configs, .deadline = r->deadline};
    // The best set that the operator may use: the confirming process gets it as its ceiling.
    snprintf(confirm.isa, sizeof confirm.isa, "%s",
             quernel_isa_name((quernel_isa)(31 - __builtin_clz(quernel_i_product_of(op)->usable))));
    const int fine = decide(r->outcome.count, s->effort, s->seed, decide_min_gain(s->noise), sample,
                            r, confirm_sample, &confirm, ret, r->outcome.ratios);
    confirm_end(&confirm);
    return fine;
}

static decision race(const session *s, racing *r, const char *const *configs) {
    decision d = {.verdict = QUERNEL_VERDICT_DEFAULT, .ratio = {1, 1, 1}};
    if (r->outcome.count > 1 &&
        !(r->contest->plans ? decide_within : decide_alone)(s, r, configs, &d))
        d.stopped = 1; // no memory: as little known as when the time is over
    return d;
}

static session_end explain_end(const outcome *o, char *text, size_t capacity) {
    const decision *d = &o->decision;
    if (d->verdict == QUERNEL_VERDICT_WIN) {
        snprintf(text, capacity, "%s%.3f times as fast [%.3f, %.3f], %u raced: %s",
                 o->contest->plans ? "the whole " : "", d->ratio.middle, d->ratio.lo, d->ratio.hi,
                 o->count, outcome_winner(o)->config);
        return SESSION_WON;
    }
    snprintf(text, capacity, "%s, %u raced",
             o->count > 1 ? "nothing surely beats the default" : "no other plan is legal",
             o->count);
    return o->count > 1 ? SESSION_TIED : SESSION_ONLY;
}

static session_end race_and_publish(const session *s, racing *r, char *text, size_t capacity) {
    const char *configs[CANDIDATES_MAX];
    outcome *o = &r->outcome;
    o->count = take_candidates(o, configs);
    o->base_ns = base_of(r->contest);
    o->decision = race(s, r, configs);
    if (o->decision.stopped)
        return end_as(SESSION_UNFINISHED,
                      *s->interrupted ? "interrupted"
                                      : "its time is over: a larger --budget finishes it",
                      text, capacity);
    const char *wrong = outcome_publish(o, s->table, s->effort, s->seed);
    if (s->json) outcome_write(s->json, o);
    if (!wrong) return explain_end(o, text, capacity);
    snprintf(text, capacity, "%s: %s", s->table, wrong);
    return SESSION_UNWRITTEN;
}

// A contest that was made.
static session_end run(const session *s, racing *r, char *text, size_t capacity) {
    contest *c = r->contest;
    if (s->effort == QUERNEL_EFFORT_ESTIMATE)
        return end_as(SESSION_ESTIMATED, c->variants[0].config, text, capacity);
    const quernel_i_row *own = finalists_own_row(c, s->known);
    if (own && own->effort >= s->effort && !s->again) {
        r->kept = own;
        snprintf(text, capacity, "has a row of %s", own->date);
        return SESSION_KEPT;
    }
    const uint32_t max = finalists_for(s, c, r->deadline - clock_now());
    if (!max)
        return end_as(SESSION_UNFINISHED, "its time is too short: a larger --budget finishes it",
                      text, capacity);
    finalists_add(c, max, moves_of(s->effort), s->known);
    return race_and_publish(s, r, text, capacity);
}

// The plan that a decision leaves, "" where that is the default.
static const char *config_of(const racing *r, session_end end) {
    if (end == SESSION_WON) return outcome_winner(&r->outcome)->config;
    return r->kept && r->kept->verdict == QUERNEL_VERDICT_WIN ? r->kept->config : "";
}

// A contest that may not have been made; frees it. `ret_config` may be NULL.
static session_end run_contest(const session *s, contest *c, bool made, double deadline,
                               char *ret_config, char *text, size_t capacity) {
    racing r = {.contest = c,
                .outcome = {.contest = c},
                .deadline = deadline,
                .interrupted = s->interrupted};
    const session_end end = made ? run(s, &r, text, capacity)
                                 : end_as(c->wrong ? SESSION_FAILED : SESSION_SKIPPED,
                                          c->workload.reason, text, capacity);
    if (ret_config) snprintf(ret_config, CONFIG_MAX, "%s", config_of(&r, end));
    contest_free(c);
    return end;
}

session_end session_run(const session *s, const shape *layer, const request *wanted,
                        double deadline, char *text, size_t capacity) {
    contest c;
    const bool made = contest_make(&c, layer, wanted);
    return run_contest(s, &c, made, deadline, NULL, text, capacity);
}

session_end session_run_within(const session *s, network_plans *plans, uint32_t part,
                               double deadline, char *text, size_t capacity) {
    contest c;
    const bool made = contest_make_within(&c, plans, part);
    return run_contest(s, &c, made, deadline, plans->configs[part], text, capacity);
}

bool session_time_whole(const session *s, const network_plans *plans, double deadline,
                        decision *ret) {
    static const char *const configs[] = {NULL, "tuned"}; // the second stands for the plans
    confirmer_within confirm = {.plans = plans,
                                .part = NETWORK_WHOLE,
                                .configs = configs,
                                .deadline = deadline,
                                .interrupted = s->interrupted};
    *ret = (decision){0};
    const int fine = decide_confirm(confirm_within_sample, &confirm, 1, 1, ret);
    confirm_within_end(&confirm);
    return fine;
}
