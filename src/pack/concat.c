// SPDX-License-Identifier: Apache-2.0
// Several packed weights as one: sibling layers that read one input run as one product.
#include <string.h>

#include "base/error.h"
#include "pack/weights.h"

#define WHERE "concat"

static int refuse(quernel_error *error, uint32_t index, const char *why) {
    return quernel_i_error_set(error, QUERNEL_E_SHAPE, "parts", index, WHERE ": parts[%u]: %s",
                               index, why);
}

static bool same_window(const quernel_i_weights_shape *a, const quernel_i_weights_shape *b) {
    return a->kind == b->kind && a->in == b->in && a->kernel_h == b->kernel_h &&
           a->kernel_w == b->kernel_w && a->up_h == b->up_h && a->up_w == b->up_w;
}

static bool same_smoothing(const quernel_weights *a, const quernel_weights *b) {
    return a->smooth_kind == b->smooth_kind &&
           (!a->smooth_count || !memcmp(a->smooth, b->smooth, a->smooth_count * sizeof *a->smooth));
}

// The shape of all parts together. They must read the same k of the same input.
static int join_shapes(const quernel_weights *const *parts, uint32_t count,
                       quernel_i_weights_shape *ret, bool *ret_zero, quernel_error *error) {
    uint64_t out = 0;
    bool has_zero = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!parts[i]) return quernel_i_error_null(error, WHERE, "parts");
        if (parts[i]->shape.groups != 1) return refuse(error, i, "must have one group");
        if (!same_window(&parts[i]->shape, &parts[0]->shape))
            return refuse(error, i, "kind, in, kernel or stride differ from those of parts[0]");
        if (!same_smoothing(parts[i], parts[0]))
            return refuse(error, i, "its smoothing differs from that of parts[0]");
        out += parts[i]->shape.out;
        has_zero |= parts[i]->has_zero;
    }
    *ret = parts[0]->shape;
    ret->out = (uint32_t)out;
    *ret_zero = has_zero;
    if (out <= UINT32_MAX &&
        quernel_i_weights_shape_fill(ret, has_zero, parts[0]->smooth_kind == QUERNEL_SMOOTH_COLUMN))
        return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "parts", -1,
                               WHERE ": parts: their sizes overflow");
}

// Output channel n of `from` becomes channel `to_n` of `to`.
static void copy_channel(const quernel_weights *from, uint32_t n, quernel_weights *to,
                         uint32_t to_n) {
    to->scale[to_n] = from->scale[n], to->zero[to_n] = from->zero[n];
    for (uint32_t t = 0; t < from->shape.taps; t++) {
        const quernel_i_weight_position source = quernel_i_weight_find(&from->shape, n, t);
        const quernel_i_weight_position target = quernel_i_weight_find(&to->shape, to_n, t);
        for (uint32_t c = 0; c < from->shape.group_in; c++)
            to->packed[quernel_i_weight_byte(&target, c)] =
                from->packed[quernel_i_weight_byte(&source, c)];
    }
}

int quernel_weights_concat(const quernel_weights *const *parts, uint32_t count,
                           const quernel_allocator *allocator, quernel_weights **ret_weights,
                           quernel_error *error) {
    if (!parts) return quernel_i_error_null(error, WHERE, "parts");
    if (!ret_weights) return quernel_i_error_null(error, WHERE, "ret_weights");
    if (!count)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "count", -1,
                                   WHERE ": count: 0: must be 1 or more");
    quernel_i_weights_shape shape;
    bool has_zero = false;
    int code = join_shapes(parts, count, &shape, &has_zero, error);
    if (!code) code = quernel_i_allocator_check(allocator, WHERE, error);
    quernel_weights *w;
    if (!code)
        code =
            quernel_i_weights_allocate(&shape, parts[0]->smooth_count, NULL, allocator, &w, error);
    if (code) return code;
    memset(w->packed, 0, shape.packed_bytes);
    w->has_zero = has_zero;
    w->smooth_kind = parts[0]->smooth_kind;
    if (w->smooth) memcpy(w->smooth, parts[0]->smooth, w->smooth_count * sizeof *w->smooth);
    for (uint32_t i = 0, n = 0; i < count; i++)
        for (uint32_t k = 0; k < parts[i]->shape.out; k++) copy_channel(parts[i], k, w, n++);
    quernel_i_weights_sum(w);
    *ret_weights = w;
    return QUERNEL_OK;
}
