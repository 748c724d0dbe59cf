// SPDX-License-Identifier: Apache-2.0
// Normalized rows. A template for any instruction set: who includes it has defined what functions.h
// takes, and
//     NORMALIZE_LANES                 lanes of a vfloat
//     normalize_values(at, type, zero)   that many elements as floats, codes less `zero`
//     normalize_zero_below(t, bound, v)  v, but +0 where t < bound
//     normalize_table(at)             floats at any address
//     normalize_store(y, v, n)        the first n of them, at most all, to any address
// A row's values lie in n->line, filled up to 16 with what changes neither its maximum nor its
// sums. Each step takes it once, 16 at a time, as the sums' lanes are.
#ifndef QUERNEL_TEMPLATE_NORMALIZE_H
#define QUERNEL_TEMPLATE_NORMALIZE_H

#include <math.h>
#include <string.h>

#include "kernels/template/elements.h"
#include "kernels/template/functions.h"

#ifndef NORMALIZE_LANES
#error "the macros of normalized rows are not defined"
#endif

#define NORMALIZE_INLINE static inline __attribute__((always_inline))

enum { NORMALIZE_SUMS = 16, NORMALIZE_VECTORS = NORMALIZE_SUMS / NORMALIZE_LANES };

/// 16 lanes.
typedef struct normalize_lanes {
    vfloat at[NORMALIZE_VECTORS];
} normalize_lanes;

#define NORMALIZE_EACH _Pragma("GCC unroll 4") for (int i = 0; i < NORMALIZE_VECTORS; i++)

NORMALIZE_INLINE normalize_lanes normalize_set(float v) {
    normalize_lanes lanes;
    NORMALIZE_EACH lanes.at[i] = v_set(v);
    return lanes;
}

NORMALIZE_INLINE void normalize_spill(const normalize_lanes *v, float to[NORMALIZE_SUMS]) {
    NORMALIZE_EACH v_store(to + i * NORMALIZE_LANES, v->at[i]);
}

NORMALIZE_INLINE float normalize_total(const normalize_lanes *v) {
    float s[NORMALIZE_SUMS] __attribute__((aligned(64)));
    normalize_spill(v, s);
#pragma GCC unroll 4
    for (int step = NORMALIZE_SUMS / 2; step; step /= 2)
#pragma GCC unroll 8
        for (int l = 0; l < step; l++) s[l] = s[l] + s[l + step];
    return s[0];
}

NORMALIZE_INLINE float normalize_largest(const normalize_lanes *v) {
    float s[NORMALIZE_SUMS] __attribute__((aligned(64)));
    normalize_spill(v, s);
#pragma GCC unroll 4
    for (int step = NORMALIZE_SUMS / 2; step; step /= 2)
#pragma GCC unroll 8
        for (int l = 0; l < step; l++) s[l] = s[l] > s[l + step] ? s[l] : s[l + step];
    return s[0];
}

// ---- values ----

NORMALIZE_INLINE void normalize_load_lanes(const quernel_i_normalize *n, const uint8_t *x,
                                           int32_t type, uint32_t c) {
    NORMALIZE_EACH {
        const uint32_t at = c + (uint32_t)i * NORMALIZE_LANES;
        vfloat v = normalize_values(x + (size_t)i * NORMALIZE_LANES * elements_size(type), type,
                                    n->x.zero);
        if (elements_is_codes(type)) v = v_mul(v, normalize_table(n->x.scales + at));
        v_store(n->line + at, v);
    }
}

// `type` is a constant.
NORMALIZE_INLINE void normalize_load_typed(const quernel_i_normalize *n, const uint8_t *x,
                                           int32_t type) {
    const uint32_t size = elements_size(type);
    uint32_t c = 0;
    for (; n->channels - c >= NORMALIZE_SUMS; c += NORMALIZE_SUMS, x += NORMALIZE_SUMS * size)
        normalize_load_lanes(n, x, type, c);
    if (c == n->channels) return;
    uint8_t part[NORMALIZE_SUMS * 4] = {0};
    memcpy(part, x, (n->channels - c) * size);
    normalize_load_lanes(n, part, type, c);
}

static void normalize_fill(const quernel_i_normalize *n, float with) {
    for (uint32_t c = n->channels; c % NORMALIZE_SUMS; c++) n->line[c] = with;
}

static void normalize_load(const quernel_i_normalize *n, const uint8_t *x) {
    switch (n->x.type) {
    case QUERNEL_TYPE_F32: normalize_load_typed(n, x, QUERNEL_TYPE_F32); break;
    case QUERNEL_TYPE_BF16: normalize_load_typed(n, x, QUERNEL_TYPE_BF16); break;
    case QUERNEL_TYPE_S8: normalize_load_typed(n, x, QUERNEL_TYPE_S8); break;
    default: normalize_load_typed(n, x, QUERNEL_TYPE_U8); break;
    }
    normalize_fill(n, n->kind == QUERNEL_I_NORMALIZE_SOFTMAX ? -INFINITY : 0.0f);
}

