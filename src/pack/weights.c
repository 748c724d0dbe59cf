// SPDX-License-Identifier: Apache-2.0
// Packed weights: sizes, places, memory and references.
#include "pack/weights.h"

#include <string.h>

#include "base/error.h"

// Sizes above this would overflow what kernels count in 32 bits.
#define MOST_K ((size_t)1 << 26)

static bool depthwise(const quernel_i_weights_shape *s) {
    return s->kind == QUERNEL_WEIGHTS_CONV2D && s->groups > 1 && s->groups == s->in && s->groups == s->out;
}

static void shape_taps(quernel_i_weights_shape *s) {
    s->format = QUERNEL_I_FORMAT_TAPS;
    s->jobs = 1;
    s->columns = s->out;
    s->runs = s->taps;
    s->run_length = 1;
    s->run_groups = 0;
}

static void shape_w16x4(quernel_i_weights_shape *s) {
    const bool conv = s->kind == QUERNEL_WEIGHTS_CONV2D;
    s->format = QUERNEL_I_FORMAT_W16X4;
    s->jobs = s->kind == QUERNEL_WEIGHTS_DECONV2D ? s->groups * s->taps : s->groups;
    s->columns = s->group_out;
    s->runs = conv ? s->kernel_h : 1;
    s->run_length = conv ? s->kernel_w * s->group_in : s->group_in;
    s->run_groups = (s->run_length + 3) / 4;
}

bool quernel_i_weights_shape_fill(quernel_i_weights_shape *s, bool plain) {
    size_t taps, k, jobs, bytes;
    s->group_in = s->in / s->groups;
    s->group_out = s->out / s->groups;
    if (!quernel_i_mul(s->kernel_h, s->kernel_w, &taps) || taps > MOST_K) return false;
    if (!quernel_i_mul(taps, s->group_in, &k) || k > MOST_K) return false;
    if (!quernel_i_mul(taps, s->groups, &jobs) || jobs > MOST_K || s->out > MOST_K || s->in > MOST_K) return false;
    s->taps = (uint32_t)taps;
    if (plain && depthwise(s)) shape_taps(s);
    else shape_w16x4(s);
    s->columns16 = (uint32_t)quernel_i_round_up(s->columns, 16);
    s->k_groups = s->runs * s->run_groups;
    const bool by_taps = s->format == QUERNEL_I_FORMAT_TAPS;
    s->panel_bytes = by_taps ? (size_t)16 * s->taps : (size_t)64 * s->k_groups;
    if (!quernel_i_mul(s->columns16 / 16, s->panel_bytes, &s->job_bytes)) return false;
    if (!quernel_i_mul(s->job_bytes, s->jobs, &bytes) || bytes > SIZE_MAX / 4) return false;
    s->packed_bytes = bytes;
    return true;
}

quernel_i_weight_place quernel_i_weight_find(const quernel_i_weights_shape *s, uint32_t n, uint32_t t) {
    if (s->format == QUERNEL_I_FORMAT_TAPS)
        return (quernel_i_weight_place){0, n, (size_t)t * s->columns16 + n, 0};
    const uint32_t group = n / s->group_out, column = n % s->group_out;
    const bool deconv = s->kind == QUERNEL_WEIGHTS_DECONV2D;
    const uint32_t job = deconv ? group * s->taps + t : group;
    size_t k = 0;
    if (s->kind == QUERNEL_WEIGHTS_CONV2D)
        k = (size_t)(t / s->kernel_w) * s->run_groups * 4 + (size_t)(t % s->kernel_w) * s->group_in;
    const size_t base = job * s->job_bytes + column / 16 * s->panel_bytes + column % 16 * 4;
    return (quernel_i_weight_place){job, column, base, k};
}

