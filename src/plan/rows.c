// SPDX-License-Identifier: Apache-2.0
// How the rows that the kernel reads come to be.
#include "plan/rows.h"

#include "plan/tiled.h"

// Whether every tap of every output pixel lies inside the tensor or its border.
static bool taps_inside(const quernel_i_problem *p, int64_t border_h, int64_t border_w) {
    const int64_t bottom = (int64_t)(p->grid_h - 1) * p->stride_h +
                           (int64_t)(p->kernel_h - 1) * p->dilation_h - p->pad_top;
    const int64_t right = (int64_t)(p->grid_w - 1) * p->stride_w +
                          (int64_t)(p->kernel_w - 1) * p->dilation_w - p->pad_left;
    return p->pad_top <= border_h && p->pad_left <= border_w &&
           bottom < (int64_t)p->x.h + border_h && right < (int64_t)p->x.w + border_w;
}

// Whether taps of one kernel row lie side by side in memory, so that one run covers them.
static bool whole_rows(const quernel_i_problem *p, int64_t pixel) {
    return p->kernel_w == 1 ||
           (p->weights->shape.subproblem_in == p->x.c && p->dilation_w == 1 && pixel == p->x.c);
}

// Runs read up to 3 bytes behind their last k; tap by tap the packed order leaves no room for that.
static bool taps_aligned(const quernel_i_problem *p) {
    return p->weights->shape.subproblem_in % 4 == 0;
}

static bool can_read_in_place(const quernel_i_problem *p, const quernel_i_plan_kernels *k) {
    if (!quernel_i_problem_int8_input(p) || k->a_offset || p->x.layout != QUERNEL_LAYOUT_NHWC)
        return false;
    if (quernel_i_problem_depthwise(p)) return true; // pads by itself
    if (!taps_inside(p, p->x.border_h, p->x.border_w)) return false;
    if (quernel_i_plan_kernel_is_conv(k->main)) // reads no byte more
        return !k->main->fits.whole_lines || p->x.stride_w == p->weights->shape.subproblem_in;
    // The phases of a deconvolution differ in the length of their runs.
    const bool one_length = whole_rows(p, p->x.stride_w) && p->weights->shape.phases == 1;
    return one_length ? p->weights->shape.k_run_length % 4 == 0 : taps_aligned(p);
}

static bool must_pack(const quernel_i_problem *p, const quernel_i_plan_kernels *k) {
    if (quernel_i_problem_depthwise(p)) return false;
    const bool by_row =
        quernel_i_problem_by_row(p) || (p->quant.row_scale && !quernel_i_problem_int8_input(p));
    if (by_row || p->weights->smooth_kind == QUERNEL_SMOOTH_COLUMN) return true;
    return !quernel_i_plan_kernel_is_conv(k->main) && !whole_rows(p, p->x.c) && !taps_aligned(p);
}

// Output channels that pay for copying a row: of 4096 bytes, 28 rows a strip and more, 256
// give 1.11 times the speed, 64 1.03 (Zen 4).
#define COPIED_OC 256
#define L1_WAY 4096 // bytes of a way of L1: of 64 sets of 64 bytes, as x86's are
// A set of L1 that is shared by all rows of a register tile serves half as many again as it has
// ways: of 8 (Zen 4, a pitch of 4096 bytes) 11 rows lose nothing, 12 5 %, 13 14 %, 14 20 to 27 %;
// 14 rows and 12 ways, on Emerald Rapids, reach 95 % of the peak.
static bool rows_collide(const quernel_i_problem *p, const quernel_i_kernel *k,
                         const quernel_i_machine *m) {
    const int64_t row_bytes = p->x.stride_w * p->stride_w;
    return p->kernel_h * p->kernel_w == 1 && row_bytes % L1_WAY == 0 &&
           2 * (size_t)k->mr > 3 * (m->l1d_bytes / L1_WAY) && p->weights->shape.oc16 >= COPIED_OC;
}

bool quernel_i_plan_path_of(const quernel_i_problem *p, const quernel_i_plan_kernels *k,
                            const quernel_i_config *config, const quernel_i_machine *m,
                            quernel_i_path *ret) {
    const bool pack = must_pack(p, k), in_place = !pack && can_read_in_place(p, k);
    const bool copy = in_place && (quernel_i_tiled_copy(p, k->main, p->x.stride_w * p->stride_w) ||
                                   rows_collide(p, k->main, m));
    *ret = pack                ? QUERNEL_I_PATH_IM2COL
           : in_place && !copy ? QUERNEL_I_PATH_INPLACE
                               : QUERNEL_I_PATH_STAGED;
    if (!config->path) return true;
    *ret = (quernel_i_path)(config->path - 1);
    switch (*ret) {
    case QUERNEL_I_PATH_IM2COL: return !quernel_i_problem_depthwise(p);
    case QUERNEL_I_PATH_STAGED: return !pack;
    default: return in_place;
    }
}

// Bytes from row to row where they are copied.
static ptrdiff_t copied_pixel(const quernel_i_problem *p, const quernel_i_plan_kernels *k,
                              bool packed) {
    const size_t bytes = packed ? (size_t)p->weights->shape.k_quads * 4 : p->x.c;
    // Rows a multiple of 2048 bytes apart would fall into too few sets of L1. Tiles keep many lines
    // of each of 32 rows there, which would overlap if each row began a set behind the one before.
    const bool spread = bytes % 2048 == 0 && (packed || p->kernel_w == 1) &&
                        !quernel_i_plan_kernel_is_conv(k->main);
    const size_t sets = bytes % 4096 == 0 && k->main->tiles ? 5 : 1;
    return (ptrdiff_t)(bytes + (spread ? sets * QUERNEL_I_LINE : 0));
}

quernel_i_plan_rows quernel_i_plan_rows_of(const quernel_i_problem *p,
                                           const quernel_i_plan_kernels *k, quernel_i_path path) {
    const bool packed = path == QUERNEL_I_PATH_IM2COL, in_place = path == QUERNEL_I_PATH_INPLACE;
    const bool read_where_they_are = packed && p->x.type == QUERNEL_TYPE_F32 &&
                                     p->x.layout == QUERNEL_LAYOUT_NHWC && p->kernel_h == 1 &&
                                     p->kernel_w == 1 && taps_inside(p, 0, 0);
    const bool whole = packed || whole_rows(p, in_place ? p->x.stride_w : p->x.c);
    return (quernel_i_plan_rows){.path = path,
                                 .has_strip = !in_place && !read_where_they_are,
                                 .whole = whole,
                                 .n_k_runs = p->kernel_h * (whole ? 1 : p->kernel_w),
                                 .pixel = in_place ? (ptrdiff_t)p->x.stride_w
                                                   : copied_pixel(p, k, packed)};
}
