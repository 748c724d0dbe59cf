// SPDX-License-Identifier: Apache-2.0
// Layers that normalize the channels of each pixel.
#include "network/layer.h"
#include "op/normalize.h"

static int read(const quernel_network_layer *from, const char *where, quernel_i_layer *to,
                quernel_error *error) {
    return quernel_i_normalize_read(from->desc, where, "desc.size", &to->own.normalize, error);
}

static int create(const quernel_i_layer *l, const quernel_i_layer_ends *e,
                  const quernel_network_desc *net, quernel_operator **ret_op,
                  quernel_error *error) {
    quernel_normalize_desc d = l->own.normalize;
    d.x = quernel_i_layer_operand(e->x, l->desc.x_channel, l->x_channels, e->x_scales);
    d.y = quernel_i_layer_slice(e->y, l->y_channels);
    quernel_i_layer_output(e->y, l->desc.y_channel, &d.epilogue);
    d.threads = net->threads, d.isa = net->isa, d.allocator = net->allocator;
    return quernel_normalize_create(&d, ret_op, error);
}

const quernel_i_layer_kind quernel_i_layer_normalize = {
    .read = read, .over_x = true, .create = create};
