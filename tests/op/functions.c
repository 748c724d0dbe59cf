// SPDX-License-Identifier: Apache-2.0
// The activation functions, restated from the formulas of docs/numerics.md, rule 7, bit for bit.
#include <math.h>
#include <string.h>

#include "oracle.h"

static float horner(const float *from_highest, int count, float x) {
    float sum = from_highest[0];
    for (int i = 1; i < count; i++) sum = fmaf(x, sum, from_highest[i]);
    return sum;
}

// NaN stays
static float bounded(float t, float lo, float hi) { return t < lo ? lo : t > hi ? hi : t; }

/// 2^n and e^r − 1 with t = n·ln 2 + r.
static void split_exp(float t, float *power, float *rest) {
    static const float c[] = {0x1.6a2434p-10f, 0x1.1239e2p-7f, 0x1.5558f2p-5f, 0x1.555492p-3f,
                              0x1.fffffcp-2f};
    const float shifted = fmaf(t, 0x1.715476p+0f, 0x1.8p23f), n = shifted - 0x1.8p23f;
    const float r = fmaf(n, -0x1.62e43p-1f, t);
    *power = isnan(n) ? n : ldexpf(1.0f, (int)n);
    *rest = fmaf(r * r, horner(c, 5, r), r);
}

static float sigmoid(float t) {
    float power, rest;
    split_exp(bounded(t, -87.0f, 87.0f), &power, &rest);
    const float e = fmaf(power, rest, power);
    return e / (e + 1.0f);
}

static float hyperbolic_tangent(float t) {
    const float u = bounded(t, -9.0f, 9.0f);
    float power, rest;
    split_exp(2.0f * u, &power, &rest);
    const float m = fmaf(power, rest, power - 1.0f);
    return m / (m + 2.0f);
}

static float gelu(float t) {
    static const float c[] = {0x1.898bcep-19f, -0x1.18e7d4p-16f, 0x1.9936dap-14f, 0x1.d336fp-14f,
                              0x1.010f8ep-10f, 0x1.198824p-7f,   0x1.6ee8e6p-5f,  0x1.98811ap-4f};
    const float a = bounded(fabsf(t), 0.0f, 8.0f);
    float e = a * horner(c, 8, a);
    for (int squarings = 0; squarings < 3; squarings++) e = fmaf(e, e, 2.0f * e);
    return (t > 0.0f ? t : 0.0f) - 0.5f * a / (e + 1.0f);
}

float oracle_function(int activation, float t) {
    switch (activation) {
    case QUERNEL_ACTIVATION_HSWISH: return t * (bounded(t + 3.0f, 0.0f, 6.0f) * (1.0f / 6.0f));
    case QUERNEL_ACTIVATION_HSIGMOID: return bounded(t + 3.0f, 0.0f, 6.0f) * (1.0f / 6.0f);
    case QUERNEL_ACTIVATION_SILU: return (t < -87.0f ? -87.0f : t) * sigmoid(t);
    case QUERNEL_ACTIVATION_GELU: return gelu(t);
    case QUERNEL_ACTIVATION_SIGMOID: return sigmoid(t);
    default: return hyperbolic_tangent(t);
    }
}
