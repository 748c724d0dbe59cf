// SPDX-License-Identifier: Apache-2.0
// Codes through the caller's table: what a task has stored, once, while it is in the caches.
#include "exec/n_block.h"

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t max(uint32_t a, uint32_t b) { return a > b ? a : b; }

// Channels [first, first + channels) of a phase, at the grid's pixels [y0, y1) x [x0, x1).
typedef struct part {
    uint32_t first, channels, phase, y0, y1, x0, x1;
} part;

static void look_up(const quernel_i_task *t, const part *a) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_params *params = t->call->params;
    const uint32_t x0 = max(a->x0, t->x0), x1 = min(a->x1, t->x1);
    const ptrdiff_t row = (ptrdiff_t)(p->up_w * p->y.stride_w), column = (ptrdiff_t)p->y.stride_c;
    for (uint32_t line = max(a->y0, t->y0); x0 < x1 && line < min(a->y1, t->y1); line++) {
        uint8_t *y = (uint8_t *)t->call->y +
                     quernel_i_epilogue_offset(t, &p->y, line, x0, a->first, a->phase);
        params->lookup->run.lookup(
            &(quernel_i_lookup){.x = y,
                                .x_row = row,
                                .x_col = column,
                                .y = y,
                                .y_row = row,
                                .y_col = column,
                                .rows = x1 - x0,
                                .columns = a->channels,
                                .table = params->table + a->first * params->table_channel,
                                .table_row = 0,
                                .table_col = params->table_channel});
    }
}

// All sub-pixels of all channels.
static void look_up_interleaved(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    for (uint32_t i = 0; i < p->up_h * p->up_w; i++) {
        part a = {.channels = p->weights->shape.out, .phase = i};
        quernel_i_n_block_patches(p->y.h, p->up_h, p->crop_top, i / p->up_w, &a.y0, &a.y1);
        quernel_i_n_block_patches(p->y.w, p->up_w, p->crop_left, i % p->up_w, &a.x0, &a.x1);
        look_up(t, &a);
    }
}

static void look_up_blocks(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    for (uint32_t index = t->n_block0; index < t->n_block1; index++)
        for (uint32_t i = 0; i < max(plan->n_blocks.fused, 1); i++) {
            const quernel_i_n_block b = quernel_i_n_block_phase(p, plan, index, i);
            look_up(t, &(part){b.group_pack * p->weights->shape.oc + b.first, b.oc, b.phase, b.y0,
                               b.y1, b.x0, b.x1});
        }
}

void quernel_i_lookup_run(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    if (!t->call->params->table) return;
    if (quernel_i_problem_depthwise(p))
        look_up(t, &(part){0, p->weights->shape.out, 0, 0, p->grid_h, 0, p->grid_w});
    else if (p->weights->shape.interleaved) look_up_interleaved(t);
    else look_up_blocks(t);
}
