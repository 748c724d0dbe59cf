// SPDX-License-Identifier: Apache-2.0
// One random resize, run and compared with docs/numerics.md, rule 10.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "images.h"

enum { POSITIONS_MAX = 200, TAPS_MAX = 9 };

typedef struct axis {
    uint32_t index[POSITIONS_MAX * TAPS_MAX];
    float weight[POSITIONS_MAX * TAPS_MAX];
} axis;

typedef struct resize {
    quernel_resize2d_desc d;
    values_arrays arrays;
    axis lines, pixels;
    values_buffer x, y;
} resize;

static bool is_int8(int32_t type) { return type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8; }

// Where position i of `count` comes from: a scale, steps, a flip, or anything.
static float source_of(rng *r, int mode, uint32_t i, uint32_t count, uint32_t size) {
    switch (mode) {
    case 0: return ((float)i + 0.5f) * (float)size / (float)count - 0.5f;
    case 1: return (float)i;
    case 2: return (float)(count - 1 - i);
    default: return rng_float(r, 0.0f, (float)size - 1.0f);
    }
}

static uint32_t index_in(float at, uint32_t size) {
    return at < 0.0f ? 0 : at > (float)(size - 1) ? size - 1 : (uint32_t)at;
}

// Neighbours, as of a filter whose border repeats; one in three such axes takes them from anywhere.
static uint32_t draw_axis(rng *r, uint32_t size, axis *a, quernel_resize2d_axis *ret_axis) {
    const int mode = rng_int(r, 0, 3);
    const bool doubles = rng_one_in(r, 3), pads = rng_one_in(r, 4), blends = rng_one_in(r, 2),
               jumps = rng_one_in(r, 3);
    const uint32_t count = doubles ? 2 * size : (uint32_t)rng_int(r, 1, 25),
                   taps = blends ? (uint32_t)rng_int(r, 1, rng_one_in(r, 3) ? TAPS_MAX : 4) : 1;
    for (uint32_t i = 0; i < count; i++) {
        const float at = source_of(r, mode, i, count, size);
        uint32_t *index = &a->index[i * taps];
        for (uint32_t t = 0; t < taps; t++) {
            index[t] = index_in(at + (float)t - (float)(taps / 2), size);
            if (jumps) index[t] = (uint32_t)rng_int(r, 0, (int32_t)size - 1);
            a->weight[i * taps + t] = rng_one_in(r, 5) ? 0.0f : rng_float(r, -1.5f, 1.5f);
        }
        if (!pads || !rng_one_in(r, 3)) continue;
        for (uint32_t t = 0; t < taps; t++) index[t] = 1u << 31, a->weight[i * taps + t] = NAN;
        index[0] = QUERNEL_RESIZE2D_PAD;
    }
    *ret_axis = (quernel_resize2d_axis){taps, a->index, blends ? a->weight : NULL};
    return count;
}

static void draw(resize *e, rng *r) {
    quernel_resize2d_desc *d = &e->d;
    uint32_t s[4];
    *d = (quernel_resize2d_desc)QUERNEL_RESIZE2D_DESC_INIT;
    images_draw_sizes(r, s);
    d->x.tensor = values_draw_tensor(r, values_draw_type(r), s, true);
    values_draw_epilogue(r, &d->epilogue, s[1], &e->arrays);
    values_draw_operand(r, &d->x, e->arrays.x_scales);
    if (rng_one_in(r, 2)) { // the same coding
        d->epilogue = (quernel_epilogue)QUERNEL_EPILOGUE_INIT;
        d->epilogue.y_type = d->x.tensor.type;
        d->epilogue.y_scale = d->x.scale, d->epilogue.y_zero = d->x.zero;
        d->x.scales = NULL;
    }
    s[2] = draw_axis(r, s[2], &e->lines, &d->lines);
    s[3] = draw_axis(r, s[3], &e->pixels, &d->pixels);
    d->y = values_draw_tensor(r, d->epilogue.y_type, s, true);
    d->pad = rng_one_in(r, 2) ? 0.0f : rng_one_in(r, 5) ? -INFINITY : rng_float(r, -9.0f, 9.0f);
    d->threads = (uint32_t)rng_int(r, 0, 4), d->isa = images_draw_isa(r);
}

// Of int8 the steps from the zero point.
static float element(const resize *e, uint32_t n, uint32_t c, uint32_t h, uint32_t w) {
    quernel_operand plain = e->d.x;
    plain.scale = 1.0f, plain.scales = NULL;
    return values_read(&plain, &e->x.t, e->x.first, n, c, h, w);
}

