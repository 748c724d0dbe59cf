// SPDX-License-Identifier: Apache-2.0
// Every refusal of networks, by status, argument, index and text; what a refused run leaves alone.
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "network.h"
#include "tests.h"

static void refuse(const networked *n, refusal wanted, const char *what) {
    quernel_network *const sentinel = (quernel_network *)(uintptr_t)0x5a5a;
    quernel_network *net = sentinel;
    quernel_error error = {0};
    expect_refusal(quernel_network_create(&n->desc, &net, &error), &error, wanted, what);
    CHECK(net == sentinel, "%s: ret_network was written to", what);
}

void test_refuse_network_desc(void) {
    networked n;
    if (!networked_init(&n)) return;
    quernel_network *net = NULL;
    quernel_error error = {0};
    expect_refusal(quernel_network_create(NULL, &net, &error), &error,
                   (refusal){QUERNEL_E_NULL, "desc", NULL, -1}, "desc");
    expect_refusal(quernel_network_create(&n.desc, NULL, &error), &error,
                   (refusal){QUERNEL_E_NULL, "ret_network", NULL, -1}, "ret_network");
    networked bad = n;
    bad.desc.size--;
    refuse(&bad, (refusal){QUERNEL_E_VALUE, "size", NULL, -1}, "size");
    bad = n, bad.desc.tensors = NULL;
    refuse(&bad, (refusal){QUERNEL_E_NULL, "tensors", NULL, -1}, "tensors");
    bad = n, bad.desc.layers = NULL;
    refuse(&bad, (refusal){QUERNEL_E_NULL, "layers", NULL, -1}, "layers");
    bad = n, bad.desc.n_tensors = 0;
    refuse(&bad, (refusal){QUERNEL_E_SHAPE, "n_tensors", "0", -1}, "n_tensors");
    bad = n, bad.desc.n_layers = UINT32_MAX;
    refuse(&bad, (refusal){QUERNEL_E_SHAPE, "n_layers", "4294967295", -1}, "n_layers");
    networked_free(&n);
}

