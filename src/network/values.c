// SPDX-License-Identifier: Apache-2.0
// The graph of a network: what each tensor holds, who writes and reads it, and how it lies in
// memory.
#include <stdio.h>

#include "base/error.h"
#include "network/network.h"
#include "op/window.h"

#define MAX_BORDER 4096u // what quernel_i_tensor_check allows a tensor

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t max(uint32_t a, uint32_t b) { return a > b ? a : b; }

static int refuse_tensor(quernel_error *error, int code, const char *member, uint32_t tensor,
                         int64_t value, const char *why) {
    return quernel_i_error_set(error, code, member, tensor, "network: tensors[%u]: %s: %lld: %s",
                               tensor, member, (long long)value, why);
}

static int refuse_layer(quernel_error *error, int code, const char *member, uint32_t layer,
                        int64_t value, const char *why) {
    return quernel_i_error_set(error, code, member, layer, "network: layers[%u]: %s: %lld: %s",
                               layer, member, (long long)value, why);
}

int quernel_i_network_layer_refuse(quernel_error *error, int code, uint32_t layer) {
    if (!error) return code;
    const quernel_error inner = *error;
    return quernel_i_error_set(error, code, inner.argument, layer, "network: layers[%u]: %s", layer,
                               inner.text);
}

static int check_inner(const quernel_network_tensor *t, bool int8, uint32_t i,
                       quernel_error *error) {
    const quernel_tensor *s = &t->shape;
    if (s->stride_n || s->stride_c || s->stride_h || s->stride_w)
        return refuse_tensor(error, QUERNEL_E_STRIDE, "shape", i, s->stride_w,
                             "strides of inner tensors are inferred: must be 0");
    if (s->border_h || s->border_w)
        return refuse_tensor(error, QUERNEL_E_VALUE, "shape", i, s->border_h,
                             "borders of inner tensors are inferred: must be 0");
    if (int8 && s->layout != QUERNEL_LAYOUT_NHWC)
        return refuse_tensor(error, QUERNEL_E_VALUE, "shape", i, s->layout,
                             "inner int8 tensors are NHWC");
    return QUERNEL_OK;
}

static int check_tensor(quernel_i_value *v, uint32_t i, quernel_error *error) {
    quernel_network_tensor *t = &v->desc;
    if (t->role < QUERNEL_NETWORK_INNER || t->role > QUERNEL_NETWORK_OUTPUT)
        return refuse_tensor(error, QUERNEL_E_VALUE, "role", i, t->role, "unknown");
    if (!quernel_type_size((quernel_type)t->shape.type))
        return refuse_tensor(error, QUERNEL_E_VALUE, "shape", i, t->shape.type, "an unknown type");
    const bool int8 = quernel_i_value_int8(v);
    if (int8 && (t->quant.mode != QUERNEL_QUANT_STATIC || t->quant.row_scale))
        return refuse_tensor(error, QUERNEL_E_VALUE, "quant.mode", i, t->quant.mode,
                             "int8 tensors have one static scale");
    if (int8) t->quant.type = t->shape.type;
    else if (t->smooth)
        return refuse_tensor(error, QUERNEL_E_VALUE, "smooth", i, t->shape.type,
                             "is for int8 tensors");
    return t->role == QUERNEL_NETWORK_INNER ? check_inner(t, int8, i, error) : QUERNEL_OK;
}

static int copy_tensors(quernel_network *net, const quernel_network_desc *desc,
                        quernel_error *error) {
    uint32_t slots[3] = {0};
    for (uint32_t i = 0; i < net->n_values; i++) {
        quernel_i_value *v = &net->values[i];
        v->desc = desc->tensors[i];
        const int code = check_tensor(v, i, error);
        if (code) return code;
        v->slot = slots[v->desc.role]++;
    }
    return QUERNEL_OK;
}

static int check_index(quernel_error *error, const quernel_network *net, const char *member,
                       uint32_t layer, int64_t index) {
    if (index >= 0 && index < net->n_values) return QUERNEL_OK;
    return refuse_layer(error, QUERNEL_E_VALUE, member, layer, index, "is no tensor's index");
}

// Members of one layer; a tensor whose channels are not given ends with its last slice.
static int check_layer(quernel_network *net, const quernel_network_desc *desc, uint32_t i,
                       quernel_error *error) {
    const quernel_network_layer *l = &desc->layers[i];
    int code = check_index(error, net, "x", i, l->x);
    if (!code) code = check_index(error, net, "y", i, l->y);
    if (!code && l->residual != -1) code = check_index(error, net, "residual", i, l->residual);
    if (code) return code;
    if (!l->conv.weights)
        return refuse_layer(error, QUERNEL_E_NULL, "conv.weights", i, 0,
                            "NULL: a pointer is needed");
    quernel_tensor *y = &net->values[l->y].desc.shape;
    if (net->values[l->y].desc.role == QUERNEL_NETWORK_INPUT)
        return refuse_layer(error, QUERNEL_E_VALUE, "y", i, l->y,
                            "is an input: it cannot be written");
    const uint64_t end = (uint64_t)l->y_channel + l->conv.weights->shape.out;
    const uint32_t given = desc->tensors[l->y].shape.c;
    if (end > (given ? given : 1u << 30))
        return refuse_layer(error, QUERNEL_E_SHAPE, "y_channel", i, l->y_channel,
                            "the slice ends behind the tensor");
    if (!given) y->c = max(y->c, (uint32_t)end);
    return QUERNEL_OK;
}

