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
    s->bundle = 1;
    s->job_in = s->group_in;
    s->jobs = 1;
    s->columns = s->out;
    s->run_length = 1;
    s->k_groups = s->run_groups = 0;
}

static uint32_t groups_of_4(uint32_t k) { return (k + 3) / 4; }

// Groups that fill the 16 columns of a panel best: zeros beside the diagonal cost what padded columns would, without a
// job, a finish and runs of a few bytes for each group.
static uint32_t bundle_of(const quernel_i_weights_shape *s) {
    uint32_t bundle = s->group_out < 16 ? 16 / s->group_out : 1;
    while (s->groups % bundle) bundle--;
    return bundle;
}

static void shape_w16x4(quernel_i_weights_shape *s, bool has_zero) {
    s->format = QUERNEL_I_FORMAT_W16X4;
    s->bundle = has_zero ? 1 : bundle_of(s);
    s->job_in = s->bundle * s->group_in;
    s->merged = s->phases > 1 && s->groups == 1 && s->out <= 16 / s->phases && !has_zero;
    s->columns = s->bundle * s->group_out * (s->merged ? s->phases : 1);
    if (s->merged) s->phases = 1;
    s->jobs = s->groups / s->bundle * s->phases;
    s->run_length = s->window_w * s->job_in;
    s->run_groups = groups_of_4(s->run_length);
    s->k_groups = s->window_h * s->run_groups;
}

// Taps of a kernel that meet the output places p, p + up, …; 1 where none does.
static uint32_t taps_at(uint32_t kernel, uint32_t up, uint32_t p) { return p < kernel ? (kernel - p - 1) / up + 1 : 1; }

// Σ over the lines of phases before `end`: kernel rows.
static size_t rows_before(const quernel_i_weights_shape *s, uint32_t end) {
    size_t sum = 0;
    for (uint32_t p = 0; p < end; p++) sum += taps_at(s->kernel_h, s->up_h, p);
    return sum;
}

// Σ over the columns of phases before `end`: groups of 4 k of a run.
static size_t run_groups_before(const quernel_i_weights_shape *s, uint32_t end) {
    size_t sum = 0;
    for (uint32_t p = 0; p < end; p++) sum += groups_of_4(taps_at(s->kernel_w, s->up_w, p) * s->job_in);
    return sum;
}

quernel_i_phase quernel_i_weights_phase(const quernel_i_weights_shape *s, uint32_t phase) {
    assert(phase < s->phases || s->merged);
    const uint32_t py = phase / s->up_w, px = phase % s->up_w;
    quernel_i_phase p = {.empty = py >= s->kernel_h || px >= s->kernel_w};
    p.rows = taps_at(s->kernel_h, s->up_h, py);
    p.row_taps = taps_at(s->kernel_w, s->up_w, px);
    p.run_length = p.row_taps * s->job_in;
    p.run_groups = groups_of_4(p.run_length);
    p.k_groups = p.rows * p.run_groups;
    p.panel_bytes = (size_t)64 * p.k_groups;
    p.offset = (size_t)s->columns16 / 16 * 64 *
               (rows_before(s, py) * run_groups_before(s, s->up_w) + p.rows * run_groups_before(s, px));
    return p;
}

bool quernel_i_weights_shape_fill(quernel_i_weights_shape *s, bool has_zero, bool by_column) {
    size_t taps, k, phases, jobs, panel, bytes;
    s->group_in = s->in / s->groups;
    s->group_out = s->out / s->groups;
    if (!quernel_i_mul(s->kernel_h, s->kernel_w, &taps) || taps > MOST_K) return false;
    if (!quernel_i_mul(taps, s->group_in, &k) || k > MOST_K) return false;
    if (s->up_h > QUERNEL_I_STRIDE_MOST || s->up_w > QUERNEL_I_STRIDE_MOST) return false;
    if (!quernel_i_mul(s->up_h, s->up_w, &phases) || !quernel_i_mul(phases, s->groups, &jobs)) return false;
    if (jobs > MOST_K || s->out > MOST_K || s->in > MOST_K) return false;
    s->taps = (uint32_t)taps;
    s->phases = (uint32_t)phases;
    s->window_h = taps_at(s->kernel_h, s->up_h, 0);
    s->window_w = taps_at(s->kernel_w, s->up_w, 0);
    const bool by_taps = depthwise(s) && !has_zero && !by_column;
    if (by_taps) shape_taps(s);
    else shape_w16x4(s, has_zero);
    s->columns16 = (uint32_t)quernel_i_round_up(s->columns, 16);
    if (s->merged) panel = s->k_groups;
    else if (!quernel_i_mul(rows_before(s, s->up_h), run_groups_before(s, s->up_w), &panel)) return false;
    if (by_taps) s->bundle_bytes = (size_t)s->columns16 * s->taps;
    else if (!quernel_i_mul(panel, (size_t)s->columns16 * 4, &s->bundle_bytes)) return false;
    if (!quernel_i_mul(s->bundle_bytes, by_taps ? 1 : s->groups / s->bundle, &bytes) || bytes > SIZE_MAX / 4) return false;
    s->packed_bytes = bytes;
    return true;
}

// All places in one phase: the whole window, turned around.
static quernel_i_weight_place find_merged(const quernel_i_weights_shape *s, uint32_t n, uint32_t row, uint32_t tap) {
    const uint32_t column = (row % s->up_h * s->up_w + tap % s->up_w) * s->out + n;
    row = s->window_h - 1 - row / s->up_h, tap = s->window_w - 1 - tap / s->up_w;
    return (quernel_i_weight_place){0, column, (size_t)column * 4, (size_t)row * s->run_groups * 4 + (size_t)tap * s->in};
}

quernel_i_weight_place quernel_i_weight_find(const quernel_i_weights_shape *s, uint32_t n, uint32_t t) {
    assert(n < s->out && t < s->taps);
    if (s->format == QUERNEL_I_FORMAT_TAPS)
        return (quernel_i_weight_place){0, n, (size_t)t * s->columns16 + n, 0};
    const uint32_t bundle = n / s->columns, column = n % s->columns, first = column / s->group_out * s->group_in;
    uint32_t row = t / s->kernel_w, tap = t % s->kernel_w;
    if (s->merged) return find_merged(s, n, row, tap);
    const uint32_t phase = row % s->up_h * s->up_w + tap % s->up_w;
    const quernel_i_phase p = quernel_i_weights_phase(s, phase);
    if (s->kind == QUERNEL_WEIGHTS_DECONV2D) row = p.rows - 1 - row / s->up_h, tap = p.row_taps - 1 - tap / s->up_w;
    const size_t base = bundle * s->bundle_bytes + p.offset + column / 16 * p.panel_bytes + column % 16 * 4;
    return (quernel_i_weight_place){bundle * s->phases + phase, column, base,
                                    (size_t)row * p.run_groups * 4 + (size_t)tap * s->job_in + first};
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
                const int32_t q = (int32_t)w->packed[quernel_i_weight_byte(&at, c)], d = q - w->zero[n];
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
                                       s->packed_bytes, s->up_h, s->up_w};
    return QUERNEL_OK;
}
