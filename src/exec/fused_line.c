// SPDX-License-Identifier: Apache-2.0
// Fused lines: the int32 sums of all phases of a line, and one epilogue for them.
#include "exec/exec.h"
#include "kernels/template/planes.h"

void quernel_i_fused_line_collect(const quernel_i_task *t, uint32_t i,
                                  quernel_i_epilogue *epilogue) {
    const quernel_i_plan *plan = t->call->plan;
    const ptrdiff_t row = (ptrdiff_t)quernel_i_plan_tile_row(&plan->n_blocks);
    epilogue->y = t->slice + plan->workspace.slice.tile + i * row;
    epilogue->y_col = sizeof(int32_t), epilogue->y_row = plan->n_blocks.fused * row;
    epilogue->out = QUERNEL_TYPE_S32, epilogue->act = QUERNEL_I_ACT_NONE, epilogue->residual = NULL;
}

// Pixels of y's line that a chunk gives, and how many of its first ones are cropped.
static uint32_t pixels_of_y(const quernel_i_task *t, uint32_t ox, uint32_t pixels,
                            uint32_t *ret_before) {
    const quernel_i_problem *p = t->call->problem;
    const uint32_t before = ox ? 0 : p->crop_left, from = ox * p->up_w + before - p->crop_left;
    const uint32_t rows = pixels * p->up_w - before, inside = p->y.w - from;
    *ret_before = before;
    return rows < inside ? rows : inside;
}

void quernel_i_fused_line_fetch(const quernel_i_task *t, uint32_t i, uint32_t ox, uint32_t pixels,
                                uint32_t oc, const quernel_i_epilogue *epilogue) {
    const quernel_i_problem *p = t->call->problem;
    const uint32_t fused = t->call->plan->n_blocks.fused;
    uint32_t before;
    const uint32_t rows = pixels_of_y(t, ox, pixels, &before);
    quernel_i_epilogue f = *epilogue;
    f.y_row /= p->up_w;
    if (!planes_are(&f)) return;
    const uint8_t *y = (const uint8_t *)f.y + (ptrdiff_t)before * f.y_row;
    for (uint32_t n = oc * i / fused; n < oc * (i + 1) / fused; n++)
        planes_fetch(y + (ptrdiff_t)n * f.y_col, (ptrdiff_t)rows * f.y_row, f.past_caches);
}

void quernel_i_fused_line_epilogue(const quernel_i_task *t, uint32_t ox, uint32_t pixels,
                                   uint32_t oc, quernel_i_epilogue *epilogue) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    uint32_t before;
    const uint32_t rows = pixels_of_y(t, ox, pixels, &before);
    const size_t row = quernel_i_plan_tile_row(&plan->n_blocks) / sizeof(int32_t);
    epilogue->y_row /= p->up_w, epilogue->r_row /= p->up_w;
    epilogue->y = (uint8_t *)epilogue->y + before * epilogue->y_row;
    if (epilogue->residual)
        epilogue->residual = (const uint8_t *)epilogue->residual + before * epilogue->r_row;
    epilogue->row_term[0] = epilogue->row_term[1] = NULL; // counted in the sums
    const int32_t *sums = (const int32_t *)(t->slice + plan->workspace.slice.tile) + before * row;
    plan->kernels.epilogue_kernel->run.epilogue(sums, row, rows, oc, epilogue);
}
