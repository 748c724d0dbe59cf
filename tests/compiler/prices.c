// SPDX-License-Identifier: Apache-2.0
// Which islands are worth their edges: decisions that no instruction set changes.
#include "prices.h"

#include "../unit/check.h"
#include "graphs.h"

enum { MOST = 64 * 64 * 9 }; // weights of a layer below

// A layer between planes of codes, or of floats behind it.
typedef struct layer {
    const char *name;
    int64_t in, out, groups, kernel, size;
    bool floats, pays;
    const char *function; // behind it, or NULL
} layer;

static const layer layers[] = {
    {"depthwise", 32, 32, 32, 3, 56, false, true, NULL},
    {"groups of 4", 64, 64, 16, 3, 28, false, true, NULL},
    {"2 channels out", 64, 2, 1, 3, 80, false, true, NULL},
    {"3 channels in", 3, 32, 1, 3, 112, true, true, NULL},
    {"3x3", 64, 64, 1, 3, 56, true, true, NULL},
    {"mostly edge, of codes", 96, 24, 1, 1, 56, false, false, NULL},
    {"mostly edge, of floats", 64, 256, 1, 1, 56, true, false, NULL},
    {"in float but here", 64, 256, 1, 1, 56, true, true, "HardSwish"},
    {"what the codes clamp", 64, 256, 1, 1, 56, true, false, "Relu"},
};

static void check(graph *g, const char *name, bool pays) {
    quernel_ep_partition partition = {0};
    const quernel_ep_options options = {1, -1, false, false};
    CHECK(!quernel_ep_partition_find(&g->view, &options, &partition, NULL), "partition");
    CHECK(partition.n_islands == pays, "%s: %u islands", name, partition.n_islands);
    quernel_ep_partition_free(&partition);
}

static int32_t quantized(graph *g, int32_t floats, bool dequantizes) {
    const int32_t q =
        graph_quantize(g, floats, QUERNEL_EP_TYPE_U8, &graph_scales[1], &graph_zeros[1]);
    return dequantizes ? graph_dequantize(g, q, &graph_scales[1], &graph_zeros[1]) : q;
}

static void check_layer(const layer *l) {
    static graph g;
    static const int8_t weights[MOST], zero = 0;
    const int64_t dims[] = {l->out, l->in / l->groups, l->kernel, l->kernel},
                  pads[] = {l->kernel / 2, l->kernel / 2, l->kernel / 2, l->kernel / 2};
    g = (graph){0};
    if (!CHECK(dims[0] * dims[1] * dims[2] * dims[3] <= MOST, "%s: too many weights", l->name))
        return;
    const int32_t codes = graph_value(&g, QUERNEL_EP_TYPE_U8, 1, l->in, l->size, l->size),
                  x = graph_dequantize(&g, codes, &graph_scales[0], &graph_zeros[0]),
                  w = graph_constant(&g, QUERNEL_EP_TYPE_S8, weights,
                                     (size_t)(dims[0] * dims[1] * dims[2] * dims[3]), 4, dims),
                  floats = graph_dequantize(&g, w, &graph_weight_scale, &zero),
                  y = graph_value(&g, QUERNEL_EP_TYPE_F32, 1, l->out, l->size, l->size);
    quernel_ep_node *n = graph_node(&g, "Conv", 11, (int32_t[]){x, floats, -1}, y);
    g.attributes[n - g.nodes][0] = (quernel_ep_attribute){
        .name = "group", .kind = QUERNEL_EP_ATTRIBUTE_INT, .count = 1, .ints = &l->groups};
    g.attributes[n - g.nodes][1] = (quernel_ep_attribute){
        .name = "pads", .kind = QUERNEL_EP_ATTRIBUTE_INTS, .count = 4, .ints = pads};
    n->n_attributes = 2;
    int32_t end = y;
    if (l->function) {
        end = graph_value(&g, QUERNEL_EP_TYPE_F32, 1, l->out, l->size, l->size);
        graph_node(&g, l->function, 14, (int32_t[]){y, -1, -1}, end);
    }
    g.values[quantized(&g, end, l->floats)].graph_output = true;
    check(&g, l->name, l->pays);
}

// One operator between planes of codes; `z` may be left out.
static void check_operator(const char *op, bool z, bool pays) {
    static graph g;
    g = (graph){0};
    int32_t inputs[3] = {-1, -1, -1};
    for (int i = 0; i < 1 + z; i++)
        inputs[i] = graph_dequantize(&g, graph_value(&g, QUERNEL_EP_TYPE_U8, 1, 32, 56, 56),
                                     &graph_scales[i], &graph_zeros[i]);
    const int32_t y = graph_value(&g, QUERNEL_EP_TYPE_F32, 1, 32, 56, 56);
    graph_node(&g, op, 13, inputs, y);
    g.values[quantized(&g, y, true)].graph_output = true;
    check(&g, op, pays);
}

void test_prices(void) {
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) check_layer(&layers[i]);
    check_operator("Sigmoid", false, true);
    check_operator("Add", true, false);
    check_operator("Mul", true, false);
}
