// SPDX-License-Identifier: Apache-2.0
// Comparisons, and the decisions over a network.
#include <math.h>
#include <string.h>

#include "../unit/check.h"
#include "quernel/quernel.h"
#include "tests.h"

static quernel_comparison compare(const float *reference, const float *y, size_t count) {
    quernel_comparison c = QUERNEL_COMPARISON_INIT;
    quernel_error e = {0};
    CHECK(quernel_compare(reference, y, count, &c, &e) == QUERNEL_OK, "%s", e.text);
    return c;
}

void test_compare(void) {
    const float reference[] = {3, -4, 0, NAN}, y[] = {3, -4.5f, 0.5f, 1}, zeros[4] = {0};
    quernel_comparison c = compare(reference, y, 4);
    CHECK(c.count == 3 && c.nonfinite == 1 && c.signal == 25.0 && c.noise == 0.5 && c.max == 0.5,
          "sums");
    CHECK(fabs(c.sqnr - 10.0 * log10(50.0)) < 1e-12 && fabs(c.l1 - 1.0 / 7.0) < 1e-12,
          "%.3f dB, L1 %g", c.sqnr, c.l1);
    CHECK(fabs(c.cosine - 27.0 / sqrt(25.0 * 29.5)) < 1e-12, "cosine %g", c.cosine);
    c = compare(zeros, zeros, 4);
    CHECK(c.sqnr == 300.0 && c.l1 == 0.0 && c.cosine == 1.0, "nothing against nothing");
    c = compare(zeros, y, 4);
    CHECK(c.sqnr == -300.0 && c.l1 == 9.0 && c.cosine == 0.0,
          "something against nothing: %g, %g, %g", c.sqnr, c.l1, c.cosine);
    c = compare(y, y, 0);
    CHECK(c.count == 0 && c.sqnr == 300.0 && c.cosine == 1.0, "no elements");
}

static quernel_comparison noisy(double noise) {
    quernel_comparison c = QUERNEL_COMPARISON_INIT;
    c.count = 1, c.signal = 1.0, c.noise = noise, c.sqnr = -10.0 * log10(noise);
    return c;
}

void test_accept(void) {
    const quernel_comparison plain[] = {noisy(0.01), noisy(0.02), noisy(0.01)};
    const quernel_comparison better[] = {noisy(0.005), noisy(0.01), noisy(0.0101)};
    // better on the whole, worse on one
    const quernel_comparison uneven[] = {noisy(0.001), noisy(0.001), noisy(0.02)};
    int32_t keep = -1;
    CHECK(quernel_accept(plain, better, 3, 0.1, &keep, NULL) == QUERNEL_OK && keep == 1, "better");
    CHECK(quernel_accept(plain, uneven, 3, 0.1, &keep, NULL) == QUERNEL_OK && keep == 0,
          "worse on one sample");
    CHECK(quernel_accept(plain, plain, 3, 0.0, &keep, NULL) == QUERNEL_OK && keep == 0,
          "no better");
    CHECK(quernel_accept(plain, better, 3, 3.0, &keep, NULL) == QUERNEL_OK && keep == 0,
          "not by 3 dB");
    quernel_comparison broken[] = {better[0], better[1], better[2]};
    broken[1].nonfinite = 1;
    CHECK(quernel_accept(plain, broken, 3, 0.1, &keep, NULL) == QUERNEL_OK && keep == 0, "NaN");
    quernel_error e = {0};
    CHECK(quernel_accept(plain, better, 0, 0.1, &keep, &e) == QUERNEL_E_SHAPE, "%s", e.text);
    CHECK(quernel_accept(plain, better, 3, -1.0, &keep, &e) == QUERNEL_E_VALUE &&
              !strcmp(e.argument, "margin"),
          "%s", e.text);
}

void test_rank_float(void) {
    // Per second: 1e-3/2, 4e-3/1, free, 1e-3/2 again (a tie keeps the order).
    const quernel_layer_cost costs[] = {
        {1e-3, 1, 3, {0}}, {4e-3, 1, 2, {0}}, {1e-4, 2, 1, {0}}, {1e-3, 1, 3, {0}}};
    const uint32_t order[] = {2, 1, 0, 3};
    const double rest[] = {6e-3, 2e-3, 1e-3, 0.0}, time[] = {4.0 / 5, 5.0 / 5, 7.0 / 5, 9.0 / 5};
    quernel_float_step steps[4];
    quernel_error e = {0};
    CHECK(quernel_rank_float(costs, 4, 1e-5, steps, &e) == QUERNEL_OK, "%s", e.text);
    for (int i = 0; i < 4; i++) {
        const double expected = -10.0 * log10(rest[i] + 1e-5);
        CHECK(steps[i].layer == order[i] && fabs(steps[i].sqnr - expected) < 1e-9 &&
                  fabs(steps[i].time_ratio - time[i]) < 1e-12,
              "step %d: layer %u, %.3f dB, time %.3f", i, steps[i].layer, steps[i].sqnr,
              steps[i].time_ratio);
    }
    const quernel_layer_cost bad = {NAN, 1, 1, {0}};
    CHECK(quernel_rank_float(&bad, 1, 0.0, steps, &e) == QUERNEL_E_VALUE && e.index == 0 &&
              !strcmp(e.argument, "noise"),
          "%s", e.text);
}
