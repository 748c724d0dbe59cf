// SPDX-License-Identifier: Apache-2.0
// Every refusal of a run, of chain tensors, pools and the queries.
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "tests.h"

typedef struct running {
    fixture f;
    quernel_operator *op;
    buffers b;
} running;

static bool running_make(running *r, fixture_kind kind, bool residual) {
    quernel_error error = {0};
    fixture_init(&r->f, kind);
    if (residual) {
        r->f.epilogue->residual = 1;
        r->f.epilogue->residual_type = QUERNEL_TYPE_F32;
    }
    r->op = NULL;
    if (!CHECK(fixture_create(&r->f, &r->op, &error) == QUERNEL_OK, "%s: %s", fixture_names[kind],
               error.text))
        return false;
    r->b = buffers_make(r->op);
    return true;
}

static void running_free(running *r) {
    quernel_operator_destroy(r->op);
    buffers_free(&r->b);
}

static void refuse(const running *r, const quernel_operator *op, const void *x,
                   const void *residual, void *y, void *workspace, size_t workspace_bytes,
                   refusal wanted, const char *what) {
    quernel_error error = {0};
    const int code =
        quernel_operator_run(op, x, residual, y, workspace, workspace_bytes, NULL, &error);
    expect_refusal(code, &error, wanted, what);
    CHECK(quernel_operator_run(op, x, residual, y, workspace, workspace_bytes, NULL, NULL) == code,
          "%s: without an error the code differs", what);
    CHECK(buffers_untouched(&r->b), "%s: y was written to", what);
}

void test_refuse_run_pointers(void) {
    for (int kind = 0; kind < FIXTURE_KINDS; kind++) {
        running r;
        if (!running_make(&r, (fixture_kind)kind, true)) continue;
        const buffers *b = &r.b;
        const size_t bytes = b->workspace_bytes;
        refuse(&r, NULL, b->x, b->residual, b->y, b->workspace, bytes,
               (refusal){QUERNEL_E_NULL, "op", NULL, -1}, "run without an operator");
        refuse(&r, r.op, NULL, b->residual, b->y, b->workspace, bytes,
               (refusal){QUERNEL_E_NULL, "x", NULL, -1}, "run without x");
        refuse(&r, r.op, b->x, NULL, b->y, b->workspace, bytes,
               (refusal){QUERNEL_E_NULL, "residual", NULL, -1}, "run without the residual");
        refuse(&r, r.op, b->x, b->residual, NULL, b->workspace, bytes,
               (refusal){QUERNEL_E_NULL, "y", NULL, -1}, "run without y");
        if (bytes) {
            refuse(&r, r.op, b->x, b->residual, b->y, NULL, bytes,
                   (refusal){QUERNEL_E_NULL, "workspace", NULL, -1}, "run without a workspace");
        }
        running_free(&r);
    }
}

void test_refuse_run_workspace(void) {
    for (int kind = 0; kind < FIXTURE_KINDS; kind++) {
        running r;
        if (!running_make(&r, (fixture_kind)kind, false)) continue;
        const buffers *b = &r.b;
        const size_t bytes = b->workspace_bytes;
        if (bytes) {
            refuse(&r, r.op, b->x, NULL, b->y, b->workspace, bytes - 1,
                   (refusal){QUERNEL_E_WORKSPACE, "workspace_bytes", NULL, -1},
                   "run with a workspace one byte too small");
            refuse(&r, r.op, b->x, NULL, b->y, b->workspace, 0,
                   (refusal){QUERNEL_E_WORKSPACE, "workspace_bytes", "0", -1},
                   "run with no bytes of workspace");
            refuse(&r, r.op, b->x, NULL, b->y, (uint8_t *)b->workspace + 32, bytes,
                   (refusal){QUERNEL_E_ALIGN, "workspace", NULL, -1},
                   "run with a misaligned workspace");
            refuse(&r, r.op, b->x, NULL, b->y, b->x, bytes,
                   (refusal){QUERNEL_E_OVERLAP, "workspace", NULL, -1},
                   "run with x as the workspace");
        }
        running_free(&r);
    }
}

static void run_on_caller(void *user, uint32_t tasks, void (*task)(void *, uint32_t, uint32_t),
                          void *arg) {
    (void)user;
    for (uint32_t i = 0; i < tasks; i++) task(arg, i, 0);
}

