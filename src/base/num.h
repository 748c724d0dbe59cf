// SPDX-License-Identifier: Apache-2.0
// The scalar formulas of Quernel's numbers, written once. Every kernel on every ISA gives the bits that these give.
// Binary32, round to nearest even, no contraction (-ffp-contract=off); where an fma is meant it is written as fmaf.
#ifndef QUERNEL_BASE_NUM_H
#define QUERNEL_BASE_NUM_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/// Round to nearest even of |u| < 2^22, without libm: adding 1.5·2^23 leaves no bit for a fraction.
static inline int32_t quernel_i_rne(float u) {
    const float magic = 12582912.0f;
    const float sum = u + magic;
    return (int32_t)(sum - magic);
}

/// u = 0 for NaN, else t clamped to [lo, hi].
static inline float quernel_i_clamp(float t, float lo, float hi) {
    if (t != t) return 0.0f;
    float u = t > lo ? t : lo;
    return u < hi ? u : hi;
}

/// Quantize: q = rne(clamp((x·m)·g, lo − z, hi − z)) + z. `lo` and `hi` come with z already subtracted.
static inline int32_t quernel_i_quantize(float x, float m, float g, float lo, float hi, int32_t zero) {
    const float t = (x * m) * g;
    return quernel_i_rne(quernel_i_clamp(t, lo, hi)) + zero;
}

/// Scale and zero point of a dynamic range. `d` first, clamped to [2^-96, 2^96], then everything else from it.
typedef struct quernel_i_scale {
    float d;
    int32_t z;
} quernel_i_scale;

/// Symmetric (s8): d = max(−least, greatest)/127. Non-negative (u8): d = greatest/255. Asymmetric (u8):
/// d = (greatest − least)/255, z = rne(−least/d) within 0 … 255. least <= 0 <= greatest; an empty range gives d = 1.
static inline quernel_i_scale quernel_i_scale_of(float least, float greatest, int is_signed, int asymmetric) {
    float range = greatest, steps = 255.0f;
    if (is_signed) {
        range = -least > greatest ? -least : greatest;
        steps = 127.0f;
    } else if (asymmetric) {
        range = greatest - least;
        if (range > 0x1.fffffep127f) range = 0x1.fffffep127f;
    }
    if (range == 0.0f) return (quernel_i_scale){1.0f, 0};
    const float d = quernel_i_clamp(range / steps, 0x1p-96f, 0x1p96f);
    if (is_signed || !asymmetric) return (quernel_i_scale){d, 0};
    return (quernel_i_scale){d, quernel_i_rne(quernel_i_clamp((0.0f - least) / d, 0.0f, 255.0f))};
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

#endif