// A tensor that a layer reads channels [first, first + count) of.
static int check_read(quernel_network *net, const char *member, uint32_t layer, uint32_t tensor,
                      uint64_t first, uint32_t count, quernel_error *error) {
    quernel_i_value *v = &net->values[tensor];
    if (v->desc.role != QUERNEL_NETWORK_INPUT && v->written != v->desc.shape.c)
        return refuse_layer(error, QUERNEL_E_VALUE, member, layer, tensor,
                            "earlier layers have not written all of it");
    if (first + count > v->desc.shape.c)
        return refuse_layer(error, QUERNEL_E_SHAPE, member, layer, tensor,
                            "its slice ends behind the tensor");
    v->read = true;
    v->last = layer;
    return QUERNEL_OK;
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

// No earlier layer has written any of the channels that layer i writes.
static int check_apart(const quernel_network_desc *desc, uint32_t i, quernel_error *error) {
    const quernel_network_layer *l = &desc->layers[i];
    const uint64_t end = (uint64_t)l->y_channel + l->conv.weights->shape.out;
    for (uint32_t j = 0; j < i; j++) {
        const quernel_network_layer *other = &desc->layers[j];
        if (other->y == l->y && other->y_channel < end &&
            l->y_channel < (uint64_t)other->y_channel + other->conv.weights->shape.out)
            return refuse_layer(error, QUERNEL_E_OVERLAP, "y_channel", i, l->y_channel,
                                "another layer writes these channels");
    }
    return QUERNEL_OK;
}

static int follow_layer(quernel_network *net, const quernel_network_desc *desc, uint32_t i,
                        quernel_error *error) {
    const quernel_network_layer *l = &desc->layers[i];
    quernel_conv2d_desc conv = l->conv;
    const uint32_t in = conv.weights->shape.in, out = conv.weights->shape.out;
    int code = check_read(net, "x", i, l->x, l->x_channel, in, error);
    if (!code && l->residual >= 0)
        code =
            check_read(net, "residual", i, (uint32_t)l->residual, l->residual_channel, out, error);
    if (code) return code;
    quernel_i_value *x = &net->values[l->x], *y = &net->values[l->y];
    conv.x = x->desc.shape;
    conv.x.c = in;
    conv.quant.row_scale = NULL;
    quernel_tensor inferred_y;
    if ((code = quernel_i_window_output(&conv, &inferred_y, error)))
        return quernel_i_network_layer_refuse(error, code, i);
    if ((code = fill_sizes(&y->desc.shape, &inferred_y, i, l->y, error))) return code;
    if ((code = check_apart(desc, i, error))) return code;
    if (x->desc.role == QUERNEL_NETWORK_INNER && quernel_i_value_int8(x)) {
        quernel_tensor *s = &x->desc.shape;
        s->border_h = min(max(s->border_h, max(conv.pad_top, conv.pad_bottom)), MAX_BORDER);
        s->border_w = min(max(s->border_w, max(conv.pad_left, conv.pad_right)), MAX_BORDER);
    }
    if (y->written == 0) y->first = i;
    y->written += out;
    y->last = i;
    return QUERNEL_OK;
}

static int lay_out(quernel_i_value *v, uint32_t i, quernel_error *error) {
    quernel_tensor *s = &v->desc.shape;
    const bool inner = v->desc.role == QUERNEL_NETWORK_INNER;
    if (v->desc.role != QUERNEL_NETWORK_INPUT && v->written != s->c)
        return refuse_tensor(error, QUERNEL_E_SHAPE, "shape", i, v->written,
                             "its layers do not write all channels");
    if (inner && !v->read)
        return refuse_tensor(error, QUERNEL_E_VALUE, "role", i, v->desc.role, "no layer reads it");
    char where[32];
    snprintf(where, sizeof where, "network: tensors[%u]", i);
    int code = QUERNEL_OK;
    if (inner && quernel_i_value_int8(v))
        code = quernel_chain_describe(s, s->border_h, s->border_w, &v->bytes, &v->origin, error);
    if (!code) code = quernel_i_tensor_check(s, where, "shape", &v->extent, error);
    if (code) return code;
    if (inner && !v->bytes)
        v->bytes = quernel_i_round_up((size_t)v->extent.high + QUERNEL_I_LINE, QUERNEL_I_LINE);
    return QUERNEL_OK;
}

int quernel_i_values_find(quernel_network *net, const quernel_network_desc *desc,
                          quernel_error *error) {
    int code = copy_tensors(net, desc, error);
    for (uint32_t i = 0; i < desc->n_layers && !code; i++) code = check_layer(net, desc, i, error);
    for (uint32_t i = 0; i < desc->n_layers && !code; i++) code = follow_layer(net, desc, i, error);
    for (uint32_t i = 0; i < net->n_values && !code; i++) code = lay_out(&net->values[i], i, error);
    return code;
}
