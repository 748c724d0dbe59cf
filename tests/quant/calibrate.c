// SPDX-License-Identifier: Apache-2.0
// Calibrators against sorted values and exhaustive searches, and what they do where there is
// nothing to choose.
#include <stdlib.h>
#include <string.h>

#include "../op/rng.h"
#include "../unit/check.h"
#include "quernel/quernel.h"
#include "tests.h"

enum { COUNT = 20000 };

static float x[COUNT];

static quernel_observer *observe(const float *values, uint32_t images, uint32_t count,
                                 int32_t histogram) {
    quernel_observer_desc d = QUERNEL_OBSERVER_DESC_INIT;
    d.histogram = histogram;
    quernel_observer *o = NULL;
    quernel_error e = {0};
    CHECK(quernel_observer_create(&d, &o, &e) == QUERNEL_OK, "%s", e.text);
    const quernel_tensor t = {
        .layout = QUERNEL_LAYOUT_NHWC, .n = images, .c = count, .h = 1, .w = 1};
    CHECK(quernel_observer_update(o, &t, values, &e) == QUERNEL_OK, "%s", e.text);
    return o;
}

static quernel_calibration calibrate(const quernel_observer *o, int32_t calibrator, int32_t nonzero,
                                     int32_t signedness, double percentile) {
    quernel_calibration_options options = QUERNEL_CALIBRATION_OPTIONS_INIT;
    options.calibrator = calibrator, options.nonzero = nonzero, options.signedness = signedness;
    options.percentile = percentile;
    quernel_calibration c = QUERNEL_CALIBRATION_INIT;
    quernel_error e = {0};
    CHECK(quernel_observer_calibrate(o, 0, &options, &c, &e) == QUERNEL_OK, "%s", e.text);
    return c;
}

/// Roughly Gaussian, with rare outliers 5 times as large; ReLU and zeros where asked.
static void draw(uint64_t seed, bool positive, uint32_t zero_percent) {
    rng r = rng_make(31, seed);
    for (int i = 0; i < COUNT; i++) {
        float sum = 0.0f;
        for (int j = 0; j < 4; j++) sum += rng_float(&r, -1.0f, 1.0f);
        if (rng_one_in(&r, 5000)) sum *= 5.0f;
        if (positive) sum = fabsf(sum);
        x[i] = rng_next(&r) % 100 < zero_percent ? 0.0f : sum;
    }
}

static int by_magnitude(const void *a, const void *b) {
    const float p = fabsf(*(const float *)a), q = fabsf(*(const float *)b);
    return (p > q) - (p < q);
}

void test_percentile_clips_what_it_may(void) {
    static float sorted[COUNT];
    for (uint64_t seed = 0; seed < 8; seed++) {
        const bool positive = seed & 1;
        const double share = seed & 2 ? 0.999 : 0.95;
        draw(seed, positive, seed & 4 ? 90 : 0);
        quernel_observer *o = observe(x, 1, COUNT, 1);
        memcpy(sorted, x, sizeof x);
        qsort(sorted, COUNT, sizeof *sorted, by_magnitude);
        const quernel_calibration c =
            calibrate(o, QUERNEL_CALIBRATOR_PERCENTILE, 0, QUERNEL_SIGNEDNESS_S8, share);
        const double exact = fabs((double)sorted[(int)(share * COUNT) - 1]);
        CHECK((double)c.hi >= exact * 0.999 && (double)c.hi <= exact * 1.02 + 0.02,
              "case %d: %g, by sorting %g", (int)seed, (double)c.hi, exact);
        CHECK(c.clipped <= 1.0 - share + 1e-12 && c.lo == -c.hi,
              "case %d: %g of the values lie outside", (int)seed, c.clipped);
        const quernel_calibration u = calibrate(o, QUERNEL_CALIBRATOR_PERCENTILE, 0, 0, share);
        CHECK(u.clipped <= 1.0 - share + 1e-12 && u.quant.type == QUERNEL_TYPE_U8, "case %d: u8",
              (int)seed);
        CHECK(positive == (u.quant.zero == 0) && positive == (u.lo == 0.0f), "case %d: zero point",
              (int)seed);
        quernel_observer_destroy(o);
    }
}

static double error_of(const quernel_calibration *c) {
    const double d = (double)c->quant.scale, z = c->quant.zero;
    const double lo = c->quant.type == QUERNEL_TYPE_S8 ? -127.0 : 0.0,
                 hi = c->quant.type == QUERNEL_TYPE_S8 ? 127.0 : 255.0;
    double sum = 0.0;
    for (int i = 0; i < COUNT; i++) {
        const double q = fmin(fmax(nearbyint((double)x[i] / d), lo - z), hi - z);
        sum += ((double)x[i] - q * d) * ((double)x[i] - q * d);
    }
    return sum;
}

