// SPDX-License-Identifier: Apache-2.0
// One random operator of eltwise, run and compared with docs/numerics.md, rule 8.
#include "eltwise.h"

#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "runner.h"
#include "values.h"

typedef struct elements {
    quernel_eltwise_desc d;
    values_arrays arrays;
    uint8_t table[VALUES_CHANNELS_MAX * 256];
    values_buffer x, z, y;
    bool two, x_in_place, z_in_place;
} elements;

static void draw_sizes(rng *r, uint32_t s[4]) {
    s[0] = rng_one_in(r, 2) ? 1 : (uint32_t)rng_int(r, 1, 3);
    s[1] = rng_one_in(r, 3) ? 16 * (uint32_t)rng_int(r, 1, 5) : (uint32_t)rng_int(r, 1, 70);
    s[2] = (uint32_t)rng_int(r, 1, 9), s[3] = (uint32_t)rng_int(r, 1, 20);
    if (rng_one_in(r, 5)) s[2] = s[3] = 1; // vectors
    if (rng_one_in(r, 12)) s[2] = 40, s[3] = 33;
    if (rng_one_in(r, 12)) s[1] = (uint32_t)rng_int(r, 200, VALUES_CHANNELS_MAX);
}

// Of each direction all, or one for all.
static void draw_broadcast(rng *r, const uint32_t s[4], uint32_t ret[4]) {
    static const uint8_t usual[] = {0, 15, 13, 12, 11, 4}; // bits: n c h w are 1
    const uint32_t one = rng_one_in(r, 3)   ? (uint32_t)rng_int(r, 0, 15)
                         : rng_one_in(r, 2) ? 0
                                            : usual[rng_next(r) % 6];
    for (int i = 0; i < 4; i++) ret[i] = one >> i & 1 ? 1 : s[i];
}

static void draw_lookup(elements *e, rng *r, uint32_t channels) {
    quernel_eltwise_desc *d = &e->d;
    if (d->x.tensor.type <= QUERNEL_TYPE_BF16) d->x.tensor.type = QUERNEL_TYPE_U8;
    if (d->epilogue.y_type <= QUERNEL_TYPE_BF16) d->epilogue.y_type = QUERNEL_TYPE_S8;
    d->epilogue.activation = QUERNEL_ACTIVATION_NONE;
    d->tables = rng_one_in(r, 2) ? 1 : channels;
    d->table = e->table;
    for (size_t i = 0; i < (size_t)d->tables * 256; i++) e->table[i] = (uint8_t)rng_next(r);
}

static void draw(elements *e, rng *r) {
    quernel_eltwise_desc *d = &e->d;
    uint32_t s[4], one[4];
    *d = (quernel_eltwise_desc)QUERNEL_ELTWISE_DESC_INIT;
    draw_sizes(r, s), draw_broadcast(r, s, one);
    d->kind = rng_int(r, QUERNEL_ELTWISE_COPY, QUERNEL_ELTWISE_LOOKUP);
    values_draw_epilogue(r, &d->epilogue, s[1], &e->arrays);
    d->x.tensor.type = values_draw_type(r);
    if (d->kind == QUERNEL_ELTWISE_LOOKUP) draw_lookup(e, r, s[1]);
    e->two = d->kind >= QUERNEL_ELTWISE_ADD && d->kind <= QUERNEL_ELTWISE_DIV;
    d->x.tensor = values_draw_tensor(r, d->x.tensor.type, s, false);
    d->y = values_draw_tensor(r, d->epilogue.y_type, s, true);
    d->z.tensor = values_draw_tensor(r, values_draw_type(r), one, false);
    if (rng_one_in(r, 3))
        d->y.layout = d->x.tensor.layout,
        d->y = values_draw_tensor(r, d->epilogue.y_type, s, false);
    values_draw_operand(r, &d->x, e->arrays.x_scales);
    values_draw_operand(r, &d->z, e->arrays.z_scales);
    d->threads = (uint32_t)rng_int(r, 1, 4);
    const uint32_t isas = runner_isas(), isa = (uint32_t)rng_int(r, 0, 15);
    d->isa = isas >> isa & 1 ? (int32_t)isa : -1;
}

// y takes x's or z's place where sizes and elements allow it: the same strides.
static void draw_in_place(elements *e, rng *r) {
    quernel_eltwise_desc *d = &e->d;
    const bool z = e->two && rng_one_in(r, 2);
    const quernel_tensor *from = z ? &d->z.tensor : &d->x.tensor;
    if (!rng_one_in(r, 5) || from->n != d->y.n || from->c != d->y.c || from->h != d->y.h ||
        from->w != d->y.w ||
        quernel_type_size((quernel_type)from->type) !=
            quernel_type_size((quernel_type)d->epilogue.y_type))
        return;
    d->y = *from, d->y.type = d->epilogue.y_type;
    *(z ? &e->z_in_place : &e->x_in_place) = true;
}

