// SPDX-License-Identifier: Apache-2.0
// Normalized rows. A template for any instruction set: who includes it has defined what functions.h
// takes, and
//     NORMALIZE_LANES                    lanes of a vfloat
//     normalize_values(at, type, zero)   that many elements as floats, codes less `zero`
//     normalize_zero_below(t, bound, v)  v, but +0 where t < bound
//     normalize_load(at), normalize_store(at, v)   floats at any address
// A row's values lie in a line of floats, filled up to 16 with what changes neither its maximum nor
// its sums. Each step takes it once, 16 at a time, as the lanes of sums are. Elements that fill no
// 16 are read and written again with those before them; fewer than 16 go through memory.
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

/// Runs over a line: the i-th vector of 16 is at NORMALIZE_AT.
#define NORMALIZE_LINE \
    for (float *at = line, *end = line + channels; at < end; at += NORMALIZE_SUMS) NORMALIZE_EACH
#define NORMALIZE_AT (at + i * NORMALIZE_LANES)

NORMALIZE_INLINE normalize_lanes normalize_set(float v) {
    normalize_lanes lanes;
    NORMALIZE_EACH lanes.at[i] = v_set(v);
    return lanes;
}

static __attribute__((noinline)) float normalize_fold(float s[NORMALIZE_SUMS]) {
#pragma GCC unroll 4
    for (int step = NORMALIZE_SUMS / 2; step; step /= 2)
#pragma GCC unroll 8
        for (int l = 0; l < step; l++) s[l] = s[l] + s[l + step];
    return s[0];
}

NORMALIZE_INLINE float normalize_total(const normalize_lanes *v) {
    float s[NORMALIZE_SUMS] __attribute__((aligned(64)));
    NORMALIZE_EACH v_store(s + i * NORMALIZE_LANES, v->at[i]);
    return normalize_fold(s);
}

// What lies behind the channels of a line.
NORMALIZE_INLINE void normalize_fill(float *line, uint32_t channels, float with) {
    for (uint32_t c = channels; c % NORMALIZE_SUMS; c++) line[c] = with;
}

// ---- values ----

// 16 of them.
NORMALIZE_INLINE void normalize_read_lanes(const uint8_t *x, int32_t type, int32_t zero,
                                           const float *scales, float *to) {
    NORMALIZE_EACH {
        const size_t lane = (size_t)i * NORMALIZE_LANES;
        vfloat v = normalize_values(x + lane * elements_size(type), type, zero);
        if (elements_is_codes(type)) v = v_mul(v, normalize_load(scales + lane));
        normalize_store(to + lane, v);
    }
}

// `type` is a constant.
NORMALIZE_INLINE void normalize_read_typed(const quernel_i_normalize *n, const uint8_t *x,
                                           int32_t type) {
    const uint32_t size = elements_size(type), channels = n->channels;
    const int32_t zero = n->x.zero;
    const float *scales = n->x.scales;
    float *line = n->line;
    uint8_t part[NORMALIZE_SUMS * sizeof(float)] = {0};
    if (channels < NORMALIZE_SUMS) {
        normalize_read_lanes(memcpy(part, x, channels * size), type, zero, scales, line);
        return;
    }
    for (uint32_t c = 0; c < channels; c += NORMALIZE_SUMS) {
        if (channels - c < NORMALIZE_SUMS) c = channels - NORMALIZE_SUMS;
        normalize_read_lanes(x + (size_t)c * size, type, zero,
                             elements_is_codes(type) ? scales + c : NULL, line + c);
    }
}

static void normalize_read(const quernel_i_normalize *n, const uint8_t *x) {
    switch (n->x.type) {
    case QUERNEL_TYPE_F32: normalize_read_typed(n, x, QUERNEL_TYPE_F32); break;
    case QUERNEL_TYPE_BF16: normalize_read_typed(n, x, QUERNEL_TYPE_BF16); break;
    case QUERNEL_TYPE_S8: normalize_read_typed(n, x, QUERNEL_TYPE_S8); break;
    default: normalize_read_typed(n, x, QUERNEL_TYPE_U8); break;
    }
}

// ---- softmax ----

