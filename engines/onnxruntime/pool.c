// SPDX-License-Identifier: Apache-2.0
// MaxPool, AveragePool, GlobalAveragePool, ReduceMean over lines and pixels, and com.microsoft's.
#include <string.h>

#include "window.h"

static bool check_max(quernel_ep_draft *d, const quernel_ep_node *n) {
    if (n->n_outputs > 1 && n->outputs[1] >= 0)
        return QUERNEL_EP_REFUSE(d, "indices are asked for");
    return !quernel_ep_int(n, "storage_order", 0) || QUERNEL_EP_REFUSE(d, "storage_order");
}

// What a padded window that also hangs over its padding counts, writers do not agree on.
static bool set_average(quernel_ep_draft *d, const quernel_ep_node *n, quernel_ep_step *step) {
    const quernel_ep_window *w = &step->window;
    const bool padded = w->begin[0] || w->begin[1] || w->end[0] || w->end[1] || w->auto_pad,
               counted = quernel_ep_int(n, "count_include_pad", 0) != 0;
    if (padded && counted) step->op = QUERNEL_POOL2D_AVERAGE_PADDED;
    return !(padded && counted && w->ceil_mode) ||
           QUERNEL_EP_REFUSE(d, "ceil_mode with count_include_pad");
}

static bool set_window(quernel_ep_draft *d, quernel_ep_step *step) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const uint32_t rank = quernel_ep_value_of(d->c, step->x)->rank;
    if (rank < 3) return QUERNEL_EP_REFUSE(d, "it has no lines or pixels");
    if (!quernel_ep_window_read(d, rank - 2, NULL, &step->window)) return false;
    if (step->window.auto_pad) step->window.ceil_mode = 0; // SAME covers x exactly
    if (step->op == QUERNEL_POOL2D_MAX) return check_max(d, n);
    return set_average(d, n, step);
}

// ReduceMean: over all axes behind the channels, and no others.
static bool check_axes(quernel_ep_draft *d, const quernel_ep_node *n, uint32_t rank) {
    const int64_t *axes;
    uint32_t count = quernel_ep_ints(n, "axes", &axes);
    const int32_t input = quernel_ep_input(n, 1);
    if (input >= 0 && !quernel_ep_integers_read(d->c, input, &axes, &count))
        return QUERNEL_EP_REFUSE(d, "its axes are not constant");
    uint32_t seen = 0;
    for (uint32_t i = 0; i < count; i++) {
        const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
        if (axis < 2 || axis >= rank) return QUERNEL_EP_REFUSE(d, "it reduces another axis");
        seen |= 1u << axis;
    }
    return (rank > 2 && seen == (1u << rank) - 4) ||
           QUERNEL_EP_REFUSE(d, "it does not reduce all lines and pixels");
}

static bool set_kind(quernel_ep_draft *d, quernel_ep_step *step) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const uint32_t rank = quernel_ep_value_of(d->c, step->x)->rank;
    if (strstr(n->op, "GlobalAveragePool")) return rank > 2 || QUERNEL_EP_REFUSE(d, "no pixels");
    if (!strcmp(n->op, "ReduceMean")) return check_axes(d, n, rank);
    step->op = strcmp(n->op, "MaxPool") ? QUERNEL_POOL2D_AVERAGE : QUERNEL_POOL2D_MAX;
    return set_window(d, step);
}

bool quernel_ep_match_pool(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_POOL, QUERNEL_POOL2D_GLOBAL);
    step->x = quernel_ep_operand(&d, n->inputs[0]);
    if (step->x < 0 || !set_kind(&d, step)) return false;
    if (quernel_ep_int(n, "channels_last", 0)) return QUERNEL_EP_REFUSE(&d, "channels_last");
    const int32_t values[2] = {step->x, n->outputs[0]};
    const uint32_t scales[2] = {1, 3};
    if (!strncmp(n->op, "QLinear", 7) && !quernel_ep_codes_agree(&d, values, scales, 2))
        return false;
    quernel_ep_absorb(&d, step, n->outputs[0],
                      quernel_ep_channels(c, step->x, QUERNEL_EP_ORDER_IMAGE));
    return quernel_ep_draft_commit(&d);
}
