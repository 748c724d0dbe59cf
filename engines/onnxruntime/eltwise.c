// SPDX-License-Identifier: Apache-2.0
// Sums, products, activations and changes of type that no other step has absorbed.
#include <math.h>
#include <string.h>

#include "expr.h"

static const struct {
    const char *domain, *op;
    int32_t kind;
    int8_t z; // input; 3 where scale and zero point follow each
} binaries[] = {
    {"", "Add", QUERNEL_ELTWISE_ADD, 1},
    {"", "Sub", QUERNEL_ELTWISE_SUB, 1},
    {"", "Mul", QUERNEL_ELTWISE_MUL, 1},
    {"", "Div", QUERNEL_ELTWISE_DIV, 1},
    {"com.microsoft", "QLinearAdd", QUERNEL_ELTWISE_ADD, 3},
    {"com.microsoft", "QLinearMul", QUERNEL_ELTWISE_MUL, 3},
};

// Whether z stands beside x element by element, or is repeated along axes of size 1.
static bool spreads(const quernel_ep_search *c, int32_t x, int32_t z) {
    const quernel_ep_value *a = quernel_ep_value_of(c, x), *b = quernel_ep_value_of(c, z);
    if (!a->has_shape || !b->has_shape || a->rank != b->rank) return false;
    for (uint32_t i = 0; i < a->rank; i++)
        if (b->dims[i] != 1 && b->dims[i] != a->dims[i]) return false;
    return true;
}

// Constant codes of QLinearAdd and QLinearMul: scale and zero point stand behind them.
static bool read_codes(quernel_ep_draft *d, int32_t v, quernel_ep_constant *ret_constant) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const uint32_t at = n->inputs[0] == v ? 0 : 3;
    quernel_ep_coding k;
    if (n->n_inputs < 7 || !quernel_ep_plain_read(d->c, v, ret_constant)) return false;
    if (!quernel_ep_coding_read(d->c, d->node, quernel_ep_input(n, at + 1),
                                quernel_ep_input(n, at + 2), d->c->records[v].type, &k))
        return false;
    for (uint32_t i = 0; i < ret_constant->count; i++)
        ret_constant->data[i] = (ret_constant->data[i] - k.zero) * (double)k.scale;
    return true;
}

bool quernel_ep_constant_put(quernel_ep_draft *d, quernel_ep_step *step,
                             const quernel_ep_constant *k, uint32_t count) {
    step->z = quernel_ep_value_add(d->c, d->node, step->x);
    if (step->z < 0) return false;
    quernel_ep_record *r = &d->c->records[step->z];
    r->constant_sizes = (quernel_ep_sizes){1, count, 1, 1};
    r->constant = quernel_ep_put_vector(d->c, k, count);
    return true;
}

// A constant as a value that the network reads: one number, or one per channel.
static bool add_constant(quernel_ep_draft *d, quernel_ep_step *step, int32_t v) {
    quernel_ep_constant k;
    const quernel_ep_value *x = quernel_ep_value_of(d->c, step->x);
    if (!quernel_ep_constant_read(d, v, &k) && !read_codes(d, v, &k))
        return QUERNEL_EP_REFUSE(d, "its constant is not f32 or dequantized");
    int32_t order = QUERNEL_EP_ORDER_IMAGE;
    if (!quernel_ep_is_vector(&k, x->rank, order, quernel_ep_channels(d->c, step->x, order)))
        order = QUERNEL_EP_ORDER_ROWS;
    const uint32_t channels = quernel_ep_channels(d->c, step->x, order);
    if (!quernel_ep_is_vector(&k, x->rank, order, channels))
        return QUERNEL_EP_REFUSE(d, "its constant is not one number, nor one per channel");
    if (k.count > 1) step->order = step->y_order = order;
    return quernel_ep_constant_put(d, step, &k, k.count > 1 ? channels : 1);
}

