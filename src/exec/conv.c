// SPDX-License-Identifier: Apache-2.0
// Convolution kernels, which take rectangles of pixels.
#include "exec/n_block.h"

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }

// A rectangle of pixels. With a dilation d it is d·d lattices of every d-th pixel, which never
// meet: a layer without dilation each.
static void run_lattices(const quernel_i_task *t, uint32_t line, uint32_t x, uint32_t lines,
                         uint32_t pixels, const quernel_i_n_block *block) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const uint32_t dh = p->dilation_h, dw = p->dilation_w;
    size_t b_panel;
    const void *b = quernel_i_n_block_weights(t, block, &b_panel);
    for (uint32_t i = 0; i < dh && i < lines; i++)
        for (uint32_t j = 0; j < dw && j < pixels; j++) {
            quernel_i_epilogue epilogue;
            quernel_i_n_block_epilogue(t, line + i, x + j, block, &epilogue);
            epilogue.y_row *= dw, epilogue.r_row *= dw;
            plan->kernels.main->run.conv(&(quernel_i_conv){
                quernel_i_strip_row(t, line + i, x + j, block->group_pack), plan->strip.line * dh,
                plan->rows.pixel * dw, quernel_i_n_block_window(p),
                quernel_i_exec_every(lines - i, dh), quernel_i_exec_every(pixels - j, dw),
                block->oc, plan->kernels.ic_split, b, b_panel,
                quernel_i_n_block_init(t, quernel_i_n_block_entry(p, block)), &epilogue,
                quernel_i_exec_line_bytes(&p->y) * dh, quernel_i_exec_line_bytes(&p->residual) * dh,
                t->slice + plan->workspace.slice.scratch});
        }
}

// Lines of a strip: at once, or a rectangle for each stretch between equal pixels.
static void run_tiles(const quernel_i_task *t, uint32_t line, uint32_t lines,
                      const quernel_i_n_block *block) {
    for (uint32_t x = t->x0, end; x < t->x1; x = end) {
        if (quernel_i_dedup_span(t, line, x, &end)) {
            for (uint32_t i = 0; i < lines; i++)
                quernel_i_dedup_line(t, line + i, x, end - x, block);
        } else {
            run_lattices(t, line, x, lines, end - x, block);
        }
    }
}

void quernel_i_conv_run(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const uint32_t step = plan->dedup ? plan->strip.step : t->y1 - t->y0;
    quernel_i_dedup_find(t);
    for (uint32_t index = t->n_block0; index < t->n_block1; index++) {
        const quernel_i_n_block block = quernel_i_n_block_at(p, plan, index);
        quernel_i_n_block_prepare(t, index);
        for (uint32_t line = t->y0; line < t->y1; line += step)
            run_tiles(t, line, min(step, t->y1 - line), &block);
    }
}
