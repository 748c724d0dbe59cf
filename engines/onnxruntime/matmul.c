// SPDX-License-Identifier: Apache-2.0
// MatMul and QLinearMatMul of two tensors, neither of which is constant: attention.
#include <string.h>

#include "unit.h"

// The last two axes change places.
static bool is_transpose(quernel_ep_draft *d, const quernel_ep_node *n) {
    const int64_t *perm;
    const uint32_t rank = quernel_ep_ints(n, "perm", &perm);
    if (!quernel_ep_node_is(n, "Transpose") || rank < 3 ||
        rank != quernel_ep_value_of(d->c, n->inputs[0])->rank)
        return false;
    for (uint32_t i = 0; i + 2 < rank; i++)
        if (perm[i] != i) return false;
    return perm[rank - 2] == rank - 1 && perm[rank - 1] == rank - 2;
}

// z as it lies before a Transpose, where there is one.
static bool read_z(quernel_ep_draft *d, quernel_ep_step *step, int32_t v) {
    const uint32_t n_nodes = d->n_nodes;
    step->z = quernel_ep_codes_behind(d, v, is_transpose);
    step->op = step->z >= 0;
    if (step->op) return true;
    d->n_nodes = n_nodes;
    step->z = quernel_ep_operand(d, v);
    return step->z >= 0;
}

static bool read_operands(quernel_ep_draft *d, quernel_ep_step *step, int32_t x, int32_t z) {
    const quernel_ep_search *c = d->c;
    if (x < 0 || z < 0) return QUERNEL_EP_REFUSE(d, "an input is left out");
    step->x = quernel_ep_operand(d, x);
    if (step->x < 0 || !read_z(d, step, z)) return false;
    if (!quernel_ep_is_int8(c->records[step->x].type) ||
        !quernel_ep_is_int8(c->records[step->z].type))
        return QUERNEL_EP_REFUSE(d, "an input is float");
    const uint32_t rank = c->records[step->x].rank;
    if (rank != c->records[step->z].rank || rank < 3 || rank > 4)
        return QUERNEL_EP_REFUSE(d, "its inputs are not both of 3 or of 4 dimensions");
    return true;
}

// QLinearMatMul: (x, scale, zero point, z, …, y scale, y zero point)
static bool codings_agree(quernel_ep_draft *d, const quernel_ep_step *step) {
    const int32_t values[3] = {step->x, step->z, step->y};
    const uint32_t scales[3] = {1, 4, 6};
    return quernel_ep_codes_agree(d, values, scales, 3);
}

// 0 where a size is not known.
static uint64_t count_macs(const quernel_ep_draft *d, int32_t y, uint32_t k) {
    const quernel_ep_value *v = quernel_ep_value_of(d->c, y);
    uint64_t macs = v->has_shape ? k : 0;
    for (uint32_t i = 0; i < v->rank; i++) macs *= v->dims[i] > 0 ? (uint64_t)v->dims[i] : 0;
    return macs;
}

bool quernel_ep_match_matmul(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    const bool codes = !strcmp(n->op, "QLinearMatMul");
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_MATMUL, 0);
    step->order = step->y_order = QUERNEL_EP_ORDER_ROWS;
    if (!read_operands(&d, step, n->inputs[0], quernel_ep_input(n, codes ? 3 : 1))) return false;
    step->y = n->outputs[0];
    d.macs = count_macs(&d, step->y, quernel_ep_channels(c, step->x, step->order));
    if (codes && !codings_agree(&d, step)) return false;
    if (!codes) quernel_ep_absorb(&d, step, step->y, quernel_ep_channels(c, step->y, step->order));
    return quernel_ep_draft_commit(&d);
}
