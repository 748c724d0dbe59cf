// SPDX-License-Identifier: Apache-2.0
// Rows that are equal: where every tap of a block of output pixels reads what the pixel before it
// reads, the block's results are copies of that pixel's. Bird's-eye views of LiDAR are mostly one
// constant pixel.
//
// The taps of a block's kernel row are contiguous bytes of a line of rows, so that one comparison
// of the line with itself, a pixel earlier, decides it; noise differs within the first bytes.
#include <string.h>

#include "exec/n_block.h"

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t max(uint32_t a, uint32_t b) { return a > b ? a : b; }

static uint8_t *flags_of(const quernel_i_task *t, uint32_t line) {
    const quernel_i_plan *plan = t->call->plan;
    return t->slice + plan->workspace.slice.dedup +
           (size_t)((line - t->y0) / plan->strip.step) * quernel_i_plan_dedup_blocks(plan);
}

// Whether `pixels` pixels of a line of rows, from `row` on, each hold what lies `lag` bytes before
// them.
static bool line_repeats(const quernel_i_problem *p, const quernel_i_plan *plan, const uint8_t *row,
                         ptrdiff_t lag, uint32_t pixels) {
    const size_t c = p->x.c;
    if (plan->rows.pixel == (ptrdiff_t)c) return !memcmp(row, row - lag, pixels * c);
    for (uint32_t i = 0; i < pixels; i++)
        if (memcmp(row + i * plan->rows.pixel, row + i * plan->rows.pixel - lag, c)) return false;
    return true;
}

// Pixels [x, x + pixels) of one output line.
static bool pixels_repeat(const quernel_i_task *t, uint32_t line, uint32_t x, uint32_t pixels) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const uint8_t *row = quernel_i_strip_row(t, line, x, 0);
    const uint32_t taps = (pixels - 1) * p->stride_w + (p->kernel_w - 1) * p->dilation_w + 1;
    for (uint32_t r = 0; r < p->kernel_h; r++)
        if (!line_repeats(p, plan, row + (ptrdiff_t)(r * p->dilation_h) * plan->strip.line,
                          p->stride_w * plan->rows.pixel, taps))
            return false;
    return true;
}

static bool block_repeats(const quernel_i_task *t, uint32_t line, uint32_t lines, uint32_t x) {
    const uint32_t pixels = min(t->call->plan->dedup, t->x1 - x);
    for (uint32_t i = 0; i < lines; i++)
        if (!pixels_repeat(t, line + i, x, pixels)) return false;
    return true;
}

void quernel_i_dedup_find(const quernel_i_task *t) {
    const quernel_i_plan *plan = t->call->plan;
    if (!plan->dedup) return;
    const uint32_t step = plan->strip.step;
    for (uint32_t line = t->y0; line < t->y1; line += step) {
        uint8_t *flag = flags_of(t, line);
        *flag++ = 0; // the first block has none before it
        for (uint32_t x = t->x0 + plan->dedup; x < t->x1; x += plan->dedup)
            *flag++ = block_repeats(t, line, min(step, t->y1 - line), x);
    }
}

bool quernel_i_dedup_span(const quernel_i_task *t, uint32_t line, uint32_t x, uint32_t *ret_end) {
    const quernel_i_plan *plan = t->call->plan;
    *ret_end = plan->collapse ? UINT32_MAX : t->x1; // a collapsed strip is one line
    if (!plan->dedup) return false;
    const uint8_t *flags = flags_of(t, line);
    const uint32_t blocks = quernel_i_plan_dedup_blocks(plan);
    uint32_t block = (x - t->x0) / plan->dedup;
    const bool dedup = flags[block];
    while (++block < blocks && t->x0 + block * plan->dedup < t->x1 && flags[block] == dedup) {
    }
    *ret_end = min(t->x0 + block * plan->dedup, t->x1);
    return dedup;
}

// Copies the results of the epilogue's first pixel to the `pixels` pixels behind it.
static void copy_results(const quernel_i_epilogue *f, uint32_t pixels, uint32_t oc) {
    const size_t size = quernel_type_size((quernel_type)f->out);
    uint8_t *const from = f->y;
    if (f->y_col == (ptrdiff_t)size) {
        for (uint32_t i = 1; i <= pixels; i++) memcpy(from + i * f->y_row, from, oc * size);
        return;
    }
    for (uint32_t c = 0; c < oc; c++)
        for (uint32_t i = 1; i <= pixels; i++)
            memcpy(from + c * f->y_col + i * f->y_row, from + c * f->y_col, size);
}

void quernel_i_dedup_line(const quernel_i_task *t, uint32_t line, uint32_t ox, uint32_t pixels,
                          const quernel_i_n_block *block) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    for (uint32_t i = 0; i < plan->n_blocks.fused; i++) {
        const quernel_i_n_block phase = quernel_i_n_block_phase(p, plan, block->index, i);
        const uint32_t end = min(ox + pixels, max(ox, phase.x1));
        quernel_i_epilogue epilogue;
        quernel_i_n_block_epilogue(t, line, ox - 1, &phase, &epilogue);
        copy_results(&epilogue, end - ox, block->oc);
    }
}
