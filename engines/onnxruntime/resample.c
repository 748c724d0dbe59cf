// SPDX-License-Identifier: Apache-2.0
// Resize, Upsample, Slice and Pad: what becomes of lines and pixels.
#include <math.h>
#include <string.h>

#include "resample.h"

static bool is_spatial(int64_t axis, uint32_t rank) { return axis >= 2 && axis < rank; }

// Which of a step's two axes ONNX's axis is.
static quernel_ep_axis *axis_of(quernel_ep_step *step, int64_t axis, uint32_t rank) {
    return &step->axes[axis - rank + 2];
}

// Numbers of an axis list that may be left out: all axes then. −1: not constant.
static int64_t read_axes(quernel_ep_draft *d, const char *attribute, uint32_t input,
                         const int64_t **ret_axes) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    uint32_t count = quernel_ep_ints(n, attribute, ret_axes);
    const int32_t v = input ? quernel_ep_input(n, input) : -1;
    if (v >= 0 && !quernel_ep_integers_read(d->c, v, ret_axes, &count)) return -1;
    return count;
}

static int64_t axis_at(const int64_t *axes, int64_t count, uint32_t i, uint32_t rank) {
    if (!count) return i;
    return axes[i] < 0 ? axes[i] + rank : axes[i];
}

// A word's number in a list, −1: it is not there.
static int32_t find(const char *const *names, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], name)) return (int32_t)i;
    return -1;
}
#define FIND(names, name) find(names, sizeof(names) / sizeof *(names), name)

static bool set_coordinates(quernel_ep_draft *d, quernel_ep_axis *a) {
    static const char *const coordinates[] = {QUERNEL_EP_COORDINATES}, *const nearest[] = {
                                                                           QUERNEL_EP_NEAREST};
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    // before opset 11: asymmetric, down where it enlarges
    const bool old = n->version < 11;
    const char *coordinate = quernel_ep_text(n, "coordinate_transformation_mode",
                                             old ? "asymmetric" : "half_pixel"),
               *round = quernel_ep_text(n, "nearest_mode", old ? "floor" : "round_prefer_floor");
    a->coordinates = FIND(coordinates, coordinate), a->nearest = FIND(nearest, round);
    if (a->coordinates < 0) return QUERNEL_EP_REFUSE(d, "coordinates %s", coordinate);
    return a->nearest >= 0 || QUERNEL_EP_REFUSE(d, "nearest_mode %s", round);
}

static bool set_modes(quernel_ep_draft *d, quernel_ep_axis *a) {
    static const char *const modes[] = {QUERNEL_EP_MODES};
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const char *mode = quernel_ep_text(n, "mode", "nearest"),
               *policy = quernel_ep_text(n, "keep_aspect_ratio_policy", "stretch");
    a->mode = strcmp(mode, "bilinear") ? FIND(modes, mode) : QUERNEL_EP_MODE_LINEAR;
    a->antialias = quernel_ep_int(n, "antialias", 0) != 0;
    a->exclude_outside = quernel_ep_int(n, "exclude_outside", 0) != 0;
    a->cubic = quernel_ep_float(n, "cubic_coeff_a", -0.75f);
    if (a->mode < 0) return QUERNEL_EP_REFUSE(d, "mode %s", mode);
    if (strcmp(policy, "stretch")) return QUERNEL_EP_REFUSE(d, "keep_aspect_ratio_policy");
    if (!isfinite(a->cubic)) return QUERNEL_EP_REFUSE(d, "cubic_coeff_a is not finite");
    // ONNX Runtime lets what overshoots a code's range wrap around
    if ((a->mode == QUERNEL_EP_MODE_CUBIC || a->antialias) &&
        quernel_ep_value_of(d->c, n->inputs[0])->type != QUERNEL_EP_TYPE_F32)
        return QUERNEL_EP_REFUSE(d, "mode %s of codes", mode);
    return set_coordinates(d, a);
}

static bool is_left_out(const quernel_ep_draft *d, int32_t v) {
    if (v < 0) return true;
    const quernel_ep_value *k = quernel_ep_value_of(d->c, v);
    return k->has_shape && k->rank == 1 && k->dims[0] == 0;
}

