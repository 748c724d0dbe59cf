// SPDX-License-Identifier: Apache-2.0
// Layers whose elements change places; the channels of y are those of the descriptor's table.
#include "network/layer.h"
#include "op/shuffle2d.h"

static int read(const quernel_network_layer *from, const char *where, quernel_i_layer *to,
                quernel_error *error) {
    return quernel_i_shuffle2d_read(from->desc, where, "desc.size", &to->own.shuffle2d, error);
}

static void channels(quernel_i_layer *l) { l->y_channels = l->own.shuffle2d.y.c; }

static int output(const quernel_i_layer *l, const quernel_tensor *x, quernel_tensor *ret_y,
                  quernel_error *error) {
    quernel_shuffle2d_desc d = l->own.shuffle2d;
    d.x = *x;
    return quernel_i_shuffle2d_output(&d, ret_y, error);
}

static bool copies(const quernel_i_layer *l, size_t index, uint32_t *ret_x, uint32_t *ret_y) {
    const quernel_shuffle2d_desc *d = &l->own.shuffle2d;
    const size_t blocks = d->gather ? 1 : (size_t)d->block_h * d->block_w;
    if (!d->from || index >= blocks * l->y_channels) return false;
    *ret_x = d->gather ? d->from[index] % l->x_channels : d->from[index];
    *ret_y = (uint32_t)(index % l->y_channels);
    return true;
}

static int create(const quernel_i_layer *l, const quernel_i_layer_ends *e,
                  const quernel_network_desc *net, quernel_operator **ret_op,
                  quernel_error *error) {
    quernel_shuffle2d_desc d = l->own.shuffle2d;
    d.x = quernel_i_layer_slice(e->x, l->x_channels);
    d.y = quernel_i_layer_slice(e->y, l->y_channels);
    d.border = (uint8_t)e->y->desc.quant.zero;
    d.threads = net->threads, d.allocator = net->allocator;
    return quernel_shuffle2d_create(&d, ret_op, error);
}

const quernel_i_layer_kind quernel_i_layer_shuffle2d = {.read = read,
                                                        .channels = channels,
                                                        .output = output,
                                                        .copies = copies,
                                                        .keeps_codes = true,
                                                        .create = create};
