// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear of a constant: some writers leave weights in float before a pair of Q and DQ. Its
// codes are computed here, and read like any constant; the node goes where they are read.
#include <math.h>
#include <string.h>

#include "search.h"

// Numbers of a constant per tensor, or along an axis.
typedef struct scales {
    const float *scale;
    const uint8_t *zero; // of the codes' type; NULL: 0
    uint32_t count, inner;
} scales;

static bool is_typed(const quernel_ep_search *c, int32_t v, int32_t type, size_t bytes) {
    return quernel_ep_is_constant(c, v) && quernel_ep_value_of(c, v)->type == type &&
           quernel_ep_value_of(c, v)->bytes == bytes;
}

static bool read_scales(quernel_ep_search *c, const quernel_ep_node *n, scales *ret) {
    const quernel_ep_value *x = quernel_ep_value_of(c, n->inputs[0]);
    const int32_t zero = quernel_ep_input(n, 2), type = c->records[n->outputs[0]].type;
    if (!quernel_ep_is_constant(c, n->inputs[1])) return false;
    int64_t axis = quernel_ep_int(n, "axis", 1);
    if (axis < 0) axis += x->rank;
    const size_t count = quernel_ep_value_of(c, n->inputs[1])->bytes / sizeof(float);
    *ret = (scales){.count = (uint32_t)count, .inner = 1};
    if (count != 1 && (axis < 0 || axis >= x->rank || count != (uint64_t)x->dims[axis]))
        return false;
    for (uint32_t i = (uint32_t)axis + 1; i < x->rank && count > 1; i++)
        ret->inner *= (uint32_t)x->dims[i];
    if (!is_typed(c, n->inputs[1], QUERNEL_EP_TYPE_F32, count * sizeof(float))) return false;
    if (zero >= 0 && !is_typed(c, zero, type, count)) return false;
    ret->scale = quernel_ep_value_of(c, n->inputs[1])->data;
    ret->zero = zero >= 0 ? quernel_ep_value_of(c, zero)->data : NULL;
    return true;
}

static uint8_t code_of(float x, const scales *s, uint32_t at, int32_t type) {
    const float lo = type == QUERNEL_EP_TYPE_S8 ? -128.0f : 0.0f;
    const int32_t bits = s->zero ? s->zero[at] : 0,
                  zero = type == QUERNEL_EP_TYPE_S8 ? (int8_t)(uint8_t)bits : bits;
    const float q = nearbyintf(x / s->scale[at]) + (float)zero;
    return (uint8_t)(int32_t)fminf(fmaxf(q, lo), lo + 255.0f);
}

static bool is_foldable(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    if (strcmp(n->op, "QuantizeLinear") || !quernel_ep_known(c, node) || n->n_inputs < 2)
        return false;
    const int32_t x = n->inputs[0], reader = quernel_ep_sole_reader(c, n->outputs[0]);
    if (!quernel_ep_is_constant(c, x) || quernel_ep_int(n, "block_size", 0)) return false;
    if (quernel_ep_value_of(c, x)->type != QUERNEL_EP_TYPE_F32 || reader < 0) return false;
    return quernel_ep_is_int8(c->records[n->outputs[0]].type) &&
           !strcmp(quernel_ep_node_of(c, (uint32_t)reader)->op, "DequantizeLinear");
}

static void fold(quernel_ep_search *c, quernel_ep_value *values, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    const quernel_ep_value *x = quernel_ep_value_of(c, n->inputs[0]);
    const size_t count = x->bytes / sizeof(float);
    scales s;
    if (!count || count > UINT32_MAX || !read_scales(c, n, &s)) return;
    uint8_t *codes = quernel_ep_region_take(&c->region, count, 1);
    if (!codes) return;
    const float *floats = x->data;
    for (size_t i = 0; i < count; i++) {
        const uint32_t at = s.count > 1 ? (uint32_t)(i / s.inner % s.count) : 0;
        if (!isfinite(floats[i]) || !(s.scale[at] > 0)) return;
        codes[i] = code_of(floats[i], &s, at, c->records[n->outputs[0]].type);
    }
    quernel_ep_value *y = &values[n->outputs[0]];
    y->has_shape = true, y->rank = x->rank;
    memcpy(y->dims, x->dims, sizeof y->dims);
    y->data = codes, y->bytes = count;
}

bool quernel_ep_constants_fold(quernel_ep_search *c) {
    quernel_ep_graph *own = quernel_ep_region_take(&c->region, 1, sizeof *own);
    quernel_ep_value *values =
        quernel_ep_region_take(&c->region, c->graph->n_values, sizeof *values);
    if (!own || !values) return false;
    if (c->graph->n_values) memcpy(values, c->graph->values, c->graph->n_values * sizeof *values);
    *own = *c->graph;
    own->values = values;
    c->graph = own;
    for (uint32_t node = 0; node < own->n_nodes; node++)
        if (is_foldable(c, node)) fold(c, values, node);
    return !c->region.failed;
}