// One axis: `scale`, or, where that is 0, `size`. The size that ONNX Runtime has inferred is right
// where a product of f32 numbers is not.
static bool set_axis(quernel_ep_draft *d, quernel_ep_step *step, const quernel_ep_axis *modes,
                     int64_t axis, float scale, int64_t size) {
    const quernel_ep_value *x = quernel_ep_value_of(d->c, step->x),
                           *y = quernel_ep_value_of(d->c,
                                                    quernel_ep_node_of(d->c, d->node)->outputs[0]);
    const bool keeps = scale == 1 || (size > 0 && x->dims[axis] == size);
    quernel_ep_axis a = *modes;
    if (!is_spatial(axis, x->rank))
        return keeps || QUERNEL_EP_REFUSE(d, "it resizes axis %d", (int)axis);
    if (!(scale >= 0) || scale > 65536 || size < 0 || size > INT32_MAX)
        return QUERNEL_EP_REFUSE(d, "a scale or size is out of range");
    if (quernel_ep_node_of(d->c, d->node)->version < 11 && scale < 1 &&
        a.mode == QUERNEL_EP_MODE_NEAREST)
        return QUERNEL_EP_REFUSE(d, "nearest of an older opset that shrinks");
    const bool crops = a.coordinates == QUERNEL_EP_CROP_AND_RESIZE;
    a.kind = keeps && !crops ? QUERNEL_EP_AXIS_KEEP : QUERNEL_EP_AXIS_RESIZE;
    a.scale = scale;
    a.size = (uint32_t)(size ? size : y->has_shape && y->dims[axis] > 0 ? y->dims[axis] : 0);
    *axis_of(step, axis, x->rank) = a;
    return true;
}

static bool set_axes(quernel_ep_draft *d, quernel_ep_step *step, const quernel_ep_constant *scales,
                     const int64_t *sizes, uint32_t count, const quernel_ep_constant *roi) {
    const uint32_t rank = quernel_ep_value_of(d->c, step->x)->rank;
    const int64_t *axes;
    const int64_t n_axes = read_axes(d, "axes", 0, &axes), all = n_axes ? n_axes : rank;
    quernel_ep_axis modes = {0};
    if (count != (uint64_t)all) return QUERNEL_EP_REFUSE(d, "scales or sizes of %u axes", count);
    if (!set_modes(d, &modes)) return false;
    const bool crops = modes.coordinates == QUERNEL_EP_CROP_AND_RESIZE;
    if (crops && roi->count != 2 * count) return QUERNEL_EP_REFUSE(d, "roi is not constant");
    for (uint32_t i = 0; i < count; i++) {
        if (crops) modes.roi[0] = (float)roi->data[i], modes.roi[1] = (float)roi->data[count + i];
        if (!set_axis(d, step, &modes, axis_at(axes, n_axes, i, rank),
                      scales ? (float)scales->data[i] : 0, sizes ? sizes[i] : 0))
            return false;
    }
    return true;
}

static bool match_resize(quernel_ep_draft *d, quernel_ep_step *step) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const bool old = n->version < 11;
    quernel_ep_constant scales, roi = {0};
    const int64_t *sizes = NULL;
    uint32_t count = 0;
    const int32_t at = quernel_ep_input(n, old ? 1 : 2), size = old ? -1 : quernel_ep_input(n, 3);
    if (!old && !is_left_out(d, quernel_ep_input(n, 1)))
        quernel_ep_constant_read(d, quernel_ep_input(n, 1), &roi);
    step->pad = quernel_ep_float(n, "extrapolation_value", 0);
    if (!is_left_out(d, size)) {
        if (!quernel_ep_integers_read(d->c, size, &sizes, &count))
            return QUERNEL_EP_REFUSE(d, "its sizes are not constant");
        return set_axes(d, step, NULL, sizes, count, &roi);
    }
    if (n->version < 9) return QUERNEL_EP_REFUSE(d, "scales as an attribute");
    if (is_left_out(d, at) || !quernel_ep_constant_read(d, at, &scales))
        return QUERNEL_EP_REFUSE(d, "its scales are not constant");
    return set_axes(d, step, &scales, NULL, scales.count, &roi);
}

// Channels that are sliced are a view; lines and pixels are gathered.
static bool set_slice(quernel_ep_draft *d, quernel_ep_step *step, int64_t axis, int64_t begin,
                      int64_t end, int64_t stride) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const uint32_t rank = quernel_ep_value_of(d->c, step->x)->rank;
    if (is_spatial(axis, rank)) {
        *axis_of(step, axis, rank) = (quernel_ep_axis){
            .kind = QUERNEL_EP_AXIS_SLICE, .begin = begin, .end = end, .step = stride};
        return stride != 0 && stride > INT32_MIN && stride <= INT32_MAX;
    }
    if (axis != 1 || stride != 1) return QUERNEL_EP_REFUSE(d, "it slices axis %d", (int)axis);
    const uint32_t channels = quernel_ep_channels(d->c, step->x, QUERNEL_EP_ORDER_IMAGE);
    step->kind = QUERNEL_EP_VIEW;
    step->out = quernel_ep_channels(d->c, n->outputs[0], QUERNEL_EP_ORDER_IMAGE);
    const int64_t first = begin < 0 ? begin + channels : begin;
    if (!channels || !step->out || first < 0 || first + step->out > channels)
        return QUERNEL_EP_REFUSE(d, "its channels are not known");
    step->channel = (uint32_t)first;
    return true;
}

