// SPDX-License-Identifier: Apache-2.0
// Nodes that move nothing: other ranks of the same tensor, slices and rows of channels.
#include <string.h>

#include "sizes.h"
#include "unit.h"

// A step from the node's input to output `i`; NULL with a refusal.
static quernel_ep_step *begin(quernel_ep_draft *d, int32_t x) {
    quernel_ep_step *step = quernel_ep_draft_step(d, QUERNEL_EP_VIEW, 0);
    step->x = x;
    step->order = step->y_order = QUERNEL_EP_ORDER_ANY;
    return step;
}

static bool finish(quernel_ep_draft *d) {
    quernel_ep_absorb_quantize(d, &d->steps[0], quernel_ep_node_of(d->c, d->node)->outputs[0]);
    const int32_t y = d->steps[0].y;
    const quernel_ep_value *value = quernel_ep_value_of(d->c, y);
    if (!value->has_shape || value->rank < 2 || value->rank > 4)
        return QUERNEL_EP_REFUSE(d, "its output is not of 2 to 4 dimensions");
    return quernel_ep_draft_commit(d);
}

// Dims of x as n, c and the product of the rest; −1 where it is not known.
typedef struct extent {
    int64_t n, c, rest;
} extent;

static extent extent_of(const quernel_ep_value *v) {
    extent e = {v->dims[0], v->dims[1], 1};
    for (uint32_t i = 2; i < v->rank; i++)
        e.rest = e.rest < 0 || v->dims[i] < 0 ? -1 : e.rest * v->dims[i];
    return e;
}

// n may be open on both sides where all else is known, or where the node says that it is kept.
static bool keeps_images(const extent *a, const extent *b, bool kept) {
    if (a->c <= 0 || a->c != b->c) return false;
    if (a->n > 0 && b->n > 0) return a->n == b->n;
    return kept || (a->rest > 0 && a->rest == b->rest);
}

// Flatten, Squeeze and Unsqueeze of later axes keep the first; a Reshape says so by 0.
static bool keeps_first(quernel_ep_draft *d, const quernel_ep_node *n) {
    if (quernel_ep_node_is(n, "Flatten")) return quernel_ep_int(n, "axis", 1) == 1;
    const int64_t *list;
    uint32_t count;
    if (!quernel_ep_integers_read(d->c, quernel_ep_input(n, 1), &list, &count)) return false;
    if (quernel_ep_node_is(n, "Reshape")) return list[0] == 0 && !quernel_ep_int(n, "allowzero", 0);
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == 0) return false;
    return true;
}

// n c h w → n c h·w; n c 1 1 → n c; n c w → n c 1 w; and back where nothing has to move.
static bool keeps_planes(quernel_ep_draft *d, const quernel_ep_value *x,
                         const quernel_ep_value *y) {
    const extent a = extent_of(x), b = extent_of(y);
    bool plain = keeps_images(&a, &b, keeps_first(d, quernel_ep_node_of(d->c, d->node)));
    if (plain && x->rank == y->rank)
        for (uint32_t i = 2; i < x->rank; i++) plain = plain && x->dims[i] == y->dims[i];
    if (plain && x->rank == 3 && y->rank == 4) plain = y->dims[2] == 1;
    if (plain && x->rank == 2) plain = b.rest == 1;
    if (plain && y->rank == 2) plain = a.rest == 1;
    return plain;
}

// Rows of all dimensions but the last, or 0 where they are not known.
static uint64_t rows_of(const quernel_ep_value *v) {
    uint64_t rows = 1;
    for (uint32_t i = 0; i + 1 < v->rank; i++)
        rows = v->dims[i] > 0 && v->dims[i] <= INT32_MAX && rows <= INT32_MAX
                   ? rows * (uint64_t)v->dims[i]
                   : 0;
    return rows;
}

// n t c → n·t c, as ONNX Runtime puts around a product of more dimensions than two, and back. What
// is handed on are the sizes that x has; who asks for others than those is refused by its trial.
static bool keeps_rows(quernel_ep_step *step, const quernel_ep_value *x,
                       const quernel_ep_value *y) {
    quernel_ep_shape shape = {.rank = y->rank};
    const int64_t c = x->dims[x->rank - 1];
    if (c <= 0 || c != y->dims[y->rank - 1] || !rows_of(x) || rows_of(x) != rows_of(y))
        return false;
    memcpy(shape.dims, y->dims, y->rank * sizeof *shape.dims);
    return y->rank == 2 || quernel_ep_sizes_of_shape(&shape, QUERNEL_EP_ORDER_ROWS, &step->rows);
}

