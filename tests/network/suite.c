// SPDX-License-Identifier: Apache-2.0
// Networks against their layers, each run as an operator of its own over dense tensors: the same
// bits, on one thread and on three, and with the kernels of ref. Environment: QUERNEL_TEST_SEED
// (default 1), QUERNEL_TEST_CASES (default 400), QUERNEL_TEST_CASE (one alone).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"
#include "alone.h"

enum { DEFAULT_CASES = 400, THREADS = 3 };

static bool is_nan(const quernel_tensor *t, const uint8_t *data) {
    float value = 0.0f;
    if (t->type == QUERNEL_TYPE_F32) memcpy(&value, data, sizeof value);
    if (t->type == QUERNEL_TYPE_BF16) memcpy((uint8_t *)&value + 2, data, 2);
    return value != value;
}

// The same bits, or a NaN in both.
static bool same(const quernel_tensor *t, const uint8_t *a, const uint8_t *b) {
    return !memcmp(a, b, quernel_type_size((quernel_type)t->type)) ||
           (is_nan(t, a) && is_nan(t, b));
}

static bool same_output(const quernel_network *net, const alone *p, uint32_t tensor,
                        const uint8_t *y, const char *how) {
    quernel_tensor laid = QUERNEL_TENSOR_INIT;
    quernel_network_tensor_get(net, tensor, &laid);
    const quernel_tensor want = alone_dense(p->d->drawn[tensor].sizes, p->d->drawn[tensor].sizes.c);
    if (!CHECK(laid.n == want.n && laid.c == want.c && laid.h == want.h && laid.w == want.w,
               "tensor %u is %u x %u x %u x %u", tensor, laid.n, laid.c, laid.h, laid.w))
        return false;
    for (uint32_t n = 0; n < want.n; n++)
        for (uint32_t c = 0; c < want.c; c++)
            for (uint32_t h = 0; h < want.h; h++)
                for (uint32_t w = 0; w < want.w; w++)
                    if (!same(&want, y + alone_offset(&laid, n, c, h, w),
                              p->values[tensor] + alone_offset(&want, n, c, h, w)))
                        return CHECK(false, "%s: tensor %u differs at n %u c %u h %u w %u", how,
                                     tensor, n, c, h, w);
    return true;
}

static size_t bytes_of(const drawn *d, uint32_t tensor) {
    const quernel_tensor *t = &d->drawn[tensor].sizes;
    return draw_count(t) * quernel_type_size((quernel_type)t->type);
}

static void run_network(const quernel_network *net, alone *p, const quernel_parallel *parallel,
                        const char *how) {
    const drawn *d = p->d;
    const void *inputs[MAX_TENSORS];
    void *outputs[MAX_TENSORS];
    uint32_t n_inputs = 0, n_outputs = 0;
    for (uint32_t i = 0; i < d->n_tensors; i++) {
        if (d->tensors[i].role == QUERNEL_NETWORK_INPUT) inputs[n_inputs++] = p->values[i];
        if (d->tensors[i].role == QUERNEL_NETWORK_OUTPUT)
            outputs[n_outputs++] = alone_take(bytes_of(d, i), 0x77);
    }
    const size_t bytes = quernel_network_workspace(net);
    uint8_t *workspace = alone_take(bytes, parallel ? 0x3c : 0xa5);
    quernel_error error = {0};
    const int code = quernel_network_run(net, inputs, outputs, workspace, bytes, parallel, &error);
    bool right = CHECK(!code, "%s: %s", how, error.text);
    for (uint32_t i = 0, k = 0; i < d->n_tensors; i++)
        if (d->tensors[i].role == QUERNEL_NETWORK_OUTPUT)
            right = right && same_output(net, p, i, outputs[k++], how);
    for (uint32_t k = 0; k < n_outputs; k++) free(outputs[k]);
    free(workspace);
}

// Once alone, and in parallel where that is given.
static bool run_networks(alone *p, int32_t isa, const quernel_parallel *parallel, const char *how) {
    const drawn *d = p->d;
    quernel_network_desc desc = QUERNEL_NETWORK_DESC_INIT;
    desc.tensors = d->tensors, desc.n_tensors = d->n_tensors, desc.layers = d->layers,
    desc.n_layers = d->n_layers;
    desc.threads = THREADS, desc.isa = isa;
    quernel_network *net = NULL;
    quernel_error error = {0};
    if (!CHECK(!quernel_network_create(&desc, &net, &error), "%s: %s", how, error.text))
        return false;
    run_network(net, p, NULL, how);
    if (parallel) run_network(net, p, parallel, how);
    quernel_network_destroy(net);
    return true;
}

static void run_case(uint64_t seed, uint64_t number, const quernel_parallel *parallel) {
    drawn d;
    draw_network(&d, seed, number);
    alone p = {.d = &d};
    bool right = true;
    for (uint32_t i = 0; i < d.n_tensors; i++) {
        p.values[i] = alone_take(bytes_of(&d, i), 0);
        if (d.tensors[i].role == QUERNEL_NETWORK_INPUT)
            draw_fill(&d, &d.drawn[i].sizes, p.values[i]);
    }
    for (uint32_t i = 0; i < d.n_layers && right; i++) right = alone_run_layer(&p, i);
    char how[96];
    snprintf(how, sizeof how, "seed %llu case %llu", (unsigned long long)seed,
             (unsigned long long)number);
    right = right && run_networks(&p, -1, parallel, how);
    if (right) run_networks(&p, QUERNEL_ISA_REF, NULL, how);
    for (uint32_t i = 0; i < d.n_tensors; i++) free(p.values[i]);
    draw_free(&d);
}

static uint64_t from_environment(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_equals_layers(void) {
    const uint64_t seed = from_environment("QUERNEL_TEST_SEED", 1),
                   only = from_environment("QUERNEL_TEST_CASE", UINT64_MAX);
    const uint64_t cases = from_environment("QUERNEL_TEST_CASES", DEFAULT_CASES);
    quernel_pool *pool = NULL;
    if (!CHECK(!quernel_pool_create(THREADS, &pool, NULL), "pool")) return;
    const quernel_parallel parallel = quernel_pool_parallel(pool);
    for (uint64_t i = only == UINT64_MAX ? 0 : only; i < (only == UINT64_MAX ? cases : only + 1);
         i++)
        run_case(seed, i, &parallel);
    quernel_pool_destroy(pool);
}

const char test_suite[] = "network";
const test_entry test_entries[] = {{"equals_layers", test_equals_layers}, {NULL, NULL}};