// Vectors [c, c + 16) of the line: `v` is what the statement makes of the i-th one.
#define NORMALIZE_LINE(n) \
    for (uint32_t c = 0; c < (n)->channels; c += NORMALIZE_SUMS) NORMALIZE_EACH
#define NORMALIZE_AT ((n)->line + c + (uint32_t)i * NORMALIZE_LANES)

// ---- softmax ----

static float normalize_max(const quernel_i_normalize *n) {
    normalize_lanes max = normalize_set(-INFINITY);
    NORMALIZE_LINE(n) max.at[i] = v_max(v_load(NORMALIZE_AT), max.at[i]);
    return normalize_largest(&max);
}

// The line becomes powers, whose sum is returned.
static float normalize_powers(const quernel_i_normalize *n, float max) {
    normalize_lanes sum = normalize_set(0.0f);
    NORMALIZE_LINE(n) {
        vfloat q;
        const vfloat t = v_sub(v_load(NORMALIZE_AT), v_set(max)), s = function_exp(t, &q);
        const vfloat power = normalize_zero_below(t, v_set(-87.0f), v_fma(s, q, s));
        v_store(NORMALIZE_AT, power);
        sum.at[i] = v_add(sum.at[i], power);
    }
    return normalize_total(&sum);
}

// ---- mean and squares ----

static void normalize_centre(const quernel_i_normalize *n) {
    normalize_lanes sum = normalize_set(0.0f);
    NORMALIZE_LINE(n) sum.at[i] = v_add(sum.at[i], v_load(NORMALIZE_AT));
    const vfloat mean = v_set(normalize_total(&sum) / (float)n->channels);
    NORMALIZE_LINE(n) v_store(NORMALIZE_AT, v_sub(v_load(NORMALIZE_AT), mean));
    normalize_fill(n, 0.0f);
}

static float normalize_deviation(const quernel_i_normalize *n) {
    normalize_lanes sum = normalize_set(0.0f);
    NORMALIZE_LINE(n) {
        const vfloat u = v_load(NORMALIZE_AT);
        sum.at[i] = v_fma(u, u, sum.at[i]);
    }
    return __builtin_sqrtf(normalize_total(&sum) / (float)n->channels + n->epsilon);
}

// ---- results ----

// The results of 16 channels of the line.
NORMALIZE_INLINE normalize_lanes normalize_results(const quernel_i_normalize *n, uint32_t c,
                                                   float by) {
    normalize_lanes t;
    NORMALIZE_EACH {
        const uint32_t at = c + (uint32_t)i * NORMALIZE_LANES;
        t.at[i] = v_mul(v_load(n->line + at), v_set(by));
        if (n->kind != QUERNEL_I_NORMALIZE_SOFTMAX)
            t.at[i] =
                v_fma(t.at[i], normalize_table(n->factor + at), normalize_table(n->shift + at));
    }
    return t;
}

static void normalize_write(const quernel_i_normalize *n, float by, float *y) {
    uint32_t c = 0;
    for (; n->channels - c >= NORMALIZE_SUMS; c += NORMALIZE_SUMS) {
        const normalize_lanes t = normalize_results(n, c, by);
        NORMALIZE_EACH normalize_store(y + c + i * NORMALIZE_LANES, t.at[i], NORMALIZE_LANES);
    }
    if (c == n->channels) return;
    const normalize_lanes t = normalize_results(n, c, by);
    NORMALIZE_EACH {
        const uint32_t at = c + (uint32_t)i * NORMALIZE_LANES;
        if (at >= n->channels) break;
        const uint32_t left = n->channels - at;
        normalize_store(y + at, t.at[i], left < NORMALIZE_LANES ? left : NORMALIZE_LANES);
    }
}

/// The whole call.
static inline void normalize_rows(const quernel_i_normalize *n) {
    const uint8_t *x = n->x.at;
    float *y = n->y;
    for (uint32_t m = 0; m < n->rows; m++, x += n->x.row, y += n->y_row) {
        normalize_load(n, x);
        if (n->kind == QUERNEL_I_NORMALIZE_LAYER) normalize_centre(n);
        const float divisor = n->kind == QUERNEL_I_NORMALIZE_SOFTMAX
                                  ? normalize_powers(n, normalize_max(n))
                                  : normalize_deviation(n);
        normalize_write(n, 1.0f / divisor, y);
    }
}

#endif
