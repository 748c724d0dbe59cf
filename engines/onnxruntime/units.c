// SPDX-License-Identifier: Apache-2.0
// Which matcher an operator has, and in which order they are asked.
#include <stdio.h>
#include <string.h>

#include "island.h"
#include "unit.h"

typedef bool match_fn(quernel_ep_search *c, uint32_t node);

// Channels that are shuffled begin with a Reshape.
static bool match_reshape(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    if (quernel_ep_value_of(c, n->outputs[0])->rank == 5 && quernel_ep_match_shuffle(c, node))
        return true;
    return quernel_ep_match_view(c, node);
}

// Weights are constant, or the second of two tensors.
static bool match_product(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    const int32_t second = quernel_ep_input(n, quernel_ep_node_is(n, "QLinearMatMul") ? 3 : 1);
    const bool constant = second < 0 || quernel_ep_may_be_constant(c, second);
    return (constant ? quernel_ep_match_product : quernel_ep_match_matmul)(c, node);
}

static const struct {
    const char *op; // of either domain: quernel_ep_known has looked at it
    match_fn *match;
    bool multiplies;
} matchers[] = {
    {"Conv", quernel_ep_match_convolution, true},
    {"ConvTranspose", quernel_ep_match_convolution, true},
    {"QLinearConv", quernel_ep_match_convolution, true},
    {"MatMul", match_product, true},
    {"Gemm", quernel_ep_match_product, true},
    {"QLinearMatMul", match_product, true},
    {"QGemm", quernel_ep_match_product, true},
    {"BatchNormalization", quernel_ep_match_norm, false},
    {"Add", quernel_ep_match_binary, false},
    {"Sub", quernel_ep_match_binary, false},
    {"Mul", quernel_ep_match_binary, false},
    {"Div", quernel_ep_match_binary, false},
    {"QLinearAdd", quernel_ep_match_binary, false},
    {"QLinearMul", quernel_ep_match_binary, false},
    {"Relu", quernel_ep_match_unary, false},
    {"Clip", quernel_ep_match_unary, false},
    {"LeakyRelu", quernel_ep_match_unary, false},
    {"PRelu", quernel_ep_match_unary, false},
    {"HardSwish", quernel_ep_match_unary, false},
    {"HardSigmoid", quernel_ep_match_unary, false},
    {"Sigmoid", quernel_ep_match_unary, false},
    {"Tanh", quernel_ep_match_unary, false},
    {"Gelu", quernel_ep_match_unary, false},
    {"Swish", quernel_ep_match_unary, false},
    {"QuickGelu", quernel_ep_match_unary, false},
    {"Max", quernel_ep_match_unary, false},
    {"QLinearSigmoid", quernel_ep_match_unary, false},
    {"QLinearLeakyRelu", quernel_ep_match_unary, false},
    {"MaxPool", quernel_ep_match_pool, false},
    {"AveragePool", quernel_ep_match_pool, false},
    {"GlobalAveragePool", quernel_ep_match_pool, false},
    {"ReduceMean", quernel_ep_match_pool, false},
    {"Softmax", quernel_ep_match_normalize, false},
    {"QLinearSoftmax", quernel_ep_match_normalize, false},
    {"LayerNormalization", quernel_ep_match_normalize, false},
    {"RMSNormalization", quernel_ep_match_normalize, false},
    {"SimplifiedLayerNormalization", quernel_ep_match_normalize, false},
    {"QLinearAveragePool", quernel_ep_match_pool, false},
    {"QLinearGlobalAveragePool", quernel_ep_match_pool, false},
    {"Resize", quernel_ep_match_resample, false},
    {"Upsample", quernel_ep_match_resample, false},
    {"Slice", quernel_ep_match_resample, false},
    {"Pad", quernel_ep_match_resample, false},
    {"DepthToSpace", quernel_ep_match_shuffle, false},
    {"SpaceToDepth", quernel_ep_match_shuffle, false},
    {"DynamicQuantizeLinear", quernel_ep_match_dynamic, true},
    {"Identity", quernel_ep_match_view, false},
    {"Dropout", quernel_ep_match_view, false},
    {"Reshape", match_reshape, false},
    {"Flatten", quernel_ep_match_view, false},
    {"Squeeze", quernel_ep_match_view, false},
    {"Unsqueeze", quernel_ep_match_view, false},
    {"Transpose", quernel_ep_match_view, false},
    {"Split", quernel_ep_match_view, false},
    {"Concat", quernel_ep_match_concat, false},
    {"QLinearConcat", quernel_ep_match_concat, false},
};

static bool is_quantizer(const quernel_ep_search *c, uint32_t node) {
    return !strcmp(quernel_ep_node_of(c, node)->op, "QuantizeLinear");
}