/// A parallel_for of more workers than there are slices of workspace.
void test_refuse_run_threads(void) {
    for (int kind = 0; kind < FIXTURE_KINDS; kind++) {
        running r;
        if (!running_make(&r, (fixture_kind)kind, false)) continue;
        const buffers *b = &r.b;
        quernel_error error = {0};
        const quernel_parallel two = {.run = run_on_caller, .threads = 2},
                               one = {.run = run_on_caller, .threads = 1};
        const quernel_parallel unsaid = {.run = run_on_caller}, none = QUERNEL_PARALLEL_INIT;
        int code = quernel_operator_run(r.op, b->x, NULL, b->y, b->workspace, b->workspace_bytes,
                                        &two, &error);
        expect_refusal(code, &error, (refusal){QUERNEL_E_VALUE, "parallel", "2", -1},
                       "run on two workers, made for one");
        CHECK(buffers_untouched(b), "y was written to");
        const quernel_parallel *const good[] = {&one, &unsaid, &none};
        for (int i = 0; i < 3; i++) {
            code = quernel_operator_run(r.op, b->x, NULL, b->y, b->workspace, b->workspace_bytes,
                                        good[i], &error);
            CHECK(code == QUERNEL_OK, "parallel %d: %s", i, error.text);
        }
        running_free(&r);
    }
}

void test_refuse_run_tensors(void) {
    for (int kind = 0; kind < FIXTURE_KINDS; kind++) {
        running r;
        if (!running_make(&r, (fixture_kind)kind, true)) continue;
        const buffers *b = &r.b;
        const size_t bytes = b->workspace_bytes, y_bytes = r.f.y_count * sizeof(float);
        uint8_t *const x = b->x, *const y = b->y, *const residual = b->residual;
        refuse(&r, r.op, x + 1, residual, y, b->workspace, bytes,
               (refusal){QUERNEL_E_ALIGN, "x", "4", -1}, "odd x");
        refuse(&r, r.op, x, residual + 2, y, b->workspace, bytes,
               (refusal){QUERNEL_E_ALIGN, "residual", "4", -1}, "odd residual");
        refuse(&r, r.op, x, residual, y + 2, b->workspace, bytes,
               (refusal){QUERNEL_E_ALIGN, "y", "4", -1}, "odd y");
        refuse(&r, r.op, y, residual, y, b->workspace, bytes,
               (refusal){QUERNEL_E_OVERLAP, "y", NULL, -1}, "x as y");
        refuse(&r, r.op, y + y_bytes - 4, residual, y, b->workspace, bytes,
               (refusal){QUERNEL_E_OVERLAP, "y", NULL, -1}, "x begins in y's last element");
        refuse(&r, r.op, x, y + 4, y, b->workspace, bytes,
               (refusal){QUERNEL_E_OVERLAP, "y", NULL, -1},
               "the residual is y, shifted by one element");
        CHECK(quernel_operator_run(r.op, x, y, y, b->workspace, bytes, NULL, NULL) == QUERNEL_OK,
              "%s: y as its own residual", fixture_names[kind]);
        running_free(&r);
    }
}

void test_refuse_chain(void) {
    quernel_tensor good = QUERNEL_TENSOR_INIT;
    good.type = QUERNEL_TYPE_U8;
    good.n = 2, good.c = 3, good.h = 4, good.w = 5;
    quernel_error error = {0};
    size_t bytes = 77, at = 78;
    const refusal no_tensor = {QUERNEL_E_NULL, "tensor", NULL, -1},
                  no_bytes = {QUERNEL_E_NULL, "ret_bytes", NULL, -1};
    const refusal no_offset = {QUERNEL_E_NULL, "ret_offset", NULL, -1};
    expect_refusal(quernel_chain_describe(NULL, 1, 1, &bytes, &at, &error), &error, no_tensor,
                   "no tensor");
    quernel_tensor t = good;
    expect_refusal(quernel_chain_describe(&t, 1, 1, NULL, &at, &error), &error, no_bytes,
                   "no bytes");
    expect_refusal(quernel_chain_describe(&t, 1, 1, &bytes, NULL, &error), &error, no_offset,
                   "no offset");
}

