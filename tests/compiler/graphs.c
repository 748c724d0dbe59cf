// SPDX-License-Identifier: Apache-2.0
// Graphs by hand.
#include "graphs.h"

#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"

const float graph_weight_scale = 0.01f, graph_scales[4] = {0.05f, 0.07f, 0.5f, 0.02f};
const uint8_t graph_zeros[2] = {128, 3};
const int8_t graph_weights[64] = {
    3,   -7, 12,  25, -31, 44,  9,  -2, 17,  5,   -9, 60, -58, 33,  8,  -1, 21,  -40, 19, 2,  7, -5,
    11,  30, -22, 14, 6,   -13, 50, -4, 28,  -36, 10, 1,  -15, 27,  35, -6, 20,  -45, 4,  13, 9, -8,
    -18, 24, 38,  -3, 16,  -29, 55, 2,  -12, 41,  5,  -7, 23,  -19, 32, 8,  -26, 15,  37, -10};

int32_t graph_value(graph *g, int32_t type, int64_t n, int64_t c, int64_t h, int64_t w) {
    const int64_t dims[] = {n, c, h, w};
    quernel_ep_value v = {.name = "value", .type = type, .has_shape = true};
    while (v.rank < 4 && dims[v.rank]) v.dims[v.rank] = dims[v.rank], v.rank++;
    g->values[g->view.n_values] = v;
    g->view.values = g->values;
    return (int32_t)g->view.n_values++;
}

int32_t graph_constant(graph *g, int32_t type, const void *data, size_t bytes, uint32_t rank,
                       const int64_t *dims) {
    quernel_ep_value v = {.name = "constant", .type = type, .has_shape = true, .rank = rank};
    if (rank) memcpy(v.dims, dims, rank * sizeof *dims);
    v.data = data, v.bytes = bytes;
    g->values[g->view.n_values] = v;
    g->view.values = g->values;
    return (int32_t)g->view.n_values++;
}

int32_t graph_number(graph *g, const float *f) {
    return graph_constant(g, QUERNEL_EP_TYPE_F32, f, sizeof *f, 0, NULL);
}

quernel_ep_node *graph_node(graph *g, const char *op, int32_t version, const int32_t *inputs,
                            int32_t output) {
    int32_t *ends = g->ends[g->view.n_nodes];
    quernel_ep_node n = {.name = op, .op = op, .domain = "", .version = version};
    while (inputs[n.n_inputs] >= 0) ends[n.n_inputs] = inputs[n.n_inputs], n.n_inputs++;
    ends[n.n_inputs] = output;
    n.inputs = ends, n.outputs = ends + n.n_inputs, n.n_outputs = 1;
    n.attributes = g->attributes[g->view.n_nodes];
    g->nodes[g->view.n_nodes] = n;
    g->view.nodes = g->nodes;
    return &g->nodes[g->view.n_nodes++];
}

static int32_t like(graph *g, int32_t type, int32_t v) {
    const int64_t *d = g->values[v].dims;
    return graph_value(g, type, d[0], d[1], d[2], d[3]);
}

int32_t graph_dequantize(graph *g, int32_t codes, const float *scale, const void *zero) {
    const int32_t s = graph_number(g, scale),
                  z = graph_constant(g, g->values[codes].type, zero, 1, 0, NULL),
                  y = like(g, QUERNEL_EP_TYPE_F32, codes);
    graph_node(g, "DequantizeLinear", 13, (int32_t[]){codes, s, z, -1}, y);
    return y;
}

int32_t graph_quantize(graph *g, int32_t floats, int32_t type, const float *scale,
                       const void *zero) {
    const int32_t s = graph_number(g, scale), z = graph_constant(g, type, zero, 1, 0, NULL),
                  y = like(g, type, floats);
    graph_node(g, "QuantizeLinear", 13, (int32_t[]){floats, s, z, -1}, y);
    return y;
}

int32_t graph_convolution(graph *g, int32_t codes) {
    static const int64_t dims[] = {8, 8, 1, 1};
    static const int8_t zero = 0;
    const int32_t x = graph_dequantize(g, codes, &graph_scales[0], &graph_zeros[0]),
                  w = graph_constant(g, QUERNEL_EP_TYPE_S8, graph_weights, 64, 4, dims),
                  floats = graph_dequantize(g, w, &graph_weight_scale, &zero),
                  y = like(g, QUERNEL_EP_TYPE_F32, codes);
    graph_node(g, "Conv", 11, (int32_t[]){x, floats, -1}, y);
    return y;
}

quernel_ep_program *graph_program(graph *g, bool units, quernel_ep_partition *ret_partition) {
    const quernel_ep_options options = {1, -1, units, true};
    quernel_error error = {0};
    const int code = quernel_ep_partition_find(&g->view, &options, ret_partition, &error);
    if (!CHECK(code == QUERNEL_OK, "%s", error.text)) return NULL;
    for (uint32_t i = 0; i < ret_partition->n_refusals; i++)
        CHECK(units, "node %u: %s", ret_partition->refusals[i].node,
              ret_partition->refusals[i].reason);
    if (!CHECK(ret_partition->n_islands >= 1, "%u islands", ret_partition->n_islands)) return NULL;
    return ret_partition->islands[0].program;
}

int graph_run(const quernel_ep_program *program, const void *x, void *y, size_t y_bytes) {
    const quernel_ep_shape shape = {4, {1, 8, 6, 5}};
    quernel_ep_instance *instance = NULL;
    quernel_error error = {0};
    int code = quernel_ep_instance_create(program, &shape, &instance, &error);
    if (code) return code;
    size_t elements = 1;
    for (uint32_t i = 0; i < quernel_ep_instance_output(instance, 0)->rank; i++)
        elements *= (size_t)quernel_ep_instance_output(instance, 0)->dims[i];
    const size_t bytes = quernel_ep_instance_workspace(instance);
    void *workspace = aligned_alloc(64, bytes + 64 - bytes % 64);
    code = elements > y_bytes || bytes > (1u << 28) || !workspace
               ? QUERNEL_E_SHAPE
               : quernel_ep_instance_run(instance, &x, &y, workspace, NULL, &error);
    free(workspace);
    quernel_ep_instance_destroy(instance);
    return code;
}