/// Against every pair of ends on a grid of its own, and against not clipping at all.
void test_mse_is_near_the_best(void) {
    for (uint64_t seed = 0; seed < 6; seed++) {
        const bool positive = seed & 1;
        draw(seed, positive, 0);
        if (seed == 4) // one-sided, as after SiLU
            for (int i = 0; i < COUNT; i++) x[i] = x[i] < 0.0f ? 0.05f * x[i] : x[i];
        quernel_observer *o = observe(x, 1, COUNT, 1);
        const quernel_calibration found = calibrate(o, QUERNEL_CALIBRATOR_MSE, 0, 0, 1.0);
        const quernel_calibration all = calibrate(o, QUERNEL_CALIBRATOR_ABSMAX, 0, 0, 1.0);
        double best = INFINITY;
        for (int i = 1; i <= 20; i++)
            for (int j = positive ? 20 : 1; j <= 20; j++) {
                const float hi = all.hi * powf(0.75f, (float)(i - 1)),
                            lo = all.lo * powf(0.75f, (float)(j - 1));
                quernel_calibration c = all;
                const float ends[2] = {lo, hi};
                quernel_quant_range(ends, 2, QUERNEL_TYPE_U8, !positive, &c.quant.scale,
                                    &c.quant.zero, NULL);
                best = fmin(best, error_of(&c));
            }
        CHECK(error_of(&found) <= 1.02 * best, "case %d: %g, on the grid %g", (int)seed,
              error_of(&found), best);
        CHECK(error_of(&found) < error_of(&all), "case %d: %g, without clipping %g", (int)seed,
              error_of(&found), error_of(&all));
        CHECK(found.clipped > 0.0 && found.clipped < 0.01, "case %d: %g clipped", (int)seed,
              found.clipped);
        quernel_observer_destroy(o);
    }
}

/// Zeros that fill 97 % of a map make all other values look rare: over all values percentile clips
/// most of them.
void test_entropy_of_sparse_maps(void) {
    draw(3, true, 97);
    quernel_observer *o = observe(x, 1, COUNT, 1);
    const quernel_calibration all = calibrate(o, QUERNEL_CALIBRATOR_PERCENTILE, 0, 0, 0.98);
    const quernel_calibration some = calibrate(o, QUERNEL_CALIBRATOR_PERCENTILE, 1, 0, 0.98);
    CHECK(some.hi > 1.5f * all.hi, "percentile: %g over all, %g over non-zeros", (double)all.hi,
          (double)some.hi);
    CHECK(all.clipped * COUNT > 0.5 * 0.02 * COUNT && some.clipped <= 0.02, "clipped %g, %g",
          all.clipped, some.clipped);
    quernel_calibration entropy = calibrate(o, QUERNEL_CALIBRATOR_ENTROPY, 1, 0, 1.0);
    CHECK(entropy.hi > 2.0f && entropy.clipped < 0.05, "entropy: %g, clips %g", (double)entropy.hi,
          entropy.clipped);
    quernel_observer_destroy(o);
    // One value far out is clipped, and does not coarsen what is known of the rest.
    draw(7, true, 0);
    o = observe(x, 1, COUNT, 1);
    entropy = calibrate(o, QUERNEL_CALIBRATOR_ENTROPY, 0, 0, 1.0);
    quernel_observer_destroy(o);
    x[77] = 3000.0f;
    o = observe(x, 1, COUNT, 1);
    const quernel_calibration far = calibrate(o, QUERNEL_CALIBRATOR_ENTROPY, 0, 0, 1.0);
    CHECK(far.hi > 0.5f * entropy.hi && far.hi < 2.0f * entropy.hi, "%g, with an outlier %g",
          (double)entropy.hi, (double)far.hi);
    quernel_observer_destroy(o);
    // Without zeros, "non-zeros only" changes nothing.
    draw(5, true, 0);
    for (int i = 0; i < COUNT; i++) x[i] += 1e-3f;
    o = observe(x, 1, COUNT, 1);
    for (int32_t k = 0; k < 5; k++)
        CHECK(calibrate(o, k, 0, 0, 0.99).hi == calibrate(o, k, 1, 0, 0.99).hi, "calibrator %d", k);
    quernel_observer_destroy(o);
}

void test_mean_of_maxima(void) {
    static const float images[] = {1, 2, -8, 4, 0, 0, -2, -1}; // four images of two values
    quernel_observer *o = observe(images, 4, 2, 0);
    const quernel_calibration all = calibrate(o, QUERNEL_CALIBRATOR_MEAN, 0, 0, 1.0);
    CHECK(all.hi == 1.5f && all.lo == -2.5f && all.clipped == -1.0, "%g … %g", (double)all.lo,
          (double)all.hi);
    const quernel_calibration loud = calibrate(o, QUERNEL_CALIBRATOR_MEAN, 1, 0, 1.0);
    CHECK(loud.hi == 2.0f && loud.lo == (float)(-10.0 / 3.0), "%g … %g", (double)loud.lo,
          (double)loud.hi);
    quernel_observer_destroy(o);
}

