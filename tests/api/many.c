// SPDX-License-Identifier: Apache-2.0
// Eight threads over everything that may be shared: operators of every kind, a network, a pool.
// QUERNEL_TEST_CASES: a fortieth of the runs.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "network.h"
#include "tests.h"

enum { THREADS = 8, SHARED = FIXTURE_KINDS + 1, RUNS_PER_CASE = 40, DEFAULT_CASES = 300 };

// An operator, or the network, with an input and the output that belongs to it.
typedef struct shared {
    const char *name;
    quernel_operator *op;
    quernel_network *net;
    float *x, *y;
    size_t y_bytes, workspace_bytes;
} shared;

typedef struct runner {
    const shared *all;
    const quernel_parallel *parallel;
    uint32_t first, runs;
    size_t wrong[SHARED];
} runner;

static void *aligned(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (!memory) abort();
    return memory;
}

static int run_one(const shared *s, float *y, void *workspace, const quernel_parallel *parallel) {
    const void *inputs[1] = {s->x};
    void *outputs[1] = {y};
    if (s->net)
        return quernel_network_run(s->net, inputs, outputs, workspace, s->workspace_bytes, parallel,
                                   NULL);
    return quernel_operator_run(s->op, s->x, NULL, y, workspace, s->workspace_bytes, parallel,
                                NULL);
}

static void *run_all(void *arg) {
    runner *r = arg;
    float *y[SHARED];
    void *workspace[SHARED];
    for (int i = 0; i < SHARED; i++)
        y[i] = aligned(r->all[i].y_bytes), workspace[i] = aligned(r->all[i].workspace_bytes);
    for (uint32_t n = 0; n < r->runs; n++) {
        const uint32_t i = (r->first + n) % SHARED;
        const shared *s = &r->all[i];
        memset(y[i], 0x5a, s->y_bytes);
        memset(workspace[i], (int)n, s->workspace_bytes); // whatever it holds, the same comes out
        const int code = run_one(s, y[i], workspace[i], n / SHARED % 2 ? r->parallel : NULL);
        r->wrong[i] += code != QUERNEL_OK || memcmp(y[i], s->y, s->y_bytes) != 0;
    }
    for (int i = 0; i < SHARED; i++) free(y[i]), free(workspace[i]);
    return NULL;
}

// The output by one thread alone.
static void finish(shared *s, size_t x_count) {
    s->x = aligned(x_count * sizeof(float)), s->y = aligned(s->y_bytes);
    for (size_t i = 0; i < x_count; i++) s->x[i] = (float)((int)(i * 29 % 101) - 50) * 0.03f;
    void *workspace = aligned(s->workspace_bytes);
    memset(workspace, 0x5a, s->workspace_bytes);
    CHECK(run_one(s, s->y, workspace, NULL) == QUERNEL_OK, "%s", s->name);
    free(workspace);
}

static bool make_operator(shared *s, fixture_kind kind) {
    static const int32_t modes[FIXTURE_KINDS] = {[FIXTURE_LINEAR] = QUERNEL_QUANT_DYNAMIC_ROW,
                                                 [FIXTURE_CONV2D] = QUERNEL_QUANT_DYNAMIC_CALL,
                                                 [FIXTURE_DECONV2D] = QUERNEL_QUANT_STATIC};
    fixture f;
    quernel_error error = {0};
    fixture_init(&f, kind);
    f.l.threads = f.d.threads = 2;
    f.quant->mode = modes[kind];
    *s = (shared){.name = fixture_names[kind], .y_bytes = f.y_count * sizeof(float)};
    if (!CHECK(fixture_create(&f, &s->op, &error) == QUERNEL_OK, "%s", error.text)) return false;
    s->workspace_bytes = quernel_operator_workspace(s->op);
    finish(s, f.x_count);
    return true;
}

static bool make_network(shared *s, networked *n) {
    quernel_error error = {0};
    if (!networked_init(n)) return false;
    n->desc.threads = 2;
    *s = (shared){.name = "network", .y_bytes = NETWORKED_Y * sizeof(float)};
    if (!CHECK(quernel_network_create(&n->desc, &s->net, &error) == QUERNEL_OK, "%s", error.text))
        return false;
    s->workspace_bytes = quernel_network_workspace(s->net);
    finish(s, NETWORKED_X);
    return true;
}

static void run_threads(const shared *all, const quernel_parallel *parallel, uint32_t runs) {
    pthread_t threads[THREADS];
    runner runners[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        runners[i] = (runner){all, parallel, i, runs / THREADS, {0}};
        if (pthread_create(&threads[i], NULL, run_all, &runners[i])) abort();
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        for (int k = 0; k < SHARED; k++)
            CHECK(runners[i].wrong[k] == 0, "%s: %zu of %u runs of thread %u differ", all[k].name,
                  runners[i].wrong[k], runs / THREADS / SHARED, i);
    }
}

/// Every run of every thread gives the bits of the first one.
void test_many_runs(void) {
    const char *cases = getenv("QUERNEL_TEST_CASES");
    const uint32_t runs =
        RUNS_PER_CASE * (cases ? (uint32_t)strtoul(cases, NULL, 10) : (uint32_t)DEFAULT_CASES);
    shared all[SHARED] = {{0}};
    networked n = {0};
    quernel_pool *pool = NULL;
    CHECK(quernel_pool_create(2, &pool, NULL) == QUERNEL_OK, "pool");
    const quernel_parallel parallel = quernel_pool_parallel(pool);
    bool made = make_network(&all[FIXTURE_KINDS], &n);
    for (int kind = 0; made && kind < FIXTURE_KINDS; kind++)
        made = make_operator(&all[kind], (fixture_kind)kind);
    if (made) run_threads(all, &parallel, runs);
    for (int i = 0; i < SHARED; i++) {
        quernel_operator_destroy(all[i].op);
        quernel_network_destroy(all[i].net);
        free(all[i].x), free(all[i].y);
    }
    networked_free(&n);
    quernel_pool_destroy(pool);
}
