// SPDX-License-Identifier: Apache-2.0
// DepthToSpace, SpaceToDepth, and channels shuffled by Reshape, Transpose, Reshape.
#include <string.h>

#include "unit.h"

// Codes move as they are. Where what is written has another type or meaning, a copy follows.
static bool finish(quernel_ep_draft *d, quernel_ep_step *step, int32_t v) {
    quernel_ep_search *c = d->c;
    const quernel_ep_record *x = &c->records[step->x];
    quernel_ep_absorb_quantize(d, step, v);
    const int32_t y = step->y;
    if (c->records[y].type == x->type &&
        (x->type == QUERNEL_EP_TYPE_F32 || quernel_ep_coding_is(c, y, &x->coding)))
        return quernel_ep_draft_commit(d);
    const int32_t between = quernel_ep_value_add(c, d->node, step->x);
    if (between < 0) return false;
    c->records[between].type = x->type, c->records[between].coding = x->coding;
    step->y = between;
    quernel_ep_step *copy = quernel_ep_draft_step(d, QUERNEL_EP_ELTWISE, QUERNEL_ELTWISE_COPY);
    copy->x = between, copy->y = y;
    return quernel_ep_draft_commit(d);
}

static bool fill_space(quernel_ep_draft *d, quernel_ep_step *step, uint32_t b, bool crd) {
    const uint32_t taps = b * b, c = step->out;
    uint32_t *from = quernel_ep_region_take(&d->c->region, (size_t)taps * c, sizeof *from);
    if (!from) return false;
    for (uint32_t p = 0; p < taps; p++)
        for (uint32_t i = 0; i < c; i++) from[p * c + i] = crd ? i * taps + p : p * c + i;
    step->arrays[QUERNEL_EP_FROM] =
        quernel_ep_data_put(d->c, from, taps * (size_t)c * sizeof *from);
    return true;
}

// y's channel [p][c] is pixel p of x's channel c.
static bool fill_depth(quernel_ep_draft *d, quernel_ep_step *step) {
    uint32_t *from = quernel_ep_region_take(&d->c->region, step->out, sizeof *from);
    if (!from) return false;
    for (uint32_t i = 0; i < step->out; i++) from[i] = i;
    step->arrays[QUERNEL_EP_FROM] = quernel_ep_data_put(d->c, from, step->out * sizeof *from);
    return true;
}

static bool match_blocks(quernel_ep_draft *d, quernel_ep_step *step) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const bool depth = quernel_ep_node_is(n, "SpaceToDepth");
    const int64_t b = quernel_ep_int(n, "blocksize", 0);
    const char *mode = quernel_ep_text(n, "mode", "DCR");
    const uint32_t x = quernel_ep_channels(d->c, step->x, QUERNEL_EP_ORDER_IMAGE);
    const bool crd = !strcmp(mode, "CRD");
    if ((strcmp(mode, "DCR") && !crd) || (depth && crd))
        return QUERNEL_EP_REFUSE(d, "mode %s", mode);
    if (b < 1 || b > 256 || !x || x > INT32_MAX / (b * b) || (!depth && x % (b * b)))
        return QUERNEL_EP_REFUSE(d, "channels or block are out of range");
    if (quernel_ep_value_of(d->c, step->x)->rank != 4) return QUERNEL_EP_REFUSE(d, "not 4 axes");
    const uint32_t block = (uint32_t)b;
    step->gather = depth;
    step->block[0] = step->block[1] = block;
    step->out = depth ? x * block * block : x / (block * block);
    if (!(depth ? fill_depth(d, step) : fill_space(d, step, block, crd))) return false;
    return finish(d, step, n->outputs[0]);
}

