// SPDX-License-Identifier: Apache-2.0
// What the kinds of layers share: slices, what codes mean, refusals.
#include "network/layer.h"

#include "base/error.h"

quernel_tensor quernel_i_layer_slice(const quernel_i_value *v, uint32_t channels) {
    quernel_tensor t = v->desc.shape;
    t.c = channels;
    return t;
}

const float *quernel_i_layer_scales(const quernel_i_value *v, uint32_t channel, uint32_t channels,
                                    float *scales) {
    if (!v->smooth) return NULL;
    for (uint32_t k = 0; k < channels; k++)
        scales[k] = v->desc.quant.scale * v->smooth[channel + k];
    return scales;
}

quernel_operand quernel_i_layer_operand(const quernel_i_value *v, uint32_t channel,
                                        uint32_t channels, float *scales) {
    return (quernel_operand){.tensor = quernel_i_layer_slice(v, channels),
                             .scale = v->desc.quant.scale,
                             .zero = v->desc.quant.zero,
                             .scales = quernel_i_layer_scales(v, channel, channels, scales)};
}

void quernel_i_layer_output(const quernel_i_value *y, uint32_t channel, quernel_epilogue *f) {
    f->y_type = y->desc.shape.type;
    f->y_scale = y->desc.quant.scale, f->y_zero = y->desc.quant.zero,
    f->y_narrow = y->desc.quant.narrow;
    f->y_smooth = y->smooth ? y->smooth + channel : NULL;
}

int quernel_i_layer_refuse(quernel_error *error, int code, const char *member, uint32_t layer,
                           int64_t value, const char *why) {
    return quernel_i_error_set(error, code, member, layer, "network: layers[%u]: %s: %lld: %s",
                               layer, member, (long long)value, why);
}

int quernel_i_layer_rename(quernel_error *error, int code, uint32_t layer) {
    if (!error) return code;
    const quernel_error inner = *error;
    return quernel_i_error_set(error, code, inner.argument, layer, "network: layers[%u]: %s", layer,
                               inner.text);
}
