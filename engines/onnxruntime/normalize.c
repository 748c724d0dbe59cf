// SPDX-License-Identifier: Apache-2.0
// Softmax and com.microsoft's QLinearSoftmax, LayerNormalization, RMSNormalization and what ONNX
// Runtime called that before it had the name.
#include <string.h>

#include "unit.h"

enum { GAMMA = 1, BETA = 2 }; // inputs

// Before opset 13 a softmax is over all axes from the one that is named on: those behind the
// channels must have one element.
static bool has_more_axes(const quernel_ep_value *x, int64_t axis) {
    for (uint32_t i = (uint32_t)axis + 1; i < x->rank; i++)
        if (x->dims[i] != 1) return true;
    return false;
}

static int64_t axis_of(const quernel_ep_node *n, bool flattens, uint32_t rank) {
    const int64_t axis = quernel_ep_int(n, "axis", flattens ? 1 : -1);
    return axis < 0 ? axis + rank : axis;
}

// The axis holds the channels: the last one of rows, or that of images.
static bool set_order(quernel_ep_draft *d, quernel_ep_step *step, int64_t axis) {
    const uint32_t rank = quernel_ep_value_of(d->c, step->x)->rank;
    if (axis != 1 && axis != (int64_t)rank - 1)
        return QUERNEL_EP_REFUSE(d, "axis %d is not that of the channels", (int)axis);
    step->order = rank == 2                   ? QUERNEL_EP_ORDER_ANY
                  : axis == (int64_t)rank - 1 ? QUERNEL_EP_ORDER_ROWS
                                              : QUERNEL_EP_ORDER_IMAGE;
    step->y_order = step->order;
    return true;
}

static bool set_softmax(quernel_ep_draft *d, quernel_ep_step *step) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const quernel_ep_value *x = quernel_ep_value_of(d->c, step->x);
    const bool codes = !strcmp(n->op, "QLinearSoftmax");
    const int64_t opset = codes ? quernel_ep_int(n, "opset", 0) : n->version;
    const int64_t axis = axis_of(n, !codes && opset < 13, x->rank);
    if (!set_order(d, step, axis)) return false;
    if (opset < 13 && has_more_axes(x, axis))
        return QUERNEL_EP_REFUSE(d, "its axes from %d on are normalized as one", (int)axis);
    const int32_t values[2] = {step->x, n->outputs[0]};
    const uint32_t scales[2] = {1, 3};
    return !codes || quernel_ep_codes_agree(d, values, scales, 2);
}

static bool read_table(quernel_ep_draft *d, uint32_t input, uint32_t channels,
                       quernel_ep_span *ret_table) {
    quernel_ep_constant k;
    if (!quernel_ep_constant_read(d, quernel_ep_input(quernel_ep_node_of(d->c, d->node), input),
                                  &k) ||
        !quernel_ep_is_vector(&k, 2, QUERNEL_EP_ORDER_ROWS, channels))
        return QUERNEL_EP_REFUSE(d, "its input %u is not a constant for each channel", input);
    *ret_table = quernel_ep_put_vector(d->c, &k, channels);
    return true;
}

static bool set_scaled(quernel_ep_draft *d, quernel_ep_step *step) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const uint32_t rank = quernel_ep_value_of(d->c, step->x)->rank;
    for (uint32_t i = 1; i < n->n_outputs; i++)
        if (n->outputs[i] >= 0) return QUERNEL_EP_REFUSE(d, "its means are asked for");
    if (quernel_ep_int(n, "stash_type", QUERNEL_EP_TYPE_F32) != QUERNEL_EP_TYPE_F32)
        return QUERNEL_EP_REFUSE(d, "it computes in another type than f32");
    if (axis_of(n, false, rank) != (int64_t)rank - 1)
        return QUERNEL_EP_REFUSE(d, "it normalizes more than the last axis");
    set_order(d, step, rank - 1);
    const uint32_t channels = quernel_ep_channels(d->c, step->x, step->order);
    if (!channels) return QUERNEL_EP_REFUSE(d, "its channels are not known");
    step->epsilon = quernel_ep_float(n, "epsilon", 1e-5f);
    if (!read_table(d, GAMMA, channels, &step->arrays[QUERNEL_EP_GAMMA])) return false;
    return quernel_ep_input(n, BETA) < 0 ||
           read_table(d, BETA, channels, &step->arrays[QUERNEL_EP_BIAS]);
}

static int32_t kind_of(const quernel_ep_node *n) {
    if (strstr(n->op, "Softmax")) return QUERNEL_NORMALIZE_SOFTMAX;
    return strcmp(n->op, "LayerNormalization") ? QUERNEL_NORMALIZE_RMS : QUERNEL_NORMALIZE_LAYER;
}

bool quernel_ep_match_normalize(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_NORMALIZE, kind_of(n));
    step->x = quernel_ep_operand(&d, n->inputs[0]);
    if (step->x < 0) return false;
    const bool softmax = step->op == QUERNEL_NORMALIZE_SOFTMAX;
    if (!(softmax ? set_softmax : set_scaled)(&d, step)) return false;
    quernel_ep_absorb(&d, step, n->outputs[0], quernel_ep_channels(c, step->x, step->order));
    return quernel_ep_draft_commit(&d);
}
