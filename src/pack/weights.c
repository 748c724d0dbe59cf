// SPDX-License-Identifier: Apache-2.0
// Packed weights: sizes, positions, memory and references.
#include "pack/weights.h"

#include <string.h>

#include "base/desc.h"
#include "base/error.h"

// Sizes above this would overflow what kernels count in 32 bits.
#define MAX_K ((size_t)1 << 26)

static bool depthwise(const quernel_i_weights_shape *s) {
    return s->kind == QUERNEL_WEIGHTS_CONV2D && s->groups > 1 && s->groups == s->in &&
           s->groups == s->out;
}

static void shape_taps(quernel_i_weights_shape *s) {
    s->format = QUERNEL_I_FORMAT_TAPS;
    s->group_pack = 1;
    s->subproblem_in = s->group_in;
    s->subproblems = 1;
    s->oc = s->out;
    s->k_run_length = 1;
    s->k_quads = s->run_k_quads = 0;
}

static uint32_t k_quads_of(uint32_t k) { return (k + 3) / 4; }

// Groups that fill the 16 output channels of a panel best: zeros beside the diagonal cost what
// padded output channels would, without a subproblem, an epilogue and runs of a few bytes for each
// group.
static uint32_t group_pack_of(const quernel_i_weights_shape *s) {
    uint32_t group_pack = s->group_out < 16 ? 16 / s->group_out : 1;
    while (s->groups % group_pack) group_pack--;
    return group_pack;
}

static void shape_w16x4(quernel_i_weights_shape *s, bool has_zero) {
    s->format = QUERNEL_I_FORMAT_W16X4;
    s->group_pack = has_zero ? 1 : group_pack_of(s);
    s->subproblem_in = s->group_pack * s->group_in;
    s->interleaved = s->phases > 1 && s->groups == 1 && s->out <= 16 / s->phases && !has_zero;
    s->oc = s->group_pack * s->group_out * (s->interleaved ? s->phases : 1);
    if (s->interleaved) s->phases = 1;
    s->subproblems = s->groups / s->group_pack * s->phases;
    s->k_run_length = s->window_w * s->subproblem_in;
    s->run_k_quads = k_quads_of(s->k_run_length);
    s->k_quads = s->window_h * s->run_k_quads;
}

// Taps of a kernel that meet the sub-pixel p of each patch; 1 where none does.
static uint32_t taps_at(uint32_t kernel, uint32_t up, uint32_t p) {
    return p < kernel ? (kernel - p - 1) / up + 1 : 1;
}

// Sub-pixels before `end` that meet as many taps as the first; the others meet as many as the last.
static uint32_t like_first(uint32_t kernel, uint32_t up, uint32_t end) {
    const uint32_t more = kernel % up;
    return end < more ? end : more;
}

// Σ over the lines of sub-pixels before `end`: kernel rows.
static size_t rows_before(const quernel_i_weights_shape *s, uint32_t end) {
    const uint32_t more = like_first(s->kernel_h, s->up_h, end);
    return (size_t)more * taps_at(s->kernel_h, s->up_h, 0) +
           (size_t)(end - more) * taps_at(s->kernel_h, s->up_h, s->up_h - 1);
}

// Σ over the sub-pixels of a line before `end`: quads of k of a run.
static size_t run_k_quads_before(const quernel_i_weights_shape *s, uint32_t end) {
    const uint32_t more = like_first(s->kernel_w, s->up_w, end);
    const uint32_t first = taps_at(s->kernel_w, s->up_w, 0),
                   last = taps_at(s->kernel_w, s->up_w, s->up_w - 1);
    return (size_t)more * k_quads_of(first * s->subproblem_in) +
           (size_t)(end - more) * k_quads_of(last * s->subproblem_in);
}

