// SPDX-License-Identifier: Apache-2.0
// Variants of one layer's plan.
#include "tune/search/contest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "op/product.h"
#include "tune/common/clock.h"

#define SAMPLE_SECONDS 200e-6 // long against the clock's grain, short against a time slice
enum {
    POISON = 0xa5, // what a plan does not write differs
    SPARE = 64,    // bytes behind a workload's y that no plan may touch
    ATTEMPTS = 4   // at a sample that is not disturbed
};

// A buffer that ends at a page which may not be touched.
typedef struct guarded {
    uint8_t *pages, *data;
    size_t bytes;
} guarded;

static int guard_make(guarded *g, size_t bytes) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
    g->bytes = whole + page;
    g->pages = mmap(NULL, g->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g->pages == MAP_FAILED) return 0;
    g->data = g->pages + whole - bytes;
    return !mprotect(g->pages + whole, page, PROT_NONE);
}
static void guard_free(guarded *g) {
    if (g->pages && g->pages != MAP_FAILED) munmap(g->pages, g->bytes);
}

static int run(contest *c, const variant *v, uint8_t *y, uint8_t *workspace, size_t bytes) {
    const quernel_parallel *parallel = c->pool ? &c->parallel : NULL;
    return c->plans ? network_run(c->plans->network, v->network, y, workspace, bytes, parallel)
                    : workload_run_as(&c->workload, v->op, y, workspace, bytes, parallel);
}

// Plans a variant. Returns a quernel_status.
static int make(contest *c, const char *config, variant *ret) {
    *ret = (variant){.predicted_ns = NAN};
    const int code = c->plans ? network_plans_create(c->plans, c->part, config, &ret->network)
                              : workload_operator(&c->workload, config, &ret->alone, NULL);
    if (code) return code;
    ret->op = c->plans ? network_plans_operator(c->plans, c->part, ret->network) : ret->alone;
    quernel_operator_explain(ret->op, ret->config, sizeof ret->config);
    return QUERNEL_OK;
}

static void drop(const variant *v) {
    quernel_operator_destroy(v->alone);
    quernel_network_destroy(v->network);
}

static size_t workspace_of(const variant *v) {
    return v->network ? quernel_network_workspace(v->network) : quernel_operator_workspace(v->op);
}

// One workspace for all variants, as large as the largest needs: its pages are touched once.
static int grow_workspace(contest *c, const variant *v) {
    const size_t bytes = workspace_of(v);
    if (bytes <= c->workspace_bytes && c->workspace) return 1;
    uint8_t *more = aligned_alloc(4096, (bytes + 4096) / 4096 * 4096);
    if (!more) return 0;
    free(c->workspace);
    c->workspace = more, c->workspace_bytes = bytes;
    memset(more, 0, bytes);
    return 1;
}

// Takes the variant over; −1, and it is still the caller's, without memory.
static int append(contest *c, const variant *v) {
    if (c->count == c->capacity) {
        const uint32_t capacity = c->capacity ? 2 * c->capacity : 16;
        variant *more = realloc(c->variants, capacity * sizeof *more);
        if (!more) return -1;
        c->variants = more, c->capacity = capacity;
    }
    if (!grow_workspace(c, v)) return -1;
    c->variants[c->count] = *v;
    return (int)c->count++;
}

// Makes the default's plan and runs it once.
static int add_default(contest *c, const char *config) {
    variant v = {0};
    if (make(c, config, &v)) return 0;
    if (append(c, &v) < 0) return drop(&v), 0;
    memset(c->y, POISON, c->y_bytes);
    run(c, &v, c->y, c->workspace, c->workspace_bytes);
    return 1;
}