static bool match_slice(quernel_ep_draft *d, quernel_ep_step *step) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const bool old = n->version < 10;
    const uint32_t rank = quernel_ep_value_of(d->c, step->x)->rank;
    const int64_t *begin, *end, *axes, *steps;
    const int64_t count = read_axes(d, "starts", old ? 0 : 1, &begin),
                  ends = read_axes(d, "ends", old ? 0 : 2, &end),
                  n_axes = read_axes(d, "axes", old ? 0 : 3, &axes),
                  n_steps = read_axes(d, "steps", old ? 0 : 4, &steps);
    if (count < 1 || ends != count || (n_axes && n_axes != count) || (n_steps && n_steps != count))
        return QUERNEL_EP_REFUSE(d, "its starts, ends, axes or steps are not constant");
    if (!n_axes && count > rank) return QUERNEL_EP_REFUSE(d, "more axes than it has");
    bool channels = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!set_slice(d, step, axis_at(axes, n_axes, i, rank), begin[i], end[i],
                       n_steps ? steps[i] : 1))
            return QUERNEL_EP_REFUSE(d, "a step is 0");
        channels |= step->kind == QUERNEL_EP_VIEW;
    }
    return !(channels && count > 1) || QUERNEL_EP_REFUSE(d, "it slices channels and others");
}

static bool read_pad_value(quernel_ep_draft *d, quernel_ep_step *step) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    quernel_ep_constant k;
    const int32_t v = n->version < 11 ? -1 : quernel_ep_input(n, 2);
    step->pad = n->version < 11 ? quernel_ep_float(n, "value", 0) : 0;
    if (v < 0) {
        if (quernel_ep_value_of(d->c, n->inputs[0])->type == QUERNEL_EP_TYPE_F32) return true;
        return QUERNEL_EP_REFUSE(d, "it pads codes");
    }
    if (!quernel_ep_constant_read(d, v, &k) || k.count != 1)
        return QUERNEL_EP_REFUSE(d, "its value is not one constant number");
    step->pad = (float)k.data[0];
    return isfinite(step->pad) || QUERNEL_EP_REFUSE(d, "its value is not finite");
}

static bool set_pad(quernel_ep_draft *d, quernel_ep_step *step, int64_t axis,
                    const quernel_ep_axis *pad) {
    const uint32_t rank = quernel_ep_value_of(d->c, step->x)->rank;
    const bool cuts = pad->begin < 0 || pad->end < 0;
    if (pad->begin < -65536 || pad->begin > 65536 || pad->end < -65536 || pad->end > 65536)
        return QUERNEL_EP_REFUSE(d, "a pad is out of range");
    if (!pad->begin && !pad->end) return true;
    if (!is_spatial(axis, rank)) return QUERNEL_EP_REFUSE(d, "it pads axis %d", (int)axis);
    if (cuts && pad->mode != QUERNEL_EP_BORDER_CONSTANT)
        return QUERNEL_EP_REFUSE(d, "it repeats what it cuts off");
    *axis_of(step, axis, rank) = *pad;
    return true;
}

static bool match_pad(quernel_ep_draft *d, quernel_ep_step *step) {
    static const char *const borders[] = {QUERNEL_EP_BORDERS};
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const char *mode = quernel_ep_text(n, "mode", "constant");
    const int32_t border = FIND(borders, mode);
    const int64_t *pads, *axes;
    const uint32_t rank = quernel_ep_value_of(d->c, step->x)->rank;
    const int64_t count = read_axes(d, "pads", n->version < 11 ? 0 : 1, &pads),
                  n_axes = read_axes(d, "", n->version < 18 ? 0 : 3, &axes),
                  all = n_axes ? n_axes : rank;
    if (border < 0) return QUERNEL_EP_REFUSE(d, "mode %s", mode);
    if (count < 0 || n_axes < 0 || count != 2 * all)
        return QUERNEL_EP_REFUSE(d, "its pads are not constant");
    for (uint32_t i = 0; i < all; i++) {
        const quernel_ep_axis pad = {
            .kind = QUERNEL_EP_AXIS_PAD, .mode = border, .begin = pads[i], .end = pads[all + i]};
        if (!set_pad(d, step, axis_at(axes, n_axes, i, rank), &pad)) return false;
    }
    return border != QUERNEL_EP_BORDER_CONSTANT || read_pad_value(d, step);
}

bool quernel_ep_match_resample(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_RESIZE, 0);
    step->x = quernel_ep_operand(&d, n->inputs[0]);
    if (step->x < 0) return false;
    const bool done = quernel_ep_node_is(n, "Slice") ? match_slice(&d, step)
                      : quernel_ep_node_is(n, "Pad") ? match_pad(&d, step)
                                                     : match_resize(&d, step);
    if (!done) return false;
    if (step->kind == QUERNEL_EP_VIEW) quernel_ep_absorb_quantize(&d, step, n->outputs[0]);
    else
        quernel_ep_absorb(&d, step, n->outputs[0],
                          quernel_ep_channels(c, step->x, QUERNEL_EP_ORDER_IMAGE));
    return quernel_ep_draft_commit(&d);
}