quernel_i_phase quernel_i_weights_phase(const quernel_i_weights_shape *s, uint32_t phase) {
    assert(phase < s->phases || s->interleaved);
    const uint32_t py = phase / s->up_w, px = phase % s->up_w;
    quernel_i_phase p = {.empty = py >= s->kernel_h || px >= s->kernel_w};
    p.rows = taps_at(s->kernel_h, s->up_h, py);
    p.row_taps = taps_at(s->kernel_w, s->up_w, px);
    p.k_run_length = p.row_taps * s->subproblem_in;
    p.run_k_quads = k_quads_of(p.k_run_length);
    p.k_quads = p.rows * p.run_k_quads;
    p.panel_bytes = (size_t)64 * p.k_quads;
    p.offset =
        (size_t)s->oc16 / 16 * 64 *
        (rows_before(s, py) * run_k_quads_before(s, s->up_w) + p.rows * run_k_quads_before(s, px));
    return p;
}

bool quernel_i_weights_shape_fill(quernel_i_weights_shape *s, bool has_zero, bool by_column) {
    size_t taps, k, phases, subproblems, panel, bytes;
    s->group_in = s->in / s->groups;
    s->group_out = s->out / s->groups;
    if (!quernel_i_mul(s->kernel_h, s->kernel_w, &taps) || taps > MAX_K) return false;
    if (!quernel_i_mul(taps, s->group_in, &k) || k > MAX_K) return false;
    if (s->up_h > QUERNEL_I_STRIDE_MAX || s->up_w > QUERNEL_I_STRIDE_MAX) return false;
    if (!quernel_i_mul(s->up_h, s->up_w, &phases) ||
        !quernel_i_mul(phases, s->groups, &subproblems))
        return false;
    if (subproblems > MAX_K || s->out > MAX_K || s->in > MAX_K) return false;
    s->taps = (uint32_t)taps;
    s->phases = (uint32_t)phases;
    s->window_h = taps_at(s->kernel_h, s->up_h, 0);
    s->window_w = taps_at(s->kernel_w, s->up_w, 0);
    const bool by_taps = depthwise(s) && !has_zero && !by_column;
    if (by_taps) shape_taps(s);
    else shape_w16x4(s, has_zero);
    s->oc16 = (uint32_t)quernel_i_round_up(s->oc, 16);
    if (s->interleaved) panel = s->k_quads;
    else if (!quernel_i_mul(rows_before(s, s->up_h), run_k_quads_before(s, s->up_w), &panel))
        return false;
    if (by_taps) s->group_pack_bytes = (size_t)s->oc16 * s->taps;
    else if (!quernel_i_mul(panel, (size_t)s->oc16 * 4, &s->group_pack_bytes)) return false;
    if (!quernel_i_mul(s->group_pack_bytes, by_taps ? 1 : s->groups / s->group_pack, &bytes) ||
        bytes > SIZE_MAX / 4)
        return false;
    s->packed_bytes = bytes;
    return true;
}

// All sub-pixels in one phase: the whole window, turned around.
static quernel_i_weight_position find_interleaved(const quernel_i_weights_shape *s, uint32_t n,
                                                  uint32_t row, uint32_t tap) {
    const uint32_t oc = (row % s->up_h * s->up_w + tap % s->up_w) * s->out + n;
    row = s->window_h - 1 - row / s->up_h, tap = s->window_w - 1 - tap / s->up_w;
    return (quernel_i_weight_position){0, oc, (size_t)oc * 4,
                                       (size_t)row * s->run_k_quads * 4 + (size_t)tap * s->in};
}

quernel_i_weight_position quernel_i_weight_find(const quernel_i_weights_shape *s, uint32_t n,
                                                uint32_t t) {
    assert(n < s->out && t < s->taps);
    if (s->format == QUERNEL_I_FORMAT_TAPS)
        return (quernel_i_weight_position){0, n, (size_t)t * s->oc16 + n, 0};
    const uint32_t group_pack = n / s->oc, oc = n % s->oc, first = oc / s->group_out * s->group_in;
    uint32_t row = t / s->kernel_w, tap = t % s->kernel_w;
    if (s->interleaved) return find_interleaved(s, n, row, tap);
    const uint32_t phase = row % s->up_h * s->up_w + tap % s->up_w;
    const quernel_i_phase p = quernel_i_weights_phase(s, phase);
    if (s->kind == QUERNEL_WEIGHTS_DECONV2D)
        row = p.rows - 1 - row / s->up_h, tap = p.row_taps - 1 - tap / s->up_w;
    const size_t base =
        group_pack * s->group_pack_bytes + p.offset + oc / 16 * p.panel_bytes + oc % 16 * 4;
    return (quernel_i_weight_position){group_pack * s->phases + phase, oc, base,
                                       (size_t)row * p.run_k_quads * 4 +
                                           (size_t)tap * s->subproblem_in + first};
}

