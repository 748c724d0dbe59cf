// SPDX-License-Identifier: Apache-2.0
// Networks against their layers, each run as an operator of its own over dense tensors: the same
// bits, on one thread and on three. Environment: QUERNEL_TEST_SEED (default 1), QUERNEL_TEST_CASES
// (default 400), QUERNEL_TEST_CASE (one alone).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"
#include "draw.h"

enum { DEFAULT_CASES = 400, THREADS = 3 };

static void *take(size_t bytes, int poison) {
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
    if (!memory) abort();
    return memset(memory, poison, bytes);
}

static quernel_tensor dense(quernel_tensor t, uint32_t channels) {
    const bool nhwc = t.layout == QUERNEL_LAYOUT_NHWC;
    t.c = channels;
    t.stride_c = nhwc ? 1 : (int64_t)t.h * t.w, t.stride_w = nhwc ? t.c : 1;
    t.stride_h = t.w * t.stride_w, t.stride_n = (int64_t)t.h * t.w * t.c;
    return t;
}

static int64_t offset(const quernel_tensor *t, uint32_t n, uint32_t c, uint32_t h, uint32_t w) {
    return (n * t->stride_n + c * t->stride_c + h * t->stride_h + w * t->stride_w) *
           (int64_t)quernel_type_size((quernel_type)t->type);
}

// Copies `channels` channels between two tensors of equal type, from channel `c_from` to channel
// `c_to`.
static void copy_channels(const quernel_tensor *from, const uint8_t *a, uint32_t c_from,
                          const quernel_tensor *to, uint8_t *b, uint32_t c_to, uint32_t channels) {
    for (uint32_t n = 0; n < to->n; n++)
        for (uint32_t c = 0; c < channels; c++)
            for (uint32_t h = 0; h < to->h; h++)
                for (uint32_t w = 0; w < to->w; w++)
                    memcpy(b + offset(to, n, c_to + c, h, w), a + offset(from, n, c_from + c, h, w),
                           quernel_type_size((quernel_type)to->type));
}

// ---- the layers as operators of their own ----

typedef struct plain {
    const drawn *d;
    uint8_t *values[MAX_TENSORS]; // dense
} plain;

static uint8_t *slice_of(const plain *p, uint32_t tensor, uint32_t channel, uint32_t channels) {
    const quernel_tensor from = dense(p->d->sizes[tensor], p->d->sizes[tensor].c),
                         to = dense(from, channels);
    uint8_t *slice = take(draw_count(&to) * quernel_type_size((quernel_type)to.type), 0);
    copy_channels(&from, p->values[tensor], channel, &to, slice, 0, channels);
    return slice;
}

// The descriptor of a layer as somebody would write it who has no network.
static quernel_conv2d_desc describe(const drawn *d, const quernel_network_layer *l, uint32_t in,
                                    uint32_t out, float *scales) {
    quernel_conv2d_desc c = l->conv;
    const quernel_quant *y = &d->tensors[l->y].quant;
    c.x = dense(d->sizes[l->x], in), c.y = dense(d->sizes[l->y], out);
    c.quant = d->tensors[l->x].quant;
    c.epilogue.y_type = c.y.type, c.epilogue.y_scale = y->scale, c.epilogue.y_zero = y->zero,
    c.epilogue.y_narrow = y->narrow;
    if (c.y.type != QUERNEL_TYPE_F32 && d->smooth[l->y])
        c.epilogue.y_smooth = d->smooth[l->y] + l->y_channel;
    if (l->residual < 0) return c;
    const quernel_quant *r = &d->tensors[l->residual].quant;
    const float *smooth = d->smooth[l->residual];
    c.residual = dense(d->sizes[l->residual], out);
    c.epilogue.residual = 1, c.epilogue.residual_type = c.residual.type,
    c.epilogue.residual_zero = r->zero;
    for (uint32_t k = 0; k < out; k++)
        scales[k] = r->scale * (smooth ? smooth[l->residual_channel + k] : 1.0f);
    c.epilogue.residual_scales = scales;
    return c;
}

