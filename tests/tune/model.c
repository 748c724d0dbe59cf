// SPDX-License-Identifier: Apache-2.0
// The model against the landscapes: its rates, and rates fitted without the layer that is judged.
// QUERNEL_TEST_FIT=1 prints rates fitted to all of them, for src/plan/model.c.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/check.h"
#include "landscapes.h"
#include "tests.h"

enum { W = QUERNEL_I_WORK_COUNT, SWEEPS = 2000 };
#define REGRET_MAX 0.08

static double predict(const double *work, const double *rates) {
    double ns = 0;
    for (int i = 0; i < W; i++) ns += work[i] * rates[i];
    return ns;
}

// Least squares of predicted/measured against 1, each landscape with the same weight, no rate below
// 0: coordinate descent.
static void fit(const measured *all, int count, int without, double *rates) {
    double square[W][W] = {{0}}, target[W] = {0};
    for (int l = 0; l < count; l++) {
        if (l == without) continue;
        const landscape *land = &all[l].landscape;
        for (uint32_t p = 0; p < land->count; p++) {
            const double ns = landscape_median(land, p);
            for (int i = 0; i < W; i++) {
                const double a = all[l].work[p][i] / ns / land->count;
                target[i] += a;
                for (int j = 0; j < W; j++) square[i][j] += a * all[l].work[p][j] / ns;
            }
        }
    }
    for (int i = 0; i < W; i++) rates[i] = i == 0;
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int i = 0; i < W; i++) {
            if (square[i][i] == 0) continue;
            double rest = target[i];
            for (int j = 0; j < W; j++) rest -= j == i ? 0 : square[i][j] * rates[j];
            rates[i] = fmax(0, rest / square[i][i]);
        }
}

// What the plan that the rates like best loses against the best one.
static double regret(const measured *m, const double *rates) {
    uint32_t pick = 0;
    for (uint32_t p = 1; p < m->landscape.count; p++)
        if (predict(m->work[p], rates) < predict(m->work[pick], rates)) pick = p;
    return landscape_ratio(&m->landscape, pick, landscape_best(&m->landscape)) - 1;
}

void test_model_regret(void) {
    measured *all = calloc(LANDSCAPES_MAX, sizeof *all);
    const int count = all ? landscapes_load(all) : 0;
    double own = 0, left_out = 0, untuned = 0, rates[W];
    for (int l = 0; l < count; l++) {
        fit(all, count, l, rates);
        const double without = regret(&all[l], rates),
                     with = regret(&all[l], quernel_i_model_rates);
        const double plan =
            landscape_ratio(&all[l].landscape, 0, landscape_best(&all[l].landscape)) - 1;
        if (getenv("QUERNEL_TEST_FIT"))
            printf("  %-60s left out %.3f, all %.3f, the plan's own choice %.3f; "
                   "predicted/measured %.2f\n",
                   all[l].name, without, with, plan,
                   predict(all[l].work[0], quernel_i_model_rates) /
                       landscape_median(&all[l].landscape, 0));
        left_out += without / count, own += with / count, untuned += plan / count;
    }
    if (count) {
        CHECK(own <= REGRET_MAX, "mean regret %.3f", own);
        CHECK(left_out <= REGRET_MAX, "mean regret %.3f, each layer left out in turn", left_out);
        CHECK(untuned <= REGRET_MAX, "mean regret of the plan's own choice %.3f", untuned);
    }
    if (count && getenv("QUERNEL_TEST_FIT")) {
        fit(all, count, -1, rates);
        printf("  mean regret %.4f, left out %.4f, plan %.4f; fitted:", own, left_out, untuned);
        for (int i = 0; i < W; i++) printf(" %.3g,", rates[i]);
        printf("\n");
    }
    landscapes_free(all, count);
    free(all);
}
