// SPDX-License-Identifier: Apache-2.0
// The tuner's decision replayed on landscapes: rounds are drawn from those that were measured, so
// that noise and pairing are real. 200 seeds each; the best plan of the landscape is known.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"
#include "landscapes.h"
#include "tests.h"
#include "tune/common/random.h"
#include "tune/search/decide.h"

enum { SEEDS = 200, FINALISTS = 16 };
#define SAME 0.01 // two seeds whose plans are as near as this agree

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

// A config begins with its kernel.
static bool same_kernel(const measured *m, uint32_t a, uint32_t b) {
    const char *x = m->landscape.configs[a], *y = m->landscape.configs[b];
    const size_t length = strcspn(x, " ");
    return length == strcspn(y, " ") && !memcmp(x, y, length);
}

static bool is_taken(const measured *m, const replay *r, uint32_t count, uint32_t plan,
                     bool by_kernel) {
    if (plan == r->plan[0]) return true;
    for (uint32_t i = 1; i < count; i++)
        if (r->plan[i] == plan || (by_kernel && same_kernel(m, r->plan[i], plan))) return true;
    return false;
}

// Adds the best by the model of those that are not taken; of other kernels alone, if asked.
static bool add_best(const measured *m, replay *r, uint32_t *count, bool by_kernel) {
    const uint32_t none = m->landscape.count;
    uint32_t best = none;
    for (uint32_t p = 0; p < none; p++)
        if (!is_taken(m, r, *count, p, by_kernel) &&
            (best == none || predicted(m, p) < predicted(m, best)))
            best = p;
    if (best < none) r->plan[(*count)++] = best;
    return best < none;
}

// The default, each kernel's best by the model, then the best of the rest, as the tuner prunes.
static uint32_t prune(const measured *m, uint32_t default_plan, replay *r) {
    uint32_t count = 1;
    r->plan[0] = default_plan;
    for (int by_kernel = 1; by_kernel >= 0; by_kernel--)
        while (count <= FINALISTS && add_best(m, r, &count, by_kernel)) continue;
    return count;
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct tally {
    double *regrets;
    int count, close; // close: to the plan of the seed before
    double samples, exhaustive;
} tally;

// All seeds on one landscape, with `default_plan` in the default's place.
static void replay_one(const measured *m, uint32_t default_plan, tally *t) {
    const landscape *land = &m->landscape;
    const uint32_t best = landscape_best(land);
    double own = 0, wins = 0;
    uint32_t before = 0;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        replay r = {.landscape = land, .seed = seed * 7919u + 1, .round = UINT32_MAX};
        const uint32_t candidates = prune(m, default_plan, &r);
        decision d;
        if (!CHECK(decide(candidates, QUERNEL_EFFORT_MEASURE, seed, decide_min_gain(0), sample, &r,
                          sample, &r, &d, NULL),
                   "no memory"))
            return;
        const double lost = landscape_ratio(land, r.plan[d.winner], best) - 1;
        t->close +=
            seed && fabs(log(landscape_ratio(land, r.plan[d.winner], before))) <= log(1 + SAME);
        before = r.plan[d.winner];
        t->regrets[t->count++] = lost;
        t->samples += (double)d.samples, t->exhaustive += land->count * (double)land->rounds;
        own += lost / SEEDS, wins += (d.verdict == QUERNEL_VERDICT_WIN) / (double)SEEDS;
    }
    if (getenv("QUERNEL_TEST_FIT"))
        printf("  %-60s default loses %.3f, tuned %.3f, %.2f wins\n", m->name,
               landscape_ratio(land, default_plan, best) - 1, own, wins);
}

// At most: regrets, and samples as a share of the exhaustive ones. At least: two seeds that agree.
typedef struct limits {
    double mean, p95, samples, agreed;
} limits;

static const limits by_plan = {0.006, 0.025, 0.28, 0.95};
// From a default that loses much the winner is rarely the very best: what is not surely 2 % better
// is not told apart, and the race goes on until its winner is known.
static const limits by_middling = {0.012, 0.045, 0.4, 0.7};

static void check_tally(tally *t, const limits *max, const char *what) {
    double mean = 0;
    for (int i = 0; i < t->count; i++) mean += t->regrets[i] / t->count;
    qsort(t->regrets, (size_t)t->count, sizeof *t->regrets, compare);
    const double p95 = t->regrets[(size_t)(0.95 * t->count)];
    const double agreed = t->close / (t->count * (1 - 1.0 / SEEDS)); // pairs of seeds
    CHECK(mean <= max->mean, "%s: mean regret %.4f", what, mean);
    CHECK(p95 <= max->p95, "%s: 95 %% of the regrets are below %.4f", what, p95);
    CHECK(t->samples <= max->samples * t->exhaustive, "%s: %.0f samples of %.0f", what, t->samples,
          t->exhaustive);
    CHECK(agreed >= max->agreed, "%s: %.4f of two seeds agree", what, agreed);
    if (getenv("QUERNEL_TEST_FIT"))
        printf("  %s: mean regret %.4f, p95 %.4f, %.3f of the exhaustive samples, %.4f agree\n",
               what, mean, p95, t->samples / t->exhaustive, agreed);
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
    if (count) check_tally(&t, poor_default ? &by_middling : &by_plan, what);
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
