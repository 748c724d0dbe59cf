// SPDX-License-Identifier: Apache-2.0
// One random shuffle, run and compared with what shuffle2d.h says.
#include <stdio.h>
#include <string.h>

#include "images.h"

enum { INDICES_MAX = 4096 };

typedef struct shuffle {
    quernel_shuffle2d_desc d;
    quernel_tensor inferred; // of y
    uint32_t from[INDICES_MAX];
    values_buffer x, y;
} shuffle;

// Depth to space in both orders, shuffled groups, or anything.
static void draw_indices(shuffle *s, rng *r, uint32_t count, uint32_t indices) {
    const uint32_t step = (uint32_t)rng_int(r, 1, 6);
    const int mode = rng_int(r, 0, 2);
    for (uint32_t i = 0; i < count; i++)
        s->from[i] = mode == 0   ? i % indices
                     : mode == 1 ? (i * step + i / indices) % indices
                                 : (uint32_t)rng_int(r, 0, (int32_t)indices - 1);
    s->d.from = s->from;
}

static void draw(shuffle *s, rng *r) {
    quernel_shuffle2d_desc *d = &s->d;
    static const int32_t types[] = {QUERNEL_TYPE_F32, QUERNEL_TYPE_BF16, QUERNEL_TYPE_S8,
                                    QUERNEL_TYPE_U8};
    uint32_t x[4], y[4];
    *d = (quernel_shuffle2d_desc)QUERNEL_SHUFFLE2D_DESC_INIT;
    images_draw_sizes(r, x);
    d->gather = rng_one_in(r, 2);
    d->block_h = (uint32_t)rng_int(r, 1, 4), d->block_w = (uint32_t)rng_int(r, 1, 4);
    const uint32_t block = d->block_h * d->block_w;
    if (d->gather) x[2] *= d->block_h, x[3] *= d->block_w;
    y[0] = x[0], y[1] = (uint32_t)rng_int(r, 1, rng_one_in(r, 4) ? 200 : 40);
    y[2] = d->gather ? x[2] / d->block_h : x[2] * d->block_h;
    y[3] = d->gather ? x[3] / d->block_w : x[3] * d->block_w;
    draw_indices(s, r, d->gather ? y[1] : block * y[1], d->gather ? block * x[1] : x[1]);
    const int32_t type = types[rng_next(r) % 4];
    d->x = values_draw_tensor(r, type, x, true);
    d->y = s->inferred = values_draw_tensor(r, type, y, true);
    if (rng_one_in(r, 2)) d->y.n = d->y.h = d->y.w = 0;
    d->border = (uint8_t)rng_next(r);
    d->threads = (uint32_t)rng_int(r, 0, 4);
}

static void expect(shuffle *s) {
    const quernel_shuffle2d_desc *d = &s->d;
    const quernel_tensor *y = &s->y.t;
    const uint32_t bh = d->block_h, bw = d->block_w;
    IMAGES_EACH(y, n, c, h, w) {
        uint32_t index, x_h, x_w;
        if (d->gather) {
            index = s->from[c];
            x_h = h * bh + index / d->x.c / bw, x_w = w * bw + index / d->x.c % bw;
        } else {
            index = s->from[(h % bh * bw + w % bw) * y->c + c];
            x_h = h / bh, x_w = w / bw;
        }
        memcpy(images_expected(&s->y, n, c, h, w),
               s->x.first + values_at(&s->x.t, n, index % d->x.c, x_h, x_w),
               quernel_type_size((quernel_type)y->type));
    }
    values_border(y, d->border, s->y.expected + (s->y.first - s->y.window));
}

static void describe(const shuffle *s, const char *wrong, char *text, size_t capacity) {
    const quernel_shuffle2d_desc *d = &s->d;
    const quernel_tensor *x = &d->x, *y = &s->inferred;
    char copy[200];
    snprintf(copy, sizeof copy, "%s", wrong);
    snprintf(text, capacity,
             "%s\n    gather %d, type %d, layouts %d -> %d, %ux%ux%ux%u -> %ux%ux%u, block %ux%u, "
             "threads %u",
             copy, d->gather, x->type, x->layout, y->layout, x->n, x->c, x->h, x->w, y->c, y->h,
             y->w, d->block_h, d->block_w, d->threads);
}

bool shuffle2d_check(uint64_t seed, uint64_t number, char *text, size_t capacity) {
    static shuffle s;
    rng r = rng_make(seed, number);
    memset(&s, 0, sizeof s);
    draw(&s, &r);
    quernel_operator *op = NULL;
    quernel_error error = {0};
    const char *wrong = images_take(&r, &s.d.x, &s.inferred, &s.x, &s.y) ? NULL : "no memory";
    if (!wrong) expect(&s);
    if (!wrong && quernel_shuffle2d_create(&s.d, &op, &error)) wrong = error.text;
    memset(s.from, 0xff, sizeof s.from); // a later look at it is noticed
    if (!wrong) wrong = images_run(&r, op, s.d.threads, &s.x, &s.y, text, capacity);
    if (wrong) describe(&s, wrong, text, capacity);
    values_free(&s.x), values_free(&s.y);
    return !wrong;
}