static void lay_out(quernel_weights *w, quernel_i_layout *block, const quernel_i_weights_shape *s, size_t smooth_count) {
    quernel_i_take(block, 1, sizeof(quernel_weights));
    int8_t *packed = quernel_i_take(block, s->packed_bytes, 1);
    const size_t columns = (size_t)s->jobs * s->columns16;
    int32_t *sum = quernel_i_take(block, columns, sizeof *sum);
    uint64_t *reach = quernel_i_take(block, columns, sizeof *reach);
    float *scale = quernel_i_take(block, s->out, sizeof *scale);
    int32_t *zero = quernel_i_take(block, s->out, sizeof *zero);
    float *smooth = smooth_count ? quernel_i_take(block, smooth_count, sizeof *smooth) : NULL;
    if (!w) return;
    w->packed = packed, w->sum = sum, w->reach = reach;
    w->scale = scale, w->zero = zero, w->smooth = smooth;
}

int quernel_i_weights_allocate(const quernel_i_weights_shape *shape, size_t smooth_count,
                               const quernel_allocator *allocator, quernel_weights **ret_weights, quernel_error *error) {
    quernel_i_layout block = {0};
    lay_out(NULL, &block, shape, smooth_count);
    if (block.overflow)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "out", -1, "weights: their size in bytes overflows");
    const quernel_allocator memory = quernel_i_allocator(allocator);
    quernel_weights *w = quernel_i_allocate(&memory, block.used);
    if (!w)
        return quernel_i_error_set(error, QUERNEL_E_MEMORY, "allocator", -1, "weights: no memory for %zu bytes",
                                   block.used);
    memset(w, 0, block.used);
    atomic_init(&w->references, 1);
    w->allocator = memory;
    w->bytes = block.used;
    w->shape = *shape;
    w->smooth_count = smooth_count;
    block = (quernel_i_layout){.base = (uint8_t *)w};
    lay_out(w, &block, shape, smooth_count);
    *ret_weights = w;
    return QUERNEL_OK;
}

void quernel_i_weights_sum(quernel_weights *w) {
    const quernel_i_weights_shape *s = &w->shape;
    const size_t columns = (size_t)s->jobs * s->columns16;
    memset(w->sum, 0, columns * sizeof *w->sum);
    memset(w->reach, 0, columns * sizeof *w->reach);
    for (uint32_t n = 0; n < s->out; n++)
        for (uint32_t t = 0; t < s->taps; t++) {
            const quernel_i_weight_place at = quernel_i_weight_find(s, n, t);
            const size_t j = (size_t)at.job * s->columns16 + at.column;
            for (uint32_t c = 0; c < s->group_in; c++) {
                const int32_t q = w->packed[quernel_i_weight_byte(&at, c)], d = q - w->zero[n];
                w->sum[j] += q;
                w->reach[j] += (uint64_t)(d < 0 ? -d : d);
            }
        }
}

quernel_weights *quernel_weights_retain(quernel_weights *weights) {
    if (weights) atomic_fetch_add_explicit(&weights->references, 1, memory_order_relaxed);
    return weights;
}

void quernel_weights_release(quernel_weights *weights) {
    if (!weights || atomic_fetch_sub_explicit(&weights->references, 1, memory_order_acq_rel) != 1) return;
    const quernel_allocator memory = weights->allocator;
    quernel_i_release(&memory, weights, weights->bytes);
}

int quernel_weights_get(const quernel_weights *w, quernel_weights_info *ret_info) {
    if (!w || !ret_info) return QUERNEL_E_NULL;
    if (ret_info->size != sizeof *ret_info) return QUERNEL_E_VALUE;
    const quernel_i_weights_shape *s = &w->shape;
    *ret_info = (quernel_weights_info){sizeof *ret_info, (int32_t)s->kind, s->out, s->in, s->kernel_h, s->kernel_w,
                                       s->groups, w->smooth_kind, w->scale, w->has_zero ? w->zero : NULL, w->smooth,
                                       s->packed_bytes};
    return QUERNEL_OK;
}
