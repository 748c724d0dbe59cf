// SPDX-License-Identifier: Apache-2.0
// Smoothing factors of a network's tensors: what an int8 tensor's readers were packed for is folded
// into its writers' epilogue.
#include "base/error.h"
#include "network/network.h"

// `tables` holds the factors of every int8 tensor, then residual scales of one layer.
size_t quernel_i_network_params_count(const quernel_network *net) {
    size_t count = 0, widest = 0;
    for (uint32_t i = 0; i < net->n_values; i++) {
        const quernel_i_value *v = &net->values[i];
        if (!quernel_i_value_int8(v)) continue;
        count += v->desc.shape.c;
        if (v->desc.shape.c > widest) widest = v->desc.shape.c;
    }
    return count + widest;
}

static float *residual_scales(const quernel_network *net, float *tables) {
    for (uint32_t i = 0; i < net->n_values; i++)
        if (quernel_i_value_int8(&net->values[i])) tables += net->values[i].desc.shape.c;
    return tables;
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

// 0: a channel whose factor neither the caller nor a reader has set yet.
static int take_given(quernel_network *net, float *tables, quernel_error *error) {
    for (uint32_t i = 0; i < net->n_values; i++) {
        quernel_i_value *v = &net->values[i];
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

static int take_reader(const quernel_network *net, const quernel_network_layer *l, uint32_t layer,
                       quernel_error *error) {
    const quernel_i_value *x = &net->values[l->x];
    const quernel_weights *w = l->conv.weights;
    // the operator refuses factors per im2col column over int8
    if (!x->smooth || w->smooth_kind == QUERNEL_SMOOTH_COLUMN) return QUERNEL_OK;
    float *s = x->smooth + l->x_channel;
    for (uint32_t k = 0; k < w->shape.in; k++) {
        const float wanted = w->smooth_kind == QUERNEL_SMOOTH_CHANNEL ? w->smooth[k] : 1.0f;
        if (s[k] != 0.0f && s[k] != wanted)
            return quernel_i_error_set(
                error, QUERNEL_E_VALUE, "conv.weights", layer,
                "network: layers[%u]: conv.weights: smooth[%u]: %g: tensor %u carries %g", layer, k,
                (double)wanted, l->x, (double)s[k]);
        s[k] = wanted;
    }
    return QUERNEL_OK;
}

int quernel_i_network_params_find(quernel_network *net, const quernel_network_desc *desc,
                                  float *tables, quernel_error *error) {
    int code = take_given(net, tables, error);
    for (uint32_t i = 0; i < desc->n_layers && !code; i++)
        code = take_reader(net, &desc->layers[i], i, error);
    for (uint32_t i = 0; i < net->n_values && !code; i++)
        for (uint32_t k = 0; net->values[i].smooth && k < net->values[i].desc.shape.c; k++)
            if (net->values[i].smooth[k] == 0.0f) net->values[i].smooth[k] = 1.0f;
    return code;
}

static quernel_tensor slice_of(const quernel_i_value *v, uint32_t channels) {
    quernel_tensor t = v->desc.shape;
    t.c = channels;
    return t;
}

static void describe_output(const quernel_i_value *y, uint32_t channel, quernel_epilogue *f) {
    f->y_type = y->desc.shape.type;
    f->y_scale = y->desc.quant.scale, f->y_zero = y->desc.quant.zero,
    f->y_narrow = y->desc.quant.narrow;
    f->y_smooth = y->smooth ? y->smooth + channel : NULL;
}

static void describe_residual(const quernel_i_value *r, uint32_t channel, uint32_t channels,
                              float *scales, quernel_epilogue *f) {
    f->residual = 1;
    f->residual_type = r->desc.shape.type;
    f->residual_scale = r->desc.quant.scale, f->residual_zero = r->desc.quant.zero;
    f->residual_scales = NULL;
    if (!r->smooth) return;
    for (uint32_t k = 0; k < channels; k++)
        scales[k] = r->desc.quant.scale * r->smooth[channel + k];
    f->residual_scales = scales;
}

quernel_conv2d_desc quernel_i_network_params_describe(const quernel_network *net,
                                                      const quernel_network_desc *desc,
                                                      uint32_t layer, float *tables) {
    const quernel_network_layer *l = &desc->layers[layer];
    const quernel_i_value *x = &net->values[l->x], *y = &net->values[l->y];
    quernel_conv2d_desc d = l->conv;
    const uint32_t out = d.weights->shape.out;
    d.x = slice_of(x, d.weights->shape.in), d.y = slice_of(y, out);
    d.quant = x->desc.quant;
    describe_output(y, l->y_channel, &d.epilogue);
    d.epilogue.residual = 0;
    if (l->residual >= 0) {
        const quernel_i_value *r = &net->values[l->residual];
        d.residual = slice_of(r, out);
        describe_residual(r, l->residual_channel, out, residual_scales(net, tables), &d.epilogue);
    }
    d.threads = desc->threads, d.isa = desc->isa, d.allocator = desc->allocator;
    return d;
}
