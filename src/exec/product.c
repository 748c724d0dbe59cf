// SPDX-License-Identifier: Apache-2.0
// Products of rows by blocks of output channels: pixel by pixel of a line, or a chunk of packed
// rows.
#include "exec/n_block.h"
#include "plan/sizes.h"

// Fills the slice's row_sum: Σ of the real k of each row, k_run_bytes of each k run. A zero point
// of the weights takes w_zero times that from the sums.
static void sum_rows(const quernel_i_task *t, const quernel_i_gemm *g, uint32_t k_run_bytes) {
    const quernel_i_plan *plan = t->call->plan;
    int32_t *sum = (int32_t *)(t->slice + plan->workspace.slice.row_sum);
    const bool is_signed = plan->kernels.main->a_type == QUERNEL_TYPE_S8;
    for (uint32_t m = 0; m < g->rows; m++) {
        int32_t total = 0;
        for (uint32_t r = 0; r < g->n_k_runs; r++) {
            const uint8_t *k = (const uint8_t *)g->a + m * g->a_row + g->k_runs[r].offset;
            for (uint32_t i = 0; i < k_run_bytes; i++) total += is_signed ? (int8_t)k[i] : k[i];
        }
        sum[m] = total;
    }
}

// The product of pixels whose rows lie at `a`.
static void multiply(const quernel_i_task *t, const uint8_t *a, uint32_t pixels,
                     const quernel_i_n_block *block, const quernel_i_epilogue *epilogue) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    const quernel_i_phase *phase = &block->shape;
    const bool packed = plan->rows.path == QUERNEL_I_PATH_IM2COL, whole = plan->rows.whole;
    const ptrdiff_t a_row = packed ? plan->rows.pixel : (ptrdiff_t)p->stride_w * plan->rows.pixel;
    size_t b_panel;
    const void *b = quernel_i_n_block_weights(t, block, &b_panel);
    const quernel_i_gemm call = {a,
                                 a_row,
                                 pixels,
                                 block->oc,
                                 params->k_runs + (size_t)block->phase * plan->rows.n_k_runs,
                                 phase->rows * (whole ? 1 : phase->row_taps),
                                 phase->k_quads,
                                 b,
                                 b_panel,
                                 quernel_i_n_block_init(t, quernel_i_n_block_entry(p, block)),
                                 epilogue,
                                 t->slice + plan->workspace.slice.scratch,
                                 (int32_t)plan->streams.operand,
                                 plan->streams.prefetch,
                                 plan->streams.l1_resident,
                                 block->ahead};
    if (params->w_zeros)
        sum_rows(t, &call, whole ? phase->k_run_length : p->weights->shape.subproblem_in);
    plan->kernels.main->run.gemm(&call);
}

static void run_fused_line(const quernel_i_task *t, uint32_t line, uint32_t ox, uint32_t pixels,
                           const quernel_i_n_block *block, const uint8_t *a) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    quernel_i_epilogue whole, epilogue;
    quernel_i_n_block_epilogue(t, line, ox, block, &whole);
    for (uint32_t i = 0; i < plan->n_blocks.fused; i++) {
        const quernel_i_n_block phase = quernel_i_n_block_phase(p, plan, block->index, i);
        quernel_i_n_block_epilogue(t, line, ox, &phase, &epilogue);
        quernel_i_fused_line_collect(t, i, &epilogue);
        quernel_i_fused_line_fetch(t, i, ox, pixels, block->oc, &whole);
        multiply(t, a, pixels, &phase, &epilogue);
    }
    quernel_i_fused_line_epilogue(t, ox, pixels, block->oc, &whole);
}

// Pixels of one line, whose rows lie at `a`.
static void run_line(const quernel_i_task *t, uint32_t line, uint32_t ox, uint32_t pixels,
                     const quernel_i_n_block *block, const uint8_t *a) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    if (plan->n_blocks.fused > 1) {
        run_fused_line(t, line, ox, pixels, block, a);
        return;
    }
    quernel_i_epilogue epilogue;
    quernel_i_n_block_epilogue(t, line, ox, block, &epilogue);
    if (p->weights->shape.interleaved)
        quernel_i_interleaved_collect(t, line, ox, pixels, &epilogue);
    multiply(t, a, pixels, block, &epilogue);
    if (p->weights->shape.interleaved) quernel_i_interleaved_spread(t, line, ox, pixels);
}

