// SPDX-License-Identifier: Apache-2.0
// A small legal network, and what of networks is neither a refusal nor a number: memory, threads,
// queries.
#include "network.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "malloc_count.h"
#include "tests.h"

static quernel_weights *packed(uint32_t out, const float *smooth) {
    static float data[6 * 6 * 9];
    for (int i = 0; i < 6 * 6 * 9; i++) data[i] = (float)(i * 37 % 64 - 31) / 256.0f;
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.kind = QUERNEL_WEIGHTS_CONV2D, w.in = 6, w.out = out, w.kernel_h = w.kernel_w = 3,
    w.data = data;
    w.smooth_kind = smooth ? QUERNEL_SMOOTH_CHANNEL : QUERNEL_SMOOTH_NONE, w.smooth = smooth;
    quernel_weights *weights = NULL;
    return quernel_weights_pack(&w, &weights, NULL) ? NULL : weights;
}

bool networked_init(networked *n) {
    static const float factors[6] = {1, 2, 1, 1, 0.5f, 1};
    *n = (networked){.desc = QUERNEL_NETWORK_DESC_INIT,
                     .wide = packed(6, NULL),
                     .narrow = packed(4, NULL),
                     .smoothed = packed(4, factors)};
    for (int i = 0; i < 8; i++) n->ones[i] = 1.0f;
    for (int i = 0; i < NETWORKED_TENSORS; i++)
        n->tensors[i] = (quernel_network_tensor)QUERNEL_NETWORK_TENSOR_INIT;
    n->tensors[0].role = QUERNEL_NETWORK_INPUT;
    n->tensors[0].shape.n = 1, n->tensors[0].shape.c = 6, n->tensors[0].shape.h = 5,
    n->tensors[0].shape.w = 7;
    n->tensors[0].quant.scale = n->tensors[1].quant.scale = 0.02f;
    n->tensors[1].shape.type = QUERNEL_TYPE_U8;
    n->tensors[1].quant.zero = 100;
    n->tensors[2].role = QUERNEL_NETWORK_OUTPUT;
    for (uint32_t i = 0; i < NETWORKED_LAYERS; i++) {
        quernel_network_layer *l = &n->layers[i];
        *l = (quernel_network_layer)QUERNEL_NETWORK_LAYER_INIT;
        l->x = i > 0, l->y = i > 0 ? 2 : 1, l->y_channel = i == 2 ? 4 : 0;
        l->conv.weights = i > 0 ? n->narrow : n->wide;
        l->conv.pad_top = l->conv.pad_left = l->conv.pad_bottom = l->conv.pad_right = 1;
    }
    n->desc.tensors = n->tensors, n->desc.n_tensors = NETWORKED_TENSORS;
    n->desc.layers = n->layers, n->desc.n_layers = NETWORKED_LAYERS;
    return CHECK(n->wide && n->narrow && n->smoothed, "pack");
}

void networked_free(networked *n) {
    quernel_weights_release(n->wide);
    quernel_weights_release(n->narrow);
    quernel_weights_release(n->smoothed);
}

networked_buffers networked_take(const quernel_network *net) {
    const size_t bytes = quernel_network_workspace(net);
    networked_buffers b = {.workspace_bytes = bytes};
    b.x = aligned_alloc(64, (sizeof(float) * NETWORKED_X + 127) / 64 * 64);
    b.y = aligned_alloc(64, (sizeof(float) * NETWORKED_Y + 127) / 64 * 64);
    b.workspace = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (!b.x || !b.y || !b.workspace) abort();
    memset(b.workspace, 0x5a, bytes);
    for (int i = 0; i < NETWORKED_X; i++) b.x[i] = (float)((i * 29 % 101) - 50) * 0.03f;
    for (int i = 0; i < NETWORKED_Y; i++) b.y[i] = NETWORKED_POISON;
    return b;
}

void networked_give(networked_buffers *b) { free(b->x), free(b->y), free(b->workspace); }