static bool read_operands(quernel_ep_draft *d, quernel_ep_step *step, int32_t x, int32_t z) {
    const bool commutes = step->op == QUERNEL_ELTWISE_ADD || step->op == QUERNEL_ELTWISE_MUL;
    if (x < 0 || z < 0) return QUERNEL_EP_REFUSE(d, "an input is left out");
    const bool swap = quernel_ep_may_be_constant(d->c, x) || !spreads(d->c, x, z);
    if (commutes && swap && !quernel_ep_may_be_constant(d->c, z)) {
        const int32_t other = x;
        x = z, z = other;
    }
    step->x = quernel_ep_operand(d, x);
    if (step->x < 0) return false;
    if (quernel_ep_may_be_constant(d->c, z)) return add_constant(d, step, z);
    step->z = quernel_ep_operand(d, z);
    if (step->z < 0) return false;
    return spreads(d->c, step->x, step->z) ||
           QUERNEL_EP_REFUSE(d, "shapes that are repeated in another way than z over x");
}

// QLinearAdd and QLinearMul: (x, scale, zero point, z, …, y scale, y zero point); constants have
// been read.
static bool codings_agree(quernel_ep_draft *d) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const int32_t all[3] = {n->inputs[0], quernel_ep_input(n, 3), n->outputs[0]};
    const uint32_t at[3] = {1, 4, 6};
    int32_t values[3];
    uint32_t scales[3], count = 0;
    for (uint32_t i = 0; i < 3; i++)
        if (!quernel_ep_is_constant(d->c, all[i])) values[count] = all[i], scales[count++] = at[i];
    return quernel_ep_codes_agree(d, values, scales, count);
}

bool quernel_ep_match_binary(quernel_ep_search *c, uint32_t node) {
    if (quernel_ep_match_smoothing(c, node)) return true;
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    size_t which = 0;
    while (strcmp(binaries[which].op, n->op)) which++;
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_ELTWISE, binaries[which].kind);
    step->order = step->y_order = QUERNEL_EP_ORDER_ANY;
    if (!*n->domain && quernel_ep_is_int8(quernel_ep_value_of(c, n->outputs[0])->type))
        return QUERNEL_EP_REFUSE(&d, "it computes with codes as they are, not with what they mean");
    if (!read_operands(&d, step, n->inputs[0], quernel_ep_input(n, (uint32_t)binaries[which].z)))
        return false;
    if (binaries[which].z == 3 && !codings_agree(&d)) return false;
    quernel_ep_absorb(&d, step, n->outputs[0], quernel_ep_channels(c, n->outputs[0], step->order));
    return quernel_ep_draft_commit(&d);
}

// QLinearSigmoid, QLinearLeakyRelu: (x, scale, zero point, y scale, y zero point)
static bool match_codes(quernel_ep_draft *d, quernel_ep_step *step) {
    quernel_ep_search *c = d->c;
    const quernel_ep_node *n = quernel_ep_node_of(c, d->node);
    const bool leaky = quernel_ep_node_is_ms(n, "QLinearLeakyRelu");
    quernel_ep_coding x, y;
    step->y = n->outputs[0];
    if (!quernel_ep_coding_read(c, d->node, quernel_ep_input(n, 1), quernel_ep_input(n, 2),
                                c->records[step->x].type, &x) ||
        !quernel_ep_coding_read(c, d->node, quernel_ep_input(n, 3), quernel_ep_input(n, 4),
                                c->records[step->y].type, &y))
        return false;
    if (!quernel_ep_coding_is(c, step->x, &x) || !quernel_ep_coding_is(c, step->y, &y))
        return QUERNEL_EP_REFUSE(d, "it reads codes by another scale than they were made by");
    const double slope = (double)quernel_ep_float(n, "alpha", 0.01f);
    uint8_t table[256];
    for (int32_t i = 0; i < 256; i++) {
        const int32_t code = x.type == QUERNEL_EP_TYPE_S8 ? (int8_t)(uint8_t)i : i;
        const double v = (code - x.zero) * (double)x.scale, f = !leaky   ? 1 / (1 + exp(-v))
                                                                : v >= 0 ? v
                                                                         : v * slope;
        table[i] = (uint8_t)(int32_t)quernel_ep_coding_round(&y, f);
    }
    step->op = QUERNEL_ELTWISE_LOOKUP;
    step->arrays[QUERNEL_EP_TABLE] = quernel_ep_data_put(c, table, sizeof table);
    return isfinite(slope) && quernel_ep_draft_commit(d);
}