// What both kinds of contest begin with: y is there.
static int begin(contest *c, uint32_t threads, const char *config) {
    if (threads > 1 && !quernel_pool_create(threads, &c->pool, NULL))
        c->parallel = quernel_pool_parallel(c->pool);
    c->expected = malloc(c->y_bytes);
    if (!c->y || !c->expected || !add_default(c, config))
        return workload_refuse(&c->workload, "no memory");
    memcpy(c->expected, c->y, c->y_bytes);
    return 1;
}

// Data with extremes in it: a plan that saturates where another does not is seen.
int contest_make(contest *c, const shape *layer, const request *wanted) {
    *c = (contest){0};
    workload *s = &c->workload;
    request extreme = *wanted;
    extreme.extremes = 1;
    if (!workload_make(s, layer, &extreme)) return 0;
    c->y = s->y_memory, c->y_bytes = s->y_bytes;
    if (!begin(c, s->request.threads, wanted->config)) return 0;
    uint64_t checked;
    c->wrong = workload_check(s, &checked) != 0;
    return c->wrong
               ? workload_refuse(s, "the default's bits differ from ref: quernel bench shows where")
               : 1;
}

int contest_make_within(contest *c, const network_plans *plans, uint32_t part) {
    *c = (contest){.plans = plans, .part = part};
    c->y_bytes = plans->network->y_bytes, c->y = malloc(c->y_bytes);
    return begin(c, plans->network->request.threads, NULL);
}

void contest_key(const contest *c, quernel_i_key *key) {
    quernel_i_key_of(&quernel_i_product_of(c->variants[0].op)->problem, key);
    if (c->plans) memcpy(key->env, key->network_env, sizeof key->env);
}

void contest_free(contest *c) {
    for (uint32_t i = 0; i < c->count; i++) drop(&c->variants[i]);
    if (c->plans) free(c->y);
    free(c->variants), free(c->workspace), free(c->expected);
    quernel_pool_destroy(c->pool);
    workload_free(&c->workload);
}

// 1: the default's bits, 0: others, −1: no memory to find out.
static int same_bits(contest *c, const variant *v) {
    const size_t bytes = workspace_of(v), y_bytes = c->y_bytes - SPARE;
    guarded y = {0}, workspace = {0};
    int same = -1;
    if (guard_make(&y, y_bytes) && guard_make(&workspace, bytes)) {
        memset(y.data, POISON, y_bytes);
        memset(workspace.data, POISON, bytes);
        same = !run(c, v, y.data, bytes ? workspace.data : NULL, bytes) &&
               !memcmp(y.data, c->expected, y_bytes);
    }
    guard_free(&y), guard_free(&workspace);
    return same;
}

int contest_add(contest *c, const char *config, double predicted_ns) {
    variant v = {0};
    if (make(c, config, &v)) return -1;
    const int same = same_bits(c, &v);
    v.predicted_ns = predicted_ns, v.wrong = !same;
    const int index = same < 0 ? -1 : append(c, &v);
    if (index < 0) drop(&v);
    return index;
}

static double time_calls(contest *c, const variant *v) {
    const double start = clock_now();
    for (uint32_t i = 0; i < v->calls; i++) run(c, v, c->y, c->workspace, c->workspace_bytes);
    return 1e9 * (clock_now() - start) / v->calls;
}

// How often another process took this one's place.
static long preemptions(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : usage.ru_nivcsw;
}

double contest_sample(contest *c, uint32_t index) {
    variant *v = &c->variants[index];
    if (!v->calls) {
        v->calls = 1;
        time_calls(c, v); // first touch of its memory
        v->calls = (uint32_t)fmin(ceil(SAMPLE_SECONDS / (1e-9 * time_calls(c, v) + 1e-9)), 1e6);
    }
    // networks take longer than a time slice: the next attempt would be disturbed as well
    const int attempts = c->plans ? 1 : ATTEMPTS;
    double ns = INFINITY;
    for (int attempt = 0; attempt < attempts; attempt++) {
        const long before = preemptions();
        ns = fmin(ns, time_calls(c, v));
        if (preemptions() == before) break;
    }
    return ns;
}
