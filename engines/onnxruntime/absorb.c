// SPDX-License-Identifier: Apache-2.0
// What a step takes of the nodes behind it, as long as each result has one reader: bias, residual,
// activation, a factor per channel before the QuantizeLinear, and that itself.
#include <math.h>
#include <string.h>

#include "expr.h"
#include "weights.h"

// What the step can still take. An activation ends bias and early residual; a late residual all.
typedef struct state {
    quernel_ep_draft *d;
    quernel_ep_step *step;
    uint32_t channels;
    int32_t v;
} state;

static bool is_float(const state *s) {
    return quernel_ep_value_of(s->d->c, s->v)->type == QUERNEL_EP_TYPE_F32;
}

// The other input of a node that reads s->v once; −1: none.
static int32_t other_input(const state *s, const quernel_ep_node *n) {
    if (n->n_inputs != 2) return -1;
    const int32_t other = n->inputs[n->inputs[0] == s->v];
    return other == s->v ? -1 : other;
}

static int32_t next(const state *s, const char *op) {
    const int32_t node = quernel_ep_sole_reader(s->d->c, s->v);
    if (node < 0 || s->d->c->unit_of[node] >= 0) return -1;
    if (!quernel_ep_node_is(quernel_ep_node_of(s->d->c, (uint32_t)node), op)) return -1;
    return quernel_ep_known(s->d->c, (uint32_t)node) ? node : -1;
}

static void advance(state *s, int32_t node) {
    quernel_ep_draft_take(s->d, (uint32_t)node);
    s->v = quernel_ep_node_of(s->d->c, (uint32_t)node)->outputs[0];
}

// Constants of one per channel beside s->v.
static bool read_vector(state *s, int32_t v, quernel_ep_constant *ret) {
    const quernel_ep_value *x = quernel_ep_value_of(s->d->c, s->v);
    return x->has_shape && v >= 0 && quernel_ep_constant_read(s->d, v, ret) &&
           quernel_ep_is_vector(ret, x->rank, s->step->order, s->channels);
}

static bool add_to_bias(state *s, const quernel_ep_constant *k) {
    const float *old = quernel_ep_data_at(s->d->c, s->step->arrays[QUERNEL_EP_BIAS]);
    for (uint32_t i = 0; i < s->channels && old && k->count > 1; i++) k->data[i] += (double)old[i];
    if (old && k->count == 1) return false;
    s->step->arrays[QUERNEL_EP_BIAS] = quernel_ep_put_vector(s->d->c, k, s->channels);
    return true;
}

static bool absorb_bias(state *s) {
    if (s->step->kind != QUERNEL_EP_CONV || s->step->activation || s->step->z >= 0) return false;
    const int32_t node = next(s, "Add");
    if (node < 0) return false;
    const uint32_t n_nodes = s->d->n_nodes;
    quernel_ep_constant k;
    if (read_vector(s, other_input(s, quernel_ep_node_of(s->d->c, (uint32_t)node)), &k) &&
        add_to_bias(s, &k))
        return advance(s, node), true;
    s->d->n_nodes = n_nodes;
    return false;
}

static bool absorb_residual(state *s) {
    if (s->step->kind != QUERNEL_EP_CONV || s->step->z >= 0) return false;
    const int32_t node = next(s, "Add");
    if (node < 0) return false;
    const int32_t other = other_input(s, quernel_ep_node_of(s->d->c, (uint32_t)node));
    if (other < 0 || quernel_ep_may_be_constant(s->d->c, other)) return false;
    if (!quernel_ep_same_shape(s->d->c, s->v, other)) return false;
    const uint32_t n_nodes = s->d->n_nodes;
    // a refusal of the operand is not one of the step
    const char *reason = s->d->c->reasons[s->d->node];
    const int32_t z = quernel_ep_operand(s->d, other);
    s->d->c->reasons[s->d->node] = reason;
    if (z < 0) return s->d->n_nodes = n_nodes, false;
    s->step->z = z;
    s->step->residual_late = s->step->activation != QUERNEL_ACTIVATION_NONE;
    return advance(s, node), true;
}

static bool absorb_activation(state *s) {
    if (s->step->activation || s->step->residual_late) return false;
    const int32_t out = quernel_ep_activation_absorb(s->d, s->step, s->v, s->channels);
    if (out < 0) return false;
    s->v = out;
    return true;
}

static bool is_any(const quernel_ep_node *n, const char *const *ops, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (quernel_ep_node_is(n, ops[i])) return true;
    return false;
}

static bool are_understood(quernel_ep_search *c, int32_t codes, int depth);

