// SPDX-License-Identifier: Apache-2.0
// Operators against fake quantization written by docs/numerics.md, rule 1, against plain division,
// and against float64 of the same integers.
#include <math.h>
#include <stdlib.h>

#include "../op/rng.h"
#include "../unit/check.h"
#include "scene.h"
#include "tests.h"

enum { K = 64, M = 200 };

// Codes of a smoothed, statically quantized matrix, read off an operator whose weights are the
// identity.
static bool codes_of(const float *x, const float *smooth, quernel_quant quant, int32_t *q) {
    static int8_t identity[K * K];
    for (int i = 0; i < K * K; i++) identity[i] = i / K == i % K;
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.type = QUERNEL_TYPE_S8, w.in = w.out = K, w.data = identity;
    w.smooth_kind = QUERNEL_SMOOTH_CHANNEL, w.smooth = smooth;
    quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
    d.m = M, d.quant = quant, d.epilogue.y_type = QUERNEL_TYPE_S32;
    quernel_operator *op = NULL;
    quernel_error e = {0};
    int code = quernel_weights_pack(&w, &d.weights, &e);
    if (!code) code = quernel_linear_create(&d, &op, &e);
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (!code) code = quernel_operator_run(op, x, NULL, q, workspace, bytes, NULL, &e);
    free(workspace);
    quernel_operator_destroy(op);
    quernel_weights_release(d.weights);
    return CHECK(code == QUERNEL_OK, "%s", e.text);
}

// Units in the last place of binary32 at t between t and the nearest tie.
static double ulps_to_tie(float t) {
    const double tie = floor((double)t) + 0.5;
    return fabs((double)t - tie) / ((double)nextafterf(fabsf(t), INFINITY) - fabs((double)t));
}

void test_codes_by_the_specification(void) {
    static float x[M * K], smooth[K];
    static int32_t q[M * K];
    size_t differ = 0;
    for (uint64_t seed = 0; seed < 24; seed++) {
        rng r = rng_make(61, seed);
        quernel_quant quant = QUERNEL_QUANT_INIT;
        quant.type = seed & 1 ? QUERNEL_TYPE_S8 : QUERNEL_TYPE_U8,
        quant.scale = rng_scale(&r, -8, 8);
        quant.zero = seed & 1 ? 0 : rng_int(&r, 0, 255), quant.narrow = seed & 1;
        for (int k = 0; k < K; k++) smooth[k] = rng_scale(&r, -3, 3);
        for (int i = 0; i < M * K; i++) { // near ties, where the two formulas part
            const float code = rng_one_in(&r, 2) ? (float)rng_int(&r, -260, 260) + 0.5f
                                                 : rng_float(&r, -260.0f, 260.0f);
            x[i] = code * (smooth[i % K] * quant.scale);
            if (rng_one_in(&r, 3))
                x[i] = nextafterf(x[i], rng_one_in(&r, 2) ? INFINITY : -INFINITY);
        }
        if (!codes_of(x, smooth, quant, q)) return;
        const float lo = (float)((seed & 1 ? -127 : 0) - quant.zero),
                    hi = (float)((seed & 1 ? 127 : 255) - quant.zero);
        for (int i = 0; i < M * K; i++) {
            const float t = x[i] * (1.0f / (smooth[i % K] * quant.scale));
            const int32_t expected = (int32_t)nearbyintf(fminf(fmaxf(t, lo), hi));
            CHECK(q[i] == expected, "element %d: code %d, by the specification %d", i, q[i],
                  expected);
            const float u = (x[i] / smooth[i % K]) / quant.scale;
            const int32_t division = (int32_t)nearbyintf(fminf(fmaxf(u, lo), hi));
            if (expected == division) continue;
            differ++;
            CHECK(abs(expected - division) == 1 && ulps_to_tie(u) <= 2.0,
                  "element %d: %d, by division %d, %g ulp from a tie", i, expected, division,
                  ulps_to_tie(u));
        }
    }
    CHECK(differ > 100, "only %zu codes differ from those by division: the test says little",
          differ);
}

/// f32 output against acc·c + b in double, c = d_a·d_w exactly: within 2^-22·(|acc·c| + |b|).
void test_outputs_against_float64(void) {
    static scene s;
    static int32_t acc[MAX_Y];
    static float y[MAX_Y];
    for (int kind = 0; kind < SCENE_KINDS; kind++) {
        scene_make(&s, (scene_kind)kind, 1, 16.0f);
        s.op.epilogue.activation = QUERNEL_ACTIVATION_NONE;
        const quernel_choice c = scene_search(&s, NULL);
        quernel_weights_desc w = s.described;
        quernel_weights *packed = NULL;
        quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
        w.smooth_kind = c.smooth_kind, w.smooth = s.smooth;
        CHECK(quernel_weights_pack(&w, &packed, NULL) == QUERNEL_OK &&
                  quernel_weights_get(packed, &info) == QUERNEL_OK,
              "pack");
        for (int i = 0; i < 2; i++) { // NHWC and NCHW
            if (!scene_run(&s, &c, i, QUERNEL_TYPE_S32, acc) ||
                !scene_run(&s, &c, i, QUERNEL_TYPE_F32, y))
                return;
            const bool nchw = s.samples[i].tensor.layout == QUERNEL_LAYOUT_NCHW;
            const size_t count = scene_outputs(&s), pixels = count / w.out;
            for (size_t j = 0; j < count; j++) {
                const size_t n = nchw ? j / pixels : j % w.out;
                const double product =
                                 (double)acc[j] * ((double)c.quant.scale * (double)info.scale[n]),
                             b = (double)s.bias[n];
                CHECK(fabs((double)y[j] - (product + b)) <= 0x1p-22 * (fabs(product) + fabs(b)),
                      "%s, element %zu: %a", scene_names[kind], j, (double)y[j]);
            }
        }
        quernel_weights_release(packed);
    }
}
