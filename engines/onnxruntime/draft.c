// SPDX-License-Identifier: Apache-2.0
// Drafts of units, and what their steps read.
#include "unit.h"

#include <string.h>

quernel_ep_draft quernel_ep_draft_begin(quernel_ep_search *c, uint32_t node) {
    quernel_ep_draft d = {.c = c, .node = node};
    quernel_ep_draft_take(&d, node);
    return d;
}

void quernel_ep_draft_take(quernel_ep_draft *d, uint32_t node) {
    for (uint32_t i = 0; i < d->n_nodes; i++)
        if (d->nodes[i] == node) return;
    d->nodes = quernel_ep_region_grow(&d->c->region, d->nodes, d->n_nodes, sizeof *d->nodes);
    if (d->nodes) d->nodes[d->n_nodes++] = node;
    // of a constant that was folded the node that makes it comes along
    const quernel_ep_node *n = quernel_ep_node_of(d->c, node);
    const int32_t x = quernel_ep_input(n, 0), maker = x < 0 ? -1 : d->c->producer[x];
    if (!strcmp(n->op, "DequantizeLinear") && maker >= 0 && quernel_ep_is_constant(d->c, x))
        quernel_ep_draft_take(d, (uint32_t)maker);
}

quernel_ep_step *quernel_ep_draft_step(quernel_ep_draft *d, int32_t kind, int32_t op) {
    d->steps = quernel_ep_region_grow(&d->c->region, d->steps, d->n_steps, sizeof *d->steps);
    quernel_ep_step *s = d->steps ? &d->steps[d->n_steps++] : &d->spare;
    *s = (quernel_ep_step){.kind = kind, .op = op, .x = -1, .z = -1, .y = -1, .weights = -1};
    for (int i = 0; i < 2; i++)
        s->window.kernel[i] = s->window.stride[i] = s->window.dilation[i] = s->block[i] = 1;
    return s;
}

bool quernel_ep_draft_commit(quernel_ep_draft *d) {
    quernel_ep_search *c = d->c;
    c->units = quernel_ep_region_grow(&c->region, c->units, c->n_units, sizeof *c->units);
    if (c->region.failed) return false;
    c->units[c->n_units] =
        (quernel_ep_unit){d->nodes, d->n_nodes, d->steps, d->n_steps, false, false, d->macs};
    for (uint32_t i = 0; i < d->n_nodes; i++) c->unit_of[d->nodes[i]] = (int32_t)c->n_units;
    for (uint32_t i = 0; i < d->n_steps; i++) c->records[d->steps[i].y].order = d->steps[i].y_order;
    c->n_units++;
    return true;
}

// The DequantizeLinear of activations that makes v and that none but its one reader sees, or −1.
static int32_t private_dequantizer(const quernel_ep_search *c, int32_t v) {
    const int32_t node = c->producer[v];
    if (node < 0 || quernel_ep_sole_reader(c, v) < 0 || c->unit_of[node] >= 0) return -1;
    const quernel_ep_node *n = quernel_ep_node_of(c, (uint32_t)node);
    return strcmp(n->op, "DequantizeLinear") ? -1 : node;
}

static bool dequantizer_is_plain(quernel_ep_draft *d, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, node);
    const int32_t q = n->inputs[0];
    quernel_ep_coding coding;
    if (!quernel_ep_known(d->c, node)) return false;
    if (quernel_ep_int(n, "block_size", 0))
        return quernel_ep_node_refuse(d->c, node, "blocked quantization");
    if (quernel_ep_value_of(d->c, n->outputs[0])->type != QUERNEL_EP_TYPE_F32)
        return quernel_ep_node_refuse(d->c, node, "DequantizeLinear to another type than f32");
    // of codes that carry factors convolutions alone see the other scale: absorb.c has looked
    if (quernel_ep_coding_is_wide(d->c, node)) return true;
    if (!quernel_ep_coding_read(d->c, node, n->inputs[1], quernel_ep_input(n, 2),
                                d->c->records[q].type, &coding))
        return false;
    return quernel_ep_coding_is(d->c, q, &coding) ||
           quernel_ep_node_refuse(d->c, node,
                                  "it reads codes by another scale than they were made by");
}

int32_t quernel_ep_operand(quernel_ep_draft *d, int32_t v) {
    quernel_ep_search *c = d->c;
    if (v < 0) return QUERNEL_EP_REFUSE(d, "an input is left out") - 1;
    const int32_t node = private_dequantizer(c, v);
    const bool takes = node >= 0 && dequantizer_is_plain(d, (uint32_t)node);
    if (takes) {
        quernel_ep_draft_take(d, (uint32_t)node);
        v = quernel_ep_node_of(c, (uint32_t)node)->inputs[0];
    }
    const quernel_ep_value *value = quernel_ep_value_of(c, v);
    if (value->data) return QUERNEL_EP_REFUSE(d, "an input is a constant") - 1;
    if (!value->has_shape || value->rank < 2 || value->rank > 4)
        return QUERNEL_EP_REFUSE(d, "an input is not of 2 to 4 dimensions") - 1;
    if (quernel_ep_is_int8(value->type) && !c->records[v].coding.type)
        return QUERNEL_EP_REFUSE(d, "it reads codes whose meaning is not known") - 1;
    if (!quernel_ep_is_int8(value->type) && value->type != QUERNEL_EP_TYPE_F32)
        return QUERNEL_EP_REFUSE(d, "an input is of type %d, not f32, u8 or s8", value->type) - 1;
    return v;
}

bool quernel_ep_codes_agree(quernel_ep_draft *d, const int32_t *values, const uint32_t *scales,
                            uint32_t count) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    for (uint32_t i = 0; i < count; i++) {
        quernel_ep_coding k;
        if (values[i] < 0 ||
            !quernel_ep_coding_read(d->c, d->node, quernel_ep_input(n, scales[i]),
                                    quernel_ep_input(n, scales[i] + 1),
                                    d->c->records[values[i]].type, &k) ||
            !quernel_ep_coding_is(d->c, values[i], &k))
            return QUERNEL_EP_REFUSE(d, "it reads codes by another scale than they were made by");
    }
    return true;
}
