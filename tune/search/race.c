// SPDX-License-Identifier: Apache-2.0
// Racing: every five rounds a sign test of each candidate against the leader, at 5 % shared out
// among the candidates.
#include "tune/search/race.h"

#include <math.h>
#include <stdlib.h>

#include "tune/common/random.h"

#define LEVEL 0.05 // of an error over the whole race
#define SAME 0.003 // candidates whose medians are nearer than this count as equal
enum { TEST_EVERY = 5, SETTLED_AFTER = 10 }; // rounds

typedef struct state {
    uint32_t count, capacity;
    double *ns;      // [count][capacity]
    double *scratch; // [capacity]
    uint32_t *order; // who is in the race: order[0 … alive)
    uint32_t *ran;   // rounds of each
    uint32_t alive;
} state;

double race_sign_test(uint32_t wins, uint32_t trials) {
    double tail = 0;
    for (uint32_t k = wins; k <= trials; k++)
        tail +=
            exp(lgamma(trials + 1.0) - lgamma(k + 1.0) - lgamma(trials - k + 1.0) - trials * M_LN2);
    return fmin(tail, 1);
}

// Time of a over that of b, over the rounds that both ran.
static median ratio_of(state *s, uint32_t a, uint32_t b) {
    const uint32_t rounds = s->ran[a] < s->ran[b] ? s->ran[a] : s->ran[b];
    for (uint32_t r = 0; r < rounds; r++)
        s->scratch[r] = s->ns[a * s->capacity + r] / s->ns[b * s->capacity + r];
    if (!rounds) return (median){NAN, NAN, NAN};
    return median_of(s->scratch, rounds);
}

// Who is fastest against the default, by the median; 0 where nobody is faster.
static uint32_t leader_of(state *s) {
    uint32_t leader = 0;
    double best = 1;
    for (uint32_t i = 0; i < s->alive; i++) {
        const double ratio = s->order[i] ? ratio_of(s, s->order[i], 0).middle : 1;
        if (ratio < best) best = ratio, leader = s->order[i];
    }
    return leader;
}

// The chance of so many lost rounds were the two equal: the smaller, the surer.
static double surely_slower(const state *s, uint32_t index, uint32_t leader) {
    uint32_t lost = 0;
    for (uint32_t r = 0; r < s->ran[index]; r++)
        lost += s->ns[index * s->capacity + r] > s->ns[leader * s->capacity + r];
    return race_sign_test(lost, s->ran[index]);
}

// Drops who is surely slower than the leader. The default is kept: every ratio refers to it.
static void drop_slower(state *s, uint32_t leader) {
    const double level = LEVEL / (s->count > 1 ? s->count - 1 : 1);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->alive; i++) {
        const uint32_t index = s->order[i];
        if (index == 0 || index == leader || surely_slower(s, index, leader) >= level)
            s->order[kept++] = index;
    }
    s->alive = kept;
}

// After one round: what takes `max` times as long as the best is not worth a second one.
static void screen(state *s, double max) {
    double best = INFINITY;
    for (uint32_t i = 0; i < s->count; i++) best = fmin(best, s->ns[i * s->capacity]);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->alive; i++)
        if (s->order[i] == 0 || s->ns[s->order[i] * s->capacity] <= max * best)
            s->order[kept++] = s->order[i];
    s->alive = kept;
}

// More rounds cannot change the result: the leader surely gains too little over the default, or it
// surely gains and whoever is left is as good.
static int settled(state *s, uint32_t leader, double min_gain) {
    if (ratio_of(s, 0, leader).hi < 1 + min_gain) return 1;
    if (leader == 0 || surely_slower(s, 0, leader) >= LEVEL) return 0;
    for (uint32_t i = 0; i < s->alive; i++)
        if (s->order[i] && ratio_of(s, s->order[i], leader).middle > 1 + SAME) return 0;
    return 1;
}

// A round in random order, so that no candidate always follows the same one. 0: stop.
static int sample_round(state *s, race_sample *sample, void *user, uint32_t round, uint64_t *seed,
                        race_result *ret) {
    random_shuffle(seed, s->order, s->alive);
    for (uint32_t i = 0; i < s->alive; i++) {
        const uint32_t index = s->order[i];
        const double ns = sample(user, index, round);
        if (ns < 0) return 0;
        s->ns[index * s->capacity + round] = ns;
        ret->samples++;
    }
    for (uint32_t i = 0; i < s->alive; i++) s->ran[s->order[i]] = round + 1;
    return 1;
}

static void run(state *s, const race_rules *rules, race_sample *sample, void *user,
                race_result *ret) {
    uint64_t seed = rules->seed;
    for (uint32_t round = 0; round < rules->rounds && s->alive > 1; round++) {
        if (!sample_round(s, sample, user, round, &seed, ret)) {
            ret->stopped = 1;
            return;
        }
        ret->rounds = round + 1;
        if (round == 0) screen(s, rules->screen);
        if (ret->rounds % TEST_EVERY) continue;
        const uint32_t leader = leader_of(s);
        drop_slower(s, leader);
        if (ret->rounds >= SETTLED_AFTER && settled(s, leader, rules->min_gain)) return;
    }
}

// The leader wins where it is surely faster than the default.
static void conclude(state *s, race_result *ret, double *ratios) {
    const uint32_t leader = leader_of(s);
    ret->winner = leader && surely_slower(s, 0, leader) < LEVEL ? leader : 0;
    ret->ratio = ret->winner ? ratio_of(s, 0, ret->winner) : (median){1, 1, 1};
    for (uint32_t i = 0; ratios && i < s->count; i++)
        ratios[i] = ratio_of(s, i, ret->winner).middle;
}

int race_run(uint32_t count, const race_rules *rules, race_sample *sample, void *user,
             race_result *ret, double *ratios) {
    *ret = (race_result){.ratio = {1, 1, 1}};
    state s = {.count = count, .capacity = rules->rounds, .alive = count};
    s.ns = malloc((size_t)count * rules->rounds * sizeof *s.ns);
    s.scratch = malloc(rules->rounds * sizeof *s.scratch);
    s.order = malloc(count * sizeof *s.order), s.ran = calloc(count, sizeof *s.ran);
    const int fine = s.ns && s.scratch && s.order && s.ran;
    if (fine) {
        for (uint32_t i = 0; i < count; i++) s.order[i] = i;
        run(&s, rules, sample, user, ret);
        conclude(&s, ret, ratios);
    }
    free(s.ns), free(s.scratch), free(s.order), free(s.ran);
    return fine;
}
