// SPDX-License-Identifier: Apache-2.0
// Where an n-block's results go, what finishes them, and the border of a chain tensor.
#include <string.h>

#include "exec/exec.h"

// Bytes from the tensor's first element to that of output pixel (line, ox) of the grid, phase
// `phase`.
static ptrdiff_t offset_of(const quernel_i_task *t, const quernel_tensor *y, uint32_t line,
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

void quernel_i_epilogue_fill(const quernel_i_task *t, uint32_t line, uint32_t ox, size_t j,
                             uint32_t channel, uint32_t phase, quernel_i_epilogue *f) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    const ptrdiff_t y_size = (ptrdiff_t)quernel_type_size((quernel_type)p->y.type);
    const bool by_image = quernel_i_problem_by_image(p);
    const float *own = (const float *)(t->slice + plan->workspace.slice.scale);
    const float *scale = by_image && params->scale ? own : params->scale;
    *f = (quernel_i_epilogue){
        .y = (uint8_t *)t->call->y + offset_of(t, &p->y, line, ox, channel, phase),
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
    };
    fill_row_terms(t, ox, j, f);
    if (!p->epilogue.residual) return;
    const ptrdiff_t r_size = (ptrdiff_t)quernel_type_size((quernel_type)p->residual.type);
    f->residual =
        (const uint8_t *)t->call->residual + offset_of(t, &p->residual, line, ox, channel, phase);
    f->r_row = (ptrdiff_t)p->up_w * p->residual.stride_w * r_size;
    f->r_col = p->residual.stride_c * r_size;
    f->r_type = p->residual.type;
    f->r_zero = p->epilogue.residual_zero;
    f->r_scale = at(params->r_scale, j);
    f->residual_last = p->epilogue.residual_after_activation != 0;
}

void quernel_i_n_block_patches(uint32_t size, uint32_t up, uint32_t crop, uint32_t p,
                              uint32_t *ret_first, uint32_t *ret_end) {
    *ret_first = p < crop;
    *ret_end = (uint32_t)(((uint64_t)size + crop + up - 1 - p) / up);
}

// `count` elements of 1, 2 or 4 bytes; steps in bytes.
static void copy_elements(uint8_t *to, ptrdiff_t to_step, const uint8_t *from, ptrdiff_t from_step,
                          uint32_t count, size_t size) {
    switch (size) {
    case 1:
        for (; count; count--, to += to_step, from += from_step) *to = *from;
        break;
    case 2:
        for (; count; count--, to += to_step, from += from_step) memcpy(to, from, 2);
        break;
    default:
        for (; count; count--, to += to_step, from += from_step) memcpy(to, from, 4);
    }
}

// Copies a chunk of a tensor laid out like y to its tile, or back: each place as far as it lies
// inside.
static void copy_interleaved(const quernel_i_task *t, const quernel_tensor *y, uint8_t *data,
                             uint32_t line, uint32_t ox, uint32_t pixels, uint8_t *tile,
                             bool to_tile) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_weights_shape *s = &p->weights->shape;
    const size_t size = quernel_type_size((quernel_type)y->type);
    const ptrdiff_t tile_row = (ptrdiff_t)(s->oc * size),
                    y_row = (ptrdiff_t)(p->up_w * y->stride_w * (int64_t)size);
    for (uint32_t n = 0; n < s->oc; n++) {
        const uint32_t subpixel = n / s->out;
        uint32_t y0, y1, x0, x1;
        quernel_i_n_block_patches(y->h, p->up_h, p->crop_top, subpixel / p->up_w, &y0, &y1);
        quernel_i_n_block_patches(y->w, p->up_w, p->crop_left, subpixel % p->up_w, &x0, &x1);
        const uint32_t first = x0 > ox ? x0 : ox, end = x1 < ox + pixels ? x1 : ox + pixels;
        if (line < y0 || line >= y1 || first >= end) continue;
        uint8_t *at = data + offset_of(t, y, line, first, n % s->out, subpixel);
        uint8_t *in = tile + (first - ox) * tile_row + n * size;
        if (to_tile) copy_elements(in, tile_row, at, y_row, end - first, size);
        else copy_elements(at, y_row, in, tile_row, end - first, size);
    }
}

void quernel_i_interleaved_collect(const quernel_i_task *t, uint32_t line, uint32_t ox,
                                   uint32_t pixels, quernel_i_epilogue *f) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const uint32_t oc = p->weights->shape.oc;
    f->y = t->slice + plan->workspace.slice.tile;
    f->y_col = (ptrdiff_t)quernel_type_size((quernel_type)p->y.type),
    f->y_row = (ptrdiff_t)oc * f->y_col;
    if (!p->epilogue.residual) return;
    uint8_t *tile = t->slice + plan->workspace.slice.residual;
    copy_interleaved(t, &p->residual, (uint8_t *)t->call->residual, line, ox, pixels, tile, true);
    f->residual = tile;
    f->r_col = (ptrdiff_t)quernel_type_size((quernel_type)p->residual.type),
    f->r_row = (ptrdiff_t)oc * f->r_col;
}

void quernel_i_interleaved_spread(const quernel_i_task *t, uint32_t line, uint32_t ox,
                                  uint32_t pixels) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    copy_interleaved(t, &p->y, t->call->y, line, ox, pixels, t->slice + plan->workspace.slice.tile,
                     false);
}

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

// Pixels [first, first + count) of one line of y, counted from the first real pixel.
static void fill_pixels(const quernel_i_task *t, int64_t line, int64_t first, int64_t count) {
    const quernel_tensor *y = &t->call->problem->y;
    uint8_t *to =
        (uint8_t *)t->call->y + t->image * y->stride_n + line * y->stride_h + first * y->stride_w;
    const int zero = (uint8_t)t->call->problem->epilogue.y_zero;
    if (y->stride_w == y->c) {
        memset(to, zero, (size_t)count * y->c);
        return;
    }
    for (int64_t i = 0; i < count; i++) memset(to + i * y->stride_w, zero, y->c);
}

void quernel_i_border_fill(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_tensor *y = &p->y;
    const int64_t left = y->border_w, above = y->border_h;
    if (!left && !above) return;
    const bool first = t->x0 == 0, last = t->x1 == p->grid_w;
    const int64_t from = first ? -left : (int64_t)t->x0 * p->up_w - p->crop_left;
    const int64_t to = last ? (int64_t)y->w + left : (int64_t)t->x1 * p->up_w - p->crop_left;
    const int64_t top = t->y0 == 0 ? 0 : (int64_t)t->y0 * p->up_h - p->crop_top;
    const int64_t bottom =
        t->y1 == p->grid_h ? (int64_t)y->h : (int64_t)t->y1 * p->up_h - p->crop_top;
    for (int64_t i = 1; t->y0 == 0 && i <= above; i++) fill_pixels(t, -i, from, to - from);
    for (int64_t i = 0; t->y1 == p->grid_h && i < above; i++)
        fill_pixels(t, (int64_t)y->h + i, from, to - from);
    for (int64_t line = top; line < bottom; line++) {
        if (first) fill_pixels(t, line, -left, left);
        if (last) fill_pixels(t, line, y->w, left);
    }
}
