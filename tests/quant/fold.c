// SPDX-License-Identifier: Apache-2.0
// Batch norms, weights' maxima and chains, against plain restatements.
#include <string.h>

#include "../op/rng.h"
#include "../unit/check.h"
#include "quernel/quernel.h"
#include "tests.h"

enum {
    GROUPS = 2,
    GROUP_IN = 3,
    GROUP_OUT = 2,
    IN = GROUPS * GROUP_IN,
    OUT = GROUPS * GROUP_OUT,
    TAPS = 6
};
enum { COUNT = GROUPS * GROUP_IN * GROUP_OUT * TAPS };

/// Output channel, input channel and tap of element i of dense data.
typedef struct place {
    int n, c, t;
} place;

static place place_of(int32_t kind, int i) {
    const int t = i % TAPS, second = i / TAPS;
    if (kind == QUERNEL_WEIGHTS_CONV2D) {
        const int n = second / GROUP_IN;
        return (place){n, n / GROUP_OUT * GROUP_IN + second % GROUP_IN, t};
    }
    const int c = second / GROUP_OUT;
    return (place){c / GROUP_IN * GROUP_OUT + second % GROUP_OUT, c, t};
}

static quernel_weights_desc grouped(int32_t kind, const float *data) {
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.kind = kind, w.out = OUT, w.in = IN, w.kernel_h = 2, w.kernel_w = 3, w.groups = GROUPS,
    w.data = data;
    return w;
}

void test_batch_norm_fold(void) {
    rng r = {41};
    float data[COUNT], folded[COUNT], bias[OUT], gamma[OUT], beta[OUT], mean[OUT], variance[OUT],
        ret_bias[OUT];
    for (int i = 0; i < COUNT; i++) data[i] = rng_float(&r, -1.0f, 1.0f);
    for (int n = 0; n < OUT; n++) {
        bias[n] = rng_float(&r, -1.0f, 1.0f), beta[n] = rng_float(&r, -1.0f, 1.0f),
        mean[n] = rng_float(&r, -1.0f, 1.0f);
        gamma[n] = rng_float(&r, -2.0f, 2.0f), variance[n] = n ? rng_scale(&r, -20, 4) : 0.0f;
    }
    quernel_batch_norm b = {sizeof b, gamma, beta, mean, variance, 1e-3};
    for (int32_t kind = QUERNEL_WEIGHTS_CONV2D; kind <= QUERNEL_WEIGHTS_DECONV2D; kind++) {
        const quernel_weights_desc w = grouped(kind, data);
        quernel_error e = {0};
        CHECK(quernel_batch_norm_fold(&b, &w, bias, folded, ret_bias, &e) == QUERNEL_OK, "%s",
              e.text);
        for (int i = 0; i < COUNT; i++) {
            const int n = place_of(kind, i).n;
            const double f = (double)gamma[n] / sqrt((double)variance[n] + 1e-3);
            CHECK(folded[i] == (float)((double)data[i] * f), "kind %d, weight %d", kind, i);
            const double at = ((double)bias[n] - (double)mean[n]) * f + (double)beta[n];
            CHECK(ret_bias[n] == (float)at, "kind %d, bias %d", kind, n);
        }
        CHECK(quernel_batch_norm_fold(&b, &w, NULL, folded, ret_bias, &e) == QUERNEL_OK,
              "without a bias");
    }
}

/// Each refusal names the channel or weight, and writes nothing.
void test_batch_norm_refuses(void) {
    float data[COUNT] = {0}, folded[COUNT] = {0}, bias[OUT] = {0}, ret_bias[OUT];
    float gamma[OUT] = {0}, beta[OUT] = {0}, mean[OUT] = {0}, variance[OUT] = {0};
    quernel_batch_norm b = {sizeof b, gamma, beta, mean, variance, 0.0};
    quernel_weights_desc w = grouped(QUERNEL_WEIGHTS_CONV2D, data);
    quernel_error e = {0};
    CHECK(quernel_batch_norm_fold(&b, &w, bias, folded, ret_bias, &e) == QUERNEL_E_VALUE &&
              e.index == 0 && !strcmp(e.argument, "variance"),
          "a variance of 0 without eps: %s", e.text);
    b.eps = 1e-3, mean[2] = NAN;
    CHECK(quernel_batch_norm_fold(&b, &w, bias, folded, ret_bias, &e) == QUERNEL_E_VALUE &&
              e.index == 2,
          "%s", e.text);
    mean[2] = 0.0f, data[7] = INFINITY;
    CHECK(quernel_batch_norm_fold(&b, &w, bias, folded, ret_bias, &e) == QUERNEL_E_VALUE &&
              e.index == 7,
          "%s", e.text);
    CHECK(folded[0] == 0.0f, "a refusal wrote");
    b.mean = NULL;
    CHECK(quernel_batch_norm_fold(&b, &w, bias, folded, ret_bias, &e) == QUERNEL_E_NULL, "%s",
          e.text);
}

