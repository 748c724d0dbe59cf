// SPDX-License-Identifier: Apache-2.0
// One random product of two tensors, compared with linear layers whose weights are its matrices.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "images.h"

typedef struct products {
    quernel_matmul_desc d;
    values_arrays arrays;
    values_buffer x, z, y;
    uint32_t m, k, n;
} products;

// Channels side by side; of a tensor that is read without a border.
static quernel_tensor draw_tensor(rng *r, int32_t type, const uint32_t s[4], bool border) {
    for (;;) {
        const quernel_tensor t = values_draw_tensor(r, type, s, border);
        if (t.layout == QUERNEL_LAYOUT_NHWC && t.stride_c <= 1) return t;
    }
}

static int32_t draw_codes(rng *r) { return rng_one_in(r, 2) ? QUERNEL_TYPE_U8 : QUERNEL_TYPE_S8; }

static uint32_t draw_size(rng *r) {
    return rng_one_in(r, 4) ? 16 * (uint32_t)rng_int(r, 1, 8) : (uint32_t)rng_int(r, 1, 70);
}

static void draw(products *p, rng *r) {
    quernel_matmul_desc *d = &p->d;
    *d = (quernel_matmul_desc)QUERNEL_MATMUL_DESC_INIT;
    p->m = draw_size(r), p->k = draw_size(r), p->n = draw_size(r);
    d->transposed = rng_one_in(r, 2);
    const uint32_t images = (uint32_t)rng_int(r, 1, 2), lines = (uint32_t)rng_int(r, 1, 4);
    const uint32_t x[4] = {images, p->k, lines, p->m}, y[4] = {images, p->n, lines, p->m};
    const uint32_t z[4] = {rng_one_in(r, 4) ? 1 : images, d->transposed ? p->k : p->n,
                           rng_one_in(r, 4) ? 1 : lines, d->transposed ? p->n : p->k};
    values_draw_epilogue(r, &d->epilogue, p->n, &p->arrays);
    d->x.tensor = draw_tensor(r, draw_codes(r), x, false);
    d->z.tensor = draw_tensor(r, draw_codes(r), z, false);
    d->y = draw_tensor(r, d->epilogue.y_type, y, true);
    values_draw_operand(r, &d->x, p->arrays.x_scales);
    values_draw_operand(r, &d->z, p->arrays.z_scales);
    d->x.scales = NULL;
    if (d->transposed) d->z.scales = NULL;
    d->threads = (uint32_t)rng_int(r, 0, 4), d->isa = images_draw_isa(r);
}

// Matrix (image, line) of z, [k][n] or [n][k].
static void copy_matrix(const products *p, uint32_t image, uint32_t line, uint8_t *to) {
    const quernel_tensor *z = &p->z.t;
    for (uint32_t w = 0; w < z->w; w++)
        for (uint32_t c = 0; c < z->c; c++) *to++ = p->z.first[values_at(z, image, c, line, w)];
}

static int pack(const products *p, const uint8_t *codes, quernel_weights **weights,
                quernel_error *error) {
    const quernel_operand *z = &p->d.z;
    float scales[VALUES_CHANNELS_MAX];
    int32_t zeros[VALUES_CHANNELS_MAX];
    for (uint32_t n = 0; n < p->n; n++)
        scales[n] = z->scales ? z->scales[n] : z->scale, zeros[n] = z->zero;
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.type = z->tensor.type, w.out = p->n, w.in = p->k, w.data = codes;
    w.scale = scales, w.zero = zeros;
    if (!p->d.transposed) w.stride = 1, w.stride_in = p->n;
    return quernel_weights_pack(&w, weights, error);
}

static int run_linear(const products *p, quernel_weights *weights, const uint8_t *x, void *y,
                      quernel_error *error) {
    quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
    d.weights = weights, d.m = p->m, d.x_type = d.quant.type = p->d.x.tensor.type;
    d.quant.scale = p->d.x.scale, d.quant.zero = p->d.x.zero;
    d.epilogue = p->d.epilogue, d.isa = QUERNEL_ISA_REF;
    quernel_operator *op;
    int code = quernel_linear_create(&d, &op, error);
    if (code) return code;
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = aligned_alloc(64, (bytes + 127) / 64 * 64);
    code = workspace ? quernel_operator_run(op, x, NULL, y, workspace, bytes, NULL, error)
                     : QUERNEL_E_MEMORY;
    free(workspace);
    quernel_operator_destroy(op);
    return code;
}

