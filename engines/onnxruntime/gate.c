// SPDX-License-Identifier: Apache-2.0
// SiLU of QOperator graphs: QLinearMul of codes with their own QLinearSigmoid is a function of one
// code.
#include <math.h>

#include "expr.h"

// Meaning of a node's value, which is said by inputs `at` and `at` + 1, as it is known of v.
static bool read(quernel_ep_search *c, uint32_t node, int32_t v, uint32_t at,
                 quernel_ep_coding *ret_coding) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    return v >= 0 &&
           quernel_ep_coding_read(c, node, quernel_ep_input(n, at), quernel_ep_input(n, at + 1),
                                  c->records[v].type, ret_coding) &&
           quernel_ep_coding_is(c, v, ret_coding);
}

static double value_of(const quernel_ep_coding *k, double code) {
    return (code - k->zero) * (double)k->scale;
}

// The sigmoid of x that reads nothing else and that none but the product reads, or −1.
static int32_t find_sigmoid(const quernel_ep_search *c, uint32_t node, int32_t x, int32_t gate) {
    const int32_t maker = gate < 0 ? -1 : c->producer[gate];
    if (maker < 0 || c->unit_of[maker] >= 0) return -1;
    if (quernel_ep_sole_reader(c, gate) != (int32_t)node) return -1;
    const quernel_ep_node *s = quernel_ep_node_of(c, (uint32_t)maker);
    return quernel_ep_node_is_ms(s, "QLinearSigmoid") && s->inputs[0] == x ? maker : -1;
}

static void fill(uint8_t *table, const quernel_ep_coding *x, const quernel_ep_coding *gate,
                 const quernel_ep_coding *y) {
    for (int32_t i = 0; i < 256; i++) {
        const int32_t code = x->type == QUERNEL_EP_TYPE_S8 ? (int8_t)(uint8_t)i : i;
        const double v = value_of(x, code),
                     g = value_of(gate, quernel_ep_coding_round(gate, 1 / (1 + exp(-v))));
        table[i] = (uint8_t)(int32_t)quernel_ep_coding_round(y, v * g);
    }
}

bool quernel_ep_match_gate(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    const int32_t a = n->inputs[0], b = quernel_ep_input(n, 3);
    int32_t sigmoid = find_sigmoid(c, node, a, b);
    const int32_t x = sigmoid >= 0 ? a : b, gate = sigmoid >= 0 ? b : a;
    if (sigmoid < 0) sigmoid = find_sigmoid(c, node, b, a);
    if (sigmoid < 0 || !quernel_ep_known(c, (uint32_t)sigmoid)) return false;
    quernel_ep_coding x_coding, gate_coding, y_coding;
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    if (!read(c, node, x, x == a ? 1 : 4, &x_coding) ||
        !read(c, node, gate, x == a ? 4 : 1, &gate_coding) ||
        !read(c, node, n->outputs[0], 6, &y_coding) ||
        !read(c, (uint32_t)sigmoid, x, 1, &x_coding) ||
        !read(c, (uint32_t)sigmoid, gate, 3, &gate_coding) || quernel_ep_operand(&d, x) != x)
        return false;
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_ELTWISE, QUERNEL_ELTWISE_LOOKUP);
    step->x = x, step->y = n->outputs[0];
    step->order = step->y_order = QUERNEL_EP_ORDER_ANY;
    uint8_t table[256];
    fill(table, &x_coding, &gate_coding, &y_coding);
    step->arrays[QUERNEL_EP_TABLE] = quernel_ep_data_put(c, table, sizeof table);
    quernel_ep_draft_take(&d, (uint32_t)sigmoid);
    return quernel_ep_draft_commit(&d);
}
