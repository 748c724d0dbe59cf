// SPDX-License-Identifier: Apache-2.0
// The scalar formulas of docs/numerics.md, written once. Every kernel on every ISA gives the bits
// that these give. Binary32, round to nearest even, no contraction (-ffp-contract=off); where an
// fma is meant it is written as fmaf.
#ifndef QUERNEL_BASE_NUM_H
#define QUERNEL_BASE_NUM_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/// Round to nearest even of |u| < 2^22, without libm: adding 1.5·2^23 leaves no bit for a fraction.
static inline int32_t quernel_i_rne(float u) {
    const float magic = 12582912.0f; // 1.5·2^23
    const float sum = u + magic;
    return (int32_t)(sum - magic);
}

/// u = 0 for NaN, else t clamped to [lo, hi].
static inline float quernel_i_clamp(float t, float lo, float hi) {
    if (t != t) return 0.0f;
    float u = t > lo ? t : lo;
    return u < hi ? u : hi;
}

/// Quantize: q = rne(clamp((x·m)·g, lo − z, hi − z)) + z. `lo` and `hi` come with z already
/// subtracted.
static inline int32_t quernel_i_quantize(float x, float m, float g, float lo, float hi,
                                         int32_t zero) {
    const float t = (x * m) * g;
    return quernel_i_rne(quernel_i_clamp(t, lo, hi)) + zero;
}

/// Scale and zero point of a dynamic range. `d` first, clamped to [2^-96, 2^96], then everything
/// else from it.
typedef struct quernel_i_scale {
    float d;
    int32_t z;
} quernel_i_scale;

/// Symmetric (s8): d = max(−min, max)/127. Non-negative (u8): d = max/255. Asymmetric (u8):
/// d = (max − min)/255, z = rne(−min/d) within 0 … 255. min <= 0 <= max; an empty range gives d
/// = 1.
static inline quernel_i_scale quernel_i_scale_of(float min, float max, int is_signed,
                                                 int asymmetric) {
    float range = max, steps = 255.0f;
    if (is_signed) {
        range = -min > max ? -min : max;
        steps = 127.0f;
    } else if (asymmetric) {
        range = max - min;
        if (range > 0x1.fffffep127f) range = 0x1.fffffep127f;
    }
    if (range == 0.0f) return (quernel_i_scale){1.0f, 0};
    const float d = quernel_i_clamp(range / steps, 0x1p-96f, 0x1p96f);
    if (is_signed || !asymmetric) return (quernel_i_scale){d, 0};
    return (quernel_i_scale){d, quernel_i_rne(quernel_i_clamp((0.0f - min) / d, 0.0f, 255.0f))};
}

static inline uint32_t quernel_i_bits(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float quernel_i_float(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/// binary32 to bfloat16 by integers: nearest even, NaN becomes 0x7fc0, subnormals are kept.
static inline uint16_t quernel_i_bf16(float x) {
    const uint32_t u = quernel_i_bits(x);
    if ((u & 0x7fffffffu) > 0x7f800000u) return 0x7fc0;
    return (uint16_t)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

static inline float quernel_i_from_bf16(uint16_t h) { return quernel_i_float((uint32_t)h << 16); }

// Activation functions, each within max(1e-6·|y|, 2e-7) of the true one. A NaN stays a NaN.
// Vectors: kernels/template/functions.h.

/// min(max(t, lo), hi); unlike quernel_i_clamp it lets a NaN pass.
static inline float quernel_i_within(float t, float lo, float hi) {
    const float u = lo > t ? lo : t;
    return hi < u ? hi : u;
}

/// e^t = s·q + s for |t| <= 87: n = rne(t/ln 2), s = 2^n, r = t − n·ln 2, q = e^r − 1 = r + r²·(c2
/// + … + c6·r^4), a minimax polynomial of relative error 3e-9. n stands in the low bits of the sum
/// that rounds it.
typedef struct quernel_i_exponential {
    float s, q;
} quernel_i_exponential;

static inline quernel_i_exponential quernel_i_exp(float t) {
    const float magic = 12582912.0f; // 1.5·2^23
    const float j = fmaf(t, 0x1.715476p0f, magic);
    const float r = fmaf(j - magic, -0x1.62e43p-1f, t);
    float p = fmaf(r, 0x1.6a2434p-10f, 0x1.1239e2p-7f);
    p = fmaf(r, p, 0x1.5558f2p-5f);
    p = fmaf(r, p, 0x1.555492p-3f);
    p = fmaf(r, p, 0x1.fffffcp-2f);
    return (quernel_i_exponential){quernel_i_float((quernel_i_bits(j) << 23) + 0x3f800000u),
                                   fmaf(r * r, p, r)};
}

/// clamp(t + 3, 0, 6)·(1/6).
static inline float quernel_i_hsigmoid(float t) {
    return quernel_i_within(t + 3.0f, 0.0f, 6.0f) * (1.0f / 6.0f);
}

/// t·hsigmoid(t).
static inline float quernel_i_hswish(float t) { return t * quernel_i_hsigmoid(t); }

/// e^t / (e^t + 1), t within ±87.
static inline float quernel_i_sigmoid(float t) {
    const quernel_i_exponential e = quernel_i_exp(quernel_i_within(t, -87.0f, 87.0f));
    const float power = fmaf(e.s, e.q, e.s);
    return power / (power + 1.0f);
}

/// max(t, −87)·sigmoid(t).
static inline float quernel_i_silu(float t) {
    return (-87.0f > t ? -87.0f : t) * quernel_i_sigmoid(t);
}

/// m / (m + 2), m = e^2t − 1, t within ±9: relative precision near 0.
static inline float quernel_i_tanh(float t) {
    const float u = quernel_i_within(t, -9.0f, 9.0f);
    const quernel_i_exponential e = quernel_i_exp(u + u);
    const float m = fmaf(e.s, e.q, e.s - 1.0f);
    return m / (m + 2.0f);
}

/// t·Φ(t) = max(t, 0) − a·Φ(−a), a = min(|t|, 8), with Φ(−a) = (1/2)/p(a)^8: p = (2Φ(−a))^(−1/8) is
/// nearly a parabola, and a polynomial of degree 8 (minimax, weighted with what it does to the
/// result) gives 5e-8.
static inline float quernel_i_gelu(float t) {
    const float size = quernel_i_float(quernel_i_bits(t) & 0x7fffffffu),
                a = 8.0f < size ? 8.0f : size;
    float p = fmaf(a, 0x1.898bcep-19f, -0x1.18e7d4p-16f);
    p = fmaf(a, p, 0x1.9936dap-14f);
    p = fmaf(a, p, 0x1.d336fp-14f);
    p = fmaf(a, p, 0x1.010f8ep-10f);
    p = fmaf(a, p, 0x1.198824p-7f);
    p = fmaf(a, p, 0x1.6ee8e6p-5f);
    p = fmaf(a, p, 0x1.98811ap-4f);
    p = a * p; // p − 1: squared as (p − 1)² + 2(p − 1), which keeps its precision
    for (int i = 0; i < 3; i++) p = fmaf(p, p, p + p);
    return (t > 0.0f ? t : 0.0f) - (a * 0.5f) / (p + 1.0f);
}

#endif