// An operator that treats each channel alike: what it writes carries the factors of what it reads.
static bool carries(quernel_ep_search *c, const quernel_ep_node *n, quernel_ep_span smooth,
                    int depth) {
    static const char *const ops[] = {"Resize", "MaxPool", "AveragePool", "GlobalAveragePool"};
    const int32_t q = quernel_ep_sole_reader(c, n->outputs[0]);
    if (!is_any(n, ops, sizeof ops / sizeof *ops) || q < 0) return false;
    const quernel_ep_node *quantizer = quernel_ep_node_of(c, (uint32_t)q);
    const int32_t codes = quantizer->outputs[0];
    if (!quernel_ep_node_is(quantizer, "QuantizeLinear") || !c->records[codes].coding.type)
        return false;
    c->records[codes].smooth = smooth;
    return are_understood(c, codes, depth + 1);
}

// Whether a reader takes the codes for what they are: a convolution or product multiplies them with
// weights that carry the factors, others read values by scales that hold them.
static bool is_understood(quernel_ep_search *c, uint32_t dequantizer, int depth) {
    static const char *const multipliers[] = {"Conv", "ConvTranspose", "Gemm", "MatMul"};
    const quernel_ep_node *n = quernel_ep_node_of(c, dequantizer);
    if (strcmp(n->op, "DequantizeLinear")) return false;
    if (quernel_ep_is_dead(c, n->outputs[0])) return true;
    const int32_t reader = quernel_ep_sole_reader(c, n->outputs[0]);
    if (reader < 0) return false;
    const quernel_ep_node *m = quernel_ep_node_of(c, (uint32_t)reader);
    const bool multiplies = m->inputs[0] == n->outputs[0] &&
                            quernel_ep_may_be_constant(c, quernel_ep_input(m, 1)) &&
                            is_any(m, multipliers, sizeof multipliers / sizeof *multipliers);
    if (quernel_ep_coding_is_wide(c, dequantizer)) return !multiplies;
    return multiplies || carries(c, m, c->records[n->inputs[0]].smooth, depth);
}

static bool are_understood(quernel_ep_search *c, int32_t codes, int depth) {
    if (quernel_ep_value_of(c, codes)->graph_output || depth > 8) return false;
    for (uint32_t r = c->readers_begin[codes]; r < c->readers_begin[codes + 1]; r++)
        if (!is_understood(c, c->readers[r], depth)) return false;
    return true;
}

// Takes factors back from all that carry them: some readers may have passed them on before one did
// not understand them.
static void forget_smooth(quernel_ep_search *c, int32_t codes) {
    const quernel_ep_span smooth = c->records[codes].smooth;
    for (uint32_t v = 0; v < c->n_values && smooth.bytes; v++)
        if (c->records[v].smooth.offset == smooth.offset) c->records[v].smooth.bytes = 0;
}

// Factors m become the tensor's smoothing 1/m, which its readers' weights carry, too.
static bool set_smooth(state *s, const quernel_ep_constant *k, int32_t codes) {
    for (uint32_t i = 0; i < k->count; i++) {
        k->data[i] = 1 / k->data[i];
        if (!(k->data[i] >= 0x1p-40 && k->data[i] <= 0x1p40)) return false;
    }
    s->d->c->records[codes].smooth = quernel_ep_put_vector(s->d->c, k, s->channels);
    if (are_understood(s->d->c, codes, 0)) {
        if (s->step->order == QUERNEL_EP_ORDER_ANY)
            s->step->order = s->step->y_order = QUERNEL_EP_ORDER_IMAGE;
        return true;
    }
    forget_smooth(s->d->c, codes);
    return false;
}

static bool absorb_quantize(state *s) {
    quernel_ep_search *c = s->d->c;
    const int32_t node = quernel_ep_sole_reader(c, s->v);
    quernel_ep_term t;
    if (node < 0 || c->unit_of[node] >= 0) return false;
    const quernel_ep_node *n = quernel_ep_node_of(c, (uint32_t)node);
    if (strcmp(n->op, "QuantizeLinear") || n->inputs[0] != s->v) return false;
    if (!quernel_ep_term_find(c, (uint32_t)node, &t)) return false;
    if (!quernel_ep_coding_is(c, n->outputs[0], &t.coding)) return false;
    return advance(s, node), true;
}

// a·v + b, of constants for each channel.
typedef struct affine {
    quernel_ep_constant a, b;
    bool scales, shifts;
} affine;

static bool begin_affine(state *s, affine *f) {
    quernel_ep_region *region = &s->d->c->region;
    if (!s->channels) return false;
    *f = (affine){.a = {.count = s->channels}, .b = {.count = s->channels}};
    f->a.data = quernel_ep_region_take(region, s->channels, sizeof *f->a.data);
    f->b.data = quernel_ep_region_take(region, s->channels, sizeof *f->b.data);
    for (uint32_t i = 0; i < s->channels && f->a.data && f->b.data; i++) f->a.data[i] = 1;
    return f->a.data && f->b.data;
}

