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
#define REGRET_MAX 0.08 // of the best plan's time

static double predict(const double *work, const double *rates) {
    double ns = 0;
    for (int i = 0; i < W; i++) ns += work[i] * rates[i];
    return ns;
}

// The normal equations of a least squares fit.
typedef struct equations {
    double square[W][W], target[W];
} equations;

// Adds a landscape's plans: predicted/measured against 1, each landscape with the same weight.
static void add_landscape(equations *e, const measured *m) {
    const landscape *land = &m->landscape;
    for (uint32_t p = 0; p < land->count; p++) {
        const double ns = landscape_median(land, p);
        for (int i = 0; i < W; i++) {
            const double a = m->work[p][i] / ns / land->count;
            e->target[i] += a;
            for (int j = 0; j < W; j++) e->square[i][j] += a * m->work[p][j] / ns;
        }
    }
}

// Coordinate descent; no rate below 0.
static void solve(const equations *e, double *rates) {
    for (int i = 0; i < W; i++) rates[i] = i == 0;
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int i = 0; i < W; i++) {
            if (e->square[i][i] == 0) continue;
            double rest = e->target[i];
            for (int j = 0; j < W; j++) rest -= j == i ? 0 : e->square[i][j] * rates[j];
            rates[i] = fmax(0, rest / e->square[i][i]);
        }
}

// Rates fitted to all landscapes but `without`.
static void fit(const measured *all, int count, int without, double *rates) {
    equations e = {0};
    for (int l = 0; l < count; l++)
        if (l != without) add_landscape(&e, &all[l]);
    solve(&e, rates);
}

// What the plan that the rates like best loses against the best one.
static double regret(const measured *m, const double *rates) {
    uint32_t pick = 0;
    for (uint32_t p = 1; p < m->landscape.count; p++)
        if (predict(m->work[p], rates) < predict(m->work[pick], rates)) pick = p;
    return landscape_ratio(&m->landscape, pick, landscape_best(&m->landscape)) - 1;
}

// What is lost with the model's rates, with rates that never saw the layer, and by the plan's own
// choice; of one landscape, or the mean of all.
typedef struct regrets {
    double own, left_out, plan;
} regrets;

static regrets judge(const measured *all, int count, int l) {
    const landscape *land = &all[l].landscape;
    double rates[W];
    fit(all, count, l, rates);
    const regrets r = {regret(&all[l], quernel_i_model_rates), regret(&all[l], rates),
                       landscape_ratio(land, 0, landscape_best(land)) - 1};
    if (getenv("QUERNEL_TEST_FIT"))
        printf("  %-60s left out %.3f, all %.3f, the plan's own choice %.3f; "
               "predicted/measured %.2f\n",
               all[l].name, r.left_out, r.own, r.plan,
               predict(all[l].work[0], quernel_i_model_rates) / landscape_median(land, 0));
    return r;
}

static void print_fit(const measured *all, int count, const regrets *mean) {
    double rates[W];
    fit(all, count, -1, rates);
    printf("  mean regret %.4f, left out %.4f, plan %.4f; fitted:", mean->own, mean->left_out,
           mean->plan);
    for (int i = 0; i < W; i++) printf(" %.3g,", rates[i]);
    printf("\n");
}

static void check_mean(const regrets *mean) {
    CHECK(mean->own <= REGRET_MAX, "mean regret %.3f", mean->own);
    CHECK(mean->left_out <= REGRET_MAX, "mean regret %.3f, each layer left out in turn",
          mean->left_out);
    CHECK(mean->plan <= REGRET_MAX, "mean regret of the plan's own choice %.3f", mean->plan);
}

void test_model_regret(void) {
    measured *all = calloc(LANDSCAPES_MAX, sizeof *all);
    const int count = all ? landscapes_load(all) : 0;
    regrets mean = {0};
    for (int l = 0; l < count; l++) {
        const regrets r = judge(all, count, l);
        mean.own += r.own / count, mean.left_out += r.left_out / count, mean.plan += r.plan / count;
    }
    check_mean(&mean);
    if (count && getenv("QUERNEL_TEST_FIT")) print_fit(all, count, &mean);
    landscapes_free(all, count);
    free(all);
}