// Lines first, then pixels.
static float line_at(const resize *e, uint32_t n, uint32_t c, uint32_t h, uint32_t w) {
    const quernel_resize2d_axis *a = &e->d.lines;
    const uint32_t first = h * a->taps;
    float t = element(e, n, c, a->index[first], w);
    if (a->weight) t *= a->weight[first];
    for (uint32_t i = first + 1; i < first + a->taps; i++)
        t = fmaf(a->weight[i], element(e, n, c, a->index[i], w), t);
    return t;
}

static float value_of(const resize *e, uint32_t n, uint32_t c, uint32_t h, uint32_t w) {
    const quernel_resize2d_axis *a = &e->d.pixels;
    const quernel_operand *x = &e->d.x;
    const uint32_t first = w * a->taps;
    float t = line_at(e, n, c, h, a->index[first]);
    if (a->weight) t *= a->weight[first];
    for (uint32_t i = first + 1; i < first + a->taps; i++)
        t = fmaf(a->weight[i], line_at(e, n, c, h, a->index[i]), t);
    return is_int8(x->tensor.type) ? t * (x->scales ? x->scales[c] : x->scale) : t;
}

// Whether elements pass as they are.
static bool copies(const resize *e) {
    const quernel_resize2d_desc *d = &e->d;
    const quernel_epilogue *f = &d->epilogue;
    return !d->lines.weight && !d->pixels.weight && f->y_type == d->x.tensor.type &&
           !f->activation && !is_int8(f->y_type);
}

static void expect(resize *e) {
    const quernel_resize2d_desc *d = &e->d;
    const quernel_tensor *y = &e->y.t;
    IMAGES_EACH(y, n, c, h, w) {
        uint8_t *at = images_expected(&e->y, n, c, h, w);
        const uint32_t line = d->lines.index[h * d->lines.taps],
                       pixel = d->pixels.index[w * d->pixels.taps];
        if (line == QUERNEL_RESIZE2D_PAD || pixel == QUERNEL_RESIZE2D_PAD)
            values_write(&d->epilogue, c, d->pad, at);
        else if (copies(e))
            memcpy(at, e->x.first + values_at(&e->x.t, n, c, line, pixel),
                   quernel_type_size((quernel_type)y->type));
        else values_write(&d->epilogue, c, value_of(e, n, c, h, w), at);
    }
    values_border(y, (uint8_t)d->epilogue.y_zero, e->y.expected + (e->y.first - e->y.window));
}

static void describe(const resize *e, const char *wrong, char *text, size_t capacity) {
    const quernel_resize2d_desc *d = &e->d;
    const quernel_tensor *x = &d->x.tensor, *y = &d->y;
    char copy[200];
    snprintf(copy, sizeof copy, "%s", wrong);
    snprintf(text, capacity,
             "%s\n    types %d -> %d, layouts %d -> %d, %ux%ux%ux%u -> %ux%u, lines blend %u, "
             "pixels %u, activation %d, threads %u, isa %d",
             copy, x->type, d->epilogue.y_type, x->layout, y->layout, x->n, x->c, x->h, x->w, y->h,
             y->w, d->lines.weight ? d->lines.taps : 0, d->pixels.weight ? d->pixels.taps : 0,
             d->epilogue.activation, d->threads, d->isa);
}

bool resize2d_check(uint64_t seed, uint64_t number, char *text, size_t capacity) {
    static resize e;
    rng r = rng_make(seed, number);
    memset(&e, 0, sizeof e);
    draw(&e, &r);
    quernel_operator *op = NULL;
    quernel_error error = {0};
    const char *wrong = images_take(&r, &e.d.x.tensor, &e.d.y, &e.x, &e.y) ? NULL : "no memory";
    if (!wrong) expect(&e);
    e.d.y.type = 0; // the epilogue's counts
    if (!wrong && quernel_resize2d_create(&e.d, &op, &error)) wrong = error.text;
    // a later look at it is noticed
    memset(&e.arrays, 0xff, sizeof e.arrays);
    memset(&e.lines, 0xff, sizeof e.lines), memset(&e.pixels, 0xff, sizeof e.pixels);
    if (!wrong) wrong = images_run(&r, op, e.d.threads, &e.x, &e.y, text, capacity);
    if (wrong) describe(&e, wrong, text, capacity);
    values_free(&e.x), values_free(&e.y);
    return !wrong;
}
