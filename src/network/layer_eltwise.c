// SPDX-License-Identifier: Apache-2.0
// Layers that compute element by element.
#include "base/desc.h"
#include "network/layer.h"

static int read(const quernel_network_layer *from, const char *where, quernel_i_layer *to,
                quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_eltwise_desc, QUERNEL_ELTWISE_DESC_MIN, where, "desc.size");
    to->own.eltwise = (quernel_eltwise_desc)QUERNEL_ELTWISE_DESC_INIT;
    return quernel_i_desc_read(desc, &to->own.eltwise, from->desc, error);
}

static quernel_i_layer_takes takes(const quernel_i_layer *l) {
    const int32_t kind = l->own.eltwise.kind;
    const bool one = kind >= QUERNEL_ELTWISE_ADD && kind <= QUERNEL_ELTWISE_DIV;
    return one ? QUERNEL_I_LAYER_TAKES_ONE : QUERNEL_I_LAYER_TAKES_NONE;
}

// A table has been made for codes that carry no factors, unless the caller says which.
static bool looks_up(const quernel_i_layer *l) {
    return l->own.eltwise.kind == QUERNEL_ELTWISE_LOOKUP;
}

static float wants(const quernel_i_layer *l, uint32_t k) {
    (void)k;
    return looks_up(l) ? 1.0f : 0.0f;
}

static bool copies(const quernel_i_layer *l, size_t index, uint32_t *ret_x, uint32_t *ret_y) {
    const quernel_eltwise_desc *d = &l->own.eltwise;
    *ret_x = *ret_y = (uint32_t)index;
    return d->kind == QUERNEL_ELTWISE_COPY && !d->epilogue.activation && index < l->x_channels;
}

static int create(const quernel_i_layer *l, const quernel_i_layer_ends *e,
                  const quernel_network_desc *net, quernel_operator **ret_op,
                  quernel_error *error) {
    quernel_eltwise_desc d = l->own.eltwise;
    d.x = quernel_i_layer_operand(e->x, l->desc.x_channel, l->x_channels, e->x_scales);
    if (e->z)
        d.z = quernel_i_layer_operand(e->z, l->desc.residual_channel, l->z_channels, e->z_scales);
    d.y = quernel_i_layer_slice(e->y, l->y_channels);
    quernel_i_layer_output(e->y, l->desc.y_channel, &d.epilogue);
    d.threads = net->threads, d.isa = net->isa, d.allocator = net->allocator;
    return quernel_eltwise_create(&d, ret_op, error);
}

const quernel_i_layer_kind quernel_i_layer_eltwise = {.read = read,
                                                      .takes = takes,
                                                      .wants = wants,
                                                      .gives_codes = looks_up,
                                                      .copies = copies,
                                                      .over_x = true,
                                                      .over_z = true,
                                                      .create = create};
