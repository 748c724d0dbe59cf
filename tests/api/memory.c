// SPDX-License-Identifier: Apache-2.0
// Memory: every allocation of every create fails once, runs allocate nothing, and the caller's
// allocator is the only one.
#include <stdlib.h>
#include <string.h>

#include "bump.h"
#include "counting.h"
#include "fixture.h"
#include "malloc_count.h"
#include "tests.h"

enum { MAX_CALLS = 64 };

/// One thing that takes memory through an allocator and, where it succeeds, gives all of it back.
typedef struct attempt {
    const char *what;
    int (*run)(const quernel_allocator *allocator, quernel_error *error);
} attempt;

static int try_create(fixture *f, const quernel_allocator *allocator, quernel_error *error) {
    quernel_operator *op = NULL;
    f->allocator = allocator;
    const int code = fixture_create(f, &op, error);
    CHECK((code == QUERNEL_OK) == (op != NULL), "ret_op does not go with the code %d", code);
    quernel_operator_destroy(op);
    return code;
}

static int try_linear(const quernel_allocator *allocator, quernel_error *error) {
    fixture f;
    fixture_init(&f, FIXTURE_LINEAR);
    f.quant->row_scale = f.row_scale;
    f.epilogue->bias = f.bias;
    f.w.smooth_kind = QUERNEL_SMOOTH_CHANNEL;
    f.w.smooth = f.smooth;
    return try_create(&f, allocator, error);
}

static int try_conv2d(const quernel_allocator *allocator, quernel_error *error) {
    fixture f;
    fixture_init(&f, FIXTURE_CONV2D);
    fixture_int8_output(&f, QUERNEL_TYPE_U8);
    f.quant->mode = QUERNEL_QUANT_DYNAMIC_CALL;
    f.w.smooth_kind = QUERNEL_SMOOTH_COLUMN;
    f.w.smooth = f.smooth;
    return try_create(&f, allocator, error);
}

static int try_depthwise(const quernel_allocator *allocator, quernel_error *error) {
    fixture f;
    fixture_init(&f, FIXTURE_CONV2D);
    f.w.in = f.w.out = f.w.groups = f.d.x.c = FIXTURE_OUT;
    f.epilogue->activation = QUERNEL_ACTIVATION_PRELU;
    f.epilogue->slopes = f.slopes;
    return try_create(&f, allocator, error);
}

static int try_deconv2d(const quernel_allocator *allocator, quernel_error *error) {
    fixture f;
    fixture_init(&f, FIXTURE_DECONV2D);
    f.w.type = QUERNEL_TYPE_S8;
    f.w.zero = f.zero;
    return try_create(&f, allocator, error);
}

static int try_pack(const quernel_allocator *allocator, quernel_error *error) {
    fixture f;
    fixture_init(&f, FIXTURE_CONV2D);
    f.w.allocator = allocator;
    quernel_weights *weights = NULL;
    const int code = quernel_weights_pack(&f.w, &weights, error);
    CHECK((code == QUERNEL_OK) == (weights != NULL), "ret_weights does not go with the code %d",
          code);
    quernel_weights_release(weights);
    return code;
}

static int try_load(const quernel_allocator *allocator, quernel_error *error) {
    fixture f;
    fixture_init(&f, FIXTURE_CONV2D);
    quernel_weights *weights = NULL, *loaded = NULL;
    if (!CHECK(quernel_weights_pack(&f.w, &weights, error) == QUERNEL_OK, "pack"))
        return QUERNEL_OK;
    const size_t bytes = quernel_weights_blob_bytes(weights);
    void *blob = malloc(bytes);
    CHECK(quernel_weights_save(weights, blob, bytes, error) == QUERNEL_OK, "save: %s", error->text);
    const int code = quernel_weights_load(blob, bytes, allocator, &loaded, error);
    CHECK((code == QUERNEL_OK) == (loaded != NULL), "ret_weights does not go with the code %d",
          code);
    quernel_weights_release(loaded);
    quernel_weights_release(weights);
    free(blob);
    return code;
}

static int try_gemm(bool is_unsigned, const quernel_allocator *allocator, quernel_error *error) {
    static const uint8_t a[6] = {1, 2, 3, 4, 5, 6};
    static const int8_t b[6] = {1, -2, 3, -4, 5, -6};
    int32_t c[4] = {7, 7, 7, 7};
    const int code = is_unsigned ? quernel_gemm_u8s8s32(0, 2, 2, 3, a, 3, 1, b, 2, 1, 1, c, 2, 1,
                                                        NULL, allocator, error)
                                 : quernel_gemm_s8s8s32(0, 2, 2, 3, (const int8_t *)a, 3, 1, b, 2,
                                                        1, 1, c, 2, 1, NULL, allocator, error);
    CHECK((code == QUERNEL_OK) == (c[0] != 7), "C does not go with the code %d", code);
    return code;
}