static bool is_dequantizer(const quernel_ep_search *c, uint32_t node) {
    return !strcmp(quernel_ep_node_of(c, node)->op, "DequantizeLinear");
}

static void match_operator(quernel_ep_search *c, uint32_t node, bool multiplies) {
    if (c->unit_of[node] >= 0 || is_quantizer(c, node) || is_dequantizer(c, node)) return;
    if (!quernel_ep_known(c, node)) return;
    for (size_t i = 0; i < sizeof matchers / sizeof *matchers; i++) {
        if (strcmp(matchers[i].op, quernel_ep_node_of(c, node)->op)) continue;
        if (matchers[i].multiplies == multiplies) matchers[i].match(c, node);
        return;
    }
}

// Reads of other nodes have made them units, or nothing has.
static void match_copy(quernel_ep_search *c, uint32_t node) {
    if (c->unit_of[node] >= 0 || (!is_quantizer(c, node) && !is_dequantizer(c, node))) return;
    if (quernel_ep_known(c, node)) quernel_ep_match_copy(c, node);
}

// The order of a value as it is written, else ANY; two dimensions have but one.
static int32_t order_of(const quernel_ep_search *c, int32_t v) {
    if (v < 0 || (uint32_t)v >= c->graph->n_values) return QUERNEL_EP_ORDER_ANY;
    const int32_t node = c->producer[v];
    if (node < 0 || c->unit_of[node] < 0) return QUERNEL_EP_ORDER_ANY;
    return c->records[v].order;
}

// What is wanted of the values that a step reads, by those who read its output if it does not care.
typedef struct wish {
    int32_t *wanted; // [values]
    int32_t order;
} wish;

static void note_wish(void *user, int32_t v) {
    const wish *w = user;
    if (w->order != QUERNEL_EP_ORDER_ANY) w->wanted[v] = w->order;
}

static void settle(quernel_ep_search *c, quernel_ep_step *s, const int32_t *wanted) {
    if (s->order == QUERNEL_EP_ORDER_ANY) {
        s->order = order_of(c, s->x);
        if (s->order == QUERNEL_EP_ORDER_ANY) s->order = order_of(c, s->z);
        if (s->order == QUERNEL_EP_ORDER_ANY) s->order = wanted[s->y];
        if (s->order == QUERNEL_EP_ORDER_ANY) s->order = QUERNEL_EP_ORDER_IMAGE;
        s->y_order = s->order;
    }
    c->records[s->y].order = s->y_order;
}

static void wish_for(quernel_ep_search *c, const quernel_ep_step *s, int32_t *wanted) {
    wish w = {wanted, s->order == QUERNEL_EP_ORDER_ANY ? wanted[s->y] : s->order};
    quernel_ep_step_inputs(c, s, note_wish, &w);
}

// The steps whose outputs a node makes: in the order of the nodes all steps are, so that what a
// step reads stands before it.
static void visit_steps(quernel_ep_search *c, uint32_t node, int32_t *wanted, bool wishes) {
    if (c->unit_of[node] < 0) return;
    quernel_ep_unit *u = &c->units[c->unit_of[node]];
    for (uint32_t i = 0; i < u->n_steps; i++) {
        quernel_ep_step *s = &u->steps[wishes ? u->n_steps - 1 - i : i];
        if (c->producer[s->y] != (int32_t)node) continue;
        if (wishes) wish_for(c, s, wanted);
        else settle(c, s, wanted);
    }
}

static void settle_orders(quernel_ep_search *c) {
    const uint32_t count = c->graph->n_nodes;
    int32_t *wanted = quernel_ep_region_take(&c->region, c->n_values, sizeof *wanted);
    if (!wanted) return;
    for (uint32_t v = 0; v < c->n_values; v++) wanted[v] = QUERNEL_EP_ORDER_ANY;
    for (uint32_t i = count; i-- > 0;) visit_steps(c, i, wanted, true);
    for (uint32_t i = 0; i < count; i++) visit_steps(c, i, wanted, false);
}

void quernel_ep_units_find(quernel_ep_search *c) {
    const uint32_t count = c->graph->n_nodes;
    for (uint32_t i = 0; i < count; i++) match_operator(c, i, true);
    // the last one first: it may reach over those before it
    for (uint32_t i = count; i-- > 0;) {
        const bool gates = quernel_ep_node_is_ms(quernel_ep_node_of(c, i), "QLinearMul");
        if (c->unit_of[i] >= 0 || (!gates && !is_quantizer(c, i)) || !quernel_ep_known(c, i))
            continue;
        if (gates) quernel_ep_match_gate(c, i);
        else quernel_ep_match_lookup(c, i);
    }
    for (uint32_t i = 0; i < count; i++) match_operator(c, i, false);
    for (uint32_t i = 0; i < count; i++) match_copy(c, i);
    settle_orders(c);
}
