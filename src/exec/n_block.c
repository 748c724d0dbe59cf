// SPDX-License-Identifier: Apache-2.0
// Blocks of output channels.
#include "exec/n_block.h"

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }

void quernel_i_n_block_patches(uint32_t size, uint32_t up, uint32_t crop, uint32_t p,
                               uint32_t *ret_first, uint32_t *ret_end) {
    *ret_first = p < crop;
    *ret_end = (uint32_t)(((uint64_t)size + crop + up - 1 - p) / up);
}

quernel_i_n_block quernel_i_n_block_phase(const quernel_i_problem *p, const quernel_i_plan *plan,
                                          uint32_t index, uint32_t phase_index) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    quernel_i_n_block block = {
        index, phase_index,
        .subproblem = index / plan->n_blocks.per_subproblem * plan->n_blocks.fused + phase_index,
        .first = index % plan->n_blocks.per_subproblem * plan->n_blocks.oc};
    block.oc = min(plan->n_blocks.oc, s->oc - block.first);
    block.group_pack = block.subproblem / s->phases, block.phase = block.subproblem % s->phases;
    block.shape = quernel_i_weights_phase(s, block.phase);
    if (s->interleaved) { // _interleaved_spread leaves out what lies outside of y
        block.y1 = p->grid_h, block.x1 = p->grid_w;
        return block;
    }
    quernel_i_n_block_patches(p->y.h, p->up_h, p->crop_top, block.phase / p->up_w, &block.y0,
                              &block.y1);
    quernel_i_n_block_patches(p->y.w, p->up_w, p->crop_left, block.phase % p->up_w, &block.x0,
                              &block.x1);
    return block;
}

quernel_i_n_block quernel_i_n_block_at(const quernel_i_problem *p, const quernel_i_plan *plan,
                                       uint32_t index) {
    quernel_i_n_block block = quernel_i_n_block_phase(p, plan, index, 0);
    if (plan->n_blocks.fused > 1)
        block.x0 = 0, block.x1 = p->grid_w; // _fused_line_epilogue leaves out the rest
    return block;
}

static void prepare_phase(const quernel_i_task *t, const quernel_i_n_block *block) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_window window = quernel_i_n_block_window(p);
    const int8_t *panel = quernel_i_n_block_packed(p, block);
    uint8_t *to = quernel_i_n_block_prepared(t, block);
    for (uint32_t n = 0; n < block->oc; n += 16, panel += block->shape.panel_bytes) {
        if (quernel_i_plan_conv(plan)) plan->kernels.main->b_prepare.conv(panel, &window, to);
        else plan->kernels.main->b_prepare.gemm(panel, block->shape.k_quads, to);
        to += quernel_i_panel_bytes(plan->kernels.main, block->shape.k_quads);
    }
}

void quernel_i_n_block_prepare(const quernel_i_task *t, uint32_t index) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    if (!plan->kernels.main->b_prepare.any || *quernel_i_n_block_prepared_index(t) == index) return;
    for (uint32_t i = 0; i < plan->n_blocks.fused; i++) {
        const quernel_i_n_block phase = quernel_i_n_block_phase(p, plan, index, i);
        prepare_phase(t, &phase);
    }
    *quernel_i_n_block_prepared_index(t) = index;
}
