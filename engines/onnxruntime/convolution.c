// SPDX-License-Identifier: Apache-2.0
// Conv, ConvTranspose and QLinearConv.
#include <string.h>

#include "weights.h"
#include "window.h"

// Elements of a value, 0 where they are not known.
static uint64_t count_of(const quernel_ep_value *v) {
    uint64_t count = v->has_shape;
    for (uint32_t i = 0; i < v->rank; i++) {
        if (v->dims[i] <= 0 || count > UINT32_MAX) return 0;
        count *= (uint64_t)v->dims[i];
    }
    return count;
}

// Weights [out][in / groups][kernel]; of a deconvolution [in][out / groups][kernel].
static bool describe(quernel_ep_draft *d, const quernel_ep_codes *codes, bool up,
                     const quernel_ep_window *w, quernel_weights_desc *ret_desc) {
    const int64_t *dims = codes->value->dims,
                  groups = quernel_ep_int(quernel_ep_node_of(d->c, d->node), "group", 1);
    // more than any layer has, and a product of two still fits
    const int64_t max = 1 << 26;
    if (dims[0] < 1 || dims[1] < 1 || groups < 1 || dims[0] > max || dims[1] > max || groups > max)
        return QUERNEL_EP_REFUSE(d, "weights or groups are out of range");
    if (dims[1] * groups > max || dims[0] % groups)
        return QUERNEL_EP_REFUSE(d, "groups do not divide the channels");
    quernel_weights_desc desc = QUERNEL_WEIGHTS_DESC_INIT;
    desc.kind = up ? QUERNEL_WEIGHTS_DECONV2D : QUERNEL_WEIGHTS_CONV2D;
    desc.out = (uint32_t)(up ? dims[1] * groups : dims[0]);
    desc.in = (uint32_t)(up ? dims[0] : dims[1] * groups);
    desc.groups = (uint32_t)groups;
    desc.kernel_h = w->kernel[0], desc.kernel_w = w->kernel[1];
    if (up) desc.deconv_stride_h = w->stride[0], desc.deconv_stride_w = w->stride[1];
    *ret_desc = desc;
    return true;
}

static bool check_up(quernel_ep_draft *d, const quernel_ep_window *w) {
    const int64_t *shape;
    if (quernel_ep_ints(quernel_ep_node_of(d->c, d->node), "output_shape", &shape))
        return QUERNEL_EP_REFUSE(d, "output_shape");
    return !w->auto_pad || QUERNEL_EP_REFUSE(d, "auto_pad of ConvTranspose");
}

static void count_macs(quernel_ep_draft *d, const quernel_weights_desc *w) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const uint64_t taps = (uint64_t)w->kernel_h * w->kernel_w;
    const bool up = w->kind == QUERNEL_WEIGHTS_DECONV2D;
    d->macs = up ? count_of(quernel_ep_value_of(d->c, n->inputs[0])) * (w->out / w->groups) * taps
                 : count_of(quernel_ep_value_of(d->c, n->outputs[0])) * (w->in / w->groups) * taps;
}

bool quernel_ep_convolution_fill(quernel_ep_draft *d, quernel_ep_step *step,
                                 const quernel_ep_codes *codes, bool up) {
    const uint32_t rank = quernel_ep_value_of(d->c, step->x)->rank;
    quernel_weights_desc desc;
    if (codes->value->rank != rank || rank < 3)
        return QUERNEL_EP_REFUSE(d, "%u dimensions, weights of %u", rank, codes->value->rank);
    if (!quernel_ep_window_read(d, rank - 2, codes->value->dims + 2, &step->window)) return false;
    if ((up && !check_up(d, &step->window)) || !describe(d, codes, up, &step->window, &desc))
        return false;
    if (quernel_ep_channels(d->c, step->x, QUERNEL_EP_ORDER_IMAGE) != desc.in)
        return QUERNEL_EP_REFUSE(d, "its input has not the weights' %u channels", desc.in);
    step->out = desc.out;
    step->up = up;
    count_macs(d, &desc);
    return quernel_ep_weights_note(d, step, codes, up, &desc);
}

static bool match_float(quernel_ep_search *c, uint32_t node, bool up) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_CONV, 0);
    quernel_ep_codes codes;
    step->x = quernel_ep_operand(&d, n->inputs[0]);
    if (step->x < 0) return false;
    if (!quernel_ep_is_int8(c->records[step->x].type))
        return QUERNEL_EP_REFUSE(&d, "its input is float");
    if (!quernel_ep_codes_of_float(&d, quernel_ep_input(n, 1), &codes)) return false;
    if (!quernel_ep_convolution_fill(&d, step, &codes, up)) return false;
    if (!quernel_ep_bias_read(&d, step, quernel_ep_input(n, 2), step->out, 1)) return false;
    quernel_ep_absorb(&d, step, n->outputs[0], step->out);
    return quernel_ep_draft_commit(&d);
}

static bool match_codes(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_CONV, 0);
    quernel_ep_codes codes;
    step->x = quernel_ep_operand(&d, n->inputs[0]);
    step->y = n->outputs[0];
    if (step->x < 0 ||
        !quernel_ep_codes_of_inputs(&d, quernel_ep_input(n, 3), quernel_ep_input(n, 4),
                                    quernel_ep_input(n, 5), &codes))
        return false;
    quernel_ep_coding x, y;
    if (!quernel_ep_coding_read(c, node, quernel_ep_input(n, 1), quernel_ep_input(n, 2),
                                c->records[step->x].type, &x) ||
        !quernel_ep_coding_read(c, node, quernel_ep_input(n, 6), quernel_ep_input(n, 7),
                                c->records[step->y].type, &y))
        return false;
    if (!quernel_ep_coding_is(c, step->x, &x) || !quernel_ep_coding_is(c, step->y, &y))
        return QUERNEL_EP_REFUSE(&d, "it reads codes by another scale than they were made by");
    return quernel_ep_convolution_fill(&d, step, &codes, false) &&
           quernel_ep_bias_of_sums(&d, step, quernel_ep_input(n, 8), step->out, &codes) &&
           quernel_ep_draft_commit(&d);
}

bool quernel_ep_match_convolution(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    if (quernel_ep_node_is(n, "QLinearConv")) return match_codes(c, node);
    return match_float(c, node, quernel_ep_node_is(n, "ConvTranspose"));
}
