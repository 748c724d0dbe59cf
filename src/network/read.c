// SPDX-License-Identifier: Apache-2.0
// A network's descriptor and its arrays, of any size, as this library lays them out.
#include <stdio.h>

#include "base/desc.h"
#include "base/error.h"
#include "network/network.h"
#include "op/window.h"

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

// `conv` is read where the caller has it: what a newer one holds behind it is not in the copy.
static int read_conv(const quernel_network_layer *from, const char *where, quernel_conv2d_desc *to,
                     quernel_error *error) {
    const uint32_t size = from->conv.size;
    if (offsetof(quernel_network_layer, conv) + (size_t)size > from->size)
        return refuse(error, where, "conv.size", size, "ends behind its layer");
    return quernel_i_conv2d_read(&from->conv, where, "conv.size", to, error);
}

static int read_layer(const void *layers, uint32_t i, quernel_network_layer *to,
                      quernel_error *error) {
    char where[40];
    snprintf(where, sizeof where, "network: layers[%u]", i);
    *to = (quernel_network_layer)QUERNEL_NETWORK_LAYER_INIT;
    int code = read_element(LAYER, to, layers, i, error);
    if (!code) code = read_conv(quernel_i_desc_at(layers, i), where, &to->conv, error);
    if (!code)
        code =
            quernel_i_check_reserved(error, where, "reserved", to->reserved, sizeof to->reserved);
    return code;
}

static int indexed(quernel_error *error, int code, uint32_t index) {
    if (code && error) error->index = (int32_t)index;
    return code;
}

int quernel_i_network_read(const quernel_network_desc *from, quernel_network_desc *ret_desc,
                           quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_network_desc, QUERNEL_NETWORK_DESC_MIN, "network", "size");
    *ret_desc = (quernel_network_desc)QUERNEL_NETWORK_DESC_INIT;
    return quernel_i_desc_read(desc, ret_desc, from, error);
}

size_t quernel_i_network_read_bytes(const quernel_network_desc *desc) {
    return desc->n_tensors * sizeof *desc->tensors + desc->n_layers * sizeof *desc->layers;
}

int quernel_i_network_read_arrays(quernel_network_desc *desc, void *memory, quernel_error *error) {
    quernel_network_tensor *tensors = memory;
    quernel_network_layer *layers = (quernel_network_layer *)(tensors + desc->n_tensors);
    int code = QUERNEL_OK;
    for (uint32_t i = 0; i < desc->n_tensors && !code; i++)
        code = indexed(error, read_tensor(desc->tensors, i, &tensors[i], error), i);
    for (uint32_t i = 0; i < desc->n_layers && !code; i++)
        code = indexed(error, read_layer(desc->layers, i, &layers[i], error), i);
    desc->tensors = tensors, desc->layers = layers;
    return code;
}
