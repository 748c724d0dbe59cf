// SPDX-License-Identifier: Apache-2.0
// The audit: each cause and each finding, made on purpose.
#include <math.h>
#include <string.h>

#include "../unit/check.h"
#include "scene.h"
#include "tests.h"

static scene s;

static quernel_choice plain(void) {
    quernel_search_options o = QUERNEL_SEARCH_OPTIONS_INIT;
    o.smooth_kinds = 0, o.calibrators = 1;
    return scene_search(&s, &o);
}

// The greatest of the channels' |mean of int8 − float| before the activation, with this bias in the
// int8 layer.
static double worst_mean(const quernel_choice *c, const float *bias) {
    static float y[MAX_Y];
    static double exact[MAX_Y];
    double mean[MAX_OUT] = {0}, worst = 0.0;
    const uint32_t out = s.described.out;
    const size_t count = scene_outputs(&s), pixels = count / out;
    s.op.epilogue.bias = bias;
    for (int i = 0; i < SAMPLES; i++) {
        if (!scene_run(&s, c, i, QUERNEL_TYPE_F32, y)) return INFINITY;
        scene_exact(&s, i, exact);
        const bool nchw = s.samples[i].tensor.layout == QUERNEL_LAYOUT_NCHW;
        for (size_t j = 0; j < count; j++)
            mean[nchw ? j / pixels : j % out] +=
                ((double)y[j] - exact[j]) / (double)pixels / SAMPLES;
    }
    s.op.epilogue.bias = s.bias;
    for (uint32_t n = 0; n < out; n++) worst = fmax(worst, fabs(mean[n]));
    return worst;
}

/// The mean that the int8 layer lacks before the activation is gone with the new bias.
void test_bias_correct(void) {
    float bias[MAX_OUT];
    for (int kind = 0; kind < SCENE_KINDS; kind++) {
        scene_make(&s, (scene_kind)kind, 11, 8.0f);
        quernel_choice c = plain();
        c.quant.scale *= 0.5f; // clips: what is lost has a mean
        quernel_error e = {0};
        CHECK(quernel_bias_correct(&s.layer, &c, NULL, s.samples, SAMPLES, bias, &e) == QUERNEL_OK,
              "%s", e.text);
        s.op.epilogue.activation = QUERNEL_ACTIVATION_NONE;
        const double before = worst_mean(&c, s.bias), after = worst_mean(&c, bias);
        CHECK(after < 1e-4 * before + 1e-6, "%s: %g before, %g after", scene_names[kind], before,
              after);
    }
}

// What each cause takes away: weights and rounding always cost, the others only where they act.
static void check_causes(scene_kind kind, int32_t mode) {
    scene_make(&s, kind, 12, 16.0f);
    quernel_search_options o = QUERNEL_SEARCH_OPTIONS_INIT;
    o.modes = 1u << mode;
    const quernel_choice c = scene_search(&s, &o);
    const quernel_report r = scene_audit(&s, &c);
    const double *without = r.sqnr_without;
    CHECK(!r.findings, "%s: findings %#x", scene_names[kind], r.findings);
    CHECK(fabs(r.total.sqnr - c.sqnr) < 3.0, "%s: %.1f dB, the search said %.1f", scene_names[kind],
          r.total.sqnr, c.sqnr);
    CHECK(without[QUERNEL_CAUSE_WEIGHTS] > r.total.sqnr + 1.0 &&
              without[QUERNEL_CAUSE_ROUNDING] > r.total.sqnr + 0.5,
          "%s: %.1f dB, without weights %.1f, without rounding %.1f", scene_names[kind],
          r.total.sqnr, without[0], without[1]);
    if (mode == QUERNEL_QUANT_DYNAMIC_CALL)
        CHECK(fabs(without[QUERNEL_CAUSE_CLIPPING] - r.total.sqnr) < 0.05,
              "%s: nothing clips, without clipping %.2f, with %.2f", scene_names[kind], without[2],
              r.total.sqnr);
    if (c.smooth_kind)
        CHECK(without[QUERNEL_CAUSE_SMOOTHING] < r.total.sqnr - 1.0,
              "%s: without smoothing %.1f, with %.1f", scene_names[kind], without[3], r.total.sqnr);
    else
        CHECK(without[QUERNEL_CAUSE_SMOOTHING] == r.total.sqnr, "%s: smoothing that is off",
              scene_names[kind]);
}

void test_audit_splits_the_error(void) {
    for (int kind = 0; kind < SCENE_KINDS; kind++)
        for (int32_t mode = 0; mode < 2; mode++) {
            check_causes((scene_kind)kind, mode);
        }
}

void test_audit_of_exact_weights(void) {
    // Weights that int8 holds exactly: without that cause the fake layer is the true one.
    scene_make(&s, SCENE_CONV, 13, 1.0f);
    for (size_t i = 0; i < sizeof s.weights / sizeof *s.weights; i++)
        s.weights[i] = i % 144 ? (float)((int)(i * 37 % 255) - 127) : 127.0f;
    quernel_choice c = plain();
    quernel_report r = scene_audit(&s, &c);
    CHECK(fabs(r.sqnr_without[QUERNEL_CAUSE_WEIGHTS] - r.total.sqnr) < 1e-3, "%.4f, %.4f",
          r.sqnr_without[0], r.total.sqnr);
    CHECK(fabs(r.sqnr_without[QUERNEL_CAUSE_CLIPPING] - r.total.sqnr) < 1.0,
          "nothing was clipped: %.2f, %.2f", r.sqnr_without[2], r.total.sqnr);
    CHECK(r.sqnr_without[QUERNEL_CAUSE_ROUNDING] > 60.0, "without rounding %.1f",
          r.sqnr_without[1]);
    c.quant.scale *= 0.25f;
    r = scene_audit(&s, &c);
    CHECK(r.sqnr_without[QUERNEL_CAUSE_CLIPPING] > r.total.sqnr + 10.0 &&
              r.findings == QUERNEL_FINDING_SCALE_NARROW && r.clipped > 0.1,
          "clipped %.3f, findings %#x", r.clipped, r.findings);
    c.quant.scale *= 32.0f;
    r = scene_audit(&s, &c);
    CHECK(r.findings == QUERNEL_FINDING_SCALE_WIDE && r.scale_ratio > 7.0,
          "ratio %.2f, findings %#x", r.scale_ratio, r.findings);
}

