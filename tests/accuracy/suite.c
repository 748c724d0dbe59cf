// SPDX-License-Identifier: Apache-2.0
// Accuracy: int8 layers against the float layer that they replace, in double precision, within a
// bound that follows from the steps of the two scales; and what smoothing is for: channels that are
// much louder than others. Build: gcc -std=gnu11 -O2 -I../../include suite.c ../unit/check.c
// ../unit/main_plain.c -lquernel -lm -lpthread
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../op/rng.h"
#include "../unit/check.h"
#include "quernel/quernel.h"

enum {
    IN = 24,
    OUT = 10,
    H = 9,
    W = 11,
    KERNEL = 3,
    TAPS = KERNEL * KERNEL,
    X_COUNT = IN * H * W,
    Y_COUNT = OUT * H * W
};

/// A 3x3 convolution with padding 1 over an NHWC image, its values, and both results.
typedef struct layer {
    float x[X_COUNT], w[OUT * IN * TAPS], bias[OUT], smooth[IN];
    float y[Y_COUNT];
    double exact[Y_COUNT], bound[Y_COUNT];
    int32_t mode, type, asymmetric;
    bool smoothed;
} layer;

static float x_at(const layer *l, int c, int h, int w) {
    return h < 0 || h >= H || w < 0 || w >= W ? 0.0f : l->x[(h * W + w) * IN + c];
}

/// The widest step that the activations can be quantized with, in units of x / s.
static double x_step(const layer *l) {
    double max = 0.0, min = 0.0;
    for (int i = 0; i < X_COUNT; i++) {
        const double y = (double)l->x[i] / (l->smoothed ? (double)l->smooth[i % IN] : 1.0);
        if (y > max) max = y;
        if (y < min) min = y;
    }
    if (l->type == QUERNEL_TYPE_S8) return fmax(max, -min) / 127.0;
    return (l->asymmetric ? max - min : max) / 255.0;
}

// One output, with half steps dx of the input and dw of its channel's weights.
static void compute_element(layer *l, int o, int h, int w, double dx, double dw) {
    double sum = (double)l->bias[o], bound = 0.0, magnitude = fabs(sum);
    for (int i = 0; i < IN * TAPS; i++) {
        const int c = i / TAPS, y = h + i % TAPS / KERNEL - 1, x = w + i % KERNEL - 1;
        const double s = l->smoothed ? (double)l->smooth[c] : 1.0;
        const double a = (double)x_at(l, c, y, x) / s,
                     b = (double)l->w[(o * IN + c) * TAPS + i % TAPS] * s;
        const bool inside = y >= 0 && y < H && x >= 0 && x < W;
        sum += a * b;
        magnitude += fabs(a * b);
        if (inside) bound += fabs(b) * dx + fabs(a) * dw + dx * dw;
    }
    l->exact[(h * W + w) * OUT + o] = sum;
    l->bound[(h * W + w) * OUT + o] = bound + 1e-6 * (magnitude + bound);
}

/// The float layer, and how far the int8 one may be from it: Σ |w|·dx + |x|·dw + dx·dw with half
/// steps dx, dw.
static void compute_exact(layer *l) {
    // a zero point that is rounded shifts the range by up to a step's share
    const double dx = 0.5 * x_step(l) * 1.02;
    for (int o = 0; o < OUT; o++) {
        double max = 0.0;
        for (int i = 0; i < IN * TAPS; i++) {
            const double s = l->smoothed ? (double)l->smooth[i / TAPS] : 1.0;
            max = fmax(max, fabs((double)l->w[o * IN * TAPS + i] * s));
        }
        const double dw = 0.5 * max / 127.0 * 1.0001;
        for (int h = 0; h < H; h++) {
            for (int w = 0; w < W; w++) {
                compute_element(l, o, h, w, dx, dw);
            }
        }
    }
}

static void draw(layer *l, uint64_t seed, float loudest) {
    rng r = rng_make(seed, 0);
    const bool positive = l->type == QUERNEL_TYPE_U8 && !l->asymmetric;
    for (int i = 0; i < X_COUNT; i++) {
        const float amplitude = i % IN % 7 == 3 ? loudest : 1.0f;
        l->x[i] =
            rng_float(&r, positive ? 0.0f : -amplitude, amplitude * (l->asymmetric ? 3.0f : 1.0f));
    }
    for (int i = 0; i < OUT * IN * TAPS; i++)
        l->w[i] = rng_float(&r, -1.0f, 1.0f) * (1.0f + (float)(i / (IN * TAPS)));
    for (int i = 0; i < OUT; i++) l->bias[i] = rng_float(&r, -5.0f, 5.0f);
}

/// Factors from the largest |x| and |w| of each channel.
static void find_smoothing(layer *l) {
    float act[IN] = {0}, weight[IN] = {0};
    for (int i = 0; i < X_COUNT; i++) act[i % IN] = fmaxf(act[i % IN], fabsf(l->x[i]));
    for (int i = 0; i < OUT * IN * TAPS; i++)
        weight[i / TAPS % IN] = fmaxf(weight[i / TAPS % IN], fabsf(l->w[i]));
    quernel_error error = {0};
    CHECK(quernel_smooth_factors(act, weight, IN, NULL, l->smooth, &error) == QUERNEL_OK, "%s",
          error.text);
}

