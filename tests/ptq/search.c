// SPDX-License-Identifier: Apache-2.0
// The search: it finds what is there, keeps off where nothing is, and says what running its choice
// gives.
#include <math.h>
#include <string.h>

#include "../api/counting.h"
#include "../unit/check.h"
#include "scene.h"
#include "tests.h"

static scene s;

void test_search_finds_smoothing(void) {
    for (int kind = 0; kind < SCENE_KINDS; kind++) {
        if (kind == SCENE_DEPTHWISE)
            // each channel has a weight scale of its own: smoothing moves nothing but codes
            continue;
        scene_make(&s, (scene_kind)kind, 2, 32.0f);
        const quernel_choice c = scene_search(&s, NULL);
        CHECK(c.smooth_kind == QUERNEL_SMOOTH_CHANNEL && c.sqnr >= c.off_sqnr + 3.0,
              "%s: kind %d, %.1f dB, off %.1f", scene_names[kind], c.smooth_kind, c.sqnr,
              c.off_sqnr);
        CHECK(c.off_sqnr >= c.plain_sqnr && c.held_out == 2 && c.tried > 10 && !c.silent,
              "%s: %.1f, %.1f, %u", scene_names[kind], c.off_sqnr, c.plain_sqnr, c.tried);
        CHECK(c.quant.type == QUERNEL_TYPE_U8 && c.quant.zero == 0, "%s: not u8",
              scene_names[kind]);
        CHECK(s.smooth[3] > 2.0f * s.smooth[4], "%s: s of a loud channel %g, of a soft one %g",
              scene_names[kind], (double)s.smooth[3], (double)s.smooth[4]);
    }
}

/// With a margin that smoothing cannot win by, and where no kind of it is asked for.
void test_search_keeps_off(void) {
    scene_make(&s, SCENE_CONV, 3, 32.0f);
    quernel_search_options o = QUERNEL_SEARCH_OPTIONS_INIT;
    o.margin = 40.0;
    quernel_choice c = scene_search(&s, &o);
    CHECK(c.smooth_kind == QUERNEL_SMOOTH_NONE && c.sqnr == c.off_sqnr,
          "a margin of 40 dB was won");
    for (int k = 0; k < MAX_IN; k++)
        CHECK(s.smooth[k] == 1.0f, "s[%d] is %g", k, (double)s.smooth[k]);
    o.smooth_kinds = 0, o.margin = 0.0;
    c = scene_search(&s, &o);
    CHECK(c.smooth_kind == QUERNEL_SMOOTH_NONE, "smoothing that was not asked for");
}

/// sqnr is that of the public operators on the held-out samples.
void test_search_tells_the_truth(void) {
    static float y[MAX_Y], reference[MAX_Y];
    static double exact[MAX_Y];
    quernel_search_options o = QUERNEL_SEARCH_OPTIONS_INIT;
    o.smooth_kinds = 1u << QUERNEL_SMOOTH_CHANNEL | 1u << QUERNEL_SMOOTH_COLUMN, o.modes = 7,
    o.signedness = 3, o.calibrators = 31;
    for (int kind = 0; kind < SCENE_KINDS; kind++) {
        scene_make(&s, (scene_kind)kind, 4, 8.0f);
        const quernel_choice c = scene_search(&s, &o);
        double signal = 0.0, noise = 0.0;
        for (int i = 2; i < SAMPLES; i += 3) {
            if (!scene_run(&s, &c, i, QUERNEL_TYPE_F32, y)) return;
            scene_exact(&s, i, exact);
            const bool relu = s.op.epilogue.activation == QUERNEL_ACTIVATION_RELU;
            for (size_t j = 0; j < scene_outputs(&s); j++)
                reference[j] = (float)(relu ? fmax(exact[j], 0.0) : exact[j]);
            quernel_comparison found = QUERNEL_COMPARISON_INIT;
            quernel_compare(reference, y, scene_outputs(&s), &found, NULL);
            signal += found.signal, noise += found.noise;
        }
        CHECK(fabs(10.0 * log10(signal / noise) - c.sqnr) < 0.01, "%s: %.3f dB, found %.3f",
              scene_names[kind], c.sqnr, 10.0 * log10(signal / noise));
        CHECK(c.sqnr >= c.off_sqnr && c.sqnr >= c.plain_sqnr, "%s: worse than off",
              scene_names[kind]);
    }
}