static bool take(elements *e, rng *r) {
    const quernel_tensor *y = &e->d.y;
    if (!values_take(&e->y, r, y, 0)) return false;
    values_fill(&e->y, r);
    if (e->x_in_place) e->x = e->y, e->x.t = e->d.x.tensor, values_fill(&e->x, r);
    else if (!values_take(&e->x, r, &e->d.x.tensor, 1)) return false;
    if (e->z_in_place) e->z = e->y, e->z.t = e->d.z.tensor, values_fill(&e->z, r);
    else if (!values_take(&e->z, r, &e->d.z.tensor, 2)) return false;
    if (!e->x_in_place) values_fill(&e->x, r), values_keep(&e->x);
    if (!e->z_in_place) values_fill(&e->z, r), values_keep(&e->z);
    values_keep(&e->y);
    return true;
}

static float combine(int32_t kind, float x, float z) {
    switch (kind) {
    case QUERNEL_ELTWISE_ADD: return x + z;
    case QUERNEL_ELTWISE_SUB: return x - z;
    case QUERNEL_ELTWISE_MUL: return x * z;
    case QUERNEL_ELTWISE_DIV: return x / z;
    default: return x;
    }
}

static void expect_element(elements *e, uint32_t n, uint32_t c, uint32_t h, uint32_t w) {
    const quernel_eltwise_desc *d = &e->d;
    uint8_t *at = e->y.expected + (e->y.first + values_at(&e->y.t, n, c, h, w) - e->y.window);
    if (d->kind == QUERNEL_ELTWISE_LOOKUP) {
        const uint8_t q = e->x.first[values_at(&e->x.t, n, c, h, w)];
        *at = e->table[(d->tables > 1 ? c * 256 : 0) + q];
        return;
    }
    const float x = values_read(&d->x, &e->x.t, e->x.first, n, c, h, w);
    const float z = e->two ? values_read(&d->z, &e->z.t, e->z.first, n, c, h, w) : 0.0f;
    values_write(&d->epilogue, c, combine(d->kind, x, z), at);
}

static void expect(elements *e) {
    const quernel_tensor *y = &e->y.t;
    for (uint32_t n = 0; n < y->n; n++)
        for (uint32_t c = 0; c < y->c; c++)
            for (uint32_t h = 0; h < y->h; h++)
                for (uint32_t w = 0; w < y->w; w++) expect_element(e, n, c, h, w);
    values_border(y, (uint8_t)e->d.epilogue.y_zero, e->y.expected + (e->y.first - e->y.window));
}

// What create copied is overwritten: a later look at it is noticed.
static const char *run(elements *e, rng *r, char *text, size_t capacity) {
    quernel_operator *op = NULL;
    quernel_error error = {0};
    const int code = quernel_eltwise_create(&e->d, &op, &error);
    if (code) return snprintf(text, capacity, "create: %d: %s", code, error.text), text;
    memset(&e->arrays, 0xff, sizeof e->arrays), memset(e->table, 0xff, sizeof e->table);
    const char *wrong =
        values_run(r, op, e->d.threads, e->x.first, e->two ? e->z.first : NULL, e->y.first);
    quernel_operator_destroy(op);
    return wrong;
}

static void describe(const elements *e, const char *wrong, char *text, size_t capacity) {
    const quernel_eltwise_desc *d = &e->d;
    const quernel_tensor *y = &d->y, *z = &e->z.t;
    char copy[200];
    snprintf(copy, sizeof copy, "%s", wrong);
    snprintf(text, capacity,
             "%s\n    kind %d, types %d %d -> %d, layouts %d %d -> %d, y %ux%ux%ux%u, z "
             "%ux%ux%ux%u, activation %d, border %u %u, isa %d, threads %u, tables %u%s%s",
             copy, d->kind, e->x.t.type, z->type, d->epilogue.y_type, e->x.t.layout, z->layout,
             y->layout, y->n, y->c, y->h, y->w, z->n, z->c, z->h, z->w, d->epilogue.activation,
             y->border_h, y->border_w, d->isa, d->threads, d->tables,
             e->x_in_place ? ", y is x" : "", e->z_in_place ? ", y is z" : "");
}

bool eltwise_check(uint64_t seed, uint64_t number, char *text, size_t capacity) {
    static elements e;
    rng r = rng_make(seed, number);
    memset(&e, 0, sizeof e);
    draw(&e, &r);
    draw_in_place(&e, &r);
    const char *wrong = take(&e, &r) ? NULL : "no memory";
    if (!wrong) {
        expect(&e);
        wrong = run(&e, &r, text, capacity);
    }
    if (!wrong) wrong = values_compare(&e.y, text, capacity);
    if (!wrong) golden_tensor(&e.y.t, e.y.t.type, e.y.first);
    if (!wrong && !e.x_in_place) wrong = values_compare(&e.x, text, capacity);
    if (!wrong && !e.z_in_place) wrong = values_compare(&e.z, text, capacity);
    if (wrong) describe(&e, wrong, text, capacity);
    values_free(&e.y);
    if (!e.x_in_place) values_free(&e.x);
    if (!e.z_in_place) values_free(&e.z);
    return !wrong;
}
