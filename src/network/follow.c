// SPDX-License-Identifier: Apache-2.0
// The graph of a network: which channels each layer reads and writes, sizes that follow from layer
// to layer, and who reads a tensor last.
#include "base/error.h"
#include "network/layer.h"

#define MAX_BORDER 4096u        // what quernel_i_tensor_check allows a tensor
#define MAX_CHANNELS (1u << 30) // likewise

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t max(uint32_t a, uint32_t b) { return a > b ? a : b; }

static int check_index(quernel_error *error, const quernel_network *net, const char *member,
                       uint32_t layer, int64_t index) {
    if (index >= 0 && index < net->n_values) return QUERNEL_OK;
    return quernel_i_layer_refuse(error, QUERNEL_E_VALUE, member, layer, index,
                                  "is no tensor's index");
}

static int check_indices(const quernel_network *net, const quernel_i_layer *l, uint32_t i,
                         quernel_error *error) {
    const quernel_network_layer *d = &l->desc;
    const quernel_i_layer_takes takes =
        l->kind->takes ? l->kind->takes(l) : QUERNEL_I_LAYER_TAKES_NONE;
    int code = check_index(error, net, "x", i, d->x);
    if (!code) code = check_index(error, net, "y", i, d->y);
    if (!code && d->residual == -1 && takes == QUERNEL_I_LAYER_TAKES_ONE)
        return quernel_i_layer_refuse(error, QUERNEL_E_VALUE, "residual", i, d->residual,
                                      "this kind needs a second tensor");
    if (code || d->residual == -1) return code;
    if (takes == QUERNEL_I_LAYER_TAKES_NONE)
        return quernel_i_layer_refuse(error, QUERNEL_E_VALUE, "residual", i, d->residual,
                                      "this kind takes none: must be -1");
    return check_index(error, net, "residual", i, d->residual);
}

// Channels that it reads: those asked for, or all that are known to follow.
static int find_channels(const quernel_network *net, quernel_i_layer *l, uint32_t i,
                         quernel_error *error) {
    const uint32_t c = net->values[l->desc.x].desc.shape.c;
    if (l->kind == &quernel_i_layer_conv) {
        if (l->desc.channels)
            return quernel_i_layer_refuse(error, QUERNEL_E_VALUE, "channels", i, l->desc.channels,
                                          "a convolution reads what its weights take: must be 0");
    } else if (l->desc.channels) {
        l->x_channels = l->desc.channels;
    } else if (l->desc.x_channel < c) {
        l->x_channels = c - l->desc.x_channel;
    } else {
        return quernel_i_layer_refuse(
            error, c ? QUERNEL_E_SHAPE : QUERNEL_E_VALUE, "x", i, l->desc.x,
            c ? "its slice ends behind the tensor" : "earlier layers have not written all of it");
    }
    l->y_channels = l->x_channels;
    if (l->kind->channels) l->kind->channels(l);
    return QUERNEL_OK;
}

// Members of one layer; a tensor whose channels are not given ends with its last slice.
static int check_layer(quernel_i_draft *draft, uint32_t i, quernel_error *error) {
    quernel_network *net = draft->net;
    quernel_i_layer *l = &draft->layers[i];
    int code = check_indices(net, l, i, error);
    if (!code) code = find_channels(net, l, i, error);
    if (code) return code;
    quernel_i_value *y = &net->values[l->desc.y];
    if (y->desc.role == QUERNEL_NETWORK_INPUT)
        return quernel_i_layer_refuse(error, QUERNEL_E_VALUE, "y", i, l->desc.y,
                                      "is an input: it cannot be written");
    const uint64_t end = (uint64_t)l->desc.y_channel + l->y_channels;
    const uint32_t given = draft->tensors[l->desc.y].shape.c;
    if (end > (given ? given : MAX_CHANNELS))
        return quernel_i_layer_refuse(error, QUERNEL_E_SHAPE, "y_channel", i, l->desc.y_channel,
                                      "the slice ends behind the tensor");
    if (!given) y->desc.shape.c = max(y->desc.shape.c, (uint32_t)end);
    return QUERNEL_OK;
}

// How many of a tensor's channels [first, first + count) layers before this one have written.
static uint64_t count_written(const quernel_i_draft *draft, uint32_t layer, uint32_t tensor,
                              uint64_t first, uint32_t count) {
    uint64_t written = 0;
    for (uint32_t j = 0; j < layer; j++) {
        const quernel_i_layer *l = &draft->layers[j];
        if (l->desc.y != tensor) continue;
        const uint64_t y = l->desc.y_channel, y_end = y + l->y_channels, end = first + count,
                       from = y > first ? y : first, to = y_end < end ? y_end : end;
        if (from < to) written += to - from; // slices lie apart
    }
    return written;
}

