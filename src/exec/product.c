// SPDX-License-Identifier: Apache-2.0
// Products of rows by blocks of output channels: pixel by pixel of a line, or a chunk of packed
// rows.
#include "exec/n_block.h"

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t most(uint32_t a, uint32_t b) { return a > b ? a : b; }

// The product of pixels whose rows lie at `a`.
static void multiply(const quernel_i_task *t, const uint8_t *a, uint32_t pixels,
                     const quernel_i_n_block *u, const quernel_i_finish *finish) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    const quernel_i_phase *phase = &u->shape;
    const bool packed = plan->rows.path == QUERNEL_I_PATH_PACKED, whole = plan->rows.whole;
    const ptrdiff_t a_row = packed ? plan->rows.pixel : (ptrdiff_t)p->stride_w * plan->rows.pixel;
    size_t b_panel;
    const void *b = quernel_i_n_block_weights(t, u, &b_panel);
    const quernel_i_gemm call = {a,
                                 a_row,
                                 pixels,
                                 u->columns,
                                 params->runs + (size_t)u->phase * plan->rows.n_runs,
                                 phase->rows * (whole ? 1 : phase->row_taps),
                                 phase->k_groups,
                                 b,
                                 b_panel,
                                 quernel_i_n_block_init(t, quernel_i_n_block_entry(p, u)),
                                 finish,
                                 t->slice + plan->workspace.slice.scratch,
                                 (int32_t)plan->streams.operand,
                                 plan->streams.prefetch,
                                 plan->streams.l1_resident};
    if (params->w_zeros)
        quernel_i_chunk_sum(t, &call, whole ? phase->run_length : p->weights->shape.job_in);
    plan->kernels.main->run.gemm(&call);
}

static void run_joined(const quernel_i_task *t, uint32_t line, uint32_t column, uint32_t pixels,
                       const quernel_i_n_block *u, const uint8_t *a) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    quernel_i_finish finish;
    for (uint32_t i = 0; i < plan->n_blocks.fused; i++) {
        const quernel_i_n_block phase = quernel_i_n_block_phase(p, plan, u->index, i);
        quernel_i_n_block_finish(t, line, column, &phase, &finish);
        quernel_i_joined_collect(t, i, &finish);
        multiply(t, a, pixels, &phase, &finish);
    }
    quernel_i_n_block_finish(t, line, column, u, &finish);
    quernel_i_joined_finish(t, column, pixels, u->columns, &finish);
}

// Pixels of one line, whose rows lie at `a`.
static void run_line(const quernel_i_task *t, uint32_t line, uint32_t column, uint32_t pixels,
                     const quernel_i_n_block *u, const uint8_t *a) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    if (plan->n_blocks.fused > 1) {
        run_joined(t, line, column, pixels, u, a);
        return;
    }
    quernel_i_finish finish;
    quernel_i_n_block_finish(t, line, column, u, &finish);
    if (p->weights->shape.merged) quernel_i_merged_collect(t, line, column, pixels, &finish);
    multiply(t, a, pixels, u, &finish);
    if (p->weights->shape.merged) quernel_i_merged_spread(t, line, column, pixels);
}

// The results of pixels whose rows equal that of the pixel before `column`, which lies inside y in
// every phase.
void quernel_i_equal_line(const quernel_i_task *t, uint32_t line, uint32_t column, uint32_t pixels,
                          const quernel_i_n_block *u) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    for (uint32_t i = 0; i < plan->n_blocks.fused; i++) {
        const quernel_i_n_block phase = quernel_i_n_block_phase(p, plan, u->index, i);
        const uint32_t end = least(column + pixels, most(column, phase.x1));
        quernel_i_finish finish;
        quernel_i_n_block_finish(t, line, column - 1, &phase, &finish);
        quernel_i_equal_copy(&finish, end - column, u->columns);
    }
}

// Pixels [x0, x1) of a line. Some phases lack the first one where y is cropped.
static void run_pixels(const quernel_i_task *t, uint32_t line, uint32_t x0, uint32_t x1,
                       const quernel_i_n_block *u) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const uint32_t step = plan->chunk, first = most(x0, plan->n_blocks.fused > 1 && p->crop_left);
    for (uint32_t x = x0, end; x < x1; x = end) {
        const bool equal = quernel_i_equal_span(t, line, x, &end) && x > first;
        end = least(end, equal || x1 - x < step ? x1 : x + step);
        if (equal) quernel_i_equal_line(t, line, x, end - x, u);
        else run_line(t, line, x, end - x, u, quernel_i_strip_row(t, line, x, u->bundle));
    }
}

// The strip's lines from y0 to y1 as one: pixel m lies at a + m·pixel and at y + m·pixel, whatever
// line it belongs to. The pixels between two lines become numbers of no meaning in y's border,
// which is filled behind us.
static uint32_t flat_pixels(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    return (t->y1 - t->y0 - 1) * (uint32_t)(plan->strip.line / plan->rows.pixel) + p->grid_w;
}

void quernel_i_run_staged(const quernel_i_task *t) {
    const bool flat = t->call->plan->flat;
    quernel_i_equal_find(t);
    for (uint32_t index = t->unit0; index < t->unit1; index++) {
        const quernel_i_n_block u = quernel_i_n_block_at(t->call->problem, t->call->plan, index);
        quernel_i_n_block_prepare(t, index);
        const uint32_t y0 = most(t->y0, u.y0), y1 = flat ? y0 + 1 : least(t->y1, u.y1);
        const uint32_t end = flat ? flat_pixels(t) : least(t->x1, u.x1);
        for (uint32_t line = y0; line < y1; line++) run_pixels(t, line, most(t->x0, u.x0), end, &u);
    }
}

// The rows of a chunk serve all units of a bundle before the next chunk is packed.
static void run_chunk(const quernel_i_task *t, uint32_t line, uint32_t x, uint32_t pixels) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    for (uint32_t index = t->unit0, bundle = UINT32_MAX; index < t->unit1; index++) {
        const quernel_i_n_block u = quernel_i_n_block_at(p, plan, index);
        if (u.bundle != bundle) quernel_i_chunk_pack(t, line, x, pixels, bundle = u.bundle);
        const uint32_t first = most(x, u.x0), end = least(x + pixels, u.x1);
        if (line < u.y0 || line >= u.y1 || first >= end) continue;
        quernel_i_n_block_prepare(t, index);
        run_line(t, line, first, end - first, &u,
                 t->slice + plan->workspace.slice.packed +
                     (ptrdiff_t)(first - x) * plan->rows.pixel);
    }
}

void quernel_i_run_packed(const quernel_i_task *t) {
    const uint32_t step = t->call->plan->chunk;
    for (uint32_t line = t->y0; line < t->y1; line++)
        for (uint32_t x = t->x0; x < t->x1; x += step)
            run_chunk(t, line, x, least(step, t->x1 - x));
}
