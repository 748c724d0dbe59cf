// SPDX-License-Identifier: Apache-2.0
// The race: candidates are sampled in interleaved rounds and leave when they are surely slower than
// the leader. What is compared are ratios within a round, so that a drifting clock hits both sides.
#ifndef QUERNEL_TUNE_RACE_H
#define QUERNEL_TUNE_RACE_H

#include <stdint.h>

#include "tune/common/statistics.h"

/// Nanoseconds of candidate `index`; called for every candidate that is still in the race, in
/// random order. A negative number ends the race at once.
typedef double race_sample(void *user, uint32_t index, uint32_t round);

typedef struct race_rules {
    uint32_t rounds; // at most
    double screen;   // after the first round, what takes this many times the best leaves
    double min_gain; // once the gain over the default is surely below this share, the race ends
    uint64_t seed;
} race_rules;

typedef struct race_result {
    uint32_t winner; // 0, the default, where nothing is surely faster
    uint32_t rounds;
    uint64_t samples;
    median ratio; // time(default)/time(winner) over the rounds; 1 where the default won
    int stopped;  // by a negative sample
} race_result;

/// Candidate 0 is the default: it stays to the end, and wins ties. Fills `ratios` (may be NULL)
/// with each candidate's median time over the winner's, over the rounds that it ran; NaN for those
/// that never ran. Returns 0 without memory.
int race_run(uint32_t count, const race_rules *rules, race_sample *sample, void *user,
             race_result *ret, double *ratios);

/// P(X ≥ wins) of `trials` fair coins.
double race_sign_test(uint32_t wins, uint32_t trials);

#endif
