// SPDX-License-Identifier: Apache-2.0
// The layout of the workspace: what all workers share, then a slice for each.
#include "base/error.h"
#include "plan/blocking.h"

// What the kernel reads: rows, weights, its scratch.
static void lay_out_operands(const quernel_i_plan_base *b, const quernel_i_plan *plan,
                             quernel_i_layout *layout, quernel_i_slice *at) {
    const quernel_i_plan_strip *strip = &plan->strip;
    const quernel_i_plan_n_blocks *n = &plan->n_blocks;
    const bool packed = b->rows->path == QUERNEL_I_PATH_IM2COL,
               prepared = quernel_i_plan_prepares(b);
    // Runs of k may be read a little behind the last pixel.
    const size_t strip_bytes = quernel_i_plan_strip_bytes(b, strip->h, strip->w) + QUERNEL_I_LINE,
                 packed_bytes = plan->chunk * (size_t)b->rows->pixel + QUERNEL_I_LINE;
    const size_t panel =
        prepared ? quernel_i_panel_bytes(b->kernels->main, b->problem->weights->shape.k_quads) : 1;
    at->strip = quernel_i_take_offset(layout, b->rows->has_strip ? strip_bytes : 0, 1);
    at->packed = quernel_i_take_offset(layout, packed ? packed_bytes : 0, 1);
    at->block = quernel_i_take_offset(layout, prepared ? n->oc / 16 * n->fused : 0, panel);
    at->scratch = quernel_i_take_offset(layout, quernel_i_plan_scratch_bytes(b), 1);
    at->dedup = quernel_i_take_offset(layout, quernel_i_plan_dedup_blocks(plan), strip->h);
}

// What it writes where its rows are no rows of y: results or sums of a chunk, and their residuals.
static void lay_out_results(const quernel_i_problem *p, const quernel_i_plan *plan,
                            quernel_i_layout *layout, quernel_i_slice *at) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const quernel_i_plan_n_blocks *n = &plan->n_blocks;
    const size_t interleaved = s->interleaved ? (size_t)plan->chunk * s->oc : 0,
                 fused = n->fused > 1 ? (size_t)plan->chunk * n->fused : 0;
    at->tile = s->interleaved ? quernel_i_take_offset(layout, interleaved,
                                                      quernel_type_size((quernel_type)p->y.type))
                              : quernel_i_take_offset(layout, fused, quernel_i_plan_tile_row(n));
    at->residual =
        quernel_i_take_offset(layout, p->epilogue.residual ? interleaved : 0, sizeof(float));
}

// Tables of dynamic quantization, of a chunk's rows or of an image, and of weights' zero points.
static void lay_out_tables(const quernel_i_problem *p, const quernel_i_plan *plan,
                           quernel_i_layout *layout, quernel_i_slice *at) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const bool by_row = quernel_i_problem_by_row(p) || p->quant.row_scale,
               by_image = quernel_i_problem_by_image(p);
    const size_t oc = by_image ? (size_t)s->subproblems * s->oc16 : 0, rows = plan->chunk;
    at->row_scale = quernel_i_take_offset(layout, by_row ? rows : 0, sizeof(float));
    at->row_term = quernel_i_take_offset(layout, by_row ? rows : 0, sizeof(int32_t));
    at->row_sum = quernel_i_take_offset(layout, p->weights->has_zero ? rows : 0, sizeof(int32_t));
    at->init = quernel_i_take_offset(layout, oc, sizeof(int32_t));
    at->scale = quernel_i_take_offset(layout, oc, sizeof(float));
}

static quernel_i_slice lay_out_slice(const quernel_i_plan_base *b, const quernel_i_plan *plan,
                                     quernel_i_layout *layout) {
    const quernel_i_problem *p = b->problem;
    quernel_i_slice at;
    quernel_i_take(layout, 1, QUERNEL_I_LINE); // which n_block's weights are prepared
    lay_out_operands(b, plan, layout, &at);
    lay_out_results(p, plan, layout, &at);
    at.floats = quernel_i_take_offset(layout, (size_t)plan->float_pixels * p->x.c, sizeof(float));
    lay_out_tables(p, plan, layout, &at);
    at.bytes = layout->used;
    return at;
}

int quernel_i_plan_workspace_of(const quernel_i_plan_base *b, const quernel_i_plan *plan,
                                quernel_i_plan_workspace *ret, quernel_error *error) {
    const quernel_i_problem *p = b->problem;
    quernel_i_layout slice = {0}, all = {0};
    ret->slice = lay_out_slice(b, plan, &slice);
    const uint64_t ranges = (uint64_t)p->x.n * plan->range_tasks;
    if (ranges) {
        quernel_i_take(&all, p->x.n, sizeof(quernel_i_image_quant));
        quernel_i_take(&all, ranges, sizeof(quernel_i_piece_range));
    }
    ret->shared = all.used;
    quernel_i_take(&all, plan->workers, slice.used);
    ret->bytes = all.used;
    const uint64_t tasks = (uint64_t)p->x.n * plan->strip.count_h * plan->strip.count_w;
    if (slice.overflow || all.overflow || tasks > INT32_MAX / (uint64_t)plan->n_blocks.n_split ||
        ranges > INT32_MAX)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "x", -1, "%s: x: its sizes overflow",
                                   p->where);
    return QUERNEL_OK;
}