static void lay_out(quernel_weights *w, quernel_i_layout *block, const quernel_i_weights_shape *s,
                    size_t smooth_count, bool packs) {
    quernel_i_take(block, 1, sizeof(quernel_weights));
    const size_t oc = (size_t)s->subproblems * s->oc16;
    int32_t *sum = quernel_i_take(block, oc, sizeof *sum);
    uint64_t *abs_sum = quernel_i_take(block, oc, sizeof *abs_sum);
    float *scale = quernel_i_take(block, s->out, sizeof *scale);
    int32_t *zero = quernel_i_take(block, s->out, sizeof *zero);
    float *smooth = smooth_count ? quernel_i_take(block, smooth_count, sizeof *smooth) : NULL;
    if (w) memset(w, 0, block->used);
    int8_t *packed = packs ? quernel_i_take(block, s->packed_bytes, 1) : NULL;
    if (!w) return;
    w->packed = packed, w->sum = sum, w->abs_sum = abs_sum;
    w->scale = scale, w->zero = zero, w->smooth = smooth;
}

int quernel_i_weights_allocate(const quernel_i_weights_shape *shape, size_t smooth_count,
                               const int8_t *packed, const quernel_allocator *allocator,
                               quernel_weights **ret_weights, quernel_error *error) {
    quernel_i_layout block = {0};
    lay_out(NULL, &block, shape, smooth_count, !packed);
    if (block.overflow)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "out", -1,
                                   "weights: their size in bytes overflows");
    const quernel_allocator memory = quernel_i_allocator(allocator);
    quernel_weights *w = quernel_i_allocate(&memory, block.used);
    if (!w)
        return quernel_i_error_set(error, QUERNEL_E_MEMORY, "allocator", -1,
                                   "weights: no memory for %zu bytes", block.used);
    const size_t bytes = block.used;
    block = (quernel_i_layout){.base = (uint8_t *)w};
    lay_out(w, &block, shape, smooth_count, !packed);
    if (packed) w->packed = (int8_t *)(uintptr_t)packed; // read alone from here on
    atomic_init(&w->references, 1);
    w->allocator = memory;
    w->bytes = bytes;
    w->shape = *shape;
    w->smooth_count = smooth_count;
    *ret_weights = w;
    return QUERNEL_OK;
}

quernel_weights *quernel_weights_retain(quernel_weights *weights) {
    if (weights) atomic_fetch_add_explicit(&weights->references, 1, memory_order_relaxed);
    return weights;
}

void quernel_weights_release(quernel_weights *weights) {
    if (!weights || atomic_fetch_sub_explicit(&weights->references, 1, memory_order_acq_rel) != 1)
        return;
    const quernel_allocator memory = weights->allocator;
    quernel_i_release(&memory, weights, weights->bytes);
}

int quernel_weights_get(const quernel_weights *w, quernel_weights_info *ret_info) {
    if (!w || !ret_info) return QUERNEL_E_NULL;
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_weights_info, QUERNEL_WEIGHTS_INFO_MIN, "weights", "size");
    if (quernel_i_desc_check(desc, ret_info, NULL)) return QUERNEL_E_VALUE;
    const quernel_i_weights_shape *s = &w->shape;
    const quernel_weights_info info = {
        sizeof info, (int32_t)s->kind, s->out,         s->in,    s->kernel_h,
        s->kernel_w, s->groups,        w->smooth_kind, w->scale, w->has_zero ? w->zero : NULL,
        w->smooth,   s->packed_bytes,  s->up_h,        s->up_w};
    quernel_i_desc_write(desc, ret_info, &info);
    return QUERNEL_OK;
}
