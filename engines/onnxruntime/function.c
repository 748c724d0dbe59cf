// SPDX-License-Identifier: Apache-2.0
// What nodes compute of numbers, in double, as ONNX defines it.
#include <math.h>
#include <string.h>

#include "expr.h"

// in: operands; p: attributes
static double add(const double *in, const double *p) { return (void)p, in[0] + in[1]; }
static double sub(const double *in, const double *p) { return (void)p, in[0] - in[1]; }
static double mul(const double *in, const double *p) { return (void)p, in[0] * in[1]; }
static double divide(const double *in, const double *p) { return (void)p, in[0] / in[1]; }
static double min2(const double *in, const double *p) { return (void)p, fmin(in[0], in[1]); }
static double max2(const double *in, const double *p) { return (void)p, fmax(in[0], in[1]); }
static double power(const double *in, const double *p) { return (void)p, pow(in[0], in[1]); }
static double identity(const double *in, const double *p) { return (void)p, in[0]; }
static double negate(const double *in, const double *p) { return (void)p, -in[0]; }
static double absolute(const double *in, const double *p) { return (void)p, fabs(in[0]); }
static double exponential(const double *in, const double *p) { return (void)p, exp(in[0]); }
static double root(const double *in, const double *p) { return (void)p, sqrt(in[0]); }
static double error(const double *in, const double *p) { return (void)p, erf(in[0]); }
static double relu(const double *in, const double *p) { return (void)p, fmax(in[0], 0); }
static double tangent(const double *in, const double *p) { return (void)p, tanh(in[0]); }
static double sigmoid(const double *in, const double *p) { return (void)p, 1 / (1 + exp(-in[0])); }
static double clip(const double *in, const double *p) {
    return (void)p, fmin(fmax(in[0], in[1]), in[2]);
}
static double leaky(const double *in, const double *p) { return in[0] >= 0 ? in[0] : in[0] * p[0]; }
static double prelu(const double *in, const double *p) {
    return (void)p, in[0] >= 0 ? in[0] : in[0] * in[1];
}
static double hard_sigmoid(const double *in, const double *p) {
    return fmin(fmax(in[0] * p[0] + p[1], 0), 1);
}
static double hard_swish(const double *in, const double *p) {
    return (void)p, in[0] * fmin(fmax(in[0] / 6 + 0.5, 0), 1);
}
static double swish(const double *in, const double *p) { return in[0] / (1 + exp(-p[0] * in[0])); }
static double gelu(const double *in, const double *p) {
    return (void)p, 0.5 * in[0] * (1 + erf(in[0] * sqrt(0.5)));
}
static double elu(const double *in, const double *p) {
    return in[0] >= 0 ? in[0] : p[0] * expm1(in[0]);
}
static double selu(const double *in, const double *p) {
    return p[1] * (in[0] > 0 ? in[0] : p[0] * expm1(in[0]));
}
static double celu(const double *in, const double *p) {
    return fmax(in[0], 0) + fmin(0, p[0] * expm1(in[0] / p[0]));
}
static double softplus(const double *in, const double *p) {
    return (void)p, in[0] > 0 ? in[0] + log1p(exp(-in[0])) : log1p(exp(in[0]));
}
static double softsign(const double *in, const double *p) {
    return (void)p, in[0] / (1 + fabs(in[0]));
}
static double mish(const double *in, const double *p) { return in[0] * tanh(softplus(in, p)); }
static double threshold(const double *in, const double *p) { return in[0] > p[0] ? in[0] : 0; }