void test_search_every_kind(void) {
    for (int kind = 0; kind < SCENE_KINDS; kind++)
        for (int32_t mode = 0; mode < 3; mode++) {
            scene_make(&s, (scene_kind)kind, 5, 4.0f);
            quernel_search_options o = QUERNEL_SEARCH_OPTIONS_INIT;
            o.modes = 1u << mode;
            quernel_choice c = QUERNEL_CHOICE_INIT;
            quernel_error e = {0};
            const int code =
                quernel_search_layer(&s.layer, s.samples, SAMPLES, &o, &c, s.smooth, &e);
            const bool offered =
                mode != QUERNEL_QUANT_DYNAMIC_ROW || kind == SCENE_CONV || kind == SCENE_LINEAR;
            CHECK(code == (offered ? QUERNEL_OK : QUERNEL_E_UNSUPPORTED), "%s, mode %d: %d %s",
                  scene_names[kind], mode, code, e.text);
            if (code) continue;
            CHECK(c.sqnr > 30.0 && c.quant.mode == mode, "%s, mode %d: %.1f dB", scene_names[kind],
                  mode, c.sqnr);
            CHECK((c.plain_sqnr == 0.0) == (mode != 0), "%s, mode %d: plain %.1f",
                  scene_names[kind], mode, c.plain_sqnr);
        }
}

/// Channels that calibration has never seen are told, and get the s of the floor: finite, never 0.
void test_search_silent_channels(void) {
    scene_make(&s, SCENE_CONV, 6, 32.0f);
    for (int i = 0; i < SAMPLES; i++)
        for (int j = 0; j < MAX_X; j++) {
            const int channel =
                s.samples[i].tensor.layout == QUERNEL_LAYOUT_NCHW ? j / (SIDE * SIDE) : j % MAX_IN;
            if (channel == 5 || channel == 9) s.x[i][j] = 0.0f;
        }
    const quernel_choice c = scene_search(&s, NULL);
    CHECK(c.silent == 2 && c.first_silent == 5, "%u silent, first %u", c.silent, c.first_silent);
    for (int k = 0; k < MAX_IN; k++)
        CHECK(s.smooth[k] >= 0x1p-20f && s.smooth[k] <= 0x1p20f, "s[%d] is %g", k,
              (double)s.smooth[k]);
    CHECK(s.smooth[5] > 0.02f * s.smooth[3], "s of a silent channel %g, of the loudest %g",
          (double)s.smooth[5], (double)s.smooth[3]);
    // Nothing but zeros: exact, whatever the choice.
    memset(s.x, 0, sizeof s.x);
    const quernel_choice zeros = scene_search(&s, NULL);
    CHECK(zeros.silent == MAX_IN && zeros.sqnr > 60.0 && zeros.quant.scale == 1.0f, "%u, %.1f dB",
          zeros.silent, zeros.sqnr);
    // One sample alone judges itself.
    scene_make(&s, SCENE_CONV, 6, 32.0f);
    quernel_choice one = QUERNEL_CHOICE_INIT;
    CHECK(quernel_search_layer(&s.layer, s.samples, 1, NULL, &one, s.smooth, NULL) == QUERNEL_OK &&
              one.held_out == 0,
          "one sample");
}