void test_network_run_allocates_nothing(void) {
    networked n;
    if (!networked_init(&n)) return;
    n.desc.threads = 2;
    quernel_network *net = NULL;
    quernel_pool *pool = NULL;
    quernel_error error = {0};
    CHECK(!quernel_network_create(&n.desc, &net, &error) && !quernel_pool_create(2, &pool, &error),
          "%s", error.text);
    networked_free(&n); // the network keeps its weights alive
    memset(&n, 0xee, sizeof n);
    networked_buffers b = networked_take(net);
    const void *const inputs[] = {b.x};
    void *const outputs[] = {b.y};
    const quernel_parallel parallel = quernel_pool_parallel(pool);
    malloc_count_start();
    int code =
        quernel_network_run(net, inputs, outputs, b.workspace, b.workspace_bytes, NULL, &error);
    if (!code)
        code = quernel_network_run(net, inputs, outputs, b.workspace, b.workspace_bytes, &parallel,
                                   &error);
    const size_t calls = malloc_count_stop();
    CHECK(!code, "%s", error.text);
    CHECK(calls == 0, "a run calls malloc or free %zu times", calls);
    networked_give(&b);
    quernel_pool_destroy(pool);
    quernel_network_destroy(net);
}

void test_network_queries(void) {
    networked n;
    if (!networked_init(&n)) return;
    quernel_network *net = NULL;
    quernel_error error = {0};
    quernel_tensor t = QUERNEL_TENSOR_INIT;
    if (CHECK(!quernel_network_create(&n.desc, &net, &error), "%s", error.text)) {
        CHECK(!quernel_network_tensor_get(net, 1, &t) && t.c == 6 && t.h == 5 && t.w == 7,
              "tensor 1: %u %u %u", t.c, t.h, t.w);
        CHECK(t.border_h == 1 && t.border_w == 1, "the border of tensor 1 is %u x %u", t.border_h,
              t.border_w);
        CHECK(!quernel_network_tensor_get(net, 2, &t) && t.c == 8 && t.border_h == 0,
              "tensor 2: %u", t.c);
        CHECK(quernel_network_tensor_get(net, 3, &t) == QUERNEL_E_VALUE, "tensor 3");
        CHECK(quernel_network_tensor_get(net, 0, NULL) == QUERNEL_E_NULL, "no tensor");
        CHECK(quernel_network_operator(net, 2) && !quernel_network_operator(net, 3), "operators");
    }
    CHECK(quernel_network_tensor_get(NULL, 0, &t) == QUERNEL_E_NULL, "no network");
    CHECK(quernel_network_workspace(NULL) == 0 && !quernel_network_operator(NULL, 0), "no network");
    quernel_network_destroy(NULL);
    quernel_network_destroy(net);
    networked_free(&n);
}

typedef struct running {
    const quernel_network *net;
    const float *expected;
    size_t wrong;
} running;

static void *run_often(void *arg) {
    running *r = arg;
    networked_buffers b = networked_take(r->net);
    const void *const inputs[] = {b.x};
    void *const outputs[] = {b.y};
    for (int i = 0; i < 50; i++) {
        memset(b.workspace, i, b.workspace_bytes); // whatever it holds, the same comes out
        r->wrong += quernel_network_run(r->net, inputs, outputs, b.workspace, b.workspace_bytes,
                                        NULL, NULL) ||
                    (r->expected && memcmp(b.y, r->expected, NETWORKED_Y * sizeof(float)));
    }
    networked_give(&b);
    return NULL;
}

void test_network_from_threads(void) {
    networked n;
    if (!networked_init(&n)) return;
    quernel_network *net = NULL;
    quernel_error error = {0};
    if (CHECK(!quernel_network_create(&n.desc, &net, &error), "%s", error.text)) {
        networked_buffers b = networked_take(net);
        const void *const inputs[] = {b.x};
        void *const outputs[] = {b.y};
        CHECK(
            !quernel_network_run(net, inputs, outputs, b.workspace, b.workspace_bytes, NULL, NULL),
            "run");
        pthread_t threads[4];
        running runs[4];
        for (int i = 0; i < 4; i++) {
            runs[i] = (running){net, b.y, 0};
            pthread_create(&threads[i], NULL, run_often, &runs[i]);
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            CHECK(runs[i].wrong == 0, "thread %d: %zu of 50 runs are wrong", i, runs[i].wrong);
        }
        networked_give(&b);
    }
    quernel_network_destroy(net);
    networked_free(&n);
}