static const struct {
    const char *domain, *op;
    int32_t min_inputs, max_inputs; // that are numbers
    double (*at)(const double *in, const double *p);
    struct {
        const char *name;
        float otherwise;
    } attributes[2];
} functions[] = {
    {"", "QuantizeLinear", 1, 1, identity, {{NULL, 0}}},
    {"", "DequantizeLinear", 1, 1, identity, {{NULL, 0}}},
    {"com.microsoft", "QuantizeLinear", 1, 1, identity, {{NULL, 0}}},
    {"com.microsoft", "DequantizeLinear", 1, 1, identity, {{NULL, 0}}},
    {"", "Add", 2, 2, add, {{NULL, 0}}},
    {"", "Sub", 2, 2, sub, {{NULL, 0}}},
    {"", "Mul", 2, 2, mul, {{NULL, 0}}},
    {"", "Div", 2, 2, divide, {{NULL, 0}}},
    {"", "Min", 2, 2, min2, {{NULL, 0}}},
    {"", "Max", 2, 2, max2, {{NULL, 0}}},
    {"", "Pow", 2, 2, power, {{NULL, 0}}},
    {"", "Identity", 1, 1, identity, {{NULL, 0}}},
    {"", "Neg", 1, 1, negate, {{NULL, 0}}},
    {"", "Abs", 1, 1, absolute, {{NULL, 0}}},
    {"", "Exp", 1, 1, exponential, {{NULL, 0}}},
    {"", "Sqrt", 1, 1, root, {{NULL, 0}}},
    {"", "Erf", 1, 1, error, {{NULL, 0}}},
    {"", "Relu", 1, 1, relu, {{NULL, 0}}},
    {"", "Tanh", 1, 1, tangent, {{NULL, 0}}},
    {"", "Sigmoid", 1, 1, sigmoid, {{NULL, 0}}},
    {"", "Clip", 1, 3, clip, {{"min", -INFINITY}, {"max", INFINITY}}},
    {"", "LeakyRelu", 1, 1, leaky, {{"alpha", 0.01f}}},
    {"", "PRelu", 2, 2, prelu, {{NULL, 0}}},
    {"", "HardSigmoid", 1, 1, hard_sigmoid, {{"alpha", 0.2f}, {"beta", 0.5f}}},
    {"", "HardSwish", 1, 1, hard_swish, {{NULL, 0}}},
    {"", "Swish", 1, 1, swish, {{"alpha", 1.0f}}},
    {"com.microsoft", "QuickGelu", 1, 1, swish, {{"alpha", 1.702f}}},
    {"", "Gelu", 1, 1, gelu, {{NULL, 0}}},
    {"com.microsoft", "Gelu", 1, 1, gelu, {{NULL, 0}}},
    {"", "Elu", 1, 1, elu, {{"alpha", 1.0f}}},
    {"",
     "Selu",
     1,
     1,
     selu,
     {{"alpha", 1.67326319217681884765625f}, {"gamma", 1.05070102214813232421875f}}},
    {"", "Celu", 1, 1, celu, {{"alpha", 1.0f}}},
    {"", "Softplus", 1, 1, softplus, {{NULL, 0}}},
    {"", "Softsign", 1, 1, softsign, {{NULL, 0}}},
    {"", "Mish", 1, 1, mish, {{NULL, 0}}},
    {"", "ThresholdedRelu", 1, 1, threshold, {{"alpha", 1.0f}}},
};

static bool is_coding(const quernel_ep_node *n) {
    return !strcmp(n->op, "QuantizeLinear") || !strcmp(n->op, "DequantizeLinear");
}

static bool find_coding(quernel_ep_search *c, quernel_ep_term *t) {
    const quernel_ep_node *n = quernel_ep_node_of(c, t->node);
    const bool quantizes = !strcmp(n->op, "QuantizeLinear");
    const int32_t codes = quantizes ? n->outputs[0] : n->inputs[0],
                  floats = quantizes ? n->inputs[0] : n->outputs[0];
    if (quernel_ep_value_of(c, floats)->type != QUERNEL_EP_TYPE_F32) return false;
    if (quernel_ep_int(n, "block_size", 0)) return false;
    return quernel_ep_coding_read(c, t->node, quernel_ep_input(n, 1), quernel_ep_input(n, 2),
                                  quernel_ep_value_of(c, codes)->type, &t->coding);
}

static bool is_other(const quernel_ep_node *n) { // a Gelu that is not erf's
    return !strcmp(n->op, "Gelu") && strcmp(quernel_ep_text(n, "approximate", "none"), "none");
}

