// SPDX-License-Identifier: Apache-2.0
// Smoothing factors of a network's tensors: what an int8 tensor's readers were packed for is folded
// into its writers' output. Operators that copy codes pass factors on, from their readers backwards
// to what they read; where nobody asks, from their writers forwards.
#include "base/error.h"
#include "network/layer.h"

static uint32_t widest(const quernel_network *net) {
    uint32_t c = 0;
    for (uint32_t i = 0; i < net->n_values; i++) {
        const quernel_i_value *v = &net->values[i];
        if (quernel_i_value_int8(v) && v->desc.shape.c > c) c = v->desc.shape.c;
    }
    return c;
}

static size_t all_channels(const quernel_network *net) {
    size_t count = 0;
    for (uint32_t i = 0; i < net->n_values; i++)
        if (quernel_i_value_int8(&net->values[i])) count += net->values[i].desc.shape.c;
    return count;
}

size_t quernel_i_factors_count(const quernel_network *net) {
    return all_channels(net) + 2 * (size_t)widest(net);
}

float *quernel_i_factors_scratch(const quernel_i_draft *draft, uint32_t which) {
    if (!draft->tables) return NULL; // no tensor is int8
    return draft->tables + all_channels(draft->net) + (size_t)which * widest(draft->net);
}

static int check_given(const quernel_i_value *v, uint32_t tensor, quernel_error *error) {
    for (uint32_t k = 0; k < v->desc.shape.c; k++)
        if (!(v->desc.smooth[k] > 0.0f) || v->desc.smooth[k] > 0x1p96f)
            return quernel_i_error_set(
                error, QUERNEL_E_VALUE, "smooth", tensor,
                "network: tensors[%u]: smooth[%u]: %g: must be finite and > 0", tensor, k,
                (double)v->desc.smooth[k]);
    return QUERNEL_OK;
}

// 0: a channel whose factor neither the caller nor a layer has set yet.
static int take_given(const quernel_i_draft *draft, quernel_error *error) {
    float *tables = draft->tables;
    for (uint32_t i = 0; i < draft->net->n_values; i++) {
        quernel_i_value *v = &draft->net->values[i];
        if (!quernel_i_value_int8(v)) continue;
        v->smooth = tables;
        tables += v->desc.shape.c;
        const int code = v->desc.smooth ? check_given(v, i, error) : QUERNEL_OK;
        if (code) return code;
        for (uint32_t k = 0; k < v->desc.shape.c; k++)
            v->smooth[k] = v->desc.smooth ? v->desc.smooth[k] : 0.0f;
    }
    return QUERNEL_OK;
}

// A layer needs channel k of its slice of a tensor to carry a factor.
static int want(quernel_i_value *v, uint32_t channel, float factor, const quernel_i_layer *l,
                uint32_t layer, const char *member, quernel_error *error) {
    float *s = v->smooth + channel;
    if (factor == 0.0f || *s == factor) return QUERNEL_OK;
    if (*s != 0.0f)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, member, layer,
                                   "network: layers[%u]: %s: smooth[%u]: %g: tensor %u carries %g",
                                   layer, member, channel, (double)factor,
                                   member[0] == 'y' ? l->desc.y : l->desc.x, (double)*s);
    *s = factor;
    return QUERNEL_OK;
}

// What the weights of its readers are smoothed with; a caller's table means what it says.
static int take_wanted(const quernel_i_draft *draft, uint32_t i, quernel_error *error) {
    const quernel_i_layer *l = &draft->layers[i];
    const bool conv = l->kind == &quernel_i_layer_conv;
    quernel_i_value *x = &draft->net->values[l->desc.x], *y = &draft->net->values[l->desc.y];
    int code = QUERNEL_OK;
    for (uint32_t k = 0; l->kind->wants && x->smooth && k < l->x_channels && !code; k++)
        if (conv || !x->desc.smooth)
            code = want(x, l->desc.x_channel + k, l->kind->wants(l, k), l, i,
                        conv ? "conv.weights" : "x", error);
    if (!y->smooth || y->desc.smooth || !l->kind->gives_codes || !l->kind->gives_codes(l))
        return code;
    for (uint32_t k = 0; k < l->y_channels && !code; k++)
        code = want(y, l->desc.y_channel + k, 1.0f, l, i, "y", error);
    return code;
}

