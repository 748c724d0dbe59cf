// SPDX-License-Identifier: Apache-2.0
// Activations: what follows a value as one function of it, by whatever nodes a writer spelled it.
//
// Relu, Clip, LeakyRelu and PRelu are known by name. All others are compared, as functions, with
// those that the library has: x·sigmoid(x), x·HardSigmoid(x), x·(1 + erf(x/√2))/2 in any order.
#include <float.h>
#include <math.h>
#include <string.h>

#include "expr.h"
#include "weights.h"

static double hard_sigmoid(double x) { return fmin(fmax(x + 3, 0), 6) / 6; }
static double hard_swish(double x) { return x * hard_sigmoid(x); }
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double silu(double x) { return x * sigmoid(x); }
static double gelu(double x) { return 0.5 * x * (1 + erf(x * sqrt(0.5))); }
static double relu(double x) { return fmax(x, 0); }

static const struct {
    int32_t activation;
    double (*at)(double x);
} library[] = {
    {QUERNEL_ACTIVATION_RELU, relu},       {QUERNEL_ACTIVATION_HSWISH, hard_swish},
    {QUERNEL_ACTIVATION_SILU, silu},       {QUERNEL_ACTIVATION_HSIGMOID, hard_sigmoid},
    {QUERNEL_ACTIVATION_SIGMOID, sigmoid}, {QUERNEL_ACTIVATION_GELU, gelu},
    {QUERNEL_ACTIVATION_TANH, tanh},
};

// Constants are written as f32 (1/6, √2): far less than a code, far more than what two functions
// that differ agree to.
static bool agree(const quernel_ep_expr *e, double (*at)(double), double x) {
    const double mine = quernel_ep_expr_at(e, x, 0), theirs = at(x);
    return fabs(mine - theirs) <= 1e-6 * (fabs(theirs) + fmin(1, fabs(x)));
}

static bool is_function(const quernel_ep_expr *e, double (*at)(double)) {
    // -10 ... 10, denser than any of them bends, to and fro: far from 0 many are alike.
    const int points = 801, stride = 337; // no common divisor
    for (int i = 0; i < points; i++)
        if (!agree(e, at, (i * stride % points - points / 2) / 40.0)) return false;
    for (int i = -20; i <= 40; i++)
        if (!agree(e, at, ldexp(1.25, i)) || !agree(e, at, -ldexp(1.25, i))) return false;
    return true;
}

static double constant(const quernel_ep_term *t, int i, double otherwise) {
    return t->constants[i].count ? t->constants[i].data[0] : otherwise;
}

static float bounded(double x) { return (float)fmin(fmax(x, -(double)FLT_MAX), (double)FLT_MAX); }

static bool set_clip(const quernel_ep_term *t, quernel_ep_step *step) {
    if (t->constants[1].count > 1 || t->constants[2].count > 1) return false;
    step->lo = bounded(constant(t, 1, t->parameters[0]));
    step->hi = bounded(constant(t, 2, t->parameters[1]));
    step->activation = QUERNEL_ACTIVATION_CLAMP;
    return step->lo <= step->hi;
}

static bool set_slope(double slope, quernel_ep_step *step) {
    step->slope = (float)slope;
    step->activation = QUERNEL_ACTIVATION_LEAKY;
    return isfinite(step->slope);
}

static bool set_slopes(quernel_ep_draft *d, const quernel_ep_term *t, uint32_t channels,
                       quernel_ep_step *step) {
    if (t->operands[1] != QUERNEL_EP_OF_CONSTANT) return false;
    if (t->constants[1].count == 1) return set_slope(t->constants[1].data[0], step);
    step->arrays[QUERNEL_EP_SLOPES] = quernel_ep_put_vector(d->c, &t->constants[1], channels);
    step->activation = QUERNEL_ACTIVATION_PRELU;
    if (step->order == QUERNEL_EP_ORDER_ANY) step->order = step->y_order = QUERNEL_EP_ORDER_IMAGE;
    return true;
}

// clamp(a·x + b, 0, 1) where a·x + b is the convolution's.
static bool set_hard_sigmoid(quernel_ep_draft *d, const quernel_ep_term *t, quernel_ep_step *step) {
    double factor = t->parameters[0];
    const quernel_ep_constant factors = {.data = &factor, .count = 1};
    if (!quernel_ep_factor_absorb(d, step, &factors, t->parameters[1])) return false;
    step->lo = 0, step->hi = 1;
    step->activation = QUERNEL_ACTIVATION_CLAMP;
    return true;
}