static bool run_layer(plain *p, uint32_t layer) {
    const quernel_network_layer *l = &p->d->layers[layer];
    quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
    quernel_weights_get(l->conv.weights, &info);
    float scales[64];
    const quernel_conv2d_desc c = describe(p->d, l, info.in, info.out, scales);
    quernel_operator *op = NULL;
    quernel_error error = {0};
    const bool up = info.kind == QUERNEL_WEIGHTS_DECONV2D;
    if (!CHECK(!(up ? quernel_deconv2d_create : quernel_conv2d_create)(&c, &op, &error),
               "layer %u: %s", layer, error.text))
        return false;
    const size_t bytes = quernel_operator_workspace(op);
    uint8_t *workspace = take(bytes, 0), *x = slice_of(p, l->x, l->x_channel, info.in);
    uint8_t *y = slice_of(p, l->y, l->y_channel, info.out);
    uint8_t *residual =
        l->residual < 0 ? NULL : slice_of(p, (uint32_t)l->residual, l->residual_channel, info.out);
    const int code = quernel_operator_run(op, x, residual, y, workspace, bytes, NULL, &error);
    const quernel_tensor whole = dense(p->d->sizes[l->y], p->d->sizes[l->y].c);
    copy_channels(&c.y, y, 0, &whole, p->values[l->y], l->y_channel, info.out);
    quernel_operator_destroy(op);
    free(workspace), free(x), free(y), free(residual);
    return CHECK(!code, "layer %u: %s", layer, error.text);
}

// ---- the network ----

static bool same_output(const quernel_network *net, const plain *p, uint32_t tensor,
                        const uint8_t *y, const char *how) {
    quernel_tensor laid = QUERNEL_TENSOR_INIT;
    quernel_network_tensor_get(net, tensor, &laid);
    const quernel_tensor want = dense(p->d->sizes[tensor], p->d->sizes[tensor].c);
    if (!CHECK(laid.n == want.n && laid.c == want.c && laid.h == want.h && laid.w == want.w,
               "tensor %u is %u x %u x %u x %u", tensor, laid.n, laid.c, laid.h, laid.w))
        return false;
    const size_t size = quernel_type_size((quernel_type)want.type);
    for (uint32_t n = 0; n < want.n; n++)
        for (uint32_t c = 0; c < want.c; c++)
            for (uint32_t h = 0; h < want.h; h++)
                for (uint32_t w = 0; w < want.w; w++)
                    if (memcmp(y + offset(&laid, n, c, h, w),
                               p->values[tensor] + offset(&want, n, c, h, w), size))
                        return CHECK(false, "%s: tensor %u differs at n %u c %u h %u w %u", how,
                                     tensor, n, c, h, w);
    return true;
}

static void run_network(const quernel_network *net, plain *p, const quernel_parallel *parallel,
                        const char *how) {
    const drawn *d = p->d;
    const void *inputs[MAX_TENSORS];
    void *outputs[MAX_TENSORS];
    uint32_t n_inputs = 0, n_outputs = 0;
    for (uint32_t i = 0; i < d->n_tensors; i++) {
        if (d->tensors[i].role == QUERNEL_NETWORK_INPUT) inputs[n_inputs++] = p->values[i];
        if (d->tensors[i].role == QUERNEL_NETWORK_OUTPUT)
            outputs[n_outputs++] = take(
                draw_count(&d->sizes[i]) * quernel_type_size((quernel_type)d->sizes[i].type), 0x77);
    }
    const size_t bytes = quernel_network_workspace(net);
    uint8_t *workspace = take(bytes, parallel ? 0x3c : 0xa5);
    quernel_error error = {0};
    const int code = quernel_network_run(net, inputs, outputs, workspace, bytes, parallel, &error);
    bool right = CHECK(!code, "%s: %s", how, error.text);
    for (uint32_t i = 0, k = 0; i < d->n_tensors; i++)
        if (d->tensors[i].role == QUERNEL_NETWORK_OUTPUT)
            right = right && same_output(net, p, i, outputs[k++], how);
    for (uint32_t k = 0; k < n_outputs; k++) free(outputs[k]);
    free(workspace);
}

static void run_case(uint64_t seed, uint64_t number, const quernel_parallel *parallel) {
    drawn d;
    draw_network(&d, seed, number);
    plain p = {.d = &d};
    bool right = true;
    for (uint32_t i = 0; i < d.n_tensors; i++) {
        p.values[i] =
            take(draw_count(&d.sizes[i]) * quernel_type_size((quernel_type)d.sizes[i].type), 0);
        if (d.tensors[i].role == QUERNEL_NETWORK_INPUT) draw_fill(&d, &d.sizes[i], p.values[i]);
    }
    for (uint32_t i = 0; i < d.n_layers && right; i++) right = run_layer(&p, i);
    quernel_network_desc desc = QUERNEL_NETWORK_DESC_INIT;
    desc.tensors = d.tensors, desc.n_tensors = d.n_tensors, desc.layers = d.layers,
    desc.n_layers = d.n_layers;
    desc.threads = THREADS;
    quernel_network *net = NULL;
    quernel_error error = {0};
    char how[96];
    snprintf(how, sizeof how, "seed %llu case %llu", (unsigned long long)seed,
             (unsigned long long)number);
    if (right && CHECK(!quernel_network_create(&desc, &net, &error), "%s: %s", how, error.text)) {
        run_network(net, &p, NULL, how);
        run_network(net, &p, parallel, how);
    }
    quernel_network_destroy(net);
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