// Chain tensors that are refused: float, empty, or beyond what fits into memory.
static const struct {
    int32_t type, layout;
    uint32_t n, c, h, w, border_h, border_w;
    int status;
} wrong_chains[] = {
    {QUERNEL_TYPE_F32, 0, 2, 3, 4, 5, 1, 1, QUERNEL_E_VALUE},
    {QUERNEL_TYPE_S32, 0, 2, 3, 4, 5, 1, 1, QUERNEL_E_VALUE},
    {QUERNEL_TYPE_U8, 0, 0, 3, 4, 5, 1, 1, QUERNEL_E_SHAPE},
    {QUERNEL_TYPE_U8, 0, 2, 0, 4, 5, 1, 1, QUERNEL_E_SHAPE},
    {QUERNEL_TYPE_U8, 0, 2, 3, 0, 5, 1, 1, QUERNEL_E_SHAPE},
    {QUERNEL_TYPE_U8, 0, 2, 3, 4, 0, 1, 1, QUERNEL_E_SHAPE},
    {QUERNEL_TYPE_U8, 0, 2, 3, 4, 5, UINT32_MAX, 1, QUERNEL_E_SHAPE},
    {QUERNEL_TYPE_U8, 0, 2, 3, 4, 5, 1, UINT32_MAX, QUERNEL_E_SHAPE},
    {QUERNEL_TYPE_U8, 0, 1u << 30, 1u << 30, 1u << 30, 5, 1, 1, QUERNEL_E_OVERFLOW}};

void test_refuse_chain_shapes(void) {
    size_t bytes = 77, at = 78;
    quernel_error error = {0};
    const quernel_tensor good = {.type = QUERNEL_TYPE_U8, .n = 2, .c = 3, .h = 4, .w = 5};
    quernel_tensor t;
    for (size_t i = 0; i < sizeof wrong_chains / sizeof *wrong_chains; i++) {
        t = good;
        t.type = wrong_chains[i].type, t.layout = wrong_chains[i].layout;
        t.n = wrong_chains[i].n, t.c = wrong_chains[i].c, t.h = wrong_chains[i].h,
        t.w = wrong_chains[i].w;
        const quernel_tensor before = t;
        const int code = quernel_chain_describe(&t, wrong_chains[i].border_h,
                                                wrong_chains[i].border_w, &bytes, &at, &error);
        expect_refusal(code, &error, (refusal){wrong_chains[i].status, "tensor", NULL, -1},
                       "chain_describe");
        CHECK(memcmp(&t, &before, sizeof t) == 0 && bytes == 77 && at == 78,
              "case %zu: something was written", i);
    }
}

void test_refuse_pool(void) {
    quernel_error error = {0};
    quernel_pool *const sentinel = (quernel_pool *)(uintptr_t)0x5a5a;
    quernel_pool *pool = sentinel;
    expect_refusal(quernel_pool_create(2, NULL, &error), &error,
                   (refusal){QUERNEL_E_NULL, "ret_pool", NULL, -1}, "pool without a result");
    expect_refusal(quernel_pool_create(0, &pool, &error), &error,
                   (refusal){QUERNEL_E_VALUE, "threads", "0", -1}, "pool of 0 threads");
    expect_refusal(quernel_pool_create(UINT32_MAX, &pool, &error), &error,
                   (refusal){QUERNEL_E_VALUE, "threads", "4294967295", -1},
                   "pool of 2^32 - 1 threads");
    CHECK(pool == sentinel, "ret_pool was written to");
    quernel_pool_destroy(NULL);
}

void test_refuse_queries(void) {
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    CHECK(quernel_cpu_get(NULL) == QUERNEL_E_NULL, "cpu_get(NULL)");
    cpu.size = 0;
    cpu.cores = 12345;
    CHECK(quernel_cpu_get(&cpu) == QUERNEL_E_VALUE, "cpu_get with size 0");
    CHECK(cpu.cores == 12345, "cpu_get with size 0 has written");
    CHECK(quernel_operator_workspace(NULL) == 0, "workspace(NULL)");
    char text[8] = "abc";
    CHECK(quernel_operator_explain(NULL, text, sizeof text) == 0, "explain(NULL)");
    quernel_operator_destroy(NULL);
}

void test_explain_keeps_to_its_capacity(void) {
    char text[8];
    running r;
    if (!running_make(&r, FIXTURE_LINEAR, false)) return;
    const size_t length = quernel_operator_explain(r.op, NULL, 0);
    CHECK(length > 0, "explain says nothing");
    for (size_t capacity = 1; capacity <= sizeof text; capacity++) {
        memset(text, 'x', sizeof text);
        CHECK(quernel_operator_explain(r.op, text, capacity) == length, "explain's length changes");
        CHECK(memchr(text, 0, capacity), "explain does not end its text at capacity %zu", capacity);
        CHECK(capacity == sizeof text || text[capacity] == 'x',
              "explain writes behind its capacity %zu", capacity);
    }
    running_free(&r);
}
