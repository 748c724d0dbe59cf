// SPDX-License-Identifier: Apache-2.0
// Memory: every allocation of every create fails once, runs allocate nothing, and the caller's
// allocator is the only one.
#include <stdlib.h>
#include <string.h>

#include "attempts.h"
#include "bump.h"
#include "counting.h"
#include "fixture.h"
#include "malloc_count.h"
#include "tests.h"

enum { MAX_CALLS = 64 };

void test_allocation_fails(void) {
    for (const attempt *t = attempts; t->what; t++) {
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
    for (const attempt *t = attempts; t->what; t++) {
        if (t->uses_malloc) continue; // the test itself
        bump_heap bump = {heap, sizeof heap, 0};
        const quernel_allocator allocator = {bump_allocate, bump_release, &bump, {0}};
        quernel_error error = {0};
        malloc_count_start();
        const int code = t->run(&allocator, &error);
        const size_t calls = malloc_count_stop();
        CHECK(code == QUERNEL_OK, "%s: %s", t->what, error.text);
        CHECK(calls == 0, "%s: %zu calls of malloc or free beside the caller's allocator", t->what,
              calls);
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
