// SPDX-License-Identifier: Apache-2.0
// One layer: enumerate, prune, check, race, confirm, publish.
#include "tune/search/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "op/operator.h"
#include "table/class.h"
#include "table/key.h"
#include "tune/common/clock.h"
#include "tune/probe/host.h"
#include "tune/search/confirm.h"
#include "tune/search/contest.h"
#include "tune/search/finalists.h"
#include "tune/search/publish.h"

enum {
    LOST = 3,             // losers that a row names
    RACED_ROUNDS = 12,    // rounds that a candidate runs on average
    CANDIDATES_MAX = 512, // of a race
    BASE_SAMPLES = 5
};
#define CONFIRM_SHARE 0.7 // of the time a race may take; the rest confirms

typedef struct racing {
    contest *contest;
    uint32_t plan[CANDIDATES_MAX]; // variant of each candidate: those with the right bits
    double deadline;
    volatile sig_atomic_t *interrupted;
} racing;

static double sample(void *user, uint32_t index, uint32_t round) {
    racing *r = user;
    (void)round;
    if (*r->interrupted || clock_now() > r->deadline) return -1;
    return contest_sample(r->contest, r->plan[index]);
}

// The kernel's revision; every plan names its kernel.
static uint32_t krev_of(const quernel_operator *op) { return op->plan.kernels.main->krev; }

// Only what differs from `own`, word by word: both are complete and in the same order.
static void difference(const char *own, const char *other, char *text, size_t capacity) {
    *text = 0;
    for (size_t used = 0; *other;) {
        const size_t a = strcspn(own, " "), b = strcspn(other, " ");
        if (a != b || memcmp(own, other, a)) {
            const int length =
                snprintf(text + used, capacity - used, "%s%.*s", used ? " " : "", (int)b, other);
            if (length < 0 || (used += (size_t)length) >= capacity) return;
        }
        own += a, other += b;
        own += *own == ' ', other += *other == ' ';
    }
}

// The candidate with the least ratio above `last`; `count` where there is none.
static uint32_t nearest_above(const double *ratios, uint32_t count, uint32_t winner, double last) {
    uint32_t best = count;
    for (uint32_t i = 0; i < count; i++)
        if (i != winner && ratios[i] > last && (best == count || ratios[i] < ratios[best]))
            best = i;
    return best;
}

// The nearest losers, as far as they differ from the winner.
static void print_lost(const racing *r, uint32_t count, uint32_t winner, const double *ratios,
                       char *text, size_t capacity) {
    double last = 0;
    size_t used = 0;
    *text = 0;
    for (int n = 0; n < LOST; n++) {
        const uint32_t best = nearest_above(ratios, count, winner, last);
        if (best == count) break;
        char words[160];
        difference(r->contest->variants[r->plan[winner]].config,
                   r->contest->variants[r->plan[best]].config, words, sizeof words);
        const int length = snprintf(text + used, capacity - used, "%s%s@%.4f", used ? ";" : "",
                                    words, ratios[best]);
        if (length < 0 || used + (size_t)length >= capacity) {
            text[used] = 0;
            break;
        }
        used += (size_t)length, last = ratios[best];
    }
    if (!*text) snprintf(text, capacity, "-");
}

