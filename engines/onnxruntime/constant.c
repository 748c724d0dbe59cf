// SPDX-License-Identifier: Apache-2.0
// Constants of a graph as numbers, and how they stand beside a tensor.
#include <string.h>

#include "unit.h"

static uint64_t count_of(const quernel_ep_value *v) {
    uint64_t count = 1;
    for (uint32_t i = 0; i < v->rank; i++) count *= (uint64_t)v->dims[i];
    return count;
}

static size_t size_of(int32_t type) {
    return quernel_ep_is_int8(type)                                     ? 1
           : type == QUERNEL_EP_TYPE_F32 || type == QUERNEL_EP_TYPE_S32 ? 4
           : type == QUERNEL_EP_TYPE_S64                                ? 8
                                                                        : 0;
}

static double number(const quernel_ep_value *v, uint64_t i) {
    int32_t s32;
    float f32;
    switch (v->type) {
    case QUERNEL_EP_TYPE_U8: return ((const uint8_t *)v->data)[i];
    case QUERNEL_EP_TYPE_S8: return ((const int8_t *)v->data)[i];
    case QUERNEL_EP_TYPE_S32: return memcpy(&s32, (const uint8_t *)v->data + 4 * i, 4), s32;
    default: return (double)(memcpy(&f32, (const uint8_t *)v->data + 4 * i, 4), f32);
    }
}

bool quernel_ep_plain_read(quernel_ep_search *c, int32_t v, quernel_ep_constant *ret_constant) {
    if (!quernel_ep_is_constant(c, v)) return false;
    const quernel_ep_value *k = quernel_ep_value_of(c, v);
    const uint64_t count = count_of(k);
    if (k->type == QUERNEL_EP_TYPE_S64 || !size_of(k->type)) return false;
    if (count > k->bytes || count * size_of(k->type) != k->bytes || count > INT32_MAX) return false;
    quernel_ep_constant r = {.count = (uint32_t)count, .rank = k->rank};
    memcpy(r.dims, k->dims, sizeof r.dims);
    r.data = quernel_ep_region_take(&c->region, r.count, sizeof *r.data);
    if (!r.data) return false;
    for (uint32_t i = 0; i < r.count; i++) r.data[i] = number(k, i);
    *ret_constant = r;
    return true;
}

// The index of element i along the axis that scales belong to.
static uint32_t along(const quernel_ep_constant *k, int64_t axis, uint32_t i) {
    uint32_t inner = 1;
    for (uint32_t d = (uint32_t)axis + 1; d < k->rank; d++) inner *= (uint32_t)k->dims[d];
    return i / inner % (uint32_t)k->dims[axis];
}

static bool dequantize(quernel_ep_search *c, uint32_t node, quernel_ep_constant *k) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    quernel_ep_constant scale, zero = {0};
    const int32_t z = quernel_ep_input(n, 2);
    int64_t axis = quernel_ep_int(n, "axis", 1);
    if (axis < 0) axis += k->rank;
    if (quernel_ep_int(n, "block_size", 0)) return false;
    if (quernel_ep_value_of(c, n->inputs[1])->type != QUERNEL_EP_TYPE_F32) return false;
    if (!quernel_ep_plain_read(c, n->inputs[1], &scale) ||
        (z >= 0 && !quernel_ep_plain_read(c, z, &zero)))
        return false;
    if (scale.count != 1 &&
        (axis < 0 || axis >= k->rank || scale.rank != 1 || scale.count != (uint64_t)k->dims[axis]))
        return false;
    if (z >= 0 && zero.count != scale.count) return false;
    for (uint32_t i = 0; i < k->count; i++) {
        const uint32_t at = scale.count > 1 ? along(k, axis, i) : 0;
        k->data[i] = (k->data[i] - (z >= 0 ? zero.data[at] : 0)) * scale.data[at];
    }
    return true;
}

// The private DequantizeLinear of a constant that makes v, or −1.
static int32_t dequantizer(const quernel_ep_search *c, int32_t v) {
    const int32_t node = v < 0 ? -1 : c->producer[v];
    if (node < 0 || quernel_ep_sole_reader(c, v) < 0 || c->unit_of[node] >= 0) return -1;
    const quernel_ep_node *n = quernel_ep_node_of(c, (uint32_t)node);
    const bool dequantizes = !strcmp(n->op, "DequantizeLinear");
    return dequantizes && quernel_ep_is_constant(c, n->inputs[0]) ? node : -1;
}

