// SPDX-License-Identifier: Apache-2.0
// BatchNormalization that no convolution before it has taken in: a·x + b of constants for each
// channel. Of codes that is a depthwise convolution of one tap: weights of 1 or −1, whose scales
// are |a|, and a bias; of floats a product and a sum.
#include <math.h>

#include "weights.h"

enum { SCALE = 1, BIAS = 2, MEAN = 3, VARIANCE = 4 }; // inputs

static bool read_each(quernel_ep_draft *d, uint32_t input, uint32_t channels,
                      quernel_ep_constant *ret) {
    const int32_t v = quernel_ep_input(quernel_ep_node_of(d->c, d->node), input);
    return (quernel_ep_constant_read(d, v, ret) && ret->count == channels) ||
           QUERNEL_EP_REFUSE(d, "its input %u is not a constant for each channel", input);
}

// y = (x − mean) / sqrt(variance + epsilon)·scale + bias as a·x + b.
static bool read_affine(quernel_ep_draft *d, uint32_t channels, quernel_ep_constant *ret_a,
                        quernel_ep_constant *ret_b) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const double epsilon = (double)quernel_ep_float(n, "epsilon", 1e-5f);
    quernel_ep_constant mean, variance;
    if (!read_each(d, SCALE, channels, ret_a) || !read_each(d, BIAS, channels, ret_b) ||
        !read_each(d, MEAN, channels, &mean) || !read_each(d, VARIANCE, channels, &variance))
        return false;
    for (uint32_t i = 0; i < channels; i++) {
        ret_a->data[i] /= sqrt(variance.data[i] + epsilon);
        ret_b->data[i] -= ret_a->data[i] * mean.data[i];
        if (!(fabs(ret_a->data[i]) <= 0x1p40 && fabs(ret_b->data[i]) <= 0x1p40))
            return QUERNEL_EP_REFUSE(d, "channel %u: its factor or what it adds is too large", i);
    }
    return true;
}

// Signs as weights; what is left of `a` are their sizes.
static bool take_signs(quernel_ep_draft *d, quernel_ep_constant *a, quernel_ep_value *ret_signs) {
    int8_t *signs = quernel_ep_region_take(&d->c->region, a->count, 1);
    if (!signs) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        signs[i] = (int8_t)((a->data[i] > 0) - (a->data[i] < 0));
        a->data[i] = signs[i] ? fabs(a->data[i]) : 1;
    }
    *ret_signs = (quernel_ep_value){.type = QUERNEL_EP_TYPE_S8, .data = signs, .bytes = a->count};
    return true;
}

// Of codes.
static bool convolve(quernel_ep_draft *d, int32_t x, quernel_ep_constant *a,
                     const quernel_ep_constant *b) {
    quernel_ep_step *step = quernel_ep_draft_step(d, QUERNEL_EP_CONV, 0);
    quernel_ep_value signs;
    if (!take_signs(d, a, &signs)) return false;
    const quernel_ep_codes codes = {.value = &signs, .scale = *a};
    quernel_weights_desc desc = QUERNEL_WEIGHTS_DESC_INIT;
    desc.kind = QUERNEL_WEIGHTS_CONV2D;
    desc.in = desc.out = desc.groups = step->out = a->count;
    desc.kernel_h = desc.kernel_w = 1;
    step->x = x;
    step->arrays[QUERNEL_EP_BIAS] = quernel_ep_put_vector(d->c, b, a->count);
    if (!quernel_ep_weights_note(d, step, &codes, 0, &desc)) return false;
    quernel_ep_absorb(d, step, quernel_ep_node_of(d->c, d->node)->outputs[0], a->count);
    return quernel_ep_draft_commit(d);
}

// Of floats.
static bool multiply_and_add(quernel_ep_draft *d, int32_t x, const quernel_ep_constant *a,
                             const quernel_ep_constant *b) {
    const int32_t product = quernel_ep_value_add(d->c, d->node, x);
    if (product < 0) return false;
    quernel_ep_step *step = quernel_ep_draft_step(d, QUERNEL_EP_ELTWISE, QUERNEL_ELTWISE_MUL);
    step->x = x, step->y = product;
    if (!quernel_ep_constant_put(d, step, a, a->count)) return false;
    step = quernel_ep_draft_step(d, QUERNEL_EP_ELTWISE, QUERNEL_ELTWISE_ADD);
    step->x = product;
    if (!quernel_ep_constant_put(d, step, b, b->count)) return false;
    quernel_ep_absorb(d, step, quernel_ep_node_of(d->c, d->node)->outputs[0], b->count);
    return quernel_ep_draft_commit(d);
}

bool quernel_ep_match_norm(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    quernel_ep_constant a, b;
    const int32_t x = quernel_ep_operand(&d, n->inputs[0]);
    if (x < 0) return false;
    if (quernel_ep_int(n, "training_mode", 0) || n->n_outputs > 1)
        return QUERNEL_EP_REFUSE(&d, "it is in the mode of training");
    if (c->records[x].smooth.bytes) return QUERNEL_EP_REFUSE(&d, "its input's codes carry factors");
    if (quernel_ep_value_of(c, x)->rank < 3)
        return QUERNEL_EP_REFUSE(&d, "its input has 2 dimensions");
    const uint32_t channels = quernel_ep_channels(c, x, QUERNEL_EP_ORDER_IMAGE);
    if (!channels) return QUERNEL_EP_REFUSE(&d, "its channels are not known");
    if (!read_affine(&d, channels, &a, &b)) return false;
    return quernel_ep_is_int8(c->records[x].type) ? convolve(&d, x, &a, &b)
                                                  : multiply_and_add(&d, x, &a, &b);
}