static void print_date(char *date, size_t capacity) {
    const time_t now = time(NULL);
    struct tm utc;
    strftime(date, capacity, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

static const char *publish(const session *s, const racing *r, const decision *d, const char *lost,
                           double base_ns) {
    const variant *won = &r->contest->variants[r->plan[d->winner]];
    quernel_i_key key;
    char machine[QUERNEL_I_CLASS_MAX], date[32];
    quernel_i_key_of(&won->op->problem, &key);
    quernel_i_class_print(won->op->usable, machine, sizeof machine);
    print_date(date, sizeof date);
    const median ratio = d->verdict == QUERNEL_VERDICT_WIN ? d->ratio : (median){1, 1, 1};
    const quernel_i_row row = {.op = key.op,
                               .shape = key.shape,
                               .env = key.env,
                               .config = won->config,
                               .version = quernel_version(),
                               .date = date,
                               .machine = machine,
                               .rates = host_rates(),
                               .lost = lost,
                               .extra = "",
                               .m = key.m,
                               .n = key.n,
                               .k = key.k,
                               .krev = krev_of(won->op),
                               .rounds = d->rounds,
                               .base_ns = base_ns,
                               .best_ns = base_ns / ratio.middle,
                               .ratio = ratio.middle,
                               .lo = ratio.lo,
                               .hi = ratio.hi,
                               .verdict = d->verdict,
                               .effort = s->effort,
                               .seed = s->seed};
    return publish_row(s->table, &row);
}

static void write_json(json *j, const racing *r, uint32_t count, const decision *d,
                       const double *ratios, const char *end) {
    if (!j) return;
    quernel_i_key key;
    quernel_i_key_of(&r->contest->variants[0].op->problem, &key);
    json_open(j, NULL, '{');
    json_text(j, "op", key.op), json_text(j, "shape", key.shape), json_text(j, "env", key.env);
    json_text(j, "verdict", end),
        json_text(j, "config", r->contest->variants[r->plan[d->winner]].config);
    json_number(j, "ratio", d->ratio.middle), json_number(j, "lo", d->ratio.lo),
        json_number(j, "hi", d->ratio.hi);
    json_integer(j, "rounds", d->rounds), json_integer(j, "samples", (int64_t)d->samples);
    json_open(j, "candidates", '[');
    for (uint32_t i = 0; i < count; i++) {
        const variant *v = &r->contest->variants[r->plan[i]];
        json_open(j, NULL, '{');
        json_text(j, "config", v->config), json_number(j, "predicted_ns", v->predicted_ns),
            json_number(j, "time_over_winner", ratios[i]);
        json_close(j, '}');
    }
    json_close(j, ']'), json_close(j, '}');
}

static uint32_t moves_of(int32_t effort) { return effort >= QUERNEL_EFFORT_PATIENT ? 3 : 2; }

// As many finalists as the time allows, so that a race can end; at least one beside the default.
static uint32_t finalists_for(const session *s, contest *c, double seconds) {
    const double once = fmax(1e-9 * contest_sample(c, 0), 200e-6); // a sample
    // its share of the race, and its check
    const double each = once * (RACED_ROUNDS + 4);
    const double fit = (CONFIRM_SHARE * seconds - 50 * once) / each;
    const uint32_t wanted = decide_finalists(s->effort),
                   max = wanted < CANDIDATES_MAX ? wanted : CANDIDATES_MAX - 8;
    return fit < 1 ? 0 : fit > max ? max : (uint32_t)fit;
}

static double base_of(contest *c) {
    double ns[BASE_SAMPLES];
    for (int i = 0; i < BASE_SAMPLES; i++) ns[i] = contest_sample(c, 0);
    return median_of(ns, BASE_SAMPLES).middle;
}

static session_end end_as(session_end end, const char *words, char *text, size_t capacity) {
    snprintf(text, capacity, "%s", words);
    return end;
}

// Those with the right bits race. Returns how many there are.
static uint32_t take_candidates(racing *r, const char **configs) {
    const contest *c = r->contest;
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->count && count < CANDIDATES_MAX; i++)
        if (!c->variants[i].wrong) configs[count] = c->variants[i].config, r->plan[count++] = i;
    return count;
}

static decision race(const session *s, racing *r, const char *const *configs, uint32_t count,
                     double *ratios) {
    const quernel_operator *op = r->contest->variants[0].op;
    confirmer confirm = {.op = op, .configs = configs, .deadline = r->deadline};
    snprintf(confirm.isa, sizeof confirm.isa, "%s",
             quernel_isa_name((quernel_isa)(31 - __builtin_clz(op->usable))));
    decision d = {.verdict = QUERNEL_VERDICT_DEFAULT, .ratio = {1, 1, 1}};
    if (count > 1 && !decide(count, s->effort, s->seed, s->noise, sample, r, confirm_sample,
                             &confirm, &d, ratios))
        d.stopped = 1;
    confirm_end(&confirm);
    return d;
}

static session_end explain_end(const racing *r, const decision *d, uint32_t count, char *text,
                               size_t capacity) {
    if (d->verdict == QUERNEL_VERDICT_WIN) {
        snprintf(text, capacity, "%.3f times as fast [%.3f, %.3f], %u raced: %s", d->ratio.middle,
                 d->ratio.lo, d->ratio.hi, count, r->contest->variants[r->plan[d->winner]].config);
        return SESSION_WON;
    }
    snprintf(text, capacity, "%s, %u raced",
             count > 1 ? "nothing surely beats the default" : "no other plan is legal", count);
    return count > 1 ? SESSION_TIED : SESSION_ONLY;
}

static session_end race_and_publish(const session *s, racing *r, char *text, size_t capacity) {
    const char *configs[CANDIDATES_MAX];
    double ratios[CANDIDATES_MAX] = {0};
    char lost[400];
    const uint32_t count = take_candidates(r, configs);
    const double base_ns = base_of(r->contest);
    const decision d = race(s, r, configs, count, ratios);
    if (d.stopped)
        return end_as(SESSION_UNFINISHED,
                      *s->interrupted ? "interrupted"
                                      : "its time is over: a larger --budget finishes it",
                      text, capacity);
    print_lost(r, count, d.winner, ratios, lost, sizeof lost);
    const char *wrong = publish(s, r, &d, lost, base_ns);
    write_json(s->json, r, count, &d, ratios, quernel_i_row_verdict_name(d.verdict));
    if (!wrong) return explain_end(r, &d, count, text, capacity);
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
    racing r = {.contest = &c, .deadline = deadline, .interrupted = s->interrupted};
    const session_end end =
        contest_make(&c, layer, wanted)
            ? run(s, &r, text, capacity)
            : end_as(c.wrong ? SESSION_FAILED : SESSION_SKIPPED, c.workload.reason, text, capacity);
    contest_free(&c);
    return end;
}
