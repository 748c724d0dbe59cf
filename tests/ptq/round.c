// SPDX-License-Identifier: Apache-2.0
// Rounded weights: never worse than plain ones on the samples, better where columns go together,
// and codes that pack.
#include <math.h>
#include <string.h>

#include "../op/rng.h"
#include "../unit/check.h"
#include "scene.h"
#include "tests.h"

static scene s;
static int8_t codes[MAX_IN * MAX_OUT * MAX_TAPS];
static float scale[MAX_OUT], bias[MAX_OUT];

// Inputs that their codes hold exactly, so that the weights alone err: multiples of 1/16, smoothed
// by powers of two. Neighbours and channels go together, as in pictures.
static quernel_choice make_exact(scene_kind kind, uint64_t seed, bool smooth) {
    scene_make(&s, kind, seed, 1.0f);
    rng r = rng_make(seed, 7);
    for (int i = 0; i < SAMPLES; i++)
        for (int p = 0; p < SIDE * SIDE; p++) {
            const float shared = rng_float(&r, 0.0f, 200.0f);
            for (int c = 0; c < MAX_IN; c++) {
                const bool nchw = s.samples[i].tensor.layout == QUERNEL_LAYOUT_NCHW;
                const float code = rintf(fminf(shared + rng_float(&r, 0.0f, 55.0f), 255.0f));
                s.x[i][nchw ? c * SIDE * SIDE + p : p * MAX_IN + c] =
                    code / 16.0f * (smooth ? (float)(1 << c % 3) : 1.0f);
            }
        }
    for (int c = 0; c < MAX_IN; c++) s.smooth[c] = (float)(1 << c % 3);
    quernel_choice c = QUERNEL_CHOICE_INIT;
    c.quant.type = QUERNEL_TYPE_U8, c.quant.scale = 1.0f / 16.0f;
    c.smooth_kind = smooth ? QUERNEL_SMOOTH_CHANNEL : QUERNEL_SMOOTH_NONE;
    s.op.epilogue.activation = QUERNEL_ACTIVATION_NONE;
    return c;
}

static void round_it(const quernel_choice *c) {
    quernel_error e = {0};
    const int code =
        quernel_weights_round(&s.layer, c, s.smooth, s.samples, SAMPLES, codes, scale, bias, &e);
    CHECK(code == QUERNEL_OK, "%s", e.text);
}

// Mean and variance of int8 − float in each channel, with plain or with rounded weights.
static void measure(const quernel_choice *c, bool rounded, double *ret_mean, double *ret_variance) {
    static float y[SAMPLES][MAX_Y];
    static double exact[MAX_Y];
    const quernel_weights_desc described = s.described;
    const quernel_conv2d_desc op = s.op;
    if (rounded) {
        s.described.type = QUERNEL_TYPE_S8, s.described.data = codes, s.described.scale = scale;
        s.op.epilogue.bias = bias;
    }
    for (int i = 0; i < SAMPLES; i++) scene_run(&s, c, i, QUERNEL_TYPE_F32, y[i]);
    s.described = described, s.op = op;
    const size_t count = scene_outputs(&s), out = s.described.out, pixels = count / out;
    memset(ret_mean, 0, MAX_OUT * sizeof *ret_mean),
        memset(ret_variance, 0, MAX_OUT * sizeof *ret_variance);
    for (int i = 0; i < SAMPLES; i++) {
        scene_exact(&s, i, exact);
        for (size_t j = 0; j < count; j++) {
            const size_t n =
                s.samples[i].tensor.layout == QUERNEL_LAYOUT_NCHW ? j / pixels : j % out;
            const double lack = (double)y[i][j] - exact[j],
                         share = 1.0 / (double)(pixels * SAMPLES);
            ret_mean[n] += lack * share, ret_variance[n] += lack * lack * share;
        }
    }
    for (size_t n = 0; n < out; n++) ret_variance[n] -= ret_mean[n] * ret_mean[n];
}

static void check_codes(const char *name) {
    const quernel_weights_desc *w = &s.described;
    const size_t count = (size_t)w->in * w->out / w->groups * w->kernel_h * w->kernel_w;
    for (size_t i = 0; i < count; i++)
        CHECK(codes[i] >= -127, "%s: code %d of %zu", name, codes[i], i);
}