static quernel_operator *create(const layer *l) {
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    w.kind = QUERNEL_WEIGHTS_CONV2D;
    w.in = IN, w.out = OUT, w.kernel_h = w.kernel_w = KERNEL;
    w.data = l->w;
    if (l->smoothed) w.smooth_kind = QUERNEL_SMOOTH_CHANNEL, w.smooth = l->smooth;
    d.x.n = 1, d.x.c = IN, d.x.h = H, d.x.w = W;
    d.pad_top = d.pad_left = d.pad_bottom = d.pad_right = 1;
    d.quant.mode = l->mode;
    d.quant.type = l->type;
    d.quant.asymmetric = l->asymmetric;
    if (l->mode == QUERNEL_QUANT_STATIC) d.quant.scale = (float)x_step(l) * 1.0001f;
    d.epilogue.bias = l->bias;
    quernel_error error = {0};
    quernel_operator *op = NULL;
    int code = quernel_weights_pack(&w, &d.weights, &error);
    if (code == QUERNEL_OK) code = quernel_conv2d_create(&d, &op, &error);
    quernel_weights_release(d.weights);
    if (!CHECK(code == QUERNEL_OK, "%s", error.text)) return NULL;
    return op;
}

static bool run(layer *l) {
    quernel_error error = {0};
    quernel_operator *op = create(l);
    if (!op) return false;
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = aligned_alloc(64, (bytes + 127) / 64 * 64);
    const int code = quernel_operator_run(op, l->x, NULL, l->y, workspace, bytes, NULL, &error);
    free(workspace);
    quernel_operator_destroy(op);
    return CHECK(code == QUERNEL_OK, "%s", error.text);
}

/// Signal to quantization noise of the result, in dB.
static double sqnr(const layer *l) {
    double signal = 0.0, noise = 0.0;
    for (int i = 0; i < Y_COUNT; i++) {
        signal += l->exact[i] * l->exact[i];
        noise += (l->exact[i] - (double)l->y[i]) * (l->exact[i] - (double)l->y[i]);
    }
    return 10.0 * log10(signal / noise);
}

static void check_bound(layer *l, const char *what) {
    compute_exact(l);
    if (!run(l)) return;
    for (int i = 0; i < Y_COUNT; i++) {
        const double difference = fabs((double)l->y[i] - l->exact[i]);
        if (!CHECK(difference <= l->bound[i],
                   "%s: element %d is %g, exactly %g: off by %g, at most %g", what, i,
                   (double)l->y[i], l->exact[i], difference, l->bound[i]))
            return;
    }
    CHECK(sqnr(l) > 30.0, "%s: %.1f dB", what, sqnr(l));
}

static void test_within_the_bound(void) {
    static layer l;
    static const struct {
        const char *what;
        int32_t mode, type, asymmetric;
    } all[] = {{"static s8", QUERNEL_QUANT_STATIC, QUERNEL_TYPE_S8, 0},
               {"static u8", QUERNEL_QUANT_STATIC, QUERNEL_TYPE_U8, 0},
               {"dynamic s8", QUERNEL_QUANT_DYNAMIC_CALL, QUERNEL_TYPE_S8, 0},
               {"dynamic u8", QUERNEL_QUANT_DYNAMIC_CALL, QUERNEL_TYPE_U8, 0},
               {"dynamic asymmetric u8", QUERNEL_QUANT_DYNAMIC_CALL, QUERNEL_TYPE_U8, 1},
               {"per row s8", QUERNEL_QUANT_DYNAMIC_ROW, QUERNEL_TYPE_S8, 0},
               {"per row u8", QUERNEL_QUANT_DYNAMIC_ROW, QUERNEL_TYPE_U8, 0},
               {"per row asymmetric u8", QUERNEL_QUANT_DYNAMIC_ROW, QUERNEL_TYPE_U8, 1}};
    for (size_t i = 0; i < 2 * sizeof all / sizeof *all; i++) {
        l.mode = all[i / 2].mode, l.type = all[i / 2].type, l.asymmetric = all[i / 2].asymmetric;
        l.smoothed = i & 1;
        draw(&l, i + 1, 1.0f);
        if (l.smoothed) find_smoothing(&l);
        check_bound(&l, all[i / 2].what);
    }
}

/// With channels 64 times louder than the rest, smoothing gains 3 dB and more.
static void test_smoothing_gains(void) {
    static layer l;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        l.mode = QUERNEL_QUANT_DYNAMIC_CALL, l.type = QUERNEL_TYPE_S8, l.asymmetric = 0;
        draw(&l, seed, 64.0f);
        // A trained network's weights answer loud channels softly.
        for (int i = 0; i < OUT * IN * TAPS; i++)
            if (i / TAPS % IN % 7 == 3) l.w[i] *= 1.0f / 64.0f;
        l.smoothed = false;
        compute_exact(&l);
        if (!run(&l)) return;
        const double plain = sqnr(&l);
        find_smoothing(&l);
        l.smoothed = true;
        compute_exact(&l);
        if (!run(&l)) return;
        CHECK(sqnr(&l) >= plain + 3.0, "seed %d: smoothed %.1f dB, plain %.1f dB", (int)seed,
              sqnr(&l), plain);
    }
}

const char test_suite[] = "accuracy";
const test_entry test_entries[] = {{"within_the_bound", test_within_the_bound},
                                   {"smoothing_gains", test_smoothing_gains},
                                   {NULL, NULL}};
