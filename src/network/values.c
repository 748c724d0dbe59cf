// SPDX-License-Identifier: Apache-2.0
// The tensors of a network: what their descriptions may say, and how they lie in memory.
#include <stdio.h>

#include "base/error.h"
#include "network/network.h"

static int refuse(quernel_error *error, int code, const char *member, uint32_t tensor,
                  int64_t value, const char *why) {
    return quernel_i_error_set(error, code, member, tensor, "network: tensors[%u]: %s: %lld: %s",
                               tensor, member, (long long)value, why);
}

static int check_inner(const quernel_network_tensor *t, bool int8, uint32_t i,
                       quernel_error *error) {
    const quernel_tensor *s = &t->shape;
    if (s->stride_n || s->stride_c || s->stride_h || s->stride_w)
        return refuse(error, QUERNEL_E_STRIDE, "shape", i, s->stride_w,
                      "strides of inner tensors are inferred: must be 0");
    if (s->border_h || s->border_w)
        return refuse(error, QUERNEL_E_VALUE, "shape", i, s->border_h,
                      "borders of inner tensors are inferred: must be 0");
    if (int8 && s->layout != QUERNEL_LAYOUT_NHWC)
        return refuse(error, QUERNEL_E_VALUE, "shape", i, s->layout, "inner int8 tensors are NHWC");
    return QUERNEL_OK;
}

static int check_tensor(quernel_i_value *v, uint32_t i, quernel_error *error) {
    quernel_network_tensor *t = &v->desc;
    if (t->role < QUERNEL_NETWORK_INNER || t->role > QUERNEL_NETWORK_OUTPUT)
        return refuse(error, QUERNEL_E_VALUE, "role", i, t->role, "unknown");
    if (!quernel_type_size((quernel_type)t->shape.type))
        return refuse(error, QUERNEL_E_VALUE, "shape", i, t->shape.type, "an unknown type");
    const bool int8 = quernel_i_value_int8(v);
    if (int8 && (t->quant.mode != QUERNEL_QUANT_STATIC || t->quant.row_scale))
        return refuse(error, QUERNEL_E_VALUE, "quant.mode", i, t->quant.mode,
                      "int8 tensors have one static scale");
    if (int8) t->quant.type = t->shape.type;
    else if (t->smooth)
        return refuse(error, QUERNEL_E_VALUE, "smooth", i, t->shape.type, "is for int8 tensors");
    return t->role == QUERNEL_NETWORK_INNER ? check_inner(t, int8, i, error) : QUERNEL_OK;
}

int quernel_i_values_copy(quernel_i_draft *draft, quernel_error *error) {
    quernel_network *net = draft->net;
    uint32_t slots[3] = {0};
    for (uint32_t i = 0; i < net->n_values; i++) {
        quernel_i_value *v = &net->values[i];
        v->desc = draft->tensors[i];
        v->home = i;
        const int code = check_tensor(v, i, error);
        if (code) return code;
        v->slot = slots[v->desc.role]++;
    }
    return QUERNEL_OK;
}

static int lay_out(quernel_i_value *v, uint32_t i, quernel_error *error) {
    quernel_tensor *s = &v->desc.shape;
    const bool inner = v->desc.role == QUERNEL_NETWORK_INNER;
    if (v->desc.role != QUERNEL_NETWORK_INPUT && v->written != s->c)
        return refuse(error, QUERNEL_E_SHAPE, "shape", i, v->written,
                      "its layers do not write all channels");
    if (inner && !v->read)
        return refuse(error, QUERNEL_E_VALUE, "role", i, v->desc.role, "no layer reads it");
    char where[32];
    snprintf(where, sizeof where, "network: tensors[%u]", i);
    int code = QUERNEL_OK;
    if (inner && quernel_i_value_int8(v))
        code = quernel_chain_describe(s, s->border_h, s->border_w, &v->bytes, &v->origin, error);
    if (!code) code = quernel_i_tensor_check(s, where, "shape", &v->extent, error);
    if (code) return code;
    if (inner && !v->bytes)
        v->bytes = quernel_i_round_up((size_t)v->extent.high + QUERNEL_I_LINE, QUERNEL_I_LINE);
    return QUERNEL_OK;
}

int quernel_i_values_lay_out(quernel_i_draft *draft, quernel_error *error) {
    quernel_network *net = draft->net;
    int code = QUERNEL_OK;
    for (uint32_t i = 0; i < net->n_values && !code; i++) code = lay_out(&net->values[i], i, error);
    return code;
}
