// SPDX-License-Identifier: Apache-2.0
// One random pool, run and compared with docs/numerics.md, rule 9.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "images.h"

typedef struct pool {
    quernel_pool2d_desc d;
    values_arrays arrays;
    values_buffer x, y;
    quernel_tensor inferred; // of y
} pool;

static bool is_int8(int32_t type) { return type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8; }

// One direction of a window that fits x, and the size that it gives.
static uint32_t draw_direction(rng *r, uint32_t size, bool up, uint32_t *kernel, uint32_t *stride,
                               uint32_t *dilation, uint32_t *before, uint32_t *after) {
    for (;;) {
        *kernel = (uint32_t)rng_int(r, 1, rng_one_in(r, 4) ? 13 : 4);
        *stride = (uint32_t)rng_int(r, 1, rng_one_in(r, 4) ? 5 : 2);
        *dilation = rng_one_in(r, 5) ? (uint32_t)rng_int(r, 1, 3) : 1;
        const int window = (int)(*dilation * (*kernel - 1)) + 1;
        *before = rng_one_in(r, 3) ? (uint32_t)rng_int(r, 0, window - 1) : (uint32_t)window / 2;
        *after = rng_one_in(r, 3) ? (uint32_t)rng_int(r, 0, window - 1) : *before;
        const int padded = (int)(size + *before + *after);
        if (padded < window || (int)*before >= window) continue;
        int count = (padded - window) / (int)*stride + 1;
        if (up && (padded - window) % (int)*stride && count * (int)*stride < (int)(size + *before))
            count++;
        bool holds = true; // each window an element of x
        for (int i = 0; i < count; i++) {
            bool found = false;
            for (int k = 0; k < (int)*kernel; k++) {
                const int at = i * (int)*stride - (int)*before + k * (int)*dilation;
                found = found || (at >= 0 && at < (int)size);
            }
            holds = holds && found;
        }
        if (holds) return (uint32_t)count;
    }
}

// Half of them keep the codes of int8.
static void draw_coding(pool *p, rng *r) {
    quernel_pool2d_desc *d = &p->d;
    values_draw_epilogue(r, &d->epilogue, d->x.tensor.c, &p->arrays);
    values_draw_operand(r, &d->x, p->arrays.x_scales);
    if (!is_int8(d->x.tensor.type) || !rng_one_in(r, 2)) return;
    quernel_epilogue *f = &d->epilogue;
    *f = (quernel_epilogue)QUERNEL_EPILOGUE_INIT;
    f->y_type = d->x.tensor.type, f->y_scale = d->x.scale, f->y_zero = d->x.zero;
    d->x.scales = NULL;
}

static void draw(pool *p, rng *r) {
    quernel_pool2d_desc *d = &p->d;
    uint32_t s[4];
    *d = (quernel_pool2d_desc)QUERNEL_POOL2D_DESC_INIT;
    images_draw_sizes(r, s);
    d->kind = rng_one_in(r, 2) ? QUERNEL_POOL2D_MAX : rng_int(r, 0, QUERNEL_POOL2D_GLOBAL);
    d->ceil_mode = rng_one_in(r, 3);
    d->x.tensor = values_draw_tensor(r, values_draw_type(r), s, true);
    draw_coding(p, r);
    uint32_t y[4] = {s[0], s[1], 1, 1};
    if (d->kind != QUERNEL_POOL2D_GLOBAL) {
        y[2] = draw_direction(r, s[2], d->ceil_mode, &d->kernel_h, &d->stride_h, &d->dilation_h,
                              &d->pad_top, &d->pad_bottom);
        y[3] = draw_direction(r, s[3], d->ceil_mode, &d->kernel_w, &d->stride_w, &d->dilation_w,
                              &d->pad_left, &d->pad_right);
    }
    d->y = p->inferred = values_draw_tensor(r, d->epilogue.y_type, y, true);
    if (rng_one_in(r, 2)) d->y.n = d->y.c = d->y.h = d->y.w = 0;
    d->y.type = 0; // the epilogue's counts
    d->threads = (uint32_t)rng_int(r, 0, 4), d->isa = images_draw_isa(r);
}

// A window as the law reads it.
typedef struct window {
    int64_t h, w;         // of its first tap
    int64_t h_end, w_end; // of x with its padding behind
    uint32_t kernel_h, kernel_w;
    uint32_t counted;
} window;