static bool recognise(quernel_ep_draft *d, const quernel_ep_expr *e, uint32_t channels,
                      quernel_ep_step *step) {
    const quernel_ep_term *t = &e->terms[0];
    const char *op = quernel_ep_node_of(d->c, t->node)->op;
    if (e->n_terms == 1 && t->operands[0] == QUERNEL_EP_OF_ROOT) {
        if (!strcmp(op, "Relu")) return step->activation = QUERNEL_ACTIVATION_RELU, true;
        if (!strcmp(op, "Clip")) return set_clip(t, step);
        if (!strcmp(op, "LeakyRelu")) return set_slope(t->parameters[0], step);
        if (!strcmp(op, "PRelu")) return set_slopes(d, t, channels, step);
    }
    for (size_t i = 0; i < sizeof library / sizeof *library && !e->per_channel; i++)
        if (is_function(e, library[i].at)) return step->activation = library[i].activation, true;
    return e->n_terms == 1 && !strcmp(op, "HardSigmoid") && set_hard_sigmoid(d, t, step);
}

static bool holds(const quernel_ep_expr *e, uint32_t node) {
    for (uint32_t i = 0; i < e->n_terms; i++)
        if (e->terms[i].node == node) return true;
    return false;
}

// The first node outside of the expression that reads one of its values, or UINT32_MAX.
static uint32_t next_reader(const quernel_ep_search *c, const quernel_ep_expr *e) {
    uint32_t next = UINT32_MAX;
    for (int32_t i = -1; i < (int32_t)e->n_terms; i++) {
        const int32_t v = i < 0 ? e->root : quernel_ep_node_of(c, e->terms[i].node)->outputs[0];
        for (uint32_t r = c->readers_begin[v]; r < c->readers_begin[v + 1]; r++)
            if (!holds(e, c->readers[r]) && c->readers[r] < next) next = c->readers[r];
    }
    return next;
}

// Whether none but the expression reads its values, its output aside.
static bool is_closed(const quernel_ep_search *c, const quernel_ep_expr *e) {
    for (int32_t i = -1; i + 1 < (int32_t)e->n_terms; i++) {
        const int32_t v = i < 0 ? e->root : quernel_ep_node_of(c, e->terms[i].node)->outputs[0];
        if (quernel_ep_value_of(c, v)->graph_output) return false;
        for (uint32_t r = c->readers_begin[v]; r < c->readers_begin[v + 1]; r++)
            if (!holds(e, c->readers[r])) return false;
    }
    return true;
}

// Adds a node; false where it is no function of the expression's values.
static bool extend(quernel_ep_draft *d, quernel_ep_expr *e, uint32_t node,
                   const quernel_ep_step *step, uint32_t channels) {
    if (node == UINT32_MAX || e->n_terms == QUERNEL_EP_EXPR_MAX) return false;
    quernel_ep_term t;
    if (!quernel_ep_term_find(d->c, node, &t) || t.coding.type) return false;
    if (!quernel_ep_term_bind(d, e, &t, d->c->graph->values[e->root].rank, step->order, channels))
        return false;
    e->terms[e->n_terms++] = t;
    e->out = quernel_ep_node_of(d->c, node)->outputs[0];
    return true;
}

int32_t quernel_ep_activation_absorb(quernel_ep_draft *d, quernel_ep_step *step, int32_t v,
                                     uint32_t channels) {
    quernel_ep_expr e = {.root = v, .out = v};
    const uint32_t n_nodes = d->n_nodes;
    const quernel_ep_step before = *step;
    while (extend(d, &e, next_reader(d->c, &e), step, channels)) {
        if (!is_closed(d->c, &e)) continue;
        if (!recognise(d, &e, channels, step)) {
            *step = before;
            continue;
        }
        for (uint32_t i = 0; i < e.n_terms; i++) quernel_ep_draft_take(d, e.terms[i].node);
        return e.out;
    }
    d->n_nodes = n_nodes;
    return -1;
}

int32_t quernel_ep_activation_take(quernel_ep_draft *d, quernel_ep_step *step, int32_t v,
                                   uint32_t node, uint32_t channels) {
    quernel_ep_expr e = {.root = v, .out = v};
    if (!extend(d, &e, node, step, channels) || !recognise(d, &e, channels, step)) return -1;
    quernel_ep_draft_take(d, node);
    return e.out;
}
