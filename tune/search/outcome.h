// SPDX-License-Identifier: Apache-2.0
// What came of a layer's race, for those who keep it: the table and the JSON file.
#ifndef QUERNEL_TUNE_OUTCOME_H
#define QUERNEL_TUNE_OUTCOME_H

#include "tune/common/json.h"
#include "tune/search/contest.h"
#include "tune/search/decide.h"

enum { CANDIDATES_MAX = 512 }; // of a race

typedef struct outcome {
    const contest *contest;
    uint32_t count;                // candidates; 0 is the default
    uint32_t plan[CANDIDATES_MAX]; // variant of each: those with the right bits
    double ratios[CANDIDATES_MAX]; // time over the winner's; NaN for one that never ran
    double base_ns;                // a run of the default
    decision decision;
} outcome;

/// The plan that the table will name.
const variant *outcome_winner(const outcome *o);
/// Appends its row to a table. Returns NULL, or why it could not be written.
const char *outcome_publish(const outcome *o, const char *table, int32_t effort, uint64_t seed);
/// Its object in the array "layers".
void outcome_write(json *j, const outcome *o);

#endif