// Behind v: the node of that operator, over pairs of Q and DQ that keep the codes. −1: none.
static int32_t follow(quernel_ep_draft *d, int32_t v, const char *op) {
    const quernel_ep_search *c = d->c;
    for (int i = 0; i < 3; i++) { // the node, or Q, DQ and the node
        const int32_t node = quernel_ep_sole_reader(c, v);
        if (node < 0 || c->unit_of[node] >= 0 || !quernel_ep_known(d->c, (uint32_t)node)) return -1;
        const quernel_ep_node *n = quernel_ep_node_of(c, (uint32_t)node);
        const bool codes = !strcmp(n->op, "QuantizeLinear") || !strcmp(n->op, "DequantizeLinear");
        if (n->inputs[0] != v || (!codes && !quernel_ep_node_is(n, op))) return -1;
        quernel_ep_coding k;
        const int32_t q = strcmp(n->op, "QuantizeLinear") ? n->inputs[0] : n->outputs[0];
        if (codes && (!quernel_ep_coding_read(d->c, (uint32_t)node, quernel_ep_input(n, 1),
                                              quernel_ep_input(n, 2), c->records[q].type, &k) ||
                      !quernel_ep_coding_is(c, d->steps[0].x, &k)))
            return -1;
        quernel_ep_draft_take(d, (uint32_t)node);
        if (!codes) return node;
        v = n->outputs[0];
    }
    return -1;
}

static bool is_shuffle(const quernel_ep_draft *d, int32_t x, int32_t five, const quernel_ep_node *t,
                       int32_t y, uint32_t *ret_groups) {
    const quernel_ep_value *a = quernel_ep_value_of(d->c, x), *b = quernel_ep_value_of(d->c, five),
                           *z = quernel_ep_value_of(d->c, y);
    static const int64_t wanted[] = {0, 2, 1, 3, 4};
    const int64_t *perm;
    if (quernel_ep_ints(t, "perm", &perm) != 5 || memcmp(perm, wanted, sizeof wanted)) return false;
    if (!a->has_shape || !b->has_shape || !z->has_shape || a->rank != 4 || b->rank != 5 ||
        z->rank != 4)
        return false;
    const bool splits = b->dims[1] > 0 && b->dims[2] > 0 && b->dims[1] * b->dims[2] == a->dims[1];
    for (int i = 0; i < 4; i++)
        if (z->dims[i] != a->dims[i] || (i != 1 && (a->dims[i] <= 0 && i))) return false;
    *ret_groups = (uint32_t)b->dims[1];
    return splits && b->dims[0] == a->dims[0] && b->dims[3] == a->dims[2] &&
           b->dims[4] == a->dims[3];
}

// Channel [i][j] becomes [j][i].
static bool match_channels(quernel_ep_draft *d, quernel_ep_step *step) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const int32_t transpose = follow(d, n->outputs[0], "Transpose");
    if (transpose < 0) return false;
    const quernel_ep_node *t = quernel_ep_node_of(d->c, (uint32_t)transpose);
    const int32_t last = follow(d, t->outputs[0], "Reshape");
    if (last < 0) return false;
    const int32_t y = quernel_ep_node_of(d->c, (uint32_t)last)->outputs[0];
    uint32_t groups;
    if (!is_shuffle(d, n->inputs[0], n->outputs[0], t, y, &groups)) return false;
    step->out = quernel_ep_channels(d->c, step->x, QUERNEL_EP_ORDER_IMAGE);
    uint32_t *from = quernel_ep_region_take(&d->c->region, step->out, sizeof *from);
    for (uint32_t i = 0; from && i < step->out; i++)
        from[i] = i % groups * (step->out / groups) + i / groups;
    if (from)
        step->arrays[QUERNEL_EP_FROM] = quernel_ep_data_put(d->c, from, step->out * sizeof *from);
    return from && finish(d, step, y);
}

bool quernel_ep_match_shuffle(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_SHUFFLE, 0);
    step->x = quernel_ep_operand(&d, n->inputs[0]);
    if (step->x < 0) return false;
    return quernel_ep_node_is(n, "Reshape") ? match_channels(&d, step) : match_blocks(&d, step);
}
