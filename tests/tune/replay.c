// SPDX-License-Identifier: Apache-2.0
// The tuner's decision replayed on landscapes: rounds are drawn from those that were measured, so
// that noise and pairing are real. 200 seeds each; the best plan of the landscape is known.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/check.h"
#include "landscapes.h"
#include "tests.h"
#include "tune/common/random.h"
#include "tune/search/decide.h"

enum { SEEDS = 200, FINALISTS = 16 };
#define MEAN_REGRET_MAX 0.01
#define P95_REGRET_MAX 0.03
#define MAX_SAMPLES (1.0 / 3)
// From a default that loses much the winner is rarely the very best: what is not surely 2 % better
// is not told apart.
#define MEAN_REGRET_POOR 0.015
#define P95_REGRET_POOR 0.04
#define SAMPLES_POOR 0.45 // where a default loses, the race goes on until its winner is known

typedef struct replay {
    const landscape *landscape;
    uint32_t plan[FINALISTS + 1]; // of each candidate
    uint64_t seed;
    uint32_t round, drawn; // the measured round that is used for this one
} replay;

static double sample(void *user, uint32_t index, uint32_t round) {
    replay *r = user;
    if (round != r->round)
        r->drawn = random_below(&r->seed, r->landscape->rounds), r->round = round;
    return landscape_ns(r->landscape, r->plan[index], r->drawn);
}

static double predicted(const measured *m, uint32_t plan) {
    double ns = 0;
    for (int i = 0; i < QUERNEL_I_WORK_COUNT; i++)
        ns += m->work[plan][i] * quernel_i_model_rates[i];
    return ns;
}

// The default, then the best by the model, as the tuner prunes.
static uint32_t prune(const measured *m, uint32_t default_plan, replay *r) {
    uint32_t count = 1;
    r->plan[0] = default_plan;
    for (; count <= FINALISTS && count < m->landscape.count; count++) {
        uint32_t best = 0;
        for (uint32_t p = 1; p < m->landscape.count; p++) {
            bool taken = false;
            for (uint32_t i = 1; i < count; i++) taken = taken || r->plan[i] == p;
            if (!taken && (!best || predicted(m, p) < predicted(m, best))) best = p;
        }
        r->plan[count] = best;
    }
    return count;
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct tally {
    double *regrets;
    int count;
    double samples, exhaustive;
} tally;

// All seeds on one landscape, with `default_plan` in the default's place.
static void replay_one(const measured *m, uint32_t default_plan, tally *t) {
    const landscape *land = &m->landscape;
    const uint32_t best = landscape_best(land);
    double own = 0, wins = 0;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        replay r = {.landscape = land, .seed = seed * 7919u + 1, .round = UINT32_MAX};
        const uint32_t candidates = prune(m, default_plan, &r);
        decision d;
        if (!CHECK(decide(candidates, QUERNEL_EFFORT_MEASURE, seed, decide_min_gain(0), sample, &r,
                          sample, &r, &d, NULL),
                   "no memory"))
            return;
        const double lost = landscape_ratio(land, r.plan[d.winner], best) - 1;
        t->regrets[t->count++] = lost;
        t->samples += (double)d.samples, t->exhaustive += land->count * (double)land->rounds;
        own += lost / SEEDS, wins += (d.verdict == QUERNEL_VERDICT_WIN) / (double)SEEDS;
    }
    if (getenv("QUERNEL_TEST_FIT"))
        printf("  %-60s default loses %.3f, tuned %.3f, %.2f wins\n", m->name,
               landscape_ratio(land, default_plan, best) - 1, own, wins);
}

typedef struct limits {
    double mean, p95, samples;
} limits;

static void check_tally(tally *t, const limits *max, const char *what) {
    double mean = 0;
    for (int i = 0; i < t->count; i++) mean += t->regrets[i] / t->count;
    qsort(t->regrets, (size_t)t->count, sizeof *t->regrets, compare);
    const double p95 = t->regrets[(size_t)(0.95 * t->count)];
    CHECK(mean <= max->mean, "%s: mean regret %.4f", what, mean);
    CHECK(p95 <= max->p95, "%s: 95 %% of the regrets are below %.4f", what, p95);
    CHECK(t->samples <= max->samples * t->exhaustive, "%s: %.0f samples of %.0f", what, t->samples,
          t->exhaustive);
    if (getenv("QUERNEL_TEST_FIT"))
        printf("  %s: mean regret %.4f, p95 %.4f, %.3f of the exhaustive samples\n", what, mean,
               p95, t->samples / t->exhaustive);
}