void test_refuse_network_tensors(void) {
    networked n;
    if (!networked_init(&n)) return;
    static const float zeros[64];
    quernel_network_tensor *const t = n.tensors;
    const quernel_network_tensor inner = t[1], output = t[2];
#define TRY(index, change, ...)                    \
    do {                                           \
        change;                                    \
        refuse(&n, (refusal)__VA_ARGS__, #change); \
        t[1] = inner, t[2] = output;               \
    } while (0)
    TRY(1, t[1].size = 0, {QUERNEL_E_VALUE, "size", NULL, 1});
    TRY(1, t[1].role = 3, {QUERNEL_E_VALUE, "role", "3", 1});
    TRY(1, t[1].role = -1, {QUERNEL_E_VALUE, "role", "-1", 1});
    // nobody reads it
    TRY(2, t[2].role = QUERNEL_NETWORK_INNER, {QUERNEL_E_VALUE, "role", NULL, 2});
    TRY(2, t[2].shape.type = 77, {QUERNEL_E_VALUE, "shape", "77", 2});
    TRY(1, t[1].shape.stride_w = 5, {QUERNEL_E_STRIDE, "shape", "5", 1});
    TRY(1, t[1].shape.border_h = 1, {QUERNEL_E_VALUE, "shape", "1", 1});
    TRY(1, t[1].shape.layout = QUERNEL_LAYOUT_NCHW, {QUERNEL_E_VALUE, "shape", "1", 1});
    TRY(1, t[1].quant.mode = QUERNEL_QUANT_DYNAMIC_CALL, {QUERNEL_E_VALUE, "quant.mode", "1", 1});
    TRY(1, t[1].smooth = zeros, {QUERNEL_E_VALUE, "smooth", "0", 1});
    TRY(2, t[2].smooth = n.ones, {QUERNEL_E_VALUE, "smooth", NULL, 2}); // float
    TRY(2, t[2].shape.h = 9, {QUERNEL_E_SHAPE, "y", "9", 1});
    TRY(2, t[2].shape.c = 3, {QUERNEL_E_SHAPE, "y_channel", "0", 1});
    // its layers do not write all of it
    TRY(2, t[2].shape.c = 9, {QUERNEL_E_SHAPE, "shape", NULL, 2});
#undef TRY
    networked_free(&n);
}

void test_refuse_network_layers(void) {
    networked n;
    if (!networked_init(&n)) return;
    quernel_network_layer *const l = n.layers;
    const quernel_network_layer first = l[0], second = l[1], third = l[2];
#define TRY(change, ...)                           \
    do {                                           \
        change;                                    \
        refuse(&n, (refusal)__VA_ARGS__, #change); \
        l[0] = first, l[1] = second, l[2] = third; \
    } while (0)
    TRY(l[1].size++, {QUERNEL_E_VALUE, "size", NULL, 1});
    TRY(l[1].x = 3, {QUERNEL_E_VALUE, "x", "3", 1});
    TRY(l[1].y = 99, {QUERNEL_E_VALUE, "y", "99", 1});
    TRY(l[1].residual = 3, {QUERNEL_E_VALUE, "residual", "3", 1});
    TRY(l[1].residual = -2, {QUERNEL_E_VALUE, "residual", "-2", 1});
    TRY(l[1].conv.weights = NULL, {QUERNEL_E_NULL, "conv.weights", NULL, 1});
    TRY(l[1].y = 0, {QUERNEL_E_VALUE, "y", "0", 1});               // an input
    TRY(l[0].x = 1, {QUERNEL_E_VALUE, "x", "1", 0});               // itself
    TRY(l[0].x = 2, {QUERNEL_E_VALUE, "x", "2", 0});               // not yet written
    TRY(l[1].residual = 2, {QUERNEL_E_VALUE, "residual", "2", 1}); // itself
    TRY(l[1].x_channel = 1, {QUERNEL_E_SHAPE, "x", "1", 1});
    TRY(l[1].y_channel = UINT32_MAX, {QUERNEL_E_SHAPE, "y_channel", "4294967295", 1});
    TRY(l[1].y = 1, {QUERNEL_E_OVERLAP, "y_channel", "0", 1}); // reads what it writes
    TRY(l[2].y_channel = 2, {QUERNEL_E_OVERLAP, "y_channel", "2", 2});
    TRY(l[1].conv.stride_h = 0, {QUERNEL_E_SHAPE, "stride_h", "0", 1});
    TRY(l[1].conv.size = 1, {QUERNEL_E_VALUE, "size", NULL, 1});
    TRY(l[1].conv.epilogue.activation = 99, {QUERNEL_E_VALUE, "epilogue.activation", "99", 1});
    TRY(l[1].conv.config = "strip=1", {QUERNEL_E_VALUE, "config", "strip", 1});
    TRY(l[1].conv.weights = n.smoothed, {QUERNEL_E_VALUE, "conv.weights", NULL, 2});
#undef TRY
    networked_free(&n);
}

/// Layers of other kinds; the output becomes u8 of six channels, so that each may write it.
void test_refuse_network_kinds(void) {
    networked n;
    if (!networked_init(&n)) return;
    quernel_network_layer *const l = n.layers;
    quernel_network_tensor *const t = n.tensors;
    quernel_eltwise_desc e = QUERNEL_ELTWISE_DESC_INIT;
    quernel_pool2d_desc p = QUERNEL_POOL2D_DESC_INIT;
    quernel_resize2d_desc r = QUERNEL_RESIZE2D_DESC_INIT;
    quernel_shuffle2d_desc s = QUERNEL_SHUFFLE2D_DESC_INIT;
    quernel_normalize_desc z = QUERNEL_NORMALIZE_DESC_INIT;
    static const uint32_t lines[5], pixels[7], channels[6] = {5, 4, 3, 2, 1, 0};
    static const float factors[6] = {1, 2, 1, 1, 1, 1};
    r.y.h = 5, r.y.w = 7, r.lines.index = lines, r.pixels.index = pixels;
    s.y.c = 6, s.from = channels;
    n.desc.n_layers = 2;
    l[1].kind = QUERNEL_NETWORK_ELTWISE, l[1].desc = &e, l[1].conv.weights = NULL;
    t[2].shape.type = QUERNEL_TYPE_U8, t[2].quant = t[1].quant;
    const quernel_network_layer second = l[1];
    const quernel_network_tensor inner = t[1], output = t[2];
    const quernel_eltwise_desc elements = e;
    const quernel_pool2d_desc pool = p;
#define TRY(change, ...)                                                    \
    do {                                                                    \
        change;                                                             \
        refuse(&n, (refusal)__VA_ARGS__, #change);                          \
        l[1] = second, t[1] = inner, t[2] = output, e = elements, p = pool; \
    } while (0)
#define KIND(which, its) l[1].kind = QUERNEL_NETWORK_##which, l[1].desc = &(its)
    TRY(l[1].kind = 7, {QUERNEL_E_VALUE, "kind", "7", 1});
    TRY(l[1].kind = -1, {QUERNEL_E_VALUE, "kind", "-1", 1});
    TRY(l[1].desc = NULL, {QUERNEL_E_NULL, "desc", NULL, 1});
    TRY(l[1].kind = QUERNEL_NETWORK_CONV, {QUERNEL_E_VALUE, "desc", NULL, 1});
    TRY(e.size = 8, {QUERNEL_E_VALUE, "size", "8", 1});
    TRY(l[1].channels = 7, {QUERNEL_E_SHAPE, "x", "1", 1});
    TRY(l[1].x_channel = 6, {QUERNEL_E_SHAPE, "x", "1", 1});
    TRY(l[0].channels = 6, {QUERNEL_E_VALUE, "channels", "6", 0});
    l[0].channels = 0;
    TRY(l[1].residual = 0, {QUERNEL_E_VALUE, "residual", "0", 1});
    TRY(e.kind = QUERNEL_ELTWISE_ADD, {QUERNEL_E_VALUE, "residual", "-1", 1});
    TRY(e.kind = 9, {QUERNEL_E_VALUE, "kind", "9", 1});
    TRY(e.epilogue.activation = 99, {QUERNEL_E_VALUE, "epilogue.activation", "99", 1});
    TRY(e.epilogue.bias = factors, {QUERNEL_E_VALUE, "epilogue.bias", NULL, 1});
    TRY((KIND(POOL2D, p), p.stride_h = 0), {QUERNEL_E_SHAPE, "stride_h", "0", 1});
    TRY((KIND(POOL2D, p), p.kernel_w = 9), {QUERNEL_E_SHAPE, "x", NULL, 1});
    TRY((KIND(POOL2D, p), p.stride_w = 2, t[2].shape.w = 7), {QUERNEL_E_SHAPE, "y", "7", 1});
    TRY((KIND(RESIZE2D, r), r.y.h = 0), {QUERNEL_E_SHAPE, "y", "0 x 7", 1});
    r.y.h = 5;
    TRY((KIND(SHUFFLE2D, s), t[2].quant.scale = 0.5f), {QUERNEL_E_VALUE, "y", "2", 1});
    TRY((KIND(SHUFFLE2D, s), t[2].quant.zero = 5), {QUERNEL_E_VALUE, "y", "2", 1});
    TRY((KIND(SHUFFLE2D, s), t[1].smooth = factors), {QUERNEL_E_VALUE, "y", "2", 1});
    TRY((KIND(SHUFFLE2D, s), s.y.c = 0), {QUERNEL_E_SHAPE, "x", NULL, 1});
    TRY((KIND(NORMALIZE, z), z.kind = 3), {QUERNEL_E_VALUE, "kind", "3", 1});
#undef KIND
#undef TRY
    networked_free(&n);
}

static void refuse_run(const quernel_network *net, const void *const *inputs, void *const *outputs,
                       void *workspace, size_t bytes, refusal wanted, const networked_buffers *b,
                       const char *what) {
    quernel_error error = {0};
    expect_refusal(quernel_network_run(net, inputs, outputs, workspace, bytes, NULL, &error),
                   &error, wanted, what);
    for (int i = 0; i < NETWORKED_Y; i++)
        if (!CHECK(b->y[i] == NETWORKED_POISON, "%s: the output was written to", what)) return;
}

void test_refuse_network_run(void) {
    networked n;
    quernel_network *net = NULL;
    quernel_error error = {0};
    if (!networked_init(&n)) return;
    if (CHECK(!quernel_network_create(&n.desc, &net, &error), "%s", error.text)) {
        networked_buffers b = networked_take(net);
        const size_t bytes = b.workspace_bytes;
        uint8_t *const at = b.workspace;
        const void *x[] = {b.x};
        void *y[] = {b.y};
        const refusal no_inputs = {QUERNEL_E_NULL, "inputs", NULL, -1},
                      no_outputs = {QUERNEL_E_NULL, "outputs", NULL, -1};
        refuse_run(NULL, x, y, at, bytes, (refusal){QUERNEL_E_NULL, "network", NULL, -1}, &b,
                   "no network");
        refuse_run(net, NULL, y, at, bytes, no_inputs, &b, "no inputs");
        refuse_run(net, x, NULL, at, bytes, no_outputs, &b, "no outputs");
        refuse_run(net, x, y, NULL, bytes, (refusal){QUERNEL_E_NULL, "workspace", NULL, -1}, &b,
                   "no workspace");
        refuse_run(net, x, y, at + 32, bytes, (refusal){QUERNEL_E_ALIGN, "workspace", NULL, -1}, &b,
                   "misaligned workspace");
        refuse_run(net, x, y, at, bytes - 1,
                   (refusal){QUERNEL_E_WORKSPACE, "workspace_bytes", NULL, -1}, &b, "a byte short");
        x[0] = NULL;
        refuse_run(net, x, y, at, bytes, (refusal){QUERNEL_E_NULL, "inputs[0]", NULL, 0}, &b,
                   "input NULL");
        x[0] = (const char *)b.x + 1;
        refuse_run(net, x, y, at, bytes, (refusal){QUERNEL_E_ALIGN, "inputs[0]", NULL, 0}, &b,
                   "input misaligned");
        x[0] = b.y + 1;
        refuse_run(net, x, y, at, bytes, (refusal){QUERNEL_E_OVERLAP, "outputs[0]", "inputs[0]", 0},
                   &b, "input is the output");
        x[0] = at;
        refuse_run(net, x, y, at, bytes, (refusal){QUERNEL_E_OVERLAP, "workspace", "inputs[0]", -1},
                   &b, "input in the workspace");
        x[0] = b.x, y[0] = NULL;
        refuse_run(net, x, y, at, bytes, (refusal){QUERNEL_E_NULL, "outputs[0]", NULL, 0}, &b,
                   "output NULL");
        y[0] = b.y;
        const quernel_parallel two = {.threads = 2};
        expect_refusal(quernel_network_run(net, x, y, at, bytes, &two, &error), &error,
                       (refusal){QUERNEL_E_VALUE, "parallel", "2", -1},
                       "two threads, made for one");
        networked_give(&b);
    }
    quernel_network_destroy(net);
    networked_free(&n);
}