void test_types_are_chosen(void) {
    const float positive[] = {0.0f, 2.55f}, mixed[] = {-1.0f, 1.55f}, negative[] = {-2.55f, -1.0f};
    quernel_observer *o = observe(positive, 1, 2, 0);
    quernel_calibration c = calibrate(o, 0, 0, 0, 1.0);
    CHECK(c.quant.type == QUERNEL_TYPE_U8 && c.quant.zero == 0 && !c.quant.asymmetric,
          "non-negative");
    CHECK(c.quant.scale == 2.55f / 255.0f, "%a", (double)c.quant.scale);
    c = calibrate(o, 0, 0, QUERNEL_SIGNEDNESS_S8, 1.0);
    CHECK(c.quant.type == QUERNEL_TYPE_S8 && c.quant.scale == 2.55f / 127.0f, "s8 on demand");
    quernel_observer_destroy(o);
    o = observe(mixed, 1, 2, 0);
    c = calibrate(o, 0, 0, 0, 1.0);
    CHECK(c.quant.type == QUERNEL_TYPE_U8 && c.quant.zero == 100 && c.quant.asymmetric,
          "zero point %d", c.quant.zero);
    quernel_observer_destroy(o);
    o = observe(negative, 1, 2, 0);
    c = calibrate(o, 0, 0, 0, 1.0);
    CHECK(c.quant.zero == 255 && c.lo == -2.55f && c.hi == 0.0f, "negative: zero point %d",
          c.quant.zero);
    quernel_observer_destroy(o);
}

// Values of which a scale could come out as 0, infinite or NaN.
static const struct {
    const char *what;
    float values[4];
} degenerate[] = {{"zeros", {0, -0.0f, 0, 0}},
                  {"a constant", {3, 3, 3, 3}},
                  {"a negative constant", {-3, -3, -3, -3}},
                  {"subnormals", {1e-45f, 0, 1e-42f, 1e-45f}},
                  {"the largest", {3.4e38f, -3.4e38f, 3.4e38f, 0}},
                  {"far apart", {1e-30f, 1e30f, -1e-20f, 1}},
                  {"one outlier", {1e9f, 1e-9f, 1e-9f, 1e-9f}}};

/// Whatever is finite gives a finite scale above 0 that the operators take.
void test_calibrate_degenerate(void) {
    for (size_t i = 0; i < sizeof degenerate / sizeof *degenerate; i++) {
        quernel_observer *o = observe(degenerate[i].values, 2, 2, 1);
        for (int32_t k = 0; k < 20; k++) {
            const quernel_calibration c = calibrate(o, k % 5, k / 5 % 2, k / 10, 0.5);
            CHECK(c.quant.scale >= 0x1p-96f && c.quant.scale <= 0x1p96f && c.lo <= 0.0f &&
                      c.hi >= 0.0f && c.quant.zero >= 0 && c.quant.zero <= 255 &&
                      c.clipped >= 0.0 && c.clipped <= 1.0,
                  "%s, calibrator %d: scale %g, %g … %g", degenerate[i].what, k % 5,
                  (double)c.quant.scale, (double)c.lo, (double)c.hi);
        }
        quernel_observer_destroy(o);
    }
}

void test_calibrate_refuses(void) {
    const float bad[] = {1, NAN, 2, INFINITY};
    quernel_observer *o = observe(bad, 1, 4, 1);
    quernel_calibration_options options = QUERNEL_CALIBRATION_OPTIONS_INIT;
    quernel_calibration c = QUERNEL_CALIBRATION_INIT;
    quernel_error e = {0};
    CHECK(quernel_observer_calibrate(o, 0, &options, &c, &e) == QUERNEL_E_VALUE && e.index == 1,
          "NaN: %s", e.text);
    options.allow_nonfinite = 1;
    CHECK(quernel_observer_calibrate(o, 0, &options, &c, &e) == QUERNEL_OK && c.hi == 2.0f,
          "NaN allowed");
    options.percentile = 0.2;
    CHECK(quernel_observer_calibrate(o, 0, &options, &c, &e) == QUERNEL_E_VALUE &&
              !strcmp(e.argument, "percentile"),
          "%s", e.text);
    quernel_observer_destroy(o);
}

/// Without a value, or without a histogram where one is needed.
void test_calibrate_needs_values(void) {
    const float bad[] = {1, NAN, 2, INFINITY};
    quernel_observer *o = NULL;
    quernel_calibration_options options;
    quernel_calibration c = QUERNEL_CALIBRATION_INIT;
    quernel_error e = {0};
    quernel_observer_desc d = QUERNEL_OBSERVER_DESC_INIT;
    quernel_observer_create(&d, &o, NULL);
    CHECK(quernel_observer_calibrate(o, 0, NULL, &c, &e) == QUERNEL_E_VALUE &&
              strstr(e.text, "no finite value"),
          "%s", e.text);
    quernel_observer_destroy(o);
    o = observe(bad, 1, 1, 0);
    options = (quernel_calibration_options)QUERNEL_CALIBRATION_OPTIONS_INIT;
    options.calibrator = QUERNEL_CALIBRATOR_MSE;
    CHECK(quernel_observer_calibrate(o, 0, &options, &c, &e) == QUERNEL_E_VALUE &&
              !strcmp(e.argument, "calibrator"),
          "%s", e.text);
    quernel_observer_destroy(o);
}
