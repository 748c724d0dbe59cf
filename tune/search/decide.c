// SPDX-License-Identifier: Apache-2.0
// Race, confirm, decide.
#include "tune/search/decide.h"

#include <math.h>
#include <string.h>

#define MIN_GAIN 0.02            // a smaller gain does not replace the default
#define SCREEN 2.0               // the first round drops what takes twice as long
enum { BLOCK = 24, BLOCKS = 4 }; // at least two blocks of rounds confirm

uint32_t decide_rounds(int32_t effort) {
    return effort >= QUERNEL_EFFORT_EXHAUSTIVE ? 100 : effort == QUERNEL_EFFORT_PATIENT ? 60 : 30;
}

uint32_t decide_finalists(int32_t effort) {
    return effort >= QUERNEL_EFFORT_EXHAUSTIVE ? UINT32_MAX
           : effort == QUERNEL_EFFORT_PATIENT  ? 48
                                               : 16;
}

double decide_min_gain(double noise) { return fmax(MIN_GAIN, noise); }
double decide_min_gain_within(double share) { return MIN_GAIN * share; }

// Within a round the two sides take turns in who goes first; the winner does in the first one.
static int time_pair(race_sample *confirm, void *user, uint32_t winner, uint32_t round,
                     double *ret_ratio) {
    double ns[2];
    for (uint32_t side = 0; side < 2; side++) {
        const uint32_t is_default = (side + round) % 2;
        ns[is_default] = confirm(user, is_default ? 0 : winner, round);
        if (ns[is_default] < 0) return 0;
    }
    *ret_ratio = ns[1] / ns[0];
    return 1;
}

// Two blocks, and more where the interval still lies across `min`.
int decide_confirm(race_sample *confirm, void *user, uint32_t winner, double min, decision *ret) {
    double ratios[BLOCK * BLOCKS], sorted[BLOCK * BLOCKS];
    for (uint32_t round = 0; round < BLOCK * BLOCKS; round++) {
        if (!time_pair(confirm, user, winner, round, &ratios[round])) return 0;
        ret->rounds = round + 1, ret->samples += 2;
        if (ret->rounds % BLOCK || ret->rounds < 2 * BLOCK) continue;
        memcpy(sorted, ratios, ret->rounds * sizeof *sorted);
        ret->ratio = median_of(sorted, ret->rounds);
        if (ret->ratio.lo > min || ret->ratio.hi < min) break;
    }
    return 1;
}

int decide(uint32_t count, int32_t effort, uint64_t seed, double min_gain, race_sample *sample,
           void *user, race_sample *confirm, void *confirm_user, decision *ret, double *ratios) {
    const race_rules rules = {decide_rounds(effort), SCREEN, min_gain, seed};
    race_result race;
    *ret = (decision){.verdict = QUERNEL_VERDICT_TIE, .ratio = {1, 1, 1}};
    if (!race_run(count, &rules, sample, user, &race, ratios)) return 0;
    ret->samples = race.samples, ret->rounds = race.rounds, ret->stopped = race.stopped;
    if (race.stopped || !race.winner || race.ratio.middle < 1 + min_gain)
        return 1; // what could not be accepted need not be confirmed
    if (!decide_confirm(confirm, confirm_user, race.winner, 1 + min_gain, ret)) ret->stopped = 1;
    else if (ret->ratio.lo > 1 && ret->ratio.middle > 1 + min_gain)
        ret->winner = race.winner, ret->verdict = QUERNEL_VERDICT_WIN;
    return 1;
}