// The plan that half of the others are slower than: a default that leaves something to be won.
static uint32_t middling(const landscape *l) {
    const uint32_t best = landscape_best(l);
    for (uint32_t p = 0; p < l->count; p++) {
        uint32_t slower = 0;
        for (uint32_t other = 0; other < l->count; other++)
            slower += landscape_ratio(l, other, best) > landscape_ratio(l, p, best);
        if (slower == l->count / 2) return p;
    }
    return 0;
}

static void replay_all(bool poor_default, const char *what) {
    measured *all = calloc(LANDSCAPES_MAX, sizeof *all);
    tally t = {.regrets = malloc(sizeof(double) * LANDSCAPES_MAX * SEEDS)};
    const int count = all && t.regrets ? landscapes_load(all) : 0;
    for (int l = 0; l < count; l++)
        replay_one(&all[l], poor_default ? middling(&all[l].landscape) : 0, &t);
    static const limits own = {MEAN_REGRET_MAX, P95_REGRET_MAX, MAX_SAMPLES};
    static const limits poor = {MEAN_REGRET_POOR, P95_REGRET_POOR, SAMPLES_POOR};
    if (count) check_tally(&t, poor_default ? &poor : &own, what);
    landscapes_free(all, count);
    free(all), free(t.regrets);
}

void test_replay(void) { replay_all(false, "the plan's own choice as default"); }
void test_replay_poor(void) { replay_all(true, "a middling default"); }

// Candidates whose true times are known, with noise that hits a whole round and some of their own.
typedef struct known {
    const double *truth;
    uint64_t seed;
    uint32_t round;
    double weather;
} known;

static double noisy(void *user, uint32_t index, uint32_t round) {
    known *k = user;
    if (round != k->round)
        k->weather = 1 + 0.3 * random_below(&k->seed, 1000) / 1000.0, k->round = round;
    return k->truth[index] * k->weather * (1 + 0.01 * random_below(&k->seed, 1000) / 1000.0);
}

static double stopping(void *user, uint32_t index, uint32_t round) {
    return round == 3 ? -1 : noisy(user, index, round);
}

static race_result race_of(const double *truth, uint64_t seed, double *ratios) {
    known k = {truth, seed, UINT32_MAX, 1};
    const race_rules rules = {60, 2, 0.02, seed};
    race_result result;
    race_run(4, &rules, noisy, &k, &result, ratios);
    return result;
}

// A candidate that is 8 % faster wins, and those that are far slower leave early.
static void check_faster(uint64_t seed) {
    static const double faster[] = {100, 130, 92, 300};
    double ratios[4];
    const race_result result = race_of(faster, seed, ratios);
    CHECK(result.winner == 2 && result.ratio.lo <= result.ratio.middle, "seed %d: %u wins",
          (int)seed, result.winner);
    CHECK(result.samples < 4 * 60, "seed %d: nobody left early", (int)seed);
    CHECK(fabs(ratios[0] - 100 / 92.0) < 0.02 && ratios[3] > 3, "seed %d: ratios %g, %g", (int)seed,
          ratios[0], ratios[3]);
}

static void check_slower(uint64_t seed) {
    static const double slower[] = {100, 104, 103, 110};
    const race_result result = race_of(slower, seed, NULL);
    CHECK(result.winner == 0 && result.ratio.middle == 1, "seed %d: %u beats the default",
          (int)seed, result.winner);
}

void test_race_rules(void) {
    static const double equal[] = {100, 100, 100, 100};
    uint32_t false_wins = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        const race_result of_equals = race_of(equal, seed, NULL);
        false_wins += of_equals.winner != 0 && of_equals.ratio.lo > 1.02;
        check_faster(seed);
        check_slower(seed);
    }
    CHECK(false_wins == 0, "%u of 100 races of equals have a winner by 2 %%", false_wins);
    known k = {equal, 1, UINT32_MAX, 1};
    race_result result;
    CHECK(race_run(4, &(race_rules){60, 2, 0.02, 1}, stopping, &k, &result, NULL) && result.stopped,
          "a negative sample does not stop the race");
    CHECK(fabs(race_sign_test(9, 10) - 11 / 1024.0) < 1e-9, "sign test: %g", race_sign_test(9, 10));
}
