// SPDX-License-Identifier: Apache-2.0
// The room of frozen structs is refused by name where it is not 0.
#include <string.h>

#include "fixture.h"
#include "network.h"
#include "tests.h"

#define REFUSED(code, name)                                                             \
    do {                                                                                \
        quernel_error e = {0};                                                          \
        const int status = (code);                                                      \
        expect_refusal(status, &e, (refusal){QUERNEL_E_VALUE, (name), NULL, at}, name); \
    } while (0)

static void refuse_create(fixture *f, const char *name) {
    quernel_operator *op = NULL;
    const int at = -1;
    REFUSED(fixture_create(f, &op, &e), name);
    quernel_operator_destroy(op);
}

void test_reserved_of_operators(void) {
    for (int kind = 0; kind < FIXTURE_KINDS; kind++) {
        fixture f;
        fixture_init(&f, (fixture_kind)kind);
        f.quant->reserved[1] = 1;
        refuse_create(&f, "quant.reserved");
        f.quant->reserved[1] = 0, f.epilogue->reserved[1] = 1;
        refuse_create(&f, "epilogue.reserved");
        f.epilogue->reserved[1] = 0, f.d.x.reserved[0] = 1;
        if (kind != FIXTURE_LINEAR) refuse_create(&f, "x.reserved");
        f.d.x.reserved[0] = 0, f.d.y.reserved[1] = 1;
        if (kind != FIXTURE_LINEAR) refuse_create(&f, "y.reserved");
    }
}

static void refuse_network(void) {
    networked n;
    if (!networked_init(&n)) return;
    quernel_network *net = NULL;
    int at = 1;
    n.tensors[1].quant.reserved[0] = 1;
    REFUSED(quernel_network_create(&n.desc, &net, &e), "quant.reserved");
    n.tensors[1].quant.reserved[0] = 0, n.layers[2].reserved[0] = 1, at = 2;
    REFUSED(quernel_network_create(&n.desc, &net, &e), "reserved");
    n.layers[2].reserved[0] = 0;
    CHECK(quernel_network_create(&n.desc, &net, NULL) == QUERNEL_OK, "network_create");
    networked_buffers b = networked_take(net);
    const void *const in[] = {b.x};
    void *const out[] = {b.y};
    const quernel_parallel parallel = {.reserved = {0, 0, 1}};
    at = -1;
    REFUSED(quernel_network_run(net, in, out, b.workspace, b.workspace_bytes, &parallel, &e),
            "parallel.reserved");
    networked_give(&b);
    quernel_network_destroy(net);
    networked_free(&n);
}

static void refuse_run(void) {
    fixture f;
    fixture_init(&f, FIXTURE_LINEAR);
    quernel_operator *op = NULL;
    if (!CHECK(fixture_create(&f, &op, NULL) == QUERNEL_OK, "create")) return;
    buffers b = buffers_make(op);
    const quernel_parallel parallel = {.reserved = {1, 0, 0}};
    const int at = -1;
    REFUSED(quernel_operator_run(op, b.x, NULL, b.y, b.workspace, b.workspace_bytes, &parallel, &e),
            "parallel.reserved");
    CHECK(buffers_untouched(&b), "a refused run has written");
    buffers_free(&b);
    quernel_operator_destroy(op);
}

static void *never(void *user, size_t bytes, size_t alignment) {
    return (void)user, (void)bytes, (void)alignment, NULL;
}
static void nothing(void *user, void *memory, size_t bytes) {
    (void)user, (void)memory, (void)bytes;
}

static void refuse_others(void) {
    const int at = -1;
    const quernel_allocator allocator = {never, nothing, NULL, {0, 1}};
    quernel_observer_desc d = QUERNEL_OBSERVER_DESC_INIT;
    quernel_observer *o = NULL;
    d.allocator = &allocator;
    REFUSED(quernel_observer_create(&d, &o, &e), "allocator.reserved");
    const quernel_chain_layer layer = {
        .from = -1, .in = 1, .out = 1, .quant = QUERNEL_QUANT_INIT, .reserved = {0, 1}};
    quernel_chain_output y;
    REFUSED(quernel_chain_plan(&layer, 1, &y, &e), "layers.reserved");
    const quernel_layer_cost cost = {1, 1, 2, {1}};
    quernel_float_step step;
    REFUSED(quernel_rank_float(&cost, 1, 0, &step, &e), "costs.reserved");
    quernel_tensor t = {
        .type = QUERNEL_TYPE_U8, .n = 1, .c = 1, .h = 1, .w = 1, .reserved = {1, 0}};
    size_t bytes, offset;
    REFUSED(quernel_chain_describe(&t, 0, 0, &bytes, &offset, &e), "tensor.reserved");
    const float one[] = {1};
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.out = w.in = 1, w.data = one;
    const quernel_float_layer layers = {sizeof layers, &w, NULL, NULL};
    const quernel_sample sample = {
        .tensor = {.n = 1, .c = 1, .h = 1, .w = 1}, .data = one, .reserved = {1, 0}};
    quernel_choice choice = QUERNEL_CHOICE_INIT;
    float s[1];
    REFUSED(quernel_search_layer(&layers, &sample, 1, NULL, &choice, s, &e), "samples.reserved");
}

void test_reserved(void) {
    refuse_network();
    refuse_run();
    refuse_others();
}
