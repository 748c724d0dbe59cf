// SPDX-License-Identifier: Apache-2.0
// The network of a workload: tensors and layers of its rows.
#include "tune/workload/network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tune/workload/network_parts.h"

// Tensors: input and output, then those of rows that do not write the output, in their order.
enum { INPUT = 0, OUTPUT = 1, INNER = 2 };
enum {
    SLACK = 64,       // bytes behind every buffer
    CHECKED_SHARE = 8 // of lines and columns, so that ref takes seconds
};
#define CODE_SCALE (1.0f / 32) // inner values reach a range of 8

static bool refuse(network_workload *n, const char *reason) {
    snprintf(n->reason, sizeof n->reason, "%s: %s", n->rows[0].model, reason);
    return false;
}

static quernel_network_tensor tensor(const network_workload *n, int32_t role, int32_t type,
                                     int32_t layout) {
    quernel_network_tensor t = QUERNEL_NETWORK_TENSOR_INIT;
    t.role = role, t.shape.type = type, t.shape.layout = layout;
    t.quant.type = n->request.inner, t.quant.scale = CODE_SCALE;
    return t;
}

// Of lines or columns of the input; a multiple of 4, which strides divide.
static uint32_t share_of(uint32_t size, uint32_t share) {
    return share == 1 ? size : (size / share + 3) / 4 * 4;
}

// How many inner tensors the first `rows` rows write.
static uint32_t inner_of(const network_workload *n, uint32_t rows) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < rows; i++) count += !network_is_output(&n->rows[i]);
    return count;
}

static void describe_tensors(const network_workload *n, uint32_t share,
                             quernel_network_tensor *to) {
    const network_request *r = &n->request;
    const shape *first = n->rows;
    to[INPUT] = tensor(n, QUERNEL_NETWORK_INPUT, r->x_type, r->x_layout);
    to[OUTPUT] = tensor(n, QUERNEL_NETWORK_OUTPUT, r->y_type, r->y_layout);
    if (r->dynamic) to[INPUT].quant.mode = QUERNEL_QUANT_DYNAMIC_CALL;
    quernel_tensor *x = &to[INPUT].shape;
    x->n = first->batch, x->c = first->c_in;
    x->h = share_of(first->h, share), x->w = share_of(first->w, share);
    for (uint32_t i = 0; i < inner_of(n, n->count); i++)
        to[INNER + i] = tensor(n, QUERNEL_NETWORK_INNER, r->inner, QUERNEL_LAYOUT_NHWC);
}

// The tensor that row `row`, counted from 1, writes, and its first channel there; 0: the input.
static uint32_t tensor_of(const network_workload *n, uint32_t row, uint32_t *ret_channel) {
    *ret_channel = 0;
    if (!row) return INPUT;
    if (!network_is_output(&n->rows[row - 1])) return INNER + inner_of(n, row - 1);
    *ret_channel = n->rows[row - 1].slice;
    return OUTPUT;
}

static quernel_network_layer layer(const network_workload *n, uint32_t row, const char *config,
                                   const float *slopes) {
    const shape *p = &n->rows[row];
    quernel_network_layer l = QUERNEL_NETWORK_LAYER_INIT;
    quernel_conv2d_desc *c = &l.conv;
    l.x = tensor_of(n, p->input, &l.x_channel), l.y = tensor_of(n, row + 1, &l.y_channel);
    if (p->residual) l.residual = (int32_t)tensor_of(n, p->residual, &l.residual_channel);
    c->weights = n->weights[row], c->config = config;
    c->stride_h = p->stride, c->stride_w = p->stride_w, c->dilation_h = c->dilation_w = p->dilation;
    c->pad_top = c->pad_bottom = p->pad, c->pad_left = c->pad_right = p->pad_w;
    c->out_pad_h = c->out_pad_w = p->out_pad;
    workload_set_activation(p->activation, &c->epilogue);
    c->epilogue.slopes = slopes;
    return l;
}

static uint32_t widest(const network_workload *n) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < n->count; i++)
        if (n->rows[i].c_out > most) most = n->rows[i].c_out;
    return most;
}

int network_plan(const network_workload *n, const char *const *configs, uint32_t share, int32_t isa,
                 quernel_network **ret_network, quernel_error *error) {
    const uint32_t n_tensors = INNER + inner_of(n, n->count), out = widest(n);
    quernel_network_tensor *tensors = malloc(n_tensors * sizeof *tensors);
    quernel_network_layer *layers = malloc(n->count * sizeof *layers);
    float *bias = malloc(2 * (size_t)out * sizeof *bias);
    int code = QUERNEL_E_MEMORY;
    if (tensors && layers && bias) {
        workload_fill_channels(out, bias, bias + out);
        describe_tensors(n, share, tensors);
        for (uint32_t i = 0; i < n->count; i++)
            layers[i] = layer(n, i, configs ? configs[i] : NULL, bias + out),
            layers[i].conv.epilogue.bias = bias;
        quernel_network_desc d = QUERNEL_NETWORK_DESC_INIT;
        d.tensors = tensors, d.n_tensors = n_tensors, d.layers = layers, d.n_layers = n->count;
        d.threads = n->request.threads, d.isa = isa;
        code = quernel_network_create(&d, ret_network, error);
    }
    free(tensors), free(layers), free(bias);
    return code;
}