/// On the samples no channel gets worse, all together gain, and no mean is left. Of a transposed
/// layer each phase is rounded by itself: its channels may lose what phases share.
void test_round_gains(void) {
    double plain_mean[MAX_OUT], plain[MAX_OUT], mean[MAX_OUT], variance[MAX_OUT];
    for (int kind = 0; kind < SCENE_KINDS; kind++)
        for (int smooth = 0; smooth < 2; smooth++)
            for (uint64_t seed = 0; seed < 8; seed++) {
                const quernel_choice c = make_exact((scene_kind)kind, seed, smooth);
                round_it(&c);
                check_codes(scene_names[kind]);
                measure(&c, false, plain_mean, plain);
                measure(&c, true, mean, variance);
                double before = 0.0, after = 0.0;
                for (uint32_t n = 0; n < s.described.out; n++) {
                    const double max = plain[n] * (kind == SCENE_DECONV ? 1.3 : 1.0001) + 1e-10;
                    CHECK(variance[n] <= max, "%s, channel %u: %g, plain %g", scene_names[kind], n,
                          variance[n], plain[n]);
                    CHECK(fabs(mean[n]) < 1e-5, "%s, channel %u: mean %g", scene_names[kind], n,
                          mean[n]);
                    before += plain[n], after += variance[n];
                }
                const double share = kind == SCENE_DEPTHWISE ? 1.0 : 0.5;
                CHECK(after < share * before, "%s, seed %u: %g, plain %g", scene_names[kind],
                      (unsigned)seed, after, before);
            }
}

/// Weights of 0 stay 0, columns that are silent are rounded plainly, and a layer of which nothing
/// is seen is a plain one.
void test_round_dead(void) {
    quernel_choice c = make_exact(SCENE_CONV, 21, false);
    memset(s.weights + 4 * MAX_IN * 9, 0, MAX_IN * 9 * sizeof(float)); // output channel 4
    for (int i = 0; i < SAMPLES; i++)
        for (int p = 0; p < SIDE * SIDE; p++)
            s.x[i][i % 2 ? 2 * SIDE * SIDE + p : p * MAX_IN + 2] = 0.0f; // input channel 2
    round_it(&c);
    CHECK(scale[4] == 1.0f && bias[4] == s.bias[4], "%g, %g", (double)scale[4], (double)bias[4]);
    for (int silent = 0; silent < 2; silent++) {
        for (int n = 0; n < MAX_OUT; n++)
            for (int k = 0; k < MAX_IN * 9; k++) {
                const int at = n * MAX_IN * 9 + k, plain = (int)rintf(s.weights[at] / scale[n]);
                CHECK(codes[at] == plain || (n != 4 && k / 9 != 2 && !silent),
                      "%d, %d: %d, plain %d", n, k, codes[at], plain);
            }
        memset(s.x, 0, sizeof s.x);
        round_it(&c);
    }
}

void test_round_refuses(void) {
    quernel_choice c = make_exact(SCENE_CONV, 22, false);
    quernel_error e = {0};
    int code = quernel_weights_round(&s.layer, &c, NULL, s.samples, SAMPLES, NULL, scale, bias, &e);
    CHECK(code == QUERNEL_E_NULL && strstr(e.text, "ret_codes"), "%d %s", code, e.text);
    code = quernel_weights_round(&s.layer, NULL, NULL, s.samples, SAMPLES, codes, scale, bias, &e);
    CHECK(code == QUERNEL_E_NULL && strstr(e.text, "choice"), "%d %s", code, e.text);
    c.quant.mode = QUERNEL_QUANT_DYNAMIC_CALL;
    code = quernel_weights_round(&s.layer, &c, NULL, s.samples, SAMPLES, codes, scale, bias, &e);
    CHECK(code == QUERNEL_E_UNSUPPORTED && strstr(e.text, "mode"), "%d %s", code, e.text);
    c.quant.mode = QUERNEL_QUANT_STATIC;
    s.x[3][5] = NAN, scale[0] = 3.0f;
    code = quernel_weights_round(&s.layer, &c, NULL, s.samples, SAMPLES, codes, scale, bias, &e);
    CHECK(code == QUERNEL_E_VALUE && strstr(e.text, "samples[3]") && scale[0] == 3.0f, "%d %s",
          code, e.text);
}
