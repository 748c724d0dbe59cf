// SPDX-License-Identifier: Apache-2.0
// Layers that convolve: conv2d and deconv2d, by the kind of their weights.
#include "base/error.h"
#include "network/layer.h"
#include "op/window.h"

// `conv` is read where the caller has it: what a newer one holds behind it is not in the copy.
static int read(const quernel_network_layer *from, const char *where, quernel_i_layer *to,
                quernel_error *error) {
    const uint32_t size = from->conv.size;
    if (offsetof(quernel_network_layer, conv) + (size_t)size > from->size)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "size", -1,
                                   "%s: conv.size: %u: ends behind its layer", where, size);
    const int code = quernel_i_conv2d_read(&from->conv, where, "conv.size", &to->desc.conv, error);
    if (code || to->desc.conv.weights) return code;
    return quernel_i_error_null(error, where, "conv.weights");
}

static quernel_i_layer_takes takes(const quernel_i_layer *l) {
    (void)l;
    return QUERNEL_I_LAYER_TAKES_ANY;
}

static void channels(quernel_i_layer *l) {
    l->x_channels = l->desc.conv.weights->shape.in;
    l->y_channels = l->desc.conv.weights->shape.out;
}

static int output(const quernel_i_layer *l, const quernel_tensor *x, quernel_tensor *ret_y,
                  quernel_error *error) {
    quernel_conv2d_desc d = l->desc.conv;
    d.x = *x;
    d.quant.row_scale = NULL;
    return quernel_i_window_output(&d, ret_y, error);
}

static uint32_t max(uint32_t a, uint32_t b) { return a > b ? a : b; }

static void border(const quernel_i_layer *l, uint32_t *ret_h, uint32_t *ret_w) {
    const quernel_conv2d_desc *d = &l->desc.conv;
    *ret_h = max(d->pad_top, d->pad_bottom);
    *ret_w = max(d->pad_left, d->pad_right);
}

static float wants(const quernel_i_layer *l, uint32_t k) {
    const quernel_weights *w = l->desc.conv.weights;
    if (w->smooth_kind == QUERNEL_SMOOTH_COLUMN) return 0.0f; // refused over int8 by the operator
    return w->smooth_kind == QUERNEL_SMOOTH_CHANNEL ? w->smooth[k] : 1.0f;
}

// With a table the epilogue's members say what its codes mean, y's what those behind it do.
static int describe_output(const quernel_i_layer *l, const quernel_i_value *y, quernel_epilogue *f,
                           quernel_error *error) {
    if (!f->table) {
        quernel_i_layer_output(y, l->desc.y_channel, f);
        return QUERNEL_OK;
    }
    f->y_type = y->desc.shape.type, f->y_smooth = NULL, f->table_zero = y->desc.quant.zero;
    const bool narrow = f->y_type == QUERNEL_TYPE_S8 && y->desc.quant.narrow;
    const size_t codes = f->tables == 1 || f->tables == l->y_channels ? (size_t)f->tables * 256 : 0;
    for (size_t i = 0; narrow && i < codes; i++)
        if (f->table[i] == 0x80)
            return quernel_i_error_set(error, QUERNEL_E_VALUE, "epilogue.table", (int64_t)i,
                                       "conv2d: epilogue.table[%zu]: -128: y is narrow", i);
    return QUERNEL_OK;
}

static bool gives_codes(const quernel_i_layer *l) { return l->desc.conv.epilogue.table != NULL; }

static void describe_residual(const quernel_i_layer *l, const quernel_i_layer_ends *e,
                              quernel_conv2d_desc *d) {
    quernel_epilogue *f = &d->epilogue;
    f->residual = e->z != NULL;
    if (!e->z) return;
    d->residual = quernel_i_layer_slice(e->z, l->z_channels);
    f->residual_type = e->z->desc.shape.type;
    f->residual_scale = e->z->desc.quant.scale, f->residual_zero = e->z->desc.quant.zero;
    f->residual_scales =
        quernel_i_layer_scales(e->z, l->desc.residual_channel, l->z_channels, e->z_scales);
}

static int create(const quernel_i_layer *l, const quernel_i_layer_ends *e,
                  const quernel_network_desc *net, quernel_operator **ret_op,
                  quernel_error *error) {
    quernel_conv2d_desc d = l->desc.conv;
    d.x = quernel_i_layer_slice(e->x, l->x_channels);
    d.y = quernel_i_layer_slice(e->y, l->y_channels);
    d.quant = e->x->desc.quant;
    const int code = describe_output(l, e->y, &d.epilogue, error);
    if (code) return code;
    describe_residual(l, e, &d);
    d.threads = net->threads, d.isa = net->isa, d.allocator = net->allocator;
    const bool up = d.weights->shape.kind == QUERNEL_WEIGHTS_DECONV2D;
    return (up ? quernel_deconv2d_create : quernel_conv2d_create)(&d, ret_op, error);
}

const quernel_i_layer_kind quernel_i_layer_conv = {.read = read,
                                                   .takes = takes,
                                                   .channels = channels,
                                                   .output = output,
                                                   .border = border,
                                                   .wants = wants,
                                                   .gives_codes = gives_codes,
                                                   .over_z = true,
                                                   .create = create};
