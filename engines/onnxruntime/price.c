// SPDX-License-Identifier: Apache-2.0
// What an island gains over ONNX Runtime, and what its edges cost, in ns.
//
// The rates are fitted to 214 islands (those of layers that it has in float: to 68 more, on AVX2),
// on one core of a Zen 4 with AVX-512-VNNI and with AVX2, each forced upon ONNX Runtime 1.32 and
// timed in turn with a session without it: layers and products of all kinds between float and int8
// edges, and operators of each kind between convolutions and alone. Of the time that a perfect
// choice among these takes, the choice by them takes 1.01 with AVX-512-VNNI and 1.04 with AVX2. A
// call costs nothing: it replaces those of several nodes.
#include "island.h"

#include <string.h>

#include "sizes.h"
#include "weights.h"

// A multiply-add, by what ONNX Runtime makes of the layer.
typedef struct rates {
    double plain;     // the same product as ours
    double row;       // of one row: bound by the memory that weights are read from
    double winograd;  // 3x3: fewer multiplications here, but not in it
    double depthwise; // not enough work in a row for its product
    double up;        // deconvolutions: in float
    double tensors;   // of two tensors
} rates;
static const rates exact = {0.0004, 0.005, 0.0013, 0.025, 0.017, 0.004};
// Its products saturate on AVX2, and are the faster for it.
static const rates saturating = {-0.004, 0.0015, 0.005, 0.017, 0.01, 0.004};
// It has no int8 product for the layer. On AVX2; it gains more with AVX-512-VNNI.
static const rates in_float = {0.009, 0.005, 0.018, 0.25, 0.017, 0.01};
#define FUNCTION 0.15 // an element and node behind such a layer: a pass over floats there

#define INTEGER 0.05 // its ConvInteger, a multiply-add: 0.05 to 0.13
// Layers with groups, fewer than 16 channels out or 4 in: it gathers rows of all taps beforehand.
#define GATHER_PIECE 1.9 // a tap of a group of an output pixel
#define GATHER_BYTE 0.08

// Images that are turned from planes to pixels and back at an edge; it keeps the layout inside.
#define CODES_IN 0.08 // floats in: nothing, since it must quantize them as well
#define CODES_OUT 0.02
#define FLOATS_OUT 0.1
#define CALL 300 // an island that multiplies in place of the nodes of a layer

// Other operators: an element of their output, of a window a tap, of a table a function. In an
// island without convolutions they stand between planes, where some of its kernels are slow, and
// some of ours are.
typedef struct rate {
    double among, alone;
} rate;
static const rate unary = {0.25, 0.25}, binary = {0, 0}, softmax = {2.5, 2.5},
                  normalize = {0.3, 0.3}, concat = {0.07, 0}, most = {0.02, 2},
                  average = {1.1, 1.7}, global = {0.03, 0}, nearest = {0.8, 0},
                  filter = {0.18, 1.1}, shuffle = {1.2, 0}, nothing = {0, 0};

typedef struct account {
    const quernel_ep_search *c;
    const quernel_ep_groups *g;
    const rates *rates;
    int32_t group, order; // of the step whose inputs are counted
    bool multiplies;
    double gain;
} account;

// 0 where a size is not known: such an edge is not held against the island.
static double elements_of(const quernel_ep_search *c, int32_t v) {
    if ((uint32_t)v >= c->graph->n_values) return 0;
    const quernel_ep_value *value = &c->graph->values[v];
    double count = value->has_shape;
    for (uint32_t i = 0; i < value->rank; i++)
        count *= value->dims[i] > 0 ? (double)value->dims[i] : 0;
    return count;
}

// Elements of planes, which others than us have as they are.
static double turned(const account *a, int32_t v, int32_t order) {
    const bool planes = order == QUERNEL_EP_ORDER_IMAGE && a->c->records[v].rank > 2;
    return planes ? elements_of(a->c, v) : 0;
}

