// SPDX-License-Identifier: Apache-2.0
// Where an n-block's results go, and the tables of its epilogue.
#include "exec/exec.h"

ptrdiff_t quernel_i_epilogue_offset(const quernel_i_task *t, const quernel_tensor *y, uint32_t line,
                                    uint32_t ox, uint32_t channel, uint32_t phase) {
    const quernel_i_problem *p = t->call->problem;
    const int64_t h = (int64_t)line * p->up_h + phase / p->up_w - p->crop_top;
    const int64_t w = (int64_t)ox * p->up_w + phase % p->up_w - p->crop_left;
    const int64_t element =
        t->image * y->stride_n + h * y->stride_h + w * y->stride_w + channel * y->stride_c;
    return (ptrdiff_t)(element * (int64_t)quernel_type_size((quernel_type)y->type));
}

static const float *at(const float *table, size_t j) { return table ? table + j : NULL; }

static void fill_row_terms(const quernel_i_task *t, uint32_t ox, size_t j, quernel_i_epilogue *f) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    if (params->w_zeros) {
        f->row_term[1] = (const int32_t *)(t->slice + plan->workspace.slice.row_sum);
        f->col_term[1] = params->w_zeros + j;
    }
    if (quernel_i_problem_by_row(p)) {
        f->row_scale = (const float *)(t->slice + plan->workspace.slice.row_scale);
        f->row_term[0] = (const int32_t *)(t->slice + plan->workspace.slice.row_term);
        f->col_term[0] = params->zp_comp + j;
    } else if (params->row_scales) {
        f->row_scale = params->row_scales + ox;
    }
}

static void fill_residual(const quernel_i_task *t, uint32_t line, uint32_t ox, size_t j,
                          uint32_t channel, uint32_t phase, quernel_i_epilogue *f) {
    const quernel_i_problem *p = t->call->problem;
    const ptrdiff_t r_size = (ptrdiff_t)quernel_type_size((quernel_type)p->residual.type);
    f->residual = (const uint8_t *)t->call->residual +
                  quernel_i_epilogue_offset(t, &p->residual, line, ox, channel, phase);
    f->r_row = (ptrdiff_t)p->up_w * p->residual.stride_w * r_size;
    f->r_col = p->residual.stride_c * r_size;
    f->r_type = p->residual.type;
    f->r_zero = p->epilogue.residual_zero;
    f->r_scale = at(t->call->params->r_scale, j);
    f->residual_last = p->epilogue.residual_after_activation != 0;
}

void quernel_i_epilogue_fill(const quernel_i_task *t, uint32_t line, uint32_t ox, size_t j,
                             uint32_t channel, uint32_t phase, quernel_i_epilogue *epilogue) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    const ptrdiff_t y_size = (ptrdiff_t)quernel_type_size((quernel_type)p->y.type);
    const bool by_image = quernel_i_problem_by_image(p);
    const float *own = (const float *)(t->slice + plan->workspace.slice.scale);
    const float *scale = by_image && params->scale ? own : params->scale;
    *epilogue = (quernel_i_epilogue){
        .y = (uint8_t *)t->call->y + quernel_i_epilogue_offset(t, &p->y, line, ox, channel, phase),
        .y_row = (ptrdiff_t)p->up_w * p->y.stride_w * y_size,
        .y_col = p->y.stride_c * y_size,
        .out = p->y.type,
        .act = (int32_t)params->act,
        .scale = at(scale, j),
        .bias = at(params->bias, j),
        .slope = at(params->slope, j),
        .act_lo = at(params->act_lo, j),
        .act_hi = at(params->act_hi, j),
        .out_scale = at(params->out_scale, j),
        .q_lo = params->q_lo,
        .q_hi = params->q_hi,
        .q_zero = params->q_zero,
        .past_caches = plan->streams.stores == QUERNEL_I_STORES_PAST,
    };
    fill_row_terms(t, ox, j, epilogue);
    if (p->epilogue.residual) fill_residual(t, line, ox, j, channel, phase, epilogue);
}