static bool follow_affine(state *s, affine *f) {
    const int32_t mul = next(s, "Mul"), add = mul < 0 ? next(s, "Add") : -1,
                  node = mul >= 0 ? mul : add;
    quernel_ep_constant k;
    if (node < 0 ||
        !read_vector(s, other_input(s, quernel_ep_node_of(s->d->c, (uint32_t)node)), &k))
        return false;
    for (uint32_t i = 0; i < s->channels; i++) {
        const double by = k.data[k.count > 1 ? i : 0];
        if (mul >= 0) f->a.data[i] *= by, f->b.data[i] *= by;
        else f->b.data[i] += by;
    }
    f->scales |= mul >= 0, f->shifts |= add >= 0;
    return advance(s, node), true;
}

// a·v + b = a·(v + b/a): the factors are those of the codes, and what is added is a residual that
// is the same for all pixels.
static bool put_affine(state *s, affine *f) {
    quernel_ep_step *step = s->step;
    const int32_t q = quernel_ep_sole_reader(s->d->c, s->v);
    if (q < 0 || !quernel_ep_node_is(quernel_ep_node_of(s->d->c, (uint32_t)q), "QuantizeLinear"))
        return false;
    if (f->shifts && (step->kind != QUERNEL_EP_CONV || step->z >= 0 || !step->activation))
        return false;
    const int32_t codes = quernel_ep_node_of(s->d->c, (uint32_t)q)->outputs[0];
    for (uint32_t i = 0; i < s->channels; i++) f->b.data[i] /= f->a.data[i];
    if (!s->d->c->records[codes].coding.type || (f->scales && !set_smooth(s, &f->a, codes)))
        return false;
    if (absorb_quantize(s) &&
        (!f->shifts || quernel_ep_constant_put(s->d, step, &f->b, s->channels)))
        return step->residual_late |= f->shifts, true;
    forget_smooth(s->d->c, codes);
    return false;
}

// Up to the QuantizeLinear, which makes codes that carry the factors.
static bool absorb_affine(state *s) {
    const state before = *s;
    const quernel_ep_step step = *s->step;
    const uint32_t n_nodes = s->d->n_nodes;
    affine f;
    if (begin_affine(s, &f) && follow_affine(s, &f)) {
        while (follow_affine(s, &f)) {
        }
        if (put_affine(s, &f)) return true;
    }
    *s = before, *s->step = step;
    s->d->n_nodes = n_nodes;
    return false;
}

// A constant factor of a convolution is its weights'.
static bool absorb_factor(state *s) {
    const int32_t mul = next(s, "Mul"), node = mul < 0 ? next(s, "Div") : mul;
    if (node < 0) return false;
    const quernel_ep_node *n = quernel_ep_node_of(s->d->c, (uint32_t)node);
    const uint32_t n_nodes = s->d->n_nodes;
    quernel_ep_constant k;
    if ((mul >= 0 || n->inputs[0] == s->v) && read_vector(s, other_input(s, n), &k)) {
        for (uint32_t i = 0; i < k.count && mul < 0; i++) k.data[i] = 1 / k.data[i];
        if (quernel_ep_factor_absorb(s->d, s->step, &k, 0)) return advance(s, node), true;
    }
    s->d->n_nodes = n_nodes;
    return false;
}

void quernel_ep_absorb(quernel_ep_draft *d, quernel_ep_step *step, int32_t v, uint32_t channels) {
    state s = {d, step, channels, v};
    while (is_float(&s) && (absorb_bias(&s) || absorb_activation(&s) || absorb_residual(&s) ||
                            absorb_affine(&s) || absorb_factor(&s))) {
    }
    if (is_float(&s)) absorb_quantize(&s);
    step->y = s.v;
}

void quernel_ep_absorb_quantize(quernel_ep_draft *d, quernel_ep_step *step, int32_t v) {
    state s = {d, step, 0, v};
    if (is_float(&s)) absorb_quantize(&s);
    step->y = s.v;
}

bool quernel_ep_match_smoothing(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    if (!quernel_ep_node_is(n, "Mul")) return false;
    const int32_t v = n->inputs[quernel_ep_may_be_constant(c, n->inputs[0])];
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_ELTWISE, QUERNEL_ELTWISE_COPY);
    step->order = step->y_order = QUERNEL_EP_ORDER_ANY;
    step->x = quernel_ep_operand(&d, v);
    state s = {&d, step, quernel_ep_channels(c, v, step->order), v};
    if (step->x != v || !is_float(&s) || !absorb_affine(&s)) return false;
    step->y = s.v;
    return quernel_ep_draft_commit(&d);
}
