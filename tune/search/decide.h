// SPDX-License-Identifier: Apache-2.0
// The tuner's decision: race, then confirm the winner against the default. Its only input is times,
// so that a test can replay it on recorded measurements.
#ifndef QUERNEL_TUNE_DECIDE_H
#define QUERNEL_TUNE_DECIDE_H

#include "quernel/tune.h"
#include "tune/search/race.h"

typedef struct decision {
    int32_t verdict; // quernel_verdict
    uint32_t winner; // 0 unless it won
    uint32_t rounds; // of the evidence: those that confirmed it, or those of the race
    uint64_t samples;
    median ratio; // default over winner; of a tie, over the race's leader where there was one
    int stopped;
} decision;

/// Rounds of a race at most, and candidates that the model lets through, by effort.
uint32_t decide_rounds(int32_t effort);
uint32_t decide_finalists(int32_t effort);

/// The gain of a layer timed alone, on a host of this noise, below which the default stays; of
/// a whole, as what has this share of it gains so much.
double decide_min_gain(double noise);
double decide_min_gain_within(double share);

/// Paired rounds of the winner and the default, more of them where the interval still lies across
/// `min`: fills rounds and ratio, adds to samples. Returns 0 where a negative sample ended it.
int decide_confirm(race_sample *confirm, void *user, uint32_t winner, double min, decision *ret);

/// Races `count` candidates, 0 being the default, by `sample`; then times the winner and the
/// default against each other by `confirm` (indexes as before, the first call names the winner;
/// in the program a process of its own). It wins where it is surely faster, and its confirmed ratio
/// is above 1 + min_gain; else the default is kept. `ratios` as in race_run. Returns 0 without
/// memory.
int decide(uint32_t count, int32_t effort, uint64_t seed, double min_gain, race_sample *sample,
           void *user, race_sample *confirm, void *confirm_user, decision *ret, double *ratios);

#endif