static int try_s8s8(const quernel_allocator *allocator, quernel_error *error) {
    return try_gemm(false, allocator, error);
}
static int try_u8s8(const quernel_allocator *allocator, quernel_error *error) {
    return try_gemm(true, allocator, error);
}

static const attempt attempts[] = {{"linear", try_linear},       {"conv2d", try_conv2d},
                                   {"depthwise", try_depthwise}, {"deconv2d", try_deconv2d},
                                   {"pack", try_pack},           {"load", try_load},
                                   {"gemm s8s8", try_s8s8},      {"gemm u8s8", try_u8s8}};
enum { ATTEMPTS = sizeof attempts / sizeof *attempts };

void test_allocation_fails(void) {
    for (int i = 0; i < ATTEMPTS; i++) {
        const attempt *t = &attempts[i];
        size_t n = 1;
        for (int code = QUERNEL_E_MEMORY; code != QUERNEL_OK && n < MAX_CALLS; n++) {
            counting memory;
            counting_init(&memory, n);
            quernel_error error = {0};
            code = t->run(&memory.allocator, &error);
            const bool failed = memory.calls >= n;
            CHECK(code == (failed ? QUERNEL_E_MEMORY : QUERNEL_OK),
                  "%s, call %zu of allocate fails: %s (%s)", t->what, n,
                  quernel_status_string(code), error.text);
            if (code != QUERNEL_OK)
                CHECK(error.code == QUERNEL_E_MEMORY && error.text[0], "%s: no message", t->what);
            CHECK(memory.calls <= n, "%s: goes on after call %zu has failed", t->what, n);
            counting_check(&memory, t->what);
        }
        CHECK(n > 2, "%s takes no memory from the caller's allocator", t->what);
        CHECK(n < MAX_CALLS, "%s never succeeded", t->what);
    }
}

void test_allocator_is_the_only_one(void) {
    static uint8_t heap[1 << 20]; // an allocator that does not use malloc
    // the process's tuning tables are read once, by the C library's memory
    quernel_tables_get(NULL, 0);
    for (int i = 0; i < ATTEMPTS; i++) {
        if (attempts[i].run == try_load) continue; // the test itself uses malloc there
        bump_heap bump = {heap, sizeof heap, 0};
        const quernel_allocator allocator = {bump_allocate, bump_release, &bump, {0}};
        quernel_error error = {0};
        malloc_count_start();
        const int code = attempts[i].run(&allocator, &error);
        const size_t calls = malloc_count_stop();
        CHECK(code == QUERNEL_OK, "%s: %s", attempts[i].what, error.text);
        CHECK(calls == 0, "%s: %zu calls of malloc or free beside the caller's allocator",
              attempts[i].what, calls);
    }
}

void test_run_allocates_nothing(void) {
    for (int variant = 0; variant < 2 * FIXTURE_KINDS; variant++) {
        fixture f;
        fixture_init(&f, (fixture_kind)(variant / 2));
        if (variant & 1) f.quant->mode = QUERNEL_QUANT_DYNAMIC_CALL;
        f.l.threads = f.d.threads = 2;
        counting memory;
        counting_init(&memory, 0);
        f.allocator = &memory.allocator;
        quernel_operator *op = NULL;
        quernel_pool *pool = NULL;
        quernel_error error = {0};
        if (!CHECK(fixture_create(&f, &op, &error) == QUERNEL_OK, "%s", error.text)) continue;
        CHECK(quernel_pool_create(2, &pool, &error) == QUERNEL_OK, "pool: %s", error.text);
        const quernel_parallel parallel = quernel_pool_parallel(pool);
        buffers b = buffers_make(op);
        const size_t before = memory.calls;
        malloc_count_start();
        int code =
            quernel_operator_run(op, b.x, NULL, b.y, b.workspace, b.workspace_bytes, NULL, &error);
        if (code == QUERNEL_OK) {
            code = quernel_operator_run(op, b.x, NULL, b.y, b.workspace, b.workspace_bytes,
                                        &parallel, &error);
        }
        const size_t calls = malloc_count_stop();
        CHECK(code == QUERNEL_OK, "%s: %s", fixture_names[f.kind], error.text);
        CHECK(calls == 0, "%s: a run calls malloc or free %zu times", fixture_names[f.kind], calls);
        CHECK(memory.calls == before, "%s: a run takes memory from the allocator",
              fixture_names[f.kind]);
        buffers_free(&b);
        quernel_pool_destroy(pool);
        quernel_operator_destroy(op);
        counting_check(&memory, fixture_names[f.kind]);
    }
}