int network_run(const network_workload *n, const quernel_network *network, uint8_t *y,
                void *workspace, size_t bytes, const quernel_parallel *parallel) {
    const void *const inputs[] = {n->x_memory};
    void *const outputs[] = {y};
    return quernel_network_run(network, inputs, outputs, workspace, bytes, parallel, NULL);
}

static size_t tensor_bytes(const quernel_tensor *t) {
    return (size_t)t->n * t->c * t->h * t->w * quernel_type_size((quernel_type)t->type) + SLACK;
}

// Weights that keep the size of values from layer to layer.
static bool make_weights(network_workload *n) {
    quernel_error error = {.text = "no memory"};
    n->weights = calloc(n->count, sizeof(quernel_weights *));
    if (!n->weights) return refuse(n, error.text);
    for (uint32_t i = 0; i < n->count; i++) {
        const shape *p = &n->rows[i];
        const float scale = 1 / sqrtf((float)p->k);
        if (workload_pack_weights(p, n->request.seed + i, QUERNEL_SMOOTH_NONE, scale,
                                  &n->weights[i], &error))
            return refuse(n, error.text);
    }
    return true;
}

// A first network tells how large the output is.
static bool make_data(network_workload *n) {
    quernel_error error = {.text = "no memory"};
    quernel_network *network;
    quernel_tensor x, y;
    if (network_plan(n, NULL, 1, n->request.isa, &network, &error)) return refuse(n, error.text);
    quernel_network_tensor_get(network, INPUT, &x), quernel_network_tensor_get(network, OUTPUT, &y);
    quernel_network_destroy(network);
    n->y_bytes = tensor_bytes(&y);
    n->x_memory = workload_allocate_filled(tensor_bytes(&x), x.type, n->request.seed ^ 0xda7a);
    return n->x_memory || refuse(n, "no memory");
}

bool network_make(network_workload *n, const shape *rows, uint32_t count,
                  const network_request *r) {
    *n = (network_workload){.rows = rows, .count = count, .request = *r};
    return network_check_rows(n) && make_weights(n) && make_data(n);
}

void network_free(network_workload *n) {
    for (uint32_t i = 0; n->weights && i < n->count; i++) quernel_weights_release(n->weights[i]);
    free(n->weights), free(n->x_memory);
}

uint64_t network_macs(const network_workload *n) {
    uint64_t macs = 0;
    for (uint32_t i = 0; i < n->count; i++) macs += n->rows[i].macs;
    return macs;
}

// The output of a share of the network; the caller frees it. NULL where it cannot be run.
static uint8_t *output_of(const network_workload *n, int32_t isa,
                          const quernel_parallel *parallel) {
    const uint32_t share = network_macs(n) <= FULL_CHECK_OFTEN ? 1 : CHECKED_SHARE;
    quernel_network *network = NULL;
    uint8_t *y = calloc(n->y_bytes, 1), *workspace = NULL;
    int code = QUERNEL_E_MEMORY;
    if (y && !network_plan(n, NULL, share, isa, &network, NULL)) {
        const size_t bytes = (quernel_network_workspace(network) + 63) / 64 * 64;
        if ((workspace = aligned_alloc(64, bytes)))
            code = network_run(n, network, y, workspace, bytes, parallel);
    }
    quernel_network_destroy(network);
    free(workspace);
    if (!code) return y;
    free(y);
    return NULL;
}

bool network_check(network_workload *n, bool *ret_differs) {
    quernel_pool *pool = NULL;
    if (n->request.threads > 1) quernel_pool_create(n->request.threads, &pool, NULL);
    const quernel_parallel parallel = quernel_pool_parallel(pool);
    uint8_t *own = output_of(n, n->request.isa, &parallel),
            *ref = output_of(n, QUERNEL_ISA_REF, &parallel);
    *ret_differs = own && ref && memcmp(own, ref, n->y_bytes);
    const bool same = own && ref && !*ret_differs;
    free(own), free(ref);
    quernel_pool_destroy(pool);
    if (same) return true;
    return refuse(n, *ret_differs ? "the default's bits differ from ref"
                                  : "cannot be run beside ref on a share of its lines");
}