static window window_of(const pool *p, uint32_t h, uint32_t w) {
    const quernel_pool2d_desc *d = &p->d;
    const quernel_tensor *x = &d->x.tensor;
    if (d->kind == QUERNEL_POOL2D_GLOBAL) return (window){0, 0, x->h, x->w, x->h, x->w, 0};
    return (window){(int64_t)h * d->stride_h - d->pad_top,
                    (int64_t)w * d->stride_w - d->pad_left,
                    (int64_t)x->h + d->pad_bottom,
                    (int64_t)x->w + d->pad_right,
                    d->kernel_h,
                    d->kernel_w,
                    0};
}

static float average(const pool *p, float sum, int32_t acc, uint32_t count, uint32_t c) {
    const quernel_operand *x = &p->d.x;
    const float share = 1.0f / (float)count;
    if (!is_int8(x->tensor.type)) return sum * share;
    return (float)acc * ((x->scales ? x->scales[c] : x->scale) * share) + 0.0f;
}

static float value_of(const pool *p, uint32_t n, uint32_t c, uint32_t h, uint32_t w) {
    const quernel_pool2d_desc *d = &p->d;
    const quernel_tensor *x = &p->x.t;
    const bool padded = d->kind == QUERNEL_POOL2D_AVERAGE_PADDED;
    const window v = window_of(p, h, w);
    float sum = 0.0f, max = -INFINITY;
    int32_t acc = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < v.kernel_h; i++) {
        float line = 0.0f;
        for (uint32_t j = 0; j < v.kernel_w; j++) {
            const int64_t at_h = v.h + i * (int64_t)d->dilation_h,
                          at_w = v.w + j * (int64_t)d->dilation_w;
            const bool inside = at_h >= 0 && at_h < x->h && at_w >= 0 && at_w < x->w;
            count += padded ? at_h < v.h_end && at_w < v.w_end : inside;
            if (!inside) continue;
            const float e = values_read(&d->x, x, p->x.first, n, c, at_h, at_w);
            const uint8_t q = p->x.first[values_at(x, n, c, at_h, at_w)];
            max = e > max ? e : max;
            line += e;
            acc += (x->type == QUERNEL_TYPE_S8 ? (int8_t)q : q) - d->x.zero;
        }
        sum += line;
    }
    return d->kind == QUERNEL_POOL2D_MAX ? max : average(p, sum, acc, count, c);
}

static void expect(pool *p) {
    const quernel_tensor *y = &p->y.t;
    IMAGES_EACH(y, n, c, h, w)
    values_write(&p->d.epilogue, c, value_of(p, n, c, h, w), images_expected(&p->y, n, c, h, w));
    values_border(y, (uint8_t)p->d.epilogue.y_zero, p->y.expected + (p->y.first - p->y.window));
}

static void describe(const pool *p, const char *wrong, char *text, size_t capacity) {
    const quernel_pool2d_desc *d = &p->d;
    const quernel_tensor *x = &d->x.tensor, *y = &p->inferred;
    char copy[200];
    snprintf(copy, sizeof copy, "%s", wrong);
    snprintf(text, capacity,
             "%s\n    kind %d, types %d -> %d, layouts %d -> %d, %ux%ux%ux%u -> %ux%u, kernel "
             "%ux%u, stride %ux%u, dilation %ux%u, pad %u %u %u %u, ceil %d, activation %d, "
             "threads %u, isa %d",
             copy, d->kind, x->type, d->epilogue.y_type, x->layout, y->layout, x->n, x->c, x->h,
             x->w, y->h, y->w, d->kernel_h, d->kernel_w, d->stride_h, d->stride_w, d->dilation_h,
             d->dilation_w, d->pad_top, d->pad_left, d->pad_bottom, d->pad_right, d->ceil_mode,
             d->epilogue.activation, d->threads, d->isa);
}

bool pool2d_check(uint64_t seed, uint64_t number, char *text, size_t capacity) {
    static pool p;
    rng r = rng_make(seed, number);
    memset(&p, 0, sizeof p);
    draw(&p, &r);
    quernel_operator *op = NULL;
    quernel_error error = {0};
    const char *wrong =
        images_take(&r, &p.d.x.tensor, &p.inferred, &p.x, &p.y) ? NULL : "no memory";
    if (!wrong) expect(&p);
    if (!wrong && quernel_pool2d_create(&p.d, &op, &error)) wrong = error.text;
    memset(&p.arrays, 0xff, sizeof p.arrays); // a later look at it is noticed
    if (!wrong) wrong = images_run(&r, op, p.d.threads, &p.x, &p.y, text, capacity);
    if (wrong) describe(&p, wrong, text, capacity);
    values_free(&p.x), values_free(&p.y);
    return !wrong;
}