// What the float network is said to give: the layer's own float output, then altered.
static void expect(float shift, float factor, int channel) {
    static double exact[MAX_Y];
    const uint32_t out = s.described.out;
    for (int i = 0; i < SAMPLES; i++) {
        scene_exact(&s, i, exact);
        const size_t count = scene_outputs(&s), pixels = count / out;
        for (size_t j = 0; j < count; j++) {
            const size_t n =
                s.samples[i].tensor.layout == QUERNEL_LAYOUT_NCHW ? j / pixels : j % out;
            const double t =
                (int)n == channel ? exact[j] * (double)factor + (double)shift : exact[j];
            s.expected[i][j] = (float)fmax(t, 0.0);
        }
        s.samples[i].expected = s.expected[i];
    }
}

void test_audit_finds(void) {
    scene_make(&s, SCENE_CONV, 14, 1.0f);
    const quernel_choice c = plain();
    expect(0.0f, 1.0f, 0);
    quernel_report r = scene_audit(&s, &c);
    CHECK(!r.findings, "findings %#x in a layer that is in order", r.findings);
    expect(0.75f, 1.0f, 6);
    r = scene_audit(&s, &c);
    CHECK(r.findings == QUERNEL_FINDING_BIAS_MISSING && r.shifted == 1 && r.first_shifted == 6 &&
              fabs(r.shift - 0.75) < 1e-3,
          "bias: %#x, %u, %g", r.findings, r.first_shifted, r.shift);
    expect(0.0f, 1.5f, 7);
    r = scene_audit(&s, &c);
    CHECK(r.findings == QUERNEL_FINDING_OUTPUT_SCALED && r.scaled == 1 && r.first_scaled == 7 &&
              fabs(r.factor - 1.5) < 1e-2,
          "scale: %#x, %u, %g", r.findings, r.first_scaled, r.factor);
}

/// Channels without weights or without input, by the first of each.
void test_audit_finds_dead_channels(void) {
    scene_make(&s, SCENE_CONV, 14, 1.0f);
    const quernel_choice c = plain();
    for (int i = 0; i < SAMPLES; i++) s.samples[i].expected = NULL;
    memset(s.weights + 4 * MAX_IN * 9, 0, MAX_IN * 9 * sizeof(float)); // output channel 4
    for (int j = 0; j < SIDE * SIDE; j++)
        for (int i = 0; i < SAMPLES; i++)
            s.x[i][i % 2 ? 2 * SIDE * SIDE + j : j * MAX_IN + 2] = 0.0f; // input channel 2
    const quernel_report r = scene_audit(&s, &c);
    CHECK(r.findings == (QUERNEL_FINDING_DEAD_OUTPUT | QUERNEL_FINDING_SILENT_INPUT) &&
              r.dead == 1 && r.first_dead == 4 && r.silent == 1 && r.first_silent == 2,
          "dead: %#x, %u, %u", r.findings, r.first_dead, r.first_silent);
}

/// Where the first NaN or infinity comes from: input, weights, bias, or the float layer itself.
void test_audit_finds_nonfinite(void) {
    scene_make(&s, SCENE_CONV, 14, 1.0f);
    const quernel_choice c = plain();
    s.x[2][3 * MAX_IN + 9] = NAN; // pixel 3, channel 9 of an NHWC image
    quernel_report r = scene_audit(&s, &c);
    CHECK(r.nonfinite_place == QUERNEL_PLACE_INPUT && r.nonfinite_sample == 2 &&
              r.nonfinite_channel == 9 && r.nonfinite_index == 9 * SIDE * SIDE + 3,
          "NaN: place %d, channel %u, index %lld", r.nonfinite_place, r.nonfinite_channel,
          (long long)r.nonfinite_index);
    CHECK(r.total.count > 0 && r.total.nonfinite > 0 && r.total.sqnr > 20.0,
          "the rest is judged: %.1f dB", r.total.sqnr);
    s.x[2][3 * MAX_IN + 9] = 0.0f, s.weights[77] = INFINITY;
    r = scene_audit(&s, &c);
    CHECK(r.nonfinite_place == QUERNEL_PLACE_WEIGHTS && r.nonfinite_index == 77 &&
              r.total.count == 0,
          "weights: %d", r.nonfinite_place);
    s.weights[77] = 0.0f, s.bias[8] = NAN;
    r = scene_audit(&s, &c);
    CHECK(r.nonfinite_place == QUERNEL_PLACE_BIAS && r.nonfinite_channel == 8, "bias: %d",
          r.nonfinite_place);
    s.bias[8] = 3e38f;
    for (int i = 0; i < MAX_IN * 9; i++) s.weights[8 * MAX_IN * 9 + i] = 3e37f;
    r = scene_audit(&s, &c);
    CHECK(r.nonfinite_place == QUERNEL_PLACE_FLOAT_OUTPUT && r.nonfinite_channel == 8,
          "overflow: %d", r.nonfinite_place);
}
