// SPDX-License-Identifier: Apache-2.0
// Layers that resample; the sizes of y are those of the descriptor's tables.
#include "base/error.h"
#include "network/layer.h"
#include "op/resize2d.h"

static int read(const quernel_network_layer *from, const char *where, quernel_i_layer *to,
                quernel_error *error) {
    return quernel_i_resize2d_read(from->desc, where, "desc.size", &to->own.resize2d, error);
}

static int output(const quernel_i_layer *l, const quernel_tensor *x, quernel_tensor *ret_y,
                  quernel_error *error) {
    *ret_y = *x;
    ret_y->h = l->own.resize2d.y.h, ret_y->w = l->own.resize2d.y.w;
    if (ret_y->h && ret_y->w) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_SHAPE, "y", -1,
                               "resize2d: y: %u x %u: must be 1 or more, as the tables are long",
                               ret_y->h, ret_y->w);
}

static bool copies(const quernel_i_layer *l, size_t index, uint32_t *ret_x, uint32_t *ret_y) {
    const quernel_resize2d_desc *d = &l->own.resize2d;
    *ret_x = *ret_y = (uint32_t)index;
    return !d->lines.weight && !d->pixels.weight && !d->epilogue.activation &&
           index < l->x_channels;
}

static int create(const quernel_i_layer *l, const quernel_i_layer_ends *e,
                  const quernel_network_desc *net, quernel_operator **ret_op,
                  quernel_error *error) {
    quernel_resize2d_desc d = l->own.resize2d;
    d.x = quernel_i_layer_operand(e->x, l->desc.x_channel, l->x_channels, e->x_scales);
    d.y = quernel_i_layer_slice(e->y, l->y_channels);
    quernel_i_layer_output(e->y, l->desc.y_channel, &d.epilogue);
    d.threads = net->threads, d.isa = net->isa, d.allocator = net->allocator;
    return quernel_resize2d_create(&d, ret_op, error);
}

const quernel_i_layer_kind quernel_i_layer_resize2d = {
    .read = read, .output = output, .copies = copies, .create = create};
