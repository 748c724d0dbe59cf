// SPDX-License-Identifier: Apache-2.0
// Every committed landscape with its layer's work, counted by the model.
#ifndef QUERNEL_TESTS_TUNE_LANDSCAPES_H
#define QUERNEL_TESTS_TUNE_LANDSCAPES_H

#include "plan/model.h"
#include "tune/search/landscape.h"

enum { LANDSCAPES_MAX = 64 };

typedef struct measured {
    char name[160];
    landscape landscape;
    double (*work)[QUERNEL_I_WORK_COUNT]; // of each plan
} measured;

/// Reads those of all classes of machines, sorted by class and name; returns how many. Skips those
/// whose kernels this build does not have, and says so in the test's skip where none is left.
int landscapes_load(measured *ret);
void landscapes_free(measured *all, int count);

#endif
