// SPDX-License-Identifier: Apache-2.0
// Fused lines: the int32 sums of all phases of a line, and one epilogue for them.
#include "exec/exec.h"

void quernel_i_fused_line_collect(const quernel_i_task *t, uint32_t i, quernel_i_epilogue *f) {
    const quernel_i_plan *plan = t->call->plan;
    const ptrdiff_t row = (ptrdiff_t)quernel_i_plan_tile_row(&plan->n_blocks);
    f->y = t->slice + plan->workspace.slice.tile + i * row;
    f->y_col = sizeof(int32_t), f->y_row = plan->n_blocks.fused * row;
    f->out = QUERNEL_TYPE_S32, f->act = QUERNEL_I_ACT_NONE, f->residual = NULL;
}

void quernel_i_fused_line_epilogue(const quernel_i_task *t, uint32_t ox, uint32_t pixels,
                                   uint32_t oc, quernel_i_epilogue *f) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const uint32_t before = ox ? 0 : p->crop_left, from = ox * p->up_w + before - p->crop_left;
    const uint32_t rows = pixels * p->up_w - before, inside = p->y.w - from;
    const size_t row = plan->n_blocks.oc;
    f->y_row /= p->up_w, f->r_row /= p->up_w;
    f->y = (uint8_t *)f->y + before * f->y_row;
    if (f->residual) f->residual = (const uint8_t *)f->residual + before * f->r_row;
    f->row_term[0] = f->row_term[1] = NULL; // counted in the sums
    const int32_t *sums = (const int32_t *)(t->slice + plan->workspace.slice.tile) + before * row;
    plan->kernels.epilogue_kernel->run.epilogue(sums, row, rows < inside ? rows : inside, oc, f);
}