void test_weights_absmax(void) {
    rng r = {42};
    float data[COUNT], found[IN * TAPS], expected[IN * TAPS];
    for (int32_t kind = QUERNEL_WEIGHTS_CONV2D; kind <= QUERNEL_WEIGHTS_DECONV2D; kind++)
        for (int32_t smooth = QUERNEL_SMOOTH_CHANNEL; smooth <= QUERNEL_SMOOTH_COLUMN; smooth++) {
            memset(found, 0, sizeof found), memset(expected, 0, sizeof expected);
            const int taps = smooth == QUERNEL_SMOOTH_COLUMN ? TAPS : 1;
            for (int sibling = 0; sibling < 2; sibling++) { // two layers that read the same tensor
                for (int i = 0; i < COUNT; i++) {
                    data[i] = rng_float(&r, -1.0f, 1.0f);
                    const place p = place_of(kind, i);
                    float *max = &expected[p.c * taps + (taps > 1 ? p.t : 0)];
                    *max = fmaxf(*max, fabsf(data[i]));
                }
                const quernel_weights_desc w = grouped(kind, data);
                quernel_error e = {0};
                CHECK(quernel_weights_absmax(&w, smooth, found, &e) == QUERNEL_OK, "%s", e.text);
            }
            CHECK(!memcmp(found, expected, sizeof found), "kind %d, smoothing %d", kind, smooth);
        }
}

void test_weights_absmax_refuses(void) {
    float data[COUNT] = {0}, found[IN * TAPS] = {0};
    quernel_weights_desc w = grouped(QUERNEL_WEIGHTS_CONV2D, data);
    quernel_error e = {0};
    data[5] = NAN;
    CHECK(quernel_weights_absmax(&w, QUERNEL_SMOOTH_CHANNEL, found, &e) == QUERNEL_E_VALUE &&
              e.index == 5,
          "%s", e.text);
    CHECK(quernel_weights_absmax(&w, QUERNEL_SMOOTH_NONE, found, &e) == QUERNEL_E_VALUE, "%s",
          e.text);
}

/// 0 → 1 → {2, 3} (siblings) → the caller; 3 → 4.
void test_chain_plan(void) {
    const float s[4] = {1, 2, 3, 4}, other[4] = {1, 2, 3, 5};
    quernel_chain_layer l[5];
    for (int i = 0; i < 5; i++) {
        l[i] = (quernel_chain_layer){
            .from = i == 3 ? 1 : i - 1, .in = 4, .out = 4, .quant = QUERNEL_QUANT_INIT};
        l[i].quant.scale = 0.5f + (float)(i == 3 ? 2 : i), l[i].quant.zero = 7;
    }
    l[2].smooth_kind = l[3].smooth_kind = QUERNEL_SMOOTH_CHANNEL, l[2].smooth = s, l[3].smooth = s;
    quernel_chain_output y[5];
    quernel_error e = {0};
    CHECK(quernel_chain_plan(l, 5, y, &e) == QUERNEL_OK, "%s", e.text);
    CHECK(y[0].y_type == QUERNEL_TYPE_U8 && y[0].y_scale == 1.5f && y[0].y_zero == 7 &&
              !y[0].y_smooth,
          "layer 0");
    CHECK(y[1].y_scale == 2.5f && y[1].y_smooth == s && y[1].reason == QUERNEL_CHAIN_INT8,
          "layer 1 serves both readers");
    CHECK(y[2].y_type == QUERNEL_TYPE_F32 && y[2].reason == QUERNEL_CHAIN_LAST, "layer 2");
    CHECK(y[3].y_scale == 4.5f && y[4].reason == QUERNEL_CHAIN_LAST, "layers 3, 4");
    l[3].smooth = other;
    quernel_chain_plan(l, 5, y, &e);
    CHECK(y[1].y_type == QUERNEL_TYPE_F32 && y[1].reason == QUERNEL_CHAIN_READERS_DIFFER,
          "siblings with an s each");
    l[3].smooth_kind = QUERNEL_SMOOTH_COLUMN;
    quernel_chain_plan(l, 5, y, &e);
    CHECK(y[1].reason == QUERNEL_CHAIN_COLUMN, "columns");
    l[1].quant.mode = QUERNEL_QUANT_DYNAMIC_CALL, l[4].float_input = 1;
    quernel_chain_plan(l, 5, y, &e);
    CHECK(y[0].reason == QUERNEL_CHAIN_DYNAMIC && y[3].reason == QUERNEL_CHAIN_FLOAT_READER,
          "dynamic, float");
    l[4].from = 4;
    CHECK(quernel_chain_plan(l, 5, y, &e) == QUERNEL_E_VALUE && e.index == 4, "%s", e.text);
    l[4].from = 3, l[4].in = 5;
    CHECK(quernel_chain_plan(l, 5, y, &e) == QUERNEL_E_SHAPE && e.index == 4, "%s", e.text);
}