bool quernel_ep_match_unary(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_ELTWISE, QUERNEL_ELTWISE_COPY);
    step->order = step->y_order = QUERNEL_EP_ORDER_ANY;
    // of two inputs, as of Max(0, x), the function is of the one that is no constant
    const int32_t second = quernel_ep_input(n, 1);
    const bool swap = quernel_ep_may_be_constant(c, n->inputs[0]) && second >= 0;
    const int32_t v = swap ? second : n->inputs[0];
    step->x = quernel_ep_operand(&d, v);
    if (step->x < 0) return false;
    if (!strncmp(n->op, "QLinear", 7)) return match_codes(&d, step);
    const uint32_t channels = quernel_ep_channels(c, step->x, step->order);
    int32_t y = quernel_ep_activation_absorb(&d, step, v, channels);
    if (y < 0) y = quernel_ep_activation_take(&d, step, v, node, channels);
    if (y < 0) return QUERNEL_EP_REFUSE(&d, "%s of float is no function that it has", n->op);
    quernel_ep_absorb(&d, step, y, channels);
    return quernel_ep_draft_commit(&d);
}

// A node whose result nobody reads goes where what it reads is: a view of it that is nowhere.
static bool match_dead(quernel_ep_draft *d) {
    quernel_ep_search *c = d->c;
    const int32_t x = quernel_ep_node_of(c, d->node)->inputs[0];
    d->n_nodes = 1;
    quernel_ep_step *step = quernel_ep_draft_step(d, QUERNEL_EP_VIEW, 0);
    step->order = step->y_order = QUERNEL_EP_ORDER_ANY;
    step->x = x, step->y = quernel_ep_value_add(c, d->node, x);
    if (step->y < 0) return false;
    const int32_t order = c->records[step->y].order;
    c->records[step->y] = c->records[x];
    c->records[step->y].order = order;
    return quernel_ep_draft_commit(d);
}

// DequantizeLinear by a scale for each channel: codes by their own one, times the quotients.
static bool match_scales(quernel_ep_draft *d, quernel_ep_step *step) {
    quernel_ep_search *c = d->c;
    uint32_t count;
    quernel_ep_constant k;
    const int32_t scale = quernel_ep_input(quernel_ep_node_of(c, d->node), 1);
    if (c->records[step->x].smooth.bytes || !quernel_ep_coding_scales(c, d->node, &count) ||
        count < 2 || !quernel_ep_constant_read(d, scale, &k))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        k.data[i] /= (double)c->records[step->x].coding.scale;
        if (!(k.data[i] >= 0x1p-40 && k.data[i] <= 0x1p40)) return false;
    }
    step->op = QUERNEL_ELTWISE_MUL;
    step->order = step->y_order = QUERNEL_EP_ORDER_IMAGE;
    return quernel_ep_constant_put(d, step, &k, count) && quernel_ep_draft_commit(d);
}

bool quernel_ep_match_copy(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    const quernel_ep_record *r = &c->records[n->inputs[0]];
    const bool plain = r->coding.type || r->type == QUERNEL_EP_TYPE_F32;
    if (quernel_ep_is_dead(c, n->outputs[0]) && plain && r->rank >= 2 && r->rank <= 4 &&
        !quernel_ep_is_constant(c, n->inputs[0]))
        return match_dead(&d);
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_ELTWISE, QUERNEL_ELTWISE_COPY);
    step->order = step->y_order = QUERNEL_EP_ORDER_ANY;
    quernel_ep_term t;
    step->x = quernel_ep_operand(&d, n->inputs[0]);
    step->y = n->outputs[0];
    if (step->x < 0) return false;
    if (!strcmp(n->op, "DequantizeLinear") && match_scales(&d, step)) return true;
    if (!quernel_ep_term_find(c, node, &t))
        return QUERNEL_EP_REFUSE(&d, "%s in a form that is not known", n->op);
    const int32_t codes = strcmp(n->op, "QuantizeLinear") ? step->x : step->y;
    if (!quernel_ep_coding_is(c, codes, &t.coding))
        return QUERNEL_EP_REFUSE(&d, "it reads codes by another scale than they were made by");
    return quernel_ep_draft_commit(&d);
}
