// SPDX-License-Identifier: Apache-2.0
// DynamicQuantizeLinear with the ConvInteger and MatMulInteger that read it, their Cast and scale:
// float convolutions and products, quantized in the run.
//
// ONNX takes the range of the whole tensor, the library that of each image: both are one where the
// batch is 1.
#include <string.h>

#include "weights.h"

static int32_t sole_reader_is(const quernel_ep_draft *d, int32_t v, const char *op) {
    const int32_t node = quernel_ep_sole_reader(d->c, v);
    if (node < 0 || d->c->unit_of[node] >= 0) return -1;
    if (!quernel_ep_node_is(quernel_ep_node_of(d->c, (uint32_t)node), op)) return -1;
    return quernel_ep_known(d->c, (uint32_t)node) ? node : -1;
}

static int32_t other_input(const quernel_ep_node *n, int32_t v) {
    return n->n_inputs == 2 ? n->inputs[n->inputs[0] == v] : -1;
}

// Behind the sums: Cast, Mul by (x's scale times the weights'). Returns the product, or −1.
static int32_t follow_sums(quernel_ep_draft *d, const quernel_ep_node *integer, int32_t x_scale,
                           int32_t *ret_scale) {
    const int32_t cast = sole_reader_is(d, integer->outputs[0], "Cast");
    if (cast < 0) return -1;
    const quernel_ep_node *c = quernel_ep_node_of(d->c, (uint32_t)cast);
    const int32_t mul = sole_reader_is(d, c->outputs[0], "Mul");
    if (mul < 0 || quernel_ep_int(c, "to", 0) != QUERNEL_EP_TYPE_F32) return -1;
    const quernel_ep_node *m = quernel_ep_node_of(d->c, (uint32_t)mul);
    const int32_t scales = other_input(m, c->outputs[0]),
                  maker = scales < 0 ? -1 : d->c->producer[scales];
    if (maker < 0 || sole_reader_is(d, scales, "Mul") != mul) return -1;
    const quernel_ep_node *s = quernel_ep_node_of(d->c, (uint32_t)maker);
    if (!quernel_ep_node_is(s, "Mul") || !quernel_ep_known(d->c, (uint32_t)maker)) return -1;
    *ret_scale = other_input(s, x_scale);
    if (*ret_scale < 0 || !quernel_ep_is_constant(d->c, *ret_scale)) return -1;
    quernel_ep_draft_take(d, (uint32_t)cast);
    quernel_ep_draft_take(d, (uint32_t)mul);
    quernel_ep_draft_take(d, (uint32_t)maker);
    return m->outputs[0];
}

static bool check_batch(quernel_ep_draft *d, int32_t x) {
    const quernel_ep_value *v = quernel_ep_value_of(d->c, x);
    if (v->data || v->type != QUERNEL_EP_TYPE_F32 || !v->has_shape || v->rank < 2 || v->rank > 4)
        return QUERNEL_EP_REFUSE(d, "its input is not float of 2 to 4 dimensions");
    return v->dims[0] == 1 || QUERNEL_EP_REFUSE(d, "its range is that of a batch, not of an image");
}

// Weight scales of a convolution may be [C, 1, 1]: their elements are what counts.
static void flatten(quernel_ep_constant *k) {
    if (k->count > 1) k->rank = 1, k->dims[0] = k->count;
    else k->rank = 0;
}

static bool match_reader(quernel_ep_draft *d, const quernel_ep_node *dql, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, node);
    const bool product = quernel_ep_node_is(n, "MatMulInteger");
    int32_t scale;
    if ((!product && !quernel_ep_node_is(n, "ConvInteger")) || !quernel_ep_known(d->c, node) ||
        n->inputs[0] != dql->outputs[0] || quernel_ep_input(n, 2) != dql->outputs[2])
        return QUERNEL_EP_REFUSE(d, "its codes are read by %s", n->op);
    quernel_ep_draft_take(d, node);
    const int32_t y = follow_sums(d, n, dql->outputs[1], &scale);
    if (y < 0) return QUERNEL_EP_REFUSE(d, "its sums are not scaled by constants");
    quernel_ep_codes codes;
    d->node = node; // whose attributes are read, and whom refusals are about
    quernel_ep_step *step = quernel_ep_draft_step(d, QUERNEL_EP_CONV, 0);
    step->x = dql->inputs[0], step->dynamic = 1;
    if (product) step->order = step->y_order = QUERNEL_EP_ORDER_ROWS;
    quernel_ep_constant k;
    if (!quernel_ep_constant_read(d, scale, &k)) return QUERNEL_EP_REFUSE(d, "no f32 scales");
    if (!quernel_ep_codes_of_inputs(d, quernel_ep_input(n, 1), -1, quernel_ep_input(n, 3), &codes))
        return false;
    codes.scale = k, codes.axis = product;
    flatten(&codes.scale);
    const uint64_t macs = d->macs;
    if (!(product ? quernel_ep_product_fill(d, step, &codes, false)
                  : quernel_ep_convolution_fill(d, step, &codes, false)))
        return false;
    d->macs += macs;
    quernel_ep_absorb(d, step, y, step->out);
    return true;
}

bool quernel_ep_match_dynamic(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    if (n->n_outputs != 3 || n->outputs[1] < 0 || n->outputs[2] < 0)
        return QUERNEL_EP_REFUSE(&d, "an output is left out");
    if (!check_batch(&d, n->inputs[0])) return false;
    const uint32_t count = quernel_ep_readers_count(c, n->outputs[0]);
    for (int i = 0; i < 3; i++)
        if (quernel_ep_value_of(c, n->outputs[i])->graph_output ||
            quernel_ep_readers_count(c, n->outputs[i]) != count)
            return QUERNEL_EP_REFUSE(&d, "its outputs are read elsewhere");
    for (uint32_t i = 0; i < count; i++)
        if (!match_reader(&d, n, c->readers[c->readers_begin[n->outputs[0]] + i])) return false;
    return count && quernel_ep_draft_commit(&d);
}
