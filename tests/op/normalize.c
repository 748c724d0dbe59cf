// SPDX-License-Identifier: Apache-2.0
// One random normalization, run and compared with docs/numerics.md, rule 11.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "images.h"

typedef struct normalization {
    quernel_normalize_desc d;
    values_arrays arrays;
    float gamma[VALUES_CHANNELS_MAX], beta[VALUES_CHANNELS_MAX];
    values_buffer x, y;
    quernel_tensor inferred; // of y
} normalization;

static const float *draw_table(rng *r, float *table, uint32_t channels) {
    for (uint32_t c = 0; c < channels; c++) table[c] = rng_float(r, -2.0f, 2.0f);
    return rng_one_in(r, 4) ? NULL : table;
}

static void draw(normalization *p, rng *r) {
    quernel_normalize_desc *d = &p->d;
    uint32_t s[4];
    *d = (quernel_normalize_desc)QUERNEL_NORMALIZE_DESC_INIT;
    images_draw_sizes(r, s);
    if (rng_one_in(r, 3)) s[1] = (uint32_t)rng_int(r, 1, VALUES_CHANNELS_MAX);
    d->kind = rng_int(r, 0, QUERNEL_NORMALIZE_RMS);
    d->x.tensor = values_draw_tensor(r, values_draw_type(r), s, true);
    values_draw_epilogue(r, &d->epilogue, s[1], &p->arrays);
    values_draw_operand(r, &d->x, p->arrays.x_scales);
    d->gamma = draw_table(r, p->gamma, s[1]), d->beta = draw_table(r, p->beta, s[1]);
    d->epsilon = rng_one_in(r, 4) ? 0.0f : rng_float(r, 1e-6f, 0.1f);
    d->y = p->inferred = values_draw_tensor(r, d->epilogue.y_type, s, true);
    if (rng_one_in(r, 2)) d->y.n = d->y.c = d->y.h = d->y.w = 0;
    d->y.type = 0; // the epilogue's counts
    d->threads = (uint32_t)rng_int(r, 0, 4), d->isa = images_draw_isa(r);
}

// ---- the law ----

static float fold(float s[16]) {
    for (int step = 8; step; step /= 2)
        for (int l = 0; l < step; l++) s[l] += s[l + step];
    return s[0];
}

static float total(const float *v, uint32_t count) {
    float s[16] = {0};
    for (uint32_t c = 0; c < count; c++) s[c % 16] += v[c];
    return fold(s);
}

static float squares(const float *v, uint32_t count) {
    float s[16] = {0};
    for (uint32_t c = 0; c < count; c++) s[c % 16] = fmaf(v[c], v[c], s[c % 16]);
    return fold(s);
}

// e^t to 3.1e-7 of itself, by the formula of rule 7.
static float power(float t) {
    if (t < -87.0f) return 0.0f;
    const float magic = 12582912.0f, j = fmaf(t, 0x1.715476p0f, magic), n = j - magic;
    const float r = fmaf(n, -0x1.62e43p-1f, t);
    float q = fmaf(r, 0x1.6a2434p-10f, 0x1.1239e2p-7f);
    q = fmaf(r, q, 0x1.5558f2p-5f), q = fmaf(r, q, 0x1.555492p-3f);
    q = fmaf(r, q, 0x1.fffffcp-2f), q = fmaf(r * r, q, r);
    const float s = isnan(t) ? t : ldexpf(1.0f, (int)n);
    return fmaf(s, q, s);
}

static void softmax(float *v, uint32_t count) {
    float max = -INFINITY;
    for (uint32_t c = 0; c < count; c++) max = v[c] > max ? v[c] : max;
    for (uint32_t c = 0; c < count; c++) v[c] = power(v[c] - max);
    const float share = 1.0f / total(v, count);
    for (uint32_t c = 0; c < count; c++) v[c] = v[c] * share;
}

static void scale(const normalization *p, float *v, uint32_t count) {
    const quernel_normalize_desc *d = &p->d;
    const float mean = d->kind == QUERNEL_NORMALIZE_LAYER ? total(v, count) / (float)count : 0.0f;
    for (uint32_t c = 0; c < count && d->kind == QUERNEL_NORMALIZE_LAYER; c++) v[c] -= mean;
    const float by = 1.0f / sqrtf(squares(v, count) / (float)count + d->epsilon);
    for (uint32_t c = 0; c < count; c++)
        v[c] = fmaf(v[c] * by, d->gamma ? d->gamma[c] : 1.0f, d->beta ? d->beta[c] : 0.0f);
}

static void expect_pixel(normalization *p, uint32_t n, uint32_t h, uint32_t w) {
    const quernel_tensor *x = &p->x.t;
    float v[VALUES_CHANNELS_MAX];
    for (uint32_t c = 0; c < x->c; c++) v[c] = values_read(&p->d.x, x, p->x.first, n, c, h, w);
    if (p->d.kind == QUERNEL_NORMALIZE_SOFTMAX) softmax(v, x->c);
    else scale(p, v, x->c);
    for (uint32_t c = 0; c < x->c; c++)
        values_write(&p->d.epilogue, c, v[c], images_expected(&p->y, n, c, h, w));
}

static void expect(normalization *p) {
    const quernel_tensor *y = &p->y.t;
    for (uint32_t n = 0; n < y->n; n++)
        for (uint32_t h = 0; h < y->h; h++)
            for (uint32_t w = 0; w < y->w; w++) expect_pixel(p, n, h, w);
    values_border(y, (uint8_t)p->d.epilogue.y_zero, p->y.expected + (p->y.first - p->y.window));
}

static void describe(const normalization *p, const char *wrong, char *text, size_t capacity) {
    const quernel_normalize_desc *d = &p->d;
    const quernel_tensor *x = &d->x.tensor, *y = &p->inferred;
    char copy[200];
    snprintf(copy, sizeof copy, "%s", wrong);
    snprintf(text, capacity,
             "%s\n    kind %d, types %d -> %d, layouts %d -> %d, %ux%ux%ux%u, epsilon %g, "
             "activation %d, threads %u, isa %d",
             copy, d->kind, x->type, d->epilogue.y_type, x->layout, y->layout, x->n, x->c, x->h,
             x->w, (double)d->epsilon, d->epilogue.activation, d->threads, d->isa);
}

bool normalize_check(uint64_t seed, uint64_t number, char *text, size_t capacity) {
    static normalization p;
    rng r = rng_make(seed, number);
    memset(&p, 0, sizeof p);
    draw(&p, &r);
    quernel_operator *op = NULL;
    quernel_error error = {0};
    const char *wrong =
        images_take(&r, &p.d.x.tensor, &p.inferred, &p.x, &p.y) ? NULL : "no memory";
    if (!wrong) expect(&p);
    if (!wrong && quernel_normalize_create(&p.d, &op, &error)) wrong = error.text;
    memset(&p.arrays, 0xff, sizeof p.arrays); // a later look at it is noticed
    memset(p.gamma, 0xff, sizeof p.gamma), memset(p.beta, 0xff, sizeof p.beta);
    if (!wrong) wrong = images_run(&r, op, p.d.threads, &p.x, &p.y, text, capacity);
    if (wrong) describe(&p, wrong, text, capacity);
    values_free(&p.x), values_free(&p.y);
    return !wrong;
}
