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
    // Each costs its share of the race, and its check.
    const double each = once * (RACED_ROUNDS + 4);
    const double fit = (CONFIRM_SHARE * seconds - 50 * once) / each;
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

static decision race(const session *s, racing *r, const char *const *configs) {
    outcome *o = &r->outcome;
    const quernel_operator *op = r->contest->variants[0].op;
    confirmer confirm = {.op = op, .configs = configs, .deadline = r->deadline};
    // The best set that the operator may use: the confirming process gets it as its ceiling.
    snprintf(confirm.isa, sizeof confirm.isa, "%s",
             quernel_isa_name((quernel_isa)(31 - __builtin_clz(quernel_i_product_of(op)->usable))));
    decision d = {.verdict = QUERNEL_VERDICT_DEFAULT, .ratio = {1, 1, 1}};
    if (o->count > 1 && !decide(o->count, s->effort, s->seed, s->noise, sample, r, confirm_sample,
                                &confirm, &d, o->ratios))
        d.stopped = 1; // no memory: as little known as when the time is over
    confirm_end(&confirm);
    return d;
}

static session_end explain_end(const outcome *o, char *text, size_t capacity) {
    const decision *d = &o->decision;
    if (d->verdict == QUERNEL_VERDICT_WIN) {
        snprintf(text, capacity, "%.3f times as fast [%.3f, %.3f], %u raced: %s", d->ratio.middle,
                 d->ratio.lo, d->ratio.hi, o->count, outcome_winner(o)->config);
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

session_end session_run(const session *s, const shape *layer, const request *wanted,
                        double deadline, char *text, size_t capacity) {
    contest c;
    racing r = {.contest = &c,
                .outcome = {.contest = &c},
                .deadline = deadline,
                .interrupted = s->interrupted};
    const session_end end =
        contest_make(&c, layer, wanted)
            ? run(s, &r, text, capacity)
            : end_as(c.wrong ? SESSION_FAILED : SESSION_SKIPPED, c.workload.reason, text, capacity);
    contest_free(&c);
    return end;
}