static void count_input(void *user, int32_t v) {
    account *a = user;
    if ((uint32_t)v >= a->c->graph->n_values || a->c->records[v].type == QUERNEL_EP_TYPE_F32)
        return;
    const int32_t node = a->c->producer[v], unit = node < 0 ? -1 : a->c->unit_of[node];
    if (unit < 0 || a->g->of[unit] != a->group) a->gain -= CODES_IN * turned(a, v, a->order);
}

static void count_output(account *a, const quernel_ep_step *s) {
    if (!quernel_ep_is_seen(a->c, a->g, s->y, a->group)) return;
    const bool codes = a->c->records[s->y].type != QUERNEL_EP_TYPE_F32;
    a->gain -= (codes ? CODES_OUT : FLOATS_OUT) * turned(a, s->y, s->y_order);
}

// Fewer multiplications: where there are tiles enough for the weights that are transformed.
static bool is_winograd(const quernel_ep_step *s, const quernel_weights_desc *w, double pixels) {
    return w->groups == 1 && w->kernel_h == 3 && w->kernel_w == 3 && s->window.stride[0] == 1 &&
           s->window.stride[1] == 1 && pixels >= w->in / 2.0;
}

static double gathering(const quernel_ep_step *s, const quernel_weights_desc *w, double taps) {
    const bool gathers = s->order == QUERNEL_EP_ORDER_IMAGE &&
                         (w->groups > 1 || w->out < 16 || w->in < 4 /* as said above */);
    return gathers ? taps * (GATHER_PIECE * w->groups + GATHER_BYTE * w->in) : 0;
}

static bool is_relu(const quernel_ep_node *n) {
    return quernel_ep_node_is(n, "Relu") || quernel_ep_node_is(n, "Clip");
}

// Whether ONNX Runtime multiplies in float, whatever it reads: a convolution of codes is one
// operator with the QuantizeLinear behind it, if there is nothing else between than what clamps as
// that does.
static bool is_float_there(const quernel_ep_search *c, const quernel_ep_unit *u) {
    for (uint32_t i = 0; i < u->n_nodes; i++) {
        const quernel_ep_node *n = quernel_ep_node_of(c, u->nodes[i]);
        if (!quernel_ep_node_is(n, "Conv")) continue;
        int32_t reader = quernel_ep_sole_reader(c, n->outputs[0]);
        if (reader >= 0 && is_relu(quernel_ep_node_of(c, (uint32_t)reader)))
            reader = quernel_ep_sole_reader(c, c->graph->nodes[reader].outputs[0]);
        return reader < 0 ||
               !quernel_ep_node_is(quernel_ep_node_of(c, (uint32_t)reader), "QuantizeLinear");
    }
    return false;
}

static double of_layer(const account *a, const quernel_ep_step *s, const rates *r, double macs) {
    const quernel_weights_desc *w = &a->c->packs[s->weights].desc;
    const double taps = macs * w->groups / ((double)w->in * w->out), // of all output pixels
        pixels = taps / ((double)w->kernel_h * w->kernel_w);
    if (s->up) return macs * r->up;
    if (s->dynamic && s->order == QUERNEL_EP_ORDER_IMAGE) return macs * INTEGER;
    if (w->groups > 1 && w->groups == w->in) return macs * r->depthwise;
    if (pixels <= 1) return macs * r->row;
    if (is_winograd(s, w, pixels)) return macs * r->winograd + gathering(s, w, taps);
    return macs * r->plain + gathering(s, w, taps);
}