// Pixels [x0, x1) of a line. Some phases lack the first one where y is cropped.
static void run_pixels(const quernel_i_task *t, uint32_t line, uint32_t x0, uint32_t x1,
                       const quernel_i_n_block *block) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const uint32_t step = plan->chunk, first = max(x0, plan->n_blocks.fused > 1 && p->crop_left);
    for (uint32_t x = x0, end; x < x1; x = end) {
        const bool dedup = quernel_i_dedup_span(t, line, x, &end) && x > first;
        end = min(end, dedup || x1 - x < step ? x1 : x + step);
        if (dedup) quernel_i_dedup_line(t, line, x, end - x, block);
        else
            run_line(t, line, x, end - x, block,
                     quernel_i_strip_row(t, line, x, block->group_pack));
    }
}

// The strip's lines from y0 to y1 as one: pixel m lies at a + m·pixel and at y + m·pixel, whatever
// line it belongs to. The pixels between two lines become values of no meaning in y's border,
// which quernel_i_border_fill overwrites.
static uint32_t collapsed_pixels(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    return (t->y1 - t->y0 - 1) * (uint32_t)(plan->strip.line / plan->rows.pixel) + p->grid_w;
}

// What is read after a block's weights: those of the next block, where L2 does not keep them;
// behind the task's last block, what a network reads next.
static quernel_i_ahead read_next(const quernel_i_task *t, uint32_t index) {
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_ahead *network = t->call->ahead, none = {NULL, NULL, 0};
    if (index + 1 == t->n_block1) return network && t->last ? *network : none;
    if (!network && !plan->streams.prefetch) return none;
    const quernel_i_n_block next = quernel_i_n_block_at(t->call->problem, plan, index + 1);
    const int8_t *at = quernel_i_n_block_packed(t->call->problem, &next);
    return (quernel_i_ahead){at, at + pieces(next.oc, 16) * next.shape.panel_bytes, 0};
}

// The same for a block of so many lines and pixels: a single register tile is done before they
// come; the first ones of many pass, so that L2 keeps the block's own weights.
static quernel_i_ahead ahead_of(const quernel_i_task *t, const quernel_i_n_block *block,
                                uint32_t lines, uint32_t pixels) {
    const quernel_i_kernel *k = t->call->plan->kernels.main;
    quernel_i_ahead ahead = read_next(t, block->index);
    const size_t tiles = (size_t)lines * pieces(pixels, k->mr) * pieces(block->oc, k->nr),
                 passing = tiles * block->shape.k_quads * 64,
                 wanted = (size_t)(ahead.end - ahead.at);
    if (lines * pixels <= k->mr) ahead.end = ahead.at;
    else if (passing > wanted) ahead.wait = passing - wanted;
    return ahead;
}

void quernel_i_product_run_staged(const quernel_i_task *t) {
    const bool collapse = t->call->plan->collapse;
    quernel_i_dedup_find(t);
    for (uint32_t index = t->n_block0; index < t->n_block1; index++) {
        quernel_i_n_block block = quernel_i_n_block_at(t->call->problem, t->call->plan, index);
        quernel_i_n_block_prepare(t, index);
        const uint32_t y0 = max(t->y0, block.y0), y1 = collapse ? y0 + 1 : min(t->y1, block.y1);
        const uint32_t end = collapse ? collapsed_pixels(t) : min(t->x1, block.x1);
        quernel_i_ahead ahead = ahead_of(t, &block, y1 - y0, end - t->x0);
        block.ahead = &ahead;
        for (uint32_t line = y0; line < y1; line++)
            run_pixels(t, line, max(t->x0, block.x0), end, &block);
    }
}

// The rows of a chunk serve all n-blocks of a group pack before the next chunk is packed.
static void run_chunk(const quernel_i_task *t, uint32_t line, uint32_t x, uint32_t pixels) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    for (uint32_t index = t->n_block0, group_pack = UINT32_MAX; index < t->n_block1; index++) {
        const quernel_i_n_block block = quernel_i_n_block_at(p, plan, index);
        if (block.group_pack != group_pack)
            quernel_i_im2col_gather(t, line, x, pixels, group_pack = block.group_pack);
        const uint32_t first = max(x, block.x0), end = min(x + pixels, block.x1);
        if (line < block.y0 || line >= block.y1 || first >= end) continue;
        quernel_i_n_block_prepare(t, index);
        run_line(t, line, first, end - first, &block,
                 t->slice + plan->workspace.slice.packed +
                     (ptrdiff_t)(first - x) * plan->rows.pixel);
    }
}

void quernel_i_product_run_im2col(const quernel_i_task *t) {
    const uint32_t step = t->call->plan->chunk;
    for (uint32_t line = t->y0; line < t->y1; line++)
        for (uint32_t x = t->x0; x < t->x1; x += step) run_chunk(t, line, x, min(step, t->x1 - x));
}