static bool alike(const quernel_i_value *x, const quernel_i_value *y) {
    return x->smooth && y->smooth && x->desc.shape.type == y->desc.shape.type &&
           x->desc.quant.scale == y->desc.quant.scale && x->desc.quant.zero == y->desc.quant.zero;
}

// Gives factors of one side of a layer that copies codes to the other, where that has none.
static void pass(const quernel_i_draft *draft, const quernel_i_layer *l, bool backwards) {
    quernel_i_value *x = &draft->net->values[l->desc.x], *y = &draft->net->values[l->desc.y];
    if (!l->kind->copies || !alike(x, y)) return;
    if ((backwards ? x : y)->desc.role != QUERNEL_NETWORK_INNER) return;
    uint32_t from, to;
    for (size_t k = 0; l->kind->copies(l, k, &from, &to); k++) {
        if (from >= l->x_channels) continue; // refused by its operator
        float *a = x->smooth + l->desc.x_channel + from, *b = y->smooth + l->desc.y_channel + to;
        float *given = backwards ? b : a, *taken = backwards ? a : b;
        if (*taken == 0.0f) *taken = *given;
    }
}

static int refuse_codes(const quernel_i_layer *l, uint32_t layer, quernel_error *error) {
    return quernel_i_error_set(
        error, QUERNEL_E_VALUE, "y", layer,
        "network: layers[%u]: y: %u: is a copy of tensor %u's codes: must mean the same", layer,
        l->desc.y, l->desc.x);
}

static int check_kept(const quernel_i_draft *draft, uint32_t i, quernel_error *error) {
    const quernel_i_layer *l = &draft->layers[i];
    const quernel_i_value *x = &draft->net->values[l->desc.x], *y = &draft->net->values[l->desc.y];
    if (!l->kind->keeps_codes || (!x->smooth && !y->smooth)) return QUERNEL_OK;
    if (!alike(x, y) || (y->desc.quant.narrow && !x->desc.quant.narrow))
        return refuse_codes(l, i, error);
    uint32_t from, to;
    for (size_t k = 0; l->kind->copies(l, k, &from, &to); k++)
        if (from < l->x_channels &&
            x->smooth[l->desc.x_channel + from] != y->smooth[l->desc.y_channel + to])
            return refuse_codes(l, i, error);
    return QUERNEL_OK;
}

// Channels that nobody asked for carry 1.
static void fill_ones(quernel_i_value *v) {
    for (uint32_t k = 0; v->smooth && k < v->desc.shape.c; k++)
        if (v->smooth[k] == 0.0f) v->smooth[k] = 1.0f;
}

// A tensor of ones carries nothing: its readers take one scale for all channels.
static void drop_ones(quernel_i_value *v) {
    for (uint32_t k = 0; v->smooth && k < v->desc.shape.c; k++)
        if (v->smooth[k] != 1.0f) return;
    v->smooth = NULL;
}

int quernel_i_factors_find(quernel_i_draft *draft, quernel_error *error) {
    quernel_network *net = draft->net;
    const uint32_t layers = net->n_steps;
    int code = take_given(draft, error);
    for (uint32_t i = 0; i < layers && !code; i++) code = take_wanted(draft, i, error);
    if (code) return code;
    for (uint32_t i = layers; i-- > 0;) pass(draft, &draft->layers[i], true);
    for (uint32_t i = 0; i < layers; i++) pass(draft, &draft->layers[i], false);
    for (uint32_t i = 0; i < net->n_values; i++) fill_ones(&net->values[i]);
    for (uint32_t i = 0; i < layers && !code; i++) code = check_kept(draft, i, error);
    for (uint32_t i = 0; i < net->n_values; i++) drop_ones(&net->values[i]);
    return code;
}