bool quernel_ep_may_be_constant(const quernel_ep_search *c, int32_t v) {
    return quernel_ep_is_constant(c, v) || dequantizer(c, v) >= 0;
}

bool quernel_ep_constant_read(quernel_ep_draft *d, int32_t v, quernel_ep_constant *ret_constant) {
    const int32_t node = dequantizer(d->c, v);
    if (v < 0) return false;
    if (node < 0)
        return quernel_ep_value_of(d->c, v)->type == QUERNEL_EP_TYPE_F32 &&
               quernel_ep_plain_read(d->c, v, ret_constant);
    if (!quernel_ep_known(d->c, (uint32_t)node)) return false;
    const quernel_ep_node *n = quernel_ep_node_of(d->c, (uint32_t)node);
    if (quernel_ep_value_of(d->c, n->inputs[0])->type == QUERNEL_EP_TYPE_F32 ||
        !quernel_ep_plain_read(d->c, n->inputs[0], ret_constant) ||
        !dequantize(d->c, (uint32_t)node, ret_constant))
        return false;
    quernel_ep_draft_take(d, (uint32_t)node);
    return true;
}

bool quernel_ep_integers_read(quernel_ep_search *c, int32_t v, const int64_t **ret_integers,
                              uint32_t *ret_count) {
    if (!quernel_ep_is_constant(c, v)) return false;
    const quernel_ep_value *k = quernel_ep_value_of(c, v);
    const size_t size = size_of(k->type), count = size ? k->bytes / size : 0;
    if (k->type != QUERNEL_EP_TYPE_S64 && k->type != QUERNEL_EP_TYPE_S32) return false;
    if (!count || count != count_of(k)) return false;
    int64_t *integers = quernel_ep_region_take(&c->region, count, sizeof *integers);
    if (!integers) return false;
    for (size_t i = 0; i < count; i++) {
        if (size == 8) memcpy(&integers[i], (const uint8_t *)k->data + 8 * i, 8);
        else integers[i] = (int64_t)number(k, i);
    }
    *ret_integers = integers;
    *ret_count = (uint32_t)count;
    return true;
}

// How many axes lie behind the channels.
static uint32_t axes_behind(uint32_t rank, int32_t order) {
    return order == QUERNEL_EP_ORDER_ROWS || rank < 2 ? 0 : rank - 2;
}

bool quernel_ep_is_vector(const quernel_ep_constant *k, uint32_t rank, int32_t order,
                          uint32_t channels) {
    if (k->rank > rank) return false;
    for (uint32_t i = 0; i < k->rank; i++) {
        const bool is_channel = k->rank - 1 - i == axes_behind(rank, order);
        if (k->dims[i] != 1 && !(is_channel && k->dims[i] == (int64_t)channels)) return false;
    }
    return k->count == 1 || k->count == channels;
}

uint32_t quernel_ep_channels(const quernel_ep_search *c, int32_t v, int32_t order) {
    const quernel_ep_value *value = quernel_ep_value_of(c, v);
    if (!value->has_shape || value->rank < 2) return 0;
    const int64_t dim = value->dims[value->rank - 1 - axes_behind(value->rank, order)];
    return dim > 0 && dim <= INT32_MAX ? (uint32_t)dim : 0;
}

bool quernel_ep_same_shape(const quernel_ep_search *c, int32_t a, int32_t b) {
    const quernel_ep_value *x = quernel_ep_value_of(c, a), *z = quernel_ep_value_of(c, b);
    if (!x->has_shape || !z->has_shape || x->rank != z->rank) return false;
    return !memcmp(x->dims, z->dims, x->rank * sizeof *x->dims);
}

quernel_ep_span quernel_ep_put_vector(quernel_ep_search *c, const quernel_ep_constant *k,
                                      uint32_t channels) {
    float *floats = quernel_ep_region_take(&c->region, channels, sizeof *floats);
    if (!floats) return (quernel_ep_span){0, 0};
    for (uint32_t i = 0; i < channels; i++) floats[i] = (float)k->data[k->count > 1 ? i : 0];
    return quernel_ep_data_put(c, floats, channels * sizeof *floats);
}
