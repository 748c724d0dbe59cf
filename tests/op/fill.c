// SPDX-License-Identifier: Apache-2.0
// Fills tensors: plain values, ties, extremes, and what floats can be beside numbers.
#include <stdlib.h>
#include <string.h>

#include "case.h"

typedef enum filling {
    FILL_EVEN = 0, // both signs
    FILL_POSITIVE,
    FILL_NEGATIVE,
    FILL_TIES,    // multiples of half a step
    FILL_SPECIAL, // NaN, infinities, −0, subnormals and huge numbers between plain ones
    FILL_TINY,    // subnormals
    FILL_EQUAL,
    FILL_LOST, // nothing but NaN and infinities
    FILL_KINDS
} filling;

static float special(rng *r) {
    static const float values[] = {NAN,     INFINITY, -INFINITY, -0.0f,   0.0f,    1e-40f,
                                   -1e-40f, 1e9f,     -1e9f,     3.4e38f, -3.4e38f};
    return values[rng_int(r, 0, sizeof values / sizeof *values - 1)];
}

static float draw_float(rng *r, filling kind, float amplitude, float step) {
    switch (kind) {
    case FILL_POSITIVE: return rng_float(r, 0.0f, amplitude);
    case FILL_NEGATIVE: return rng_float(r, -amplitude, 0.0f);
    case FILL_TIES: return step * 0.5f * (float)rng_int(r, -600, 600);
    case FILL_SPECIAL: return rng_one_in(r, 12) ? special(r) : rng_float(r, -amplitude, amplitude);
    case FILL_TINY: return rng_float(r, -1e-39f, 1e-39f);
    case FILL_EQUAL: return amplitude * 0.5f;
    case FILL_LOST: return rng_one_in(r, 2) ? NAN : rng_one_in(r, 2) ? INFINITY : -INFINITY;
    default: return rng_float(r, -amplitude, amplitude);
    }
}

static int32_t draw_int(rng *r, int mode, int32_t lo, int32_t zero, uint32_t position) {
    switch (mode) {
    case 0: return lo;
    case 1: return lo + 255;
    case 2: return position & 1 ? lo : lo + 255;
    case 3: return zero;
    default: return rng_int(r, lo, lo + 255);
    }
}

static void store(void *data, int type, int64_t at, float f, int32_t i) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    switch (type) {
    case QUERNEL_TYPE_F32: memcpy((float *)data + at, &bits, sizeof bits); break;
    case QUERNEL_TYPE_BF16: ((uint16_t *)data)[at] = (uint16_t)(bits >> 16); break;
    case QUERNEL_TYPE_S32: ((int32_t *)data)[at] = i; break;
    default: ((uint8_t *)data)[at] = (uint8_t)i;
    }
}

// Most pixels become their left neighbour: maps that are mostly constant, with equal rows among
// the im2col rows.
static void repeat_pixels(rng *r, const quernel_tensor *t, size_t size, uint8_t *data) {
    for (uint32_t n = 0; n < t->n; n++)
        for (uint32_t h = 0; h < t->h; h++)
            for (uint32_t w = 1; w < t->w; w++) {
                if (rng_one_in(r, 10)) continue;
                uint8_t *pixel =
                    data + (n * t->stride_n + h * t->stride_h + w * t->stride_w) * (int64_t)size;
                for (uint32_t ch = 0; ch < t->c; ch++, pixel += t->stride_c * (int64_t)size)
                    memcpy(pixel, pixel - t->stride_w * (int64_t)size, size);
            }
}

void case_fill(op_case *c, const quernel_tensor *t, int type, float amplitude, int32_t zero,
               void *data) {
    rng *r = &c->r;
    const filling kind = rng_one_in(r, 2) ? FILL_EVEN : (filling)rng_int(r, 0, FILL_KINDS - 1);
    const int mode = rng_int(r, 0, 15);
    const float step =
        c->conv.quant.mode == QUERNEL_QUANT_STATIC ? c->conv.quant.scale : amplitude / 127.0f;
    const int32_t lo = type == QUERNEL_TYPE_S8 ? -128 : 0;
    for (uint32_t n = 0; n < t->n; n++) {
        for (uint32_t ch = 0; ch < t->c; ch++) {
            for (uint32_t h = 0; h < t->h; h++) {
                for (uint32_t w = 0; w < t->w; w++) {
                    const int64_t at =
                        n * t->stride_n + ch * t->stride_c + h * t->stride_h + w * t->stride_w;
                    const bool wide = type == QUERNEL_TYPE_S32;
                    const float f = draw_float(r, kind, amplitude, step);
                    const int32_t i =
                        wide ? (int32_t)rng_next(r) : draw_int(r, mode, lo, zero, ch + h + w);
                    store(data, type, at, f, i);
                }
            }
        }
    }
    if (rng_one_in(r, 4)) repeat_pixels(r, t, quernel_type_size((quernel_type)type), data);
}
