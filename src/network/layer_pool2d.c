// SPDX-License-Identifier: Apache-2.0
// Layers that pool.
#include "network/layer.h"
#include "op/pool2d.h"

static int read(const quernel_network_layer *from, const char *where, quernel_i_layer *to,
                quernel_error *error) {
    return quernel_i_pool2d_read(from->desc, where, "desc.size", &to->own.pool2d, error);
}

static int output(const quernel_i_layer *l, const quernel_tensor *x, quernel_tensor *ret_y,
                  quernel_error *error) {
    quernel_pool2d_desc d = l->own.pool2d;
    d.x.tensor = *x;
    return quernel_i_pool2d_output(&d, ret_y, error);
}

static bool copies(const quernel_i_layer *l, size_t index, uint32_t *ret_x, uint32_t *ret_y) {
    const quernel_pool2d_desc *d = &l->own.pool2d;
    *ret_x = *ret_y = (uint32_t)index;
    return d->kind == QUERNEL_POOL2D_MAX && !d->epilogue.activation && index < l->x_channels;
}

static int create(const quernel_i_layer *l, const quernel_i_layer_ends *e,
                  const quernel_network_desc *net, quernel_operator **ret_op,
                  quernel_error *error) {
    quernel_pool2d_desc d = l->own.pool2d;
    d.x = quernel_i_layer_operand(e->x, l->desc.x_channel, l->x_channels, e->x_scales);
    d.y = quernel_i_layer_slice(e->y, l->y_channels);
    quernel_i_layer_output(e->y, l->desc.y_channel, &d.epilogue);
    d.threads = net->threads, d.isa = net->isa, d.allocator = net->allocator;
    return quernel_pool2d_create(&d, ret_op, error);
}

const quernel_i_layer_kind quernel_i_layer_pool2d = {
    .read = read, .output = output, .copies = copies, .create = create};
