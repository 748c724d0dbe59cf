// SPDX-License-Identifier: Apache-2.0
// Creates an operator from a descriptor and runs it in several ways.
#include "operate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../op/memory.h"
#include "../op/spread.h"
#include "buffer.h"
#include "op/operator.h"

enum {
    MOST_WORKSPACE = 1 << 24,
    // Multiply-adds of a run, more than plain sizes have: a window of 255 x 255 over a buffer that
    // may be taken would be five billion, minutes with sanitizers.
    MOST_WORK = 1 << 25
};

// From a copy of as many bytes as `size` says, so that a look behind them is noticed.
static int create(const operate_subject *p, quernel_operator **ret_op, quernel_error *error) {
    uint32_t size;
    memcpy(&size, p->desc, sizeof size);
    const size_t bytes = size < sizeof size ? sizeof size : size;
    void *copy = malloc(bytes);
    if (!copy) fuzz_fail("no memory for a descriptor");
    memcpy(copy, p->desc, bytes < p->desc_bytes ? bytes : p->desc_bytes);
    const int code = p->create(copy, ret_op, error);
    memset(copy, 0xff, bytes); // a later look at it is noticed
    free(copy);
    return code;
}

static bool can_run(const operate_subject *p, const quernel_operator *op) {
    const bool residual = op->has_residual;
    const double outputs = (double)op->y.n * op->y.c * op->y.h * op->y.w;
    return outputs * (double)p->depth <= MOST_WORK && buffer_bytes(&op->x) <= BUFFER_MOST &&
           buffer_bytes(&op->y) <= BUFFER_MOST &&
           (!residual || buffer_bytes(&op->residual) <= BUFFER_MOST) &&
           quernel_operator_workspace(op) <= MOST_WORKSPACE;
}

const quernel_parallel *operate_parallel(source *s, uint32_t threads) {
    static spread context;
    static quernel_parallel parallel;
    const op_spread kinds[] = {OP_SPREAD_NONE, OP_SPREAD_REVERSE, OP_SPREAD_SHUFFLE};
    const op_spread kind = kinds[source_below(s, 3)];
    parallel = spread_make(kind, threads ? threads : 1, source_byte(s), &context);
    return kind == OP_SPREAD_NONE ? NULL : &parallel;
}

static bool same_elements(const quernel_tensor *a, const quernel_tensor *b) {
    return quernel_type_size((quernel_type)a->type) == quernel_type_size((quernel_type)b->type) &&
           !memcmp(&a->layout, &b->layout,
                   offsetof(quernel_tensor, reserved) - offsetof(quernel_tensor, layout));
}

// Buffers of one run; z is y where `in_place`.
typedef struct scene {
    buffer x, y, z;
    const buffer *second; // NULL: none
} scene;

static void prepare(source *s, const operate_subject *p, const quernel_operator *op, uint64_t seed,
                    uint8_t poison, bool in_place, scene *at) {
    *at = (scene){0};
    buffer_take(s, &at->x, &op->x, 0, poison), buffer_take(s, &at->y, &op->y, 1, poison);
    buffer_fill(&at->x, seed, (uint8_t)p->x_zero);
    buffer_keep(&at->x);
    if (op->has_residual) {
        at->second = in_place ? &at->y : &at->z;
        if (!in_place) buffer_take(s, &at->z, &op->residual, 2, poison);
        buffer *z = in_place ? &at->y : &at->z;
        const quernel_tensor as_written = z->t;
        z->t = op->residual; // its type
        buffer_fill(z, seed + 1, 0);
        z->t = as_written;
        if (!in_place) buffer_keep(z);
    }
    buffer_keep(&at->y);
}