void test_search_refuses(void) {
    scene_make(&s, SCENE_CONV, 7, 1.0f);
    quernel_choice c = QUERNEL_CHOICE_INIT;
    quernel_search_options o = QUERNEL_SEARCH_OPTIONS_INIT;
    const double alphas[] = {0.5, 1.5};
    quernel_error e;
#define REFUSED(code_, argument_)                                                                 \
    do {                                                                                          \
        memset(&e, 0, sizeof e);                                                                  \
        const int found = quernel_search_layer(&s.layer, s.samples, count, &o, &c, s.smooth, &e); \
        CHECK(found == (code_) && !strcmp(e.argument, argument_), "%s: %d, %s: %s", argument_,    \
              found, e.argument, e.text);                                                         \
    } while (0)
    uint32_t count = 0;
    REFUSED(QUERNEL_E_SHAPE, "count");
    count = SAMPLES;
    s.x[4][100] = NAN;
    REFUSED(QUERNEL_E_VALUE, "samples");
    CHECK(e.index == 4 && strstr(e.text, "channel"), "%s", e.text);
    s.x[4][100] = 0.0f, s.samples[1].tensor.c = 3;
    REFUSED(QUERNEL_E_SHAPE, "samples");
    s.samples[1].tensor.c = MAX_IN, s.samples[2].data = NULL;
    REFUSED(QUERNEL_E_NULL, "samples.data");
    s.samples[2].data = s.x[2], s.op.stride_w = 0;
    REFUSED(QUERNEL_E_SHAPE, "stride_w");
    s.op.stride_w = 1, s.samples[3].tensor.h = 1u << 20, s.samples[3].tensor.w = 1u << 20;
    REFUSED(QUERNEL_E_OVERFLOW, "samples");
    s.samples[3].tensor.h = s.samples[3].tensor.w = SIDE, s.weights[11] = INFINITY;
    REFUSED(QUERNEL_E_VALUE, "data");
    s.weights[11] = 0.0f, s.bias[2] = NAN;
    REFUSED(QUERNEL_E_VALUE, "epilogue.bias");
    s.bias[2] = 0.0f, o.calibrators = 0;
    REFUSED(QUERNEL_E_VALUE, "calibrators");
    o.calibrators = 1, o.alphas = alphas, o.alpha_count = 2;
    REFUSED(QUERNEL_E_VALUE, "alphas");
    CHECK(e.index == 1, "index %d", e.index);
    o.alphas = NULL, o.holdout = 0.95;
    REFUSED(QUERNEL_E_VALUE, "holdout");
    o.holdout = 0.5, s.described.type = QUERNEL_TYPE_S8;
    REFUSED(QUERNEL_E_VALUE, "weights");
    CHECK(c.tried == 0, "a refusal wrote");
}

/// Every allocation of a search, an audit and a correction fails once; all memory comes back.
void test_search_memory(void) {
    scene_make(&s, SCENE_CONV, 8, 8.0f);
    quernel_search_options o = QUERNEL_SEARCH_OPTIONS_INIT;
    const double alpha = 0.5;
    o.alphas = &alpha, o.alpha_count = 1, o.calibrators = 1;
    for (int what = 0; what < 4; what++) {
        size_t n = 1;
        for (int code = QUERNEL_E_MEMORY; code != QUERNEL_OK && n < 400; n++) {
            counting memory;
            counting_init(&memory, n);
            s.layer.allocator = &memory.allocator;
            quernel_choice c = QUERNEL_CHOICE_INIT;
            quernel_report r = QUERNEL_REPORT_INIT;
            quernel_error e = {0};
            float bias[MAX_OUT], scale[MAX_OUT];
            int8_t codes[MAX_OUT * MAX_IN * 9];
            c.quant.scale = 0.1f;
            code = what == 0   ? quernel_search_layer(&s.layer, s.samples, 2, &o, &c, s.smooth, &e)
                   : what == 1 ? quernel_audit_layer(&s.layer, &c, NULL, s.samples, 2, &r, &e)
                   : what == 2 ? quernel_bias_correct(&s.layer, &c, NULL, s.samples, 2, bias, &e)
                               : quernel_weights_round(&s.layer, &c, NULL, s.samples, 2, codes,
                                                       scale, bias, &e);
            CHECK(code == (memory.calls >= n ? QUERNEL_E_MEMORY : QUERNEL_OK),
                  "%d, call %zu: %d %s", what, n, code, e.text);
            CHECK(r.total.count == 0 || code == QUERNEL_OK, "a refusal wrote");
            counting_check(&memory, "audit");
        }
        CHECK(n > 5 && n < 400, "%d: %zu allocations", what, n);
    }
    s.layer.allocator = NULL;
}