static const rate *rate_of(const quernel_ep_step *s) {
    const bool pools = s->kind == QUERNEL_EP_POOL;
    if (pools && s->op == QUERNEL_POOL2D_GLOBAL) return &global;
    if (pools) return s->op == QUERNEL_POOL2D_MAX ? &most : &average;
    if (s->kind == QUERNEL_EP_SHUFFLE) return &shuffle;
    if (s->kind == QUERNEL_EP_NORMALIZE)
        return s->op == QUERNEL_NORMALIZE_SOFTMAX ? &softmax : &normalize;
    if (s->kind == QUERNEL_EP_CONCAT) return &concat;
    if (s->kind == QUERNEL_EP_ELTWISE && s->z >= 0) return &binary;
    const bool copies = s->op == QUERNEL_ELTWISE_COPY && !s->activation;
    if (s->kind == QUERNEL_EP_ELTWISE && !copies) return &unary;
    if (s->kind != QUERNEL_EP_RESIZE) return &nothing;
    if (quernel_ep_axis_filters(&s->axes[0]) || quernel_ep_axis_filters(&s->axes[1]))
        return &filter;
    return s->axes[0].kind == QUERNEL_EP_AXIS_RESIZE ? &nearest : &nothing;
}

// Nodes of a unit but those that quantize and dequantize: a table stands for all of them.
static uint32_t functions_of(const quernel_ep_search *c, const quernel_ep_unit *u) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < u->n_nodes; i++)
        count += !strstr(quernel_ep_node_of(c, u->nodes[i])->op, "uantizeLinear");
    return count;
}

// Of codes: floats are no slower there.
static double of_operator(const account *a, const quernel_ep_unit *u, const quernel_ep_step *s) {
    const bool codes = quernel_ep_is_int8(a->c->records[s->x].type);
    const rate *r = codes ? rate_of(s) : &nothing;
    double count = elements_of(a->c, r == &global ? s->x : s->y);
    if (r == &most || r == &average) count *= s->window.kernel[0] * s->window.kernel[1];
    if (r == &unary) count *= functions_of(a->c, u);
    return count * (a->multiplies ? r->among : r->alone);
}

static bool is_product(const quernel_ep_unit *u) {
    return u->n_steps && u->steps[0].kind == QUERNEL_EP_MATMUL;
}

static uint32_t layers_of(const quernel_ep_unit *u) {
    uint32_t layers = 0;
    for (uint32_t i = 0; i < u->n_steps; i++) layers += u->steps[i].kind == QUERNEL_EP_CONV;
    return layers;
}

static double of_layer_unit(const account *a, const quernel_ep_unit *u, const quernel_ep_step *s) {
    const double macs = (double)u->macs / layers_of(u);
    if (!is_float_there(a->c, u)) return of_layer(a, s, a->rates, macs);
    const double behind = functions_of(a->c, u) - layers_of(u);
    return of_layer(a, s, &in_float, macs) + FUNCTION * behind * elements_of(a->c, s->y);
}

static void count_unit(account *a, const quernel_ep_unit *u) {
    for (uint32_t i = 0; i < u->n_steps; i++) {
        const quernel_ep_step *s = &u->steps[i];
        a->order = s->order;
        quernel_ep_step_inputs(a->c, s, count_input, a);
        count_output(a, s);
        if (s->kind == QUERNEL_EP_CONV) a->gain += of_layer_unit(a, u, s);
        else if (s->kind == QUERNEL_EP_MATMUL) a->gain += (double)u->macs * a->rates->tensors;
        else a->gain += of_operator(a, u, s);
    }
}

// Whether products of ONNX Runtime saturate where ours run.
static bool saturates(const quernel_ep_options *options) {
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_cpu_get(&cpu);
    uint32_t usable = cpu.usable;
    if (options->isa >= 0) usable &= (2u << options->isa) - 1;
    return usable >> QUERNEL_ISA_AVX2 == 1;
}

bool quernel_ep_pays(const quernel_ep_search *c, const quernel_ep_groups *g, int32_t group) {
    account a = {c, g, saturates(c->options) ? &saturating : &exact, group, 0, false, 0};
    for (int32_t u = g->first[group]; u >= 0; u = g->next[u])
        a.multiplies |= layers_of(&c->units[u]) > 0 || is_product(&c->units[u]);
    if (a.multiplies) a.gain = CALL;
    for (int32_t u = g->first[group]; u >= 0; u = g->next[u]) count_unit(&a, &c->units[u]);
    return a.gain > 0;
}