static void expect_rows(products *p, uint32_t image, uint32_t line, const uint8_t *rows) {
    const size_t size = quernel_type_size((quernel_type)p->y.t.type);
    for (uint32_t m = 0; m < p->m; m++)
        for (uint32_t n = 0; n < p->n; n++)
            memcpy(images_expected(&p->y, image, n, line, m), rows + (m * p->n + n) * size, size);
}

static int expect_matrix(products *p, uint32_t image, uint32_t line, quernel_error *error) {
    static uint8_t x[128 * 128], z[128 * 128],
        y[128 * 128 * sizeof(float)] __attribute__((aligned(64)));
    for (uint32_t m = 0; m < p->m; m++)
        for (uint32_t k = 0; k < p->k; k++)
            x[m * p->k + k] = p->x.first[values_at(&p->x.t, image, k, line, m)];
    copy_matrix(p, image, line, z);
    quernel_weights *weights = NULL;
    int code = pack(p, z, &weights, error);
    if (!code) code = run_linear(p, weights, x, y, error);
    quernel_weights_release(weights);
    if (!code) expect_rows(p, image, line, y);
    return code;
}

static int expect(products *p, quernel_error *error) {
    int code = QUERNEL_OK;
    for (uint32_t n = 0; n < p->x.t.n && !code; n++)
        for (uint32_t h = 0; h < p->x.t.h && !code; h++) code = expect_matrix(p, n, h, error);
    values_border(&p->y.t, (uint8_t)p->d.epilogue.y_zero,
                  p->y.expected + (p->y.first - p->y.window));
    return code;
}

static const char *run(products *p, rng *r, char *text, size_t capacity) {
    quernel_operator *op = NULL;
    quernel_error error = {0};
    int code = expect(p, &error);
    if (!code) code = quernel_matmul_create(&p->d, &op, &error);
    if (code) return snprintf(text, capacity, "create: %d: %s", code, error.text), text;
    memset(&p->arrays, 0xff, sizeof p->arrays);
    const char *wrong =
        values_run(r, op, p->d.threads ? p->d.threads : 1, p->x.first, p->z.first, p->y.first);
    quernel_operator_destroy(op);
    if (!wrong) wrong = values_compare(&p->y, text, capacity);
    if (!wrong) golden_tensor(&p->y.t, p->y.t.type, p->y.first);
    return wrong;
}

static void describe(const products *p, const char *wrong, char *text, size_t capacity) {
    const quernel_matmul_desc *d = &p->d;
    char copy[200];
    snprintf(copy, sizeof copy, "%s", wrong);
    snprintf(text, capacity,
             "%s\n    types %d %d -> %d, %ux%u matrices (z %ux%u) of %ux%ux%u, transposed %d, "
             "zeros %d %d, activation %d, border %u %u, threads %u, isa %d",
             copy, d->x.tensor.type, d->z.tensor.type, d->epilogue.y_type, p->x.t.n, p->x.t.h,
             p->z.t.n, p->z.t.h, p->m, p->n, p->k, d->transposed, d->x.zero, d->z.zero,
             d->epilogue.activation, d->y.border_h, d->y.border_w, d->threads, d->isa);
}

bool matmul_check(uint64_t seed, uint64_t number, char *text, size_t capacity) {
    static products p;
    rng r = rng_make(seed, number);
    memset(&p, 0, sizeof p);
    draw(&p, &r);
    const char *wrong = NULL;
    if (!images_take(&r, &p.d.x.tensor, &p.d.y, &p.x, &p.y) ||
        !values_take(&p.z, &r, &p.d.z.tensor, 2))
        wrong = "no memory";
    if (!wrong) {
        values_fill(&p.z, &r), values_keep(&p.z);
        wrong = run(&p, &r, text, capacity);
    }
    if (!wrong) wrong = values_compare(&p.x, text, capacity);
    if (!wrong) wrong = values_compare(&p.z, text, capacity);
    if (wrong) describe(&p, wrong, text, capacity);
    values_free(&p.x), values_free(&p.z), values_free(&p.y);
    return !wrong;
}
