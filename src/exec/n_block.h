// SPDX-License-Identifier: Apache-2.0
// A block of output channels, and what of it a kernel call takes.
#ifndef QUERNEL_EXEC_N_BLOCK_H
#define QUERNEL_EXEC_N_BLOCK_H

#include "exec/exec.h"

/// Output channels [first, first + oc) of one subproblem (of fused phases: of one of them), and the
/// part of the grid, [y0, y1) x [x0, x1), where they lie inside y.
typedef struct quernel_i_n_block {
    uint32_t index, phase_index; // of the plan's n-blocks; among the fused phases
    uint32_t subproblem, first, oc, group_pack, phase;
    quernel_i_phase shape;
    uint32_t y0, y1, x0, x1;
    quernel_i_ahead *ahead; // weights that are read after its own; or NULL
} quernel_i_n_block;

/// The block of this index; its i-th phase where phases are fused.
quernel_i_n_block quernel_i_n_block_at(const quernel_i_problem *p, const quernel_i_plan *plan,
                                       uint32_t index);
quernel_i_n_block quernel_i_n_block_phase(const quernel_i_problem *p, const quernel_i_plan *plan,
                                          uint32_t index, uint32_t phase_index);

/// Patches of `up` pixels cover `size` pixels, the first `crop` pixels lying outside: the patches
/// [first, end) whose pixel `p` lies inside.
void quernel_i_n_block_patches(uint32_t size, uint32_t up, uint32_t crop, uint32_t p,
                               uint32_t *ret_first, uint32_t *ret_end);

/// Where the kernel has an order of weights of its own (b_prepare): brings the block's into it, in
/// the task's slice. Nothing to do if they were the last that this worker prepared.
void quernel_i_n_block_prepare(const quernel_i_task *task, uint32_t index);

// The first bytes of a slice: index of the n-block whose weights it holds prepared, which the
// worker's next task may have in common.
static inline uint32_t *quernel_i_n_block_prepared_index(const quernel_i_task *t) {
    return (uint32_t *)t->slice;
}
enum { QUERNEL_I_NO_N_BLOCK = UINT32_MAX };

// Bytes from a line to the next.
static inline ptrdiff_t quernel_i_exec_line_bytes(const quernel_tensor *y) {
    return (ptrdiff_t)(y->stride_h * (int64_t)quernel_type_size((quernel_type)y->type));
}

static inline quernel_i_window quernel_i_n_block_window(const quernel_i_problem *p) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    return (quernel_i_window){p->kernel_h,      p->kernel_w,   p->stride_h, p->stride_w,
                              s->subproblem_in, s->group_pack, s->group_out};
}

// The weights as pack stored them (w16x4).
static inline const int8_t *quernel_i_n_block_packed(const quernel_i_problem *p,
                                                     const quernel_i_n_block *block) {
    const quernel_i_phase *phase = &block->shape;
    return p->weights->packed + block->group_pack * p->weights->shape.group_pack_bytes +
           phase->offset + block->first / 16 * phase->panel_bytes;
}

static inline uint8_t *quernel_i_n_block_prepared(const quernel_i_task *t,
                                                  const quernel_i_n_block *block) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const size_t phase = plan->n_blocks.oc / 16 *
                         quernel_i_panel_bytes(plan->kernels.main, p->weights->shape.k_quads);
    return t->slice + plan->workspace.slice.block + block->phase_index * phase;
}

// The weights as the kernel reads them, and the bytes from one panel of 16 output channels to the
// next.
static inline const void *quernel_i_n_block_weights(const quernel_i_task *t,
                                                    const quernel_i_n_block *block,
                                                    size_t *ret_panel) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const bool own = plan->kernels.main->b_prepare.any;
    *ret_panel = own ? quernel_i_panel_bytes(plan->kernels.main, block->shape.k_quads)
                     : block->shape.panel_bytes;
    return own ? (const void *)quernel_i_n_block_prepared(t, block)
               : quernel_i_n_block_packed(p, block);
}

// Start values: those of create, or where the zero point is the image's, this task's own.
static inline const int32_t *quernel_i_n_block_init(const quernel_i_task *t, size_t j) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    if (!quernel_i_problem_by_image(p)) return params->init + j;
    return (const int32_t *)(t->slice + plan->workspace.slice.init) + j;
}

// Index of an n-block's first output channel in the tables of params.
static inline size_t quernel_i_n_block_entry(const quernel_i_problem *p,
                                             const quernel_i_n_block *block) {
    return (size_t)block->subproblem * p->weights->shape.oc16 + block->first;
}

static inline void quernel_i_n_block_epilogue(const quernel_i_task *t, uint32_t line, uint32_t ox,
                                              const quernel_i_n_block *block,
                                              quernel_i_epilogue *epilogue) {
    const quernel_i_problem *p = t->call->problem;
    quernel_i_epilogue_fill(t, line, ox, quernel_i_n_block_entry(p, block),
                            block->group_pack * p->weights->shape.oc + block->first, block->phase,
                            epilogue);
}

/// Copies the results of pixels whose rows equal that of the pixel before `ox`, which lies
/// inside y in every phase.
void quernel_i_dedup_line(const quernel_i_task *t, uint32_t line, uint32_t ox, uint32_t pixels,
                          const quernel_i_n_block *block);

#endif
