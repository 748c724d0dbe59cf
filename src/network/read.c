// SPDX-License-Identifier: Apache-2.0
// A network's descriptor and its arrays, of any size, as this library lays them out.
#include <stdio.h>
#include <string.h>

#include "base/desc.h"
#include "base/error.h"
#include "network/layer.h"

#define TENSOR QUERNEL_I_DESC(quernel_network_tensor, QUERNEL_NETWORK_TENSOR_MIN, where, "size")
#define LAYER QUERNEL_I_DESC(quernel_network_layer, QUERNEL_NETWORK_LAYER_MIN, where, "size")

static int refuse(quernel_error *error, const char *where, const char *name, uint32_t size,
                  const char *why) {
    return quernel_i_error_set(error, QUERNEL_E_VALUE, "size", -1, "%s: %s: %u: %s", where, name,
                               size, why);
}

// Element i of an array: the first one's size is the distance from one to the next.
static int read_element(const quernel_i_desc *desc, void *to, const void *array, uint32_t i,
                        quernel_error *error) {
    const uint32_t first = *(const uint32_t *)array,
                   size = *(const uint32_t *)quernel_i_desc_at(array, i);
    if (size != first)
        return refuse(error, desc->where, "size", size, "must be that of the first element");
    return quernel_i_desc_read(desc, to, quernel_i_desc_at(array, i), error);
}

static int read_tensor(const void *tensors, uint32_t i, quernel_network_tensor *to,
                       quernel_error *error) {
    char where[40];
    snprintf(where, sizeof where, "network: tensors[%u]", i);
    *to = (quernel_network_tensor)QUERNEL_NETWORK_TENSOR_INIT;
    int code = read_element(TENSOR, to, tensors, i, error);
    if (!code)
        code = quernel_i_check_reserved(error, where, "quant.reserved", to->quant.reserved,
                                        sizeof to->quant.reserved);
    return code;
}

static const quernel_i_layer_kind *kind_of(int32_t kind) {
    switch (kind) {
    case QUERNEL_NETWORK_CONV: return &quernel_i_layer_conv;
    case QUERNEL_NETWORK_ELTWISE: return &quernel_i_layer_eltwise;
    case QUERNEL_NETWORK_POOL2D: return &quernel_i_layer_pool2d;
    case QUERNEL_NETWORK_RESIZE2D: return &quernel_i_layer_resize2d;
    case QUERNEL_NETWORK_SHUFFLE2D: return &quernel_i_layer_shuffle2d;
    case QUERNEL_NETWORK_MATMUL: return &quernel_i_layer_matmul;
    case QUERNEL_NETWORK_NORMALIZE: return &quernel_i_layer_normalize;
    default: return NULL;
    }
}

static int refuse_member(quernel_error *error, int code, const char *where, const char *member,
                         const char *why) {
    return quernel_i_error_set(error, code, member, -1, "%s: %s: %s", where, member, why);
}

static int read_desc(const quernel_network_layer *from, const char *where, quernel_i_layer *to,
                     quernel_error *error) {
    const quernel_network_layer *d = &to->desc;
    const bool conv = d->kind == QUERNEL_NETWORK_CONV;
    to->kind = kind_of(d->kind);
    if (!to->kind)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "kind", -1, "%s: kind: %d: unknown",
                                   where, d->kind);
    if (conv && d->desc)
        return refuse_member(error, QUERNEL_E_VALUE, where, "desc", "is for other kinds than CONV");
    if (!conv && !d->desc) return quernel_i_error_null(error, where, "desc");
    return to->kind->read(from, where, to, error);
}

static int read_layer(const void *layers, uint32_t i, quernel_i_layer *to, quernel_error *error) {
    char where[40];
    snprintf(where, sizeof where, "network: layers[%u]", i);
    to->desc = (quernel_network_layer)QUERNEL_NETWORK_LAYER_INIT;
    int code = read_element(LAYER, &to->desc, layers, i, error);
    if (!code)
        code = quernel_i_check_reserved(error, where, "reserved", to->desc.reserved,
                                        sizeof to->desc.reserved);
    return code ? code : read_desc(quernel_i_desc_at(layers, i), where, to, error);
}

static int indexed(quernel_error *error, int code, uint32_t index) {
    if (code && error) error->index = (int32_t)index;
    return code;
}

int quernel_i_network_read(const quernel_network_desc *from, quernel_i_draft *ret_draft,
                           quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_network_desc, QUERNEL_NETWORK_DESC_MIN, "network", "size");
    *ret_draft = (quernel_i_draft){.desc = QUERNEL_NETWORK_DESC_INIT};
    return quernel_i_desc_read(desc, &ret_draft->desc, from, error);
}

size_t quernel_i_network_read_bytes(const quernel_i_draft *draft) {
    return draft->desc.n_tensors * sizeof *draft->tensors +
           draft->desc.n_layers * sizeof *draft->layers;
}

int quernel_i_network_read_arrays(quernel_i_draft *draft, void *memory, quernel_error *error) {
    const quernel_network_desc *d = &draft->desc;
    quernel_network_tensor *tensors = memory;
    quernel_i_layer *layers = (quernel_i_layer *)(tensors + d->n_tensors);
    memset(layers, 0, d->n_layers * sizeof *layers);
    int code = QUERNEL_OK;
    for (uint32_t i = 0; i < d->n_tensors && !code; i++)
        code = indexed(error, read_tensor(d->tensors, i, &tensors[i], error), i);
    for (uint32_t i = 0; i < d->n_layers && !code; i++)
        code = indexed(error, read_layer(d->layers, i, &layers[i], error), i);
    draft->tensors = tensors, draft->layers = layers;
    return code;
}