static uint8_t *run(source *s, const operate_subject *p, const quernel_operator *op, uint64_t seed,
                    uint8_t poison, bool in_place, size_t *ret_bytes) {
    static guarded memory;
    scene at;
    uint8_t *window;
    size_t window_bytes;
    quernel_error error = {0};
    const size_t bytes = quernel_operator_workspace(op);
    prepare(s, p, op, seed, poison, in_place, &at);
    uint8_t *workspace =
        guarded_take(&memory, bytes, 64, GUARDED_END, poison, &window, &window_bytes);
    if (!workspace) fuzz_fail("no memory for a workspace");
    const int code =
        quernel_operator_run(op, at.x.first, at.second ? at.second->first : NULL, at.y.first,
                             workspace, bytes, operate_parallel(s, op->threads), &error);
    if (code) fuzz_fail("what was created does not run: %s", error.text);
    for (size_t i = 0; i < window_bytes; i++)
        if (window[i] != poison && (window + i < workspace || window + i >= workspace + bytes))
            fuzz_fail("a byte beside the workspace was written");
    buffer_check(&at.x, true, "x"), buffer_check(&at.y, false, "y");
    if (at.second == &at.z) buffer_check(&at.z, true, "residual");
    *ret_bytes = 0;
    uint8_t *y = buffer_append(&at.y, NULL, ret_bytes);
    buffer_free(&at.x), buffer_free(&at.y), buffer_free(&at.z);
    return y;
}

void operate_same(const uint8_t *expected, size_t expected_bytes, uint8_t *y, size_t bytes,
                  const char *how) {
    size_t i = 0;
    if (bytes != expected_bytes)
        fuzz_fail("%s: %zu bytes of output, not %zu", how, bytes, expected_bytes);
    while (i < bytes && y[i] == expected[i]) i++;
    if (i < bytes) fuzz_fail("%s: byte %zu is %02x, not %02x", how, i, y[i], expected[i]);
    free(y);
}

// Another operator of the same descriptor, which must be created and must give the same bits.
static void run_as(source *s, const operate_subject *p, const char *how, uint64_t seed,
                   const uint8_t *expected, size_t expected_bytes) {
    quernel_operator *op = NULL;
    quernel_error error = {0};
    size_t bytes;
    const int code = create(p, &op, &error);
    if (code == QUERNEL_E_MEMORY) return;
    if (code) fuzz_fail("%s: is refused: %s", how, error.text);
    if (can_run(p, op)) {
        uint8_t *y = run(s, p, op, seed, 0x3c, false, &bytes);
        operate_same(expected, expected_bytes, y, bytes, how);
    }
    quernel_operator_destroy(op);
}

static void run_as_explained(source *s, const operate_subject *p, const quernel_operator *op,
                             uint64_t seed, const uint8_t *y, size_t bytes) {
    char line[512], how[600];
    if (quernel_operator_explain(op, line, sizeof line) >= sizeof line)
        fuzz_fail("explain: %s is too long", line);
    *p->config = line;
    snprintf(how, sizeof how, "as explained, %s", line);
    run_as(s, p, how, seed, y, bytes);
}

// Over the residual itself.
static void run_in_place(source *s, const operate_subject *p, const quernel_operator *op,
                         uint64_t seed, const uint8_t *expected, size_t expected_bytes) {
    size_t bytes;
    if (!op->has_residual || !same_elements(&op->y, &op->residual)) return;
    uint8_t *y = run(s, p, op, seed, 0x5a, true, &bytes);
    operate_same(expected, expected_bytes, y, bytes, "in place");
}

static void run_all(source *s, const operate_subject *p, const quernel_operator *op) {
    const uint64_t seed = source_byte(s);
    size_t bytes;
    uint8_t *y = run(s, p, op, seed, 0xa5, false, &bytes);
    fuzz_ran++;
    run_in_place(s, p, op, seed, y, bytes);
    if (p->config) {
        run_as_explained(s, p, op, seed, y, bytes);
        *p->config = NULL;
    }
    if (p->isa) {
        *p->isa = QUERNEL_ISA_REF;
        run_as(s, p, "by ref", seed, y, bytes);
    }
    free(y);
}

void operate(source *s, const operate_subject *subject) {
    quernel_operator *op = FUZZ_UNTOUCHED;
    quernel_error error = {0};
    char text[512];
    const int code = create(subject, &op, &error);
    if (code) {
        fuzz_refused(code, &error, op);
        return;
    }
    if (!quernel_operator_explain(op, text, sizeof text)) fuzz_fail("nothing is explained");
    if (can_run(subject, op)) run_all(s, subject, op);
    quernel_operator_destroy(op);
}
