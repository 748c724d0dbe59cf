// SPDX-License-Identifier: Apache-2.0
// Layers that multiply two tensors; the channels of y are those of the descriptor.
#include "network/layer.h"
#include "op/matmul.h"

static int read(const quernel_network_layer *from, const char *where, quernel_i_layer *to,
                quernel_error *error) {
    return quernel_i_matmul_read(from->desc, where, "desc.size", &to->own.matmul, error);
}

static quernel_i_layer_takes takes(const quernel_i_layer *l) {
    (void)l;
    return QUERNEL_I_LAYER_TAKES_ONE;
}

static void channels(quernel_i_layer *l) { l->y_channels = l->own.matmul.y.c; }

static uint32_t second(const quernel_i_layer *l) {
    return l->own.matmul.transposed ? l->x_channels : l->y_channels;
}

// Sums run over them.
static float wants(const quernel_i_layer *l, uint32_t k) {
    (void)l, (void)k;
    return 1.0f;
}

static int create(const quernel_i_layer *l, const quernel_i_layer_ends *e,
                  const quernel_network_desc *net, quernel_operator **ret_op,
                  quernel_error *error) {
    quernel_matmul_desc d = l->own.matmul;
    d.x = quernel_i_layer_operand(e->x, l->desc.x_channel, l->x_channels, e->x_scales);
    d.z = quernel_i_layer_operand(e->z, l->desc.residual_channel, l->z_channels, e->z_scales);
    d.y = quernel_i_layer_slice(e->y, l->y_channels);
    quernel_i_layer_output(e->y, l->desc.y_channel, &d.epilogue);
    d.threads = net->threads, d.isa = net->isa, d.allocator = net->allocator;
    return quernel_matmul_create(&d, ret_op, error);
}

const quernel_i_layer_kind quernel_i_layer_matmul = {.read = read,
                                                     .takes = takes,
                                                     .channels = channels,
                                                     .second = second,
                                                     .wants = wants,
                                                     .create = create};