// A tensor that a layer reads channels [first, first + count) of.
static int check_read(quernel_i_draft *draft, const char *member, uint32_t layer, uint32_t tensor,
                      uint64_t first, uint32_t count, quernel_error *error) {
    quernel_i_value *v = &draft->net->values[tensor];
    if (v->desc.role != QUERNEL_NETWORK_INPUT && v->written != v->desc.shape.c &&
        count_written(draft, layer, tensor, first, count) != count)
        return quernel_i_layer_refuse(error, QUERNEL_E_VALUE, member, layer, tensor,
                                      "earlier layers have not written all of it");
    if (first + count > v->desc.shape.c)
        return quernel_i_layer_refuse(error, QUERNEL_E_SHAPE, member, layer, tensor,
                                      "its slice ends behind the tensor");
    v->read = true;
    v->last = layer;
    return QUERNEL_OK;
}

// A second tensor of one channel is the same for all.
static int read_second(quernel_i_draft *draft, quernel_i_layer *l, uint32_t i,
                       quernel_error *error) {
    if (l->desc.residual < 0) return QUERNEL_OK;
    const uint32_t tensor = (uint32_t)l->desc.residual;
    const bool broadcast =
        l->kind != &quernel_i_layer_conv && draft->net->values[tensor].desc.shape.c == 1;
    l->z_channels = l->kind->second ? l->kind->second(l) : broadcast ? 1 : l->y_channels;
    return check_read(draft, "residual", i, tensor, l->desc.residual_channel, l->z_channels, error);
}

// Sizes of y: 0 are inferred, others must be right.
static int fill_sizes(quernel_tensor *y, const quernel_tensor *inferred_y, uint32_t layer,
                      uint32_t tensor, quernel_error *error) {
    const uint32_t want[] = {inferred_y->n, inferred_y->h, inferred_y->w};
    uint32_t *const have[] = {&y->n, &y->h, &y->w};
    for (int i = 0; i < 3; i++) {
        if (*have[i] && *have[i] != want[i])
            return quernel_i_error_set(
                error, QUERNEL_E_SHAPE, "y", layer,
                "network: layers[%u]: y: %u: tensor %u has %c = %u, the layer gives %u", layer,
                tensor, tensor, "nhw"[i], *have[i], want[i]);
        *have[i] = want[i];
    }
    return QUERNEL_OK;
}

static int infer_sizes(quernel_network *net, const quernel_i_layer *l, uint32_t i,
                       quernel_error *error) {
    const quernel_tensor x = quernel_i_layer_slice(&net->values[l->desc.x], l->x_channels);
    quernel_tensor y = x;
    const int code = l->kind->output ? l->kind->output(l, &x, &y, error) : QUERNEL_OK;
    if (code) return quernel_i_layer_rename(error, code, i);
    return fill_sizes(&net->values[l->desc.y].desc.shape, &y, i, l->desc.y, error);
}

// No earlier layer has written any of the channels that layer i writes.
static int check_apart(const quernel_i_draft *draft, uint32_t i, quernel_error *error) {
    const quernel_i_layer *l = &draft->layers[i];
    const uint64_t end = (uint64_t)l->desc.y_channel + l->y_channels;
    for (uint32_t j = 0; j < i; j++) {
        const quernel_i_layer *other = &draft->layers[j];
        if (other->desc.y == l->desc.y && other->desc.y_channel < end &&
            l->desc.y_channel < (uint64_t)other->desc.y_channel + other->y_channels)
            return quernel_i_layer_refuse(error, QUERNEL_E_OVERLAP, "y_channel", i,
                                          l->desc.y_channel, "another layer writes these channels");
    }
    return QUERNEL_OK;
}

// Inner int8 tensors get the border that the widest padding among their readers needs.
static void widen_border(quernel_network *net, const quernel_i_layer *l) {
    quernel_i_value *x = &net->values[l->desc.x];
    if (!l->kind->border || x->desc.role != QUERNEL_NETWORK_INNER || !quernel_i_value_int8(x))
        return;
    quernel_tensor *s = &x->desc.shape;
    uint32_t h, w;
    l->kind->border(l, &h, &w);
    s->border_h = min(max(s->border_h, h), MAX_BORDER);
    s->border_w = min(max(s->border_w, w), MAX_BORDER);
}

static int follow_layer(quernel_i_draft *draft, uint32_t i, quernel_error *error) {
    quernel_network *net = draft->net;
    quernel_i_layer *l = &draft->layers[i];
    int code = check_read(draft, "x", i, l->desc.x, l->desc.x_channel, l->x_channels, error);
    if (!code) code = read_second(draft, l, i, error);
    if (!code) code = infer_sizes(net, l, i, error);
    if (!code) code = check_apart(draft, i, error);
    if (code) return code;
    widen_border(net, l);
    quernel_i_value *y = &net->values[l->desc.y];
    if (y->written == 0) y->first = i;
    y->written += l->y_channels;
    y->last = i;
    return QUERNEL_OK;
}

int quernel_i_network_follow(quernel_i_draft *draft, quernel_error *error) {
    int code = QUERNEL_OK;
    for (uint32_t i = 0; i < draft->net->n_steps && !code; i++) code = check_layer(draft, i, error);
    for (uint32_t i = 0; i < draft->net->n_steps && !code; i++)
        code = follow_layer(draft, i, error);
    return code;
}