static bool match_shape(quernel_ep_draft *d) {
    quernel_ep_step *step = &d->steps[0];
    const quernel_ep_value *x = quernel_ep_value_of(d->c, step->x),
                           *y = quernel_ep_value_of(d->c,
                                                    quernel_ep_node_of(d->c, d->node)->outputs[0]);
    if (!y->has_shape || y->rank < 2 || y->rank > 4)
        return QUERNEL_EP_REFUSE(d, "its output is not of 2 to 4 dimensions");
    const bool planes = keeps_planes(d, x, y);
    if (!planes && !keeps_rows(step, x, y))
        return QUERNEL_EP_REFUSE(d, "its elements would have to move");
    step->order = step->y_order = planes ? QUERNEL_EP_ORDER_IMAGE : QUERNEL_EP_ORDER_ROWS;
    return finish(d);
}

static bool match_transpose(quernel_ep_draft *d) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const int64_t *perm;
    const uint32_t rank = quernel_ep_value_of(d->c, d->steps[0].x)->rank,
                   count = quernel_ep_ints(n, "perm", &perm);
    static const struct {
        uint32_t rank;
        int64_t perm[4];
        int32_t from;
    } forms[] = {{4, {0, 2, 3, 1}, QUERNEL_EP_ORDER_IMAGE},
                 {4, {0, 3, 1, 2}, QUERNEL_EP_ORDER_ROWS},
                 {3, {0, 2, 1, 0}, QUERNEL_EP_ORDER_IMAGE}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (count != rank || forms[i].rank != rank ||
            memcmp(perm, forms[i].perm, rank * sizeof *perm))
            continue;
        int32_t from = forms[i].from;
        if (rank == 3 && d->c->records[d->steps[0].x].order == QUERNEL_EP_ORDER_ROWS)
            from = QUERNEL_EP_ORDER_ROWS;
        d->steps[0].order = from, d->steps[0].y_order = 1 - from;
        return finish(d);
    }
    return QUERNEL_EP_REFUSE(d, "its axes are not moved between n c h w and n h w c");
}

static bool match_dropout(quernel_ep_draft *d) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const int32_t training = quernel_ep_input(n, 2);
    if (n->n_outputs > 1 && n->outputs[1] >= 0) return QUERNEL_EP_REFUSE(d, "a mask is asked for");
    if (training >= 0) {
        const quernel_ep_value *v = quernel_ep_value_of(d->c, training);
        if (!v->data || v->bytes != 1 || *(const uint8_t *)v->data)
            return QUERNEL_EP_REFUSE(d, "training_mode");
    }
    return finish(d);
}

// The order in which `axis` holds the channels, or −1.
static int32_t order_of(uint32_t rank, int64_t axis) {
    if (axis < 0) axis += rank;
    if (rank == 2 && axis == 1) return QUERNEL_EP_ORDER_ANY;
    return axis == 1 ? QUERNEL_EP_ORDER_IMAGE : axis == rank - 1 ? QUERNEL_EP_ORDER_ROWS : -1;
}

static bool match_split(quernel_ep_draft *d) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const int32_t x = d->steps[0].x;
    const int32_t order =
        order_of(quernel_ep_value_of(d->c, x)->rank, quernel_ep_int(n, "axis", 0));
    uint32_t channel = 0;
    if (order < 0) return QUERNEL_EP_REFUSE(d, "it does not split channels");
    d->n_steps = 0;
    for (uint32_t i = 0; i < n->n_outputs; i++) {
        if (n->outputs[i] < 0) return QUERNEL_EP_REFUSE(d, "an output is left out");
        quernel_ep_step *step = begin(d, x);
        step->order = step->y_order = order;
        step->channel = channel;
        step->out = quernel_ep_channels(d->c, n->outputs[i], order);
        if (!step->out) return QUERNEL_EP_REFUSE(d, "its channels are not known");
        channel += step->out;
        quernel_ep_absorb_quantize(d, step, n->outputs[i]);
    }
    if (channel != quernel_ep_channels(d->c, x, order))
        return QUERNEL_EP_REFUSE(d, "its outputs are not all channels");
    return quernel_ep_draft_commit(d);
}

