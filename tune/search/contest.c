// SPDX-License-Identifier: Apache-2.0
// Variants of one layer's plan.
#include "tune/search/contest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

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

static int run(contest *c, const quernel_operator *op, uint8_t *y, uint8_t *workspace,
               size_t bytes) {
    return workload_run_as(&c->workload, op, y, workspace, bytes, c->pool ? &c->parallel : NULL);
}

// One workspace for all variants, as large as the largest needs: its pages are touched once.
static int grow_workspace(contest *c, const quernel_operator *op) {
    const size_t bytes = quernel_operator_workspace(op);
    if (bytes <= c->workspace_bytes && c->workspace) return 1;
    uint8_t *more = aligned_alloc(4096, (bytes + 4096) / 4096 * 4096);
    if (!more) return 0;
    free(c->workspace);
    c->workspace = more, c->workspace_bytes = bytes;
    memset(more, 0, bytes);
    return 1;
}

// Takes the operator over; −1, and it is still the caller's, without memory.
static int append(contest *c, quernel_operator *op, double predicted_ns) {
    if (c->count == c->capacity) {
        const uint32_t capacity = c->capacity ? 2 * c->capacity : 16;
        variant *more = realloc(c->variants, capacity * sizeof *more);
        if (!more) return -1;
        c->variants = more, c->capacity = capacity;
    }
    if (!grow_workspace(c, op)) return -1;
    variant *v = &c->variants[c->count];
    *v = (variant){.predicted_ns = predicted_ns, .op = op};
    quernel_operator_explain(op, v->config, sizeof v->config);
    return (int)c->count++;
}

// Makes the default's operator and runs it once.
static int add_default(contest *c, const char *config) {
    workload *s = &c->workload;
    quernel_operator *op = NULL;
    if (workload_operator(s, config, &op, NULL) || append(c, op, NAN) < 0) {
        quernel_operator_destroy(op);
        return 0;
    }
    memset(s->y_memory, POISON, s->y_bytes);
    run(c, op, s->y_memory, c->workspace, c->workspace_bytes);
    return 1;
}

// Data with extremes in it: a plan that saturates where another does not is seen.
int contest_make(contest *c, const shape *layer, const request *wanted) {
    *c = (contest){0};
    workload *s = &c->workload;
    request extreme = *wanted;
    extreme.extremes = 1;
    if (!workload_make(s, layer, &extreme)) return 0;
    const uint32_t threads = s->request.threads;
    if (threads > 1 && !quernel_pool_create(threads, &c->pool, NULL))
        c->parallel = quernel_pool_parallel(c->pool);
    c->expected = malloc(s->y_bytes);
    if (!c->expected || !add_default(c, wanted->config)) return workload_refuse(s, "no memory");
    uint64_t checked;
    c->wrong = workload_check(s, &checked) != 0;
    memcpy(c->expected, s->y_memory, s->y_bytes);
    return c->wrong
               ? workload_refuse(s, "the default's bits differ from ref: quernel bench shows where")
               : 1;
}

void contest_free(contest *c) {
    for (uint32_t i = 0; i < c->count; i++) quernel_operator_destroy(c->variants[i].op);
    free(c->variants), free(c->workspace), free(c->expected);
    quernel_pool_destroy(c->pool);
    workload_free(&c->workload);
}

// 1: the default's bits, 0: others, −1: no memory to find out.
static int same_bits(contest *c, const quernel_operator *op) {
    const size_t bytes = quernel_operator_workspace(op), y_bytes = c->workload.y_bytes - SPARE;
    guarded y = {0}, workspace = {0};
    int same = -1;
    if (guard_make(&y, y_bytes) && guard_make(&workspace, bytes)) {
        memset(y.data, POISON, y_bytes);
        memset(workspace.data, POISON, bytes);
        same = !run(c, op, y.data, bytes ? workspace.data : NULL, bytes) &&
               !memcmp(y.data, c->expected, y_bytes);
    }
    guard_free(&y), guard_free(&workspace);
    return same;
}

int contest_add(contest *c, const char *config, double predicted_ns) {
    quernel_operator *op = NULL;
    if (workload_operator(&c->workload, config, &op, NULL)) return -1;
    const int same = same_bits(c, op), index = same < 0 ? -1 : append(c, op, predicted_ns);
    if (index < 0) quernel_operator_destroy(op);
    else c->variants[index].wrong = !same;
    return index;
}

static double time_calls(contest *c, const variant *v) {
    const double start = clock_now();
    for (uint32_t i = 0; i < v->calls; i++)
        run(c, v->op, c->workload.y_memory, c->workspace, c->workspace_bytes);
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
    double ns = INFINITY;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        const long before = preemptions();
        ns = fmin(ns, time_calls(c, v));
        if (preemptions() == before) break;
    }
    return ns;
}