bool quernel_ep_term_find(quernel_ep_search *c, uint32_t node, quernel_ep_term *ret_term) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    const char *domain = strcmp(n->domain, "ai.onnx") ? n->domain : "";
    const int32_t count = sizeof functions / sizeof *functions;
    for (int32_t f = 0; f < count; f++) {
        if (strcmp(functions[f].op, n->op) || strcmp(functions[f].domain, domain)) continue;
        quernel_ep_term t = {.node = node, .function = f};
        for (int i = 0; i < 2 && functions[f].attributes[i].name; i++)
            t.parameters[i] = (double)quernel_ep_float(n, functions[f].attributes[i].name,
                                                       functions[f].attributes[i].otherwise);
        if (c->unit_of[node] >= 0 || !quernel_ep_known(c, node) || is_other(n)) return false;
        if (is_coding(n) ? !find_coding(c, &t)
                         : quernel_ep_value_of(c, n->outputs[0])->type != QUERNEL_EP_TYPE_F32 ||
                               (int32_t)n->n_inputs < functions[f].min_inputs ||
                               (int32_t)n->n_inputs > functions[f].max_inputs)
            return false;
        *ret_term = t;
        return true;
    }
    return false;
}

static int32_t term_of(const quernel_ep_draft *d, const quernel_ep_expr *e, int32_t v) {
    for (uint32_t i = 0; i < e->n_terms; i++)
        if (quernel_ep_node_of(d->c, e->terms[i].node)->outputs[0] == v) return (int32_t)i;
    return QUERNEL_EP_OF_NOTHING;
}

// A bound that is left out does not bind; one that is constant is a number.
static bool bind(quernel_ep_draft *d, quernel_ep_expr *e, quernel_ep_term *t, uint32_t i,
                 uint32_t rank, int32_t order, uint32_t channels) {
    const int32_t v = quernel_ep_input(quernel_ep_node_of(d->c, t->node), i);
    if (v >= 0 && v == e->root) return t->operands[i] = QUERNEL_EP_OF_ROOT, true;
    if (v >= 0 && (t->operands[i] = term_of(d, e, v)) >= 0) return true;
    t->operands[i] = QUERNEL_EP_OF_CONSTANT;
    if (v < 0) return true;
    if (!quernel_ep_constant_read(d, v, &t->constants[i]) ||
        !quernel_ep_is_vector(&t->constants[i], rank, order, channels))
        return false;
    if (t->constants[i].count > 1) e->per_channel = true;
    return true;
}

bool quernel_ep_term_bind(quernel_ep_draft *d, quernel_ep_expr *e, quernel_ep_term *t,
                          uint32_t rank, int32_t order, uint32_t channels) {
    for (int32_t i = 0; i < 3; i++) {
        t->operands[i] = QUERNEL_EP_OF_NOTHING;
        if (i >= functions[t->function].max_inputs) continue;
        if (!bind(d, e, t, (uint32_t)i, rank, order, channels)) return false;
    }
    return true;
}

double quernel_ep_coding_round(const quernel_ep_coding *coding, double x) {
    const double lo = coding->type == QUERNEL_EP_TYPE_S8 ? -128 : 0;
    return fmin(fmax(nearbyint(x / (double)coding->scale) + coding->zero, lo), lo + 255);
}

static double term_at(const quernel_ep_term *t, const double *in) {
    const char *op = functions[t->function].op;
    if (!strcmp(op, "QuantizeLinear")) return quernel_ep_coding_round(&t->coding, in[0]);
    if (!strcmp(op, "DequantizeLinear")) return (in[0] - t->coding.zero) * (double)t->coding.scale;
    return functions[t->function].at(in, t->parameters);
}

// Clip's bounds are inputs, or, before opset 11 or left out, what `parameters` says.
static double constant_at(const quernel_ep_term *t, int i, uint32_t channel) {
    const quernel_ep_constant *k = &t->constants[i];
    return k->count ? k->data[k->count > 1 ? channel : 0] : t->parameters[i > 0 ? i - 1 : 0];
}

double quernel_ep_expr_at(const quernel_ep_expr *e, double x, uint32_t channel) {
    double results[QUERNEL_EP_EXPR_MAX] = {0};
    for (uint32_t i = 0; i < e->n_terms; i++) {
        const quernel_ep_term *t = &e->terms[i];
        double in[3] = {0};
        for (int k = 0; k < 3; k++) {
            const int32_t from = t->operands[k];
            if (from >= 0) in[k] = results[from];
            else if (from == QUERNEL_EP_OF_ROOT) in[k] = x;
            else if (from == QUERNEL_EP_OF_CONSTANT) in[k] = constant_at(t, k, channel);
        }
        results[i] = term_at(t, in);
    }
    return results[e->n_terms - 1];
}