bool quernel_ep_match_view(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    const int32_t x = quernel_ep_operand(&d, n->inputs[0]);
    if (x < 0) return false;
    begin(&d, x);
    if (c->region.failed) return false;
    if (quernel_ep_node_is(n, "Identity")) return finish(&d);
    if (quernel_ep_node_is(n, "Dropout")) return match_dropout(&d);
    if (quernel_ep_node_is(n, "Transpose")) return match_transpose(&d);
    if (quernel_ep_node_is(n, "Split")) return match_split(&d);
    return match_shape(&d);
}

// QLinearConcat: (y scale, y zero point, then x, scale, zero point of each)
static bool read_list(quernel_ep_draft *d, int32_t *list, uint32_t count, bool codes) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t at = codes ? 2 + 3 * i : i;
        list[i] = quernel_ep_operand(d, quernel_ep_input(n, at));
        if (list[i] < 0) return false;
        quernel_ep_coding k;
        if (codes && (!quernel_ep_coding_read(d->c, d->node, quernel_ep_input(n, at + 1),
                                              quernel_ep_input(n, at + 2),
                                              d->c->records[list[i]].type, &k) ||
                      !quernel_ep_coding_is(d->c, list[i], &k)))
            return QUERNEL_EP_REFUSE(d, "it reads codes by another scale than they were made by");
    }
    return true;
}

// Of QLinearConcat: what its codes mean must be known, or they would be moved as they are.
static bool writes_known_codes(quernel_ep_draft *d) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const int32_t y = n->outputs[0];
    quernel_ep_coding k;
    if (!quernel_ep_coding_read(d->c, d->node, n->inputs[0], n->inputs[1], d->c->records[y].type,
                                &k))
        return false;
    return quernel_ep_coding_is(d->c, y, &k) ||
           QUERNEL_EP_REFUSE(d, "its codes are read by another scale than it makes them by");
}

// Concat of codes moves them, so that all of them and what it writes must mean the same.
static bool joins_alike(quernel_ep_draft *d, const int32_t *list, uint32_t count) {
    const int32_t y = quernel_ep_node_of(d->c, d->node)->outputs[0];
    const quernel_ep_record *record = &d->c->records[y];
    if (!quernel_ep_is_int8(record->type)) return true;
    for (uint32_t i = 0; i < count; i++)
        if (!record->coding.type || !quernel_ep_coding_is(d->c, list[i], &record->coding))
            return QUERNEL_EP_REFUSE(d, "it joins codes of different or unknown meaning");
    return true;
}

static bool check_list(quernel_ep_draft *d, const int32_t *list, uint32_t count, int32_t order) {
    for (uint32_t i = 0; i < count; i++) {
        if (!quernel_ep_channels(d->c, list[i], order))
            return QUERNEL_EP_REFUSE(d, "its channels are not known");
        if (quernel_ep_value_of(d->c, list[i])->rank != quernel_ep_value_of(d->c, list[0])->rank)
            return QUERNEL_EP_REFUSE(d, "its inputs have different ranks");
    }
    return true;
}

bool quernel_ep_match_concat(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    const bool codes = quernel_ep_node_is_ms(n, "QLinearConcat");
    const uint32_t count = codes ? (n->n_inputs - 2) / 3 : n->n_inputs;
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    int32_t *list = quernel_ep_region_take(&c->region, count, sizeof *list);
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_CONCAT, 0);
    if (!list || (codes && n->n_inputs < 5)) return QUERNEL_EP_REFUSE(&d, "it has no inputs");
    if (!read_list(&d, list, count, codes) || (codes && !writes_known_codes(&d))) return false;
    if (!codes && !joins_alike(&d, list, count)) return false;
    const int32_t order =
        order_of(quernel_ep_value_of(c, list[0])->rank, quernel_ep_int(n, "axis", 1));
    if (order < 0) return QUERNEL_EP_REFUSE(&d, "it does not join channels");
    if (!check_list(&d, list, count, order)) return false;
    step->x = list[0];
    step->order = step->y_order = order;
    step->arrays[QUERNEL_EP_LIST] = quernel_ep_data_put(c, list, count * sizeof *list);
    quernel_ep_absorb_quantize(&d, step, n->outputs[0]);
    return quernel_ep_draft_commit(&d);
}