static float normalize_max(float *line, uint32_t channels) {
    normalize_lanes max = normalize_set(-INFINITY);
    float s[NORMALIZE_SUMS] __attribute__((aligned(64)));
    NORMALIZE_LINE max.at[i] = v_max(v_load(NORMALIZE_AT), max.at[i]);
    NORMALIZE_EACH v_store(s + i * NORMALIZE_LANES, max.at[i]);
    for (int l = 1; l < NORMALIZE_SUMS; l++) s[0] = s[l] > s[0] ? s[l] : s[0];
    return s[0];
}

// The line becomes powers. Returns their sum.
static float normalize_powers(float *line, uint32_t channels) {
    normalize_fill(line, channels, -INFINITY);
    const vfloat max = v_set(normalize_max(line, channels));
    normalize_lanes sum = normalize_set(0.0f);
    NORMALIZE_LINE {
        vfloat q;
        const vfloat t = v_sub(v_load(NORMALIZE_AT), max), s = function_exp(t, &q);
        const vfloat power = normalize_zero_below(t, v_set(-87.0f), v_fma(s, q, s));
        v_store(NORMALIZE_AT, power);
        sum.at[i] = v_add(sum.at[i], power);
    }
    return normalize_total(&sum);
}

// ---- mean and squares ----

static float normalize_mean(float *line, uint32_t channels) {
    normalize_lanes sum = normalize_set(0.0f);
    normalize_fill(line, channels, 0.0f);
    NORMALIZE_LINE sum.at[i] = v_add(sum.at[i], v_load(NORMALIZE_AT));
    return normalize_total(&sum) / (float)channels;
}

// The line becomes what it is less the mean. Returns the mean of the squares.
static float normalize_variance(float *line, uint32_t channels, float mean) {
    normalize_lanes sum = normalize_set(0.0f);
    normalize_fill(line, channels, mean); // which becomes 0
    NORMALIZE_LINE {
        const vfloat u = v_sub(v_load(NORMALIZE_AT), v_set(mean));
        v_store(NORMALIZE_AT, u);
        sum.at[i] = v_fma(u, u, sum.at[i]);
    }
    return normalize_total(&sum) / (float)channels;
}

// ---- results ----

NORMALIZE_INLINE void normalize_write_lanes(const float *line, float by, const float *factor,
                                            const float *shift, float *to) {
    NORMALIZE_EACH {
        const size_t lane = (size_t)i * NORMALIZE_LANES;
        vfloat t = v_mul(normalize_load(line + lane), v_set(by));
        if (factor) t = v_fma(t, normalize_load(factor + lane), normalize_load(shift + lane));
        normalize_store(to + lane, t);
    }
}

// `scaled`, a constant: by the tables.
NORMALIZE_INLINE void normalize_write_as(const quernel_i_normalize *n, bool scaled, float by,
                                         float *y) {
    const uint32_t channels = n->channels;
    const float *line = n->line, *factor = n->factor, *shift = n->shift;
    float part[NORMALIZE_SUMS];
    if (channels < NORMALIZE_SUMS) {
        normalize_write_lanes(line, by, scaled ? factor : NULL, shift, part);
        memcpy(y, part, channels * sizeof *y);
        return;
    }
    for (uint32_t c = 0; c < channels; c += NORMALIZE_SUMS) {
        if (channels - c < NORMALIZE_SUMS) c = channels - NORMALIZE_SUMS;
        normalize_write_lanes(line + c, by, scaled ? factor + c : NULL, scaled ? shift + c : NULL,
                              y + c);
    }
}

static void normalize_softmax(const quernel_i_normalize *n, float *y) {
    normalize_write_as(n, false, 1.0f / normalize_powers(n->line, n->channels), y);
}

static void normalize_scale(const quernel_i_normalize *n, float *y) {
    const bool centred = n->kind == QUERNEL_I_NORMALIZE_LAYER;
    const float mean = centred ? normalize_mean(n->line, n->channels) : 0.0f,
                variance = normalize_variance(n->line, n->channels, mean);
    normalize_write_as(n, true, 1.0f / __builtin_sqrtf(variance + n->epsilon), y);
}

/// The whole call.
static inline void normalize_rows(const quernel_i_normalize *n) {
    const uint8_t *x = n->x.at;
    float *y = n->y;
    for (uint32_t m = 0; m < n->rows; m++, x += n->x.row, y += n->y_row) {
        normalize_read(n, x);
        if (n->kind == QUERNEL_I_NORMALIZE_SOFTMAX) normalize_softmax(n, y);
        else normalize_scale(n, y);
    }
}

#endif
