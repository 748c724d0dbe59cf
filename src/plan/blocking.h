// SPDX-License-Identifier: Apache-2.0
// Block sizes, the split into tasks, and the layout of the workspace: parts of a plan, each from
// the parts before it.
#ifndef QUERNEL_PLAN_BLOCKING_H
#define QUERNEL_PLAN_BLOCKING_H

#include "plan/plan.h"

#define QUERNEL_I_KiB ((size_t)1024) // bytes

/// Bytes that a worker's slice of the workspace may hold of rows, or of weights and what works with
/// them: 3.5 MiB is what a thread is promised to take at most (tests/memory), of which tables of
/// output channels and flags of a strip have the last 128 KiB. Less does not hold four sub-panels
/// of 512 channels in Winograd's form, so that inputs are transformed twice: 512 to 64 channels.
#define QUERNEL_I_SLICE_MAX (3456 * QUERNEL_I_KiB)

/// What blocks are chosen from: all that is known before the first of them.
typedef struct quernel_i_plan_base {
    const quernel_i_problem *problem;
    const quernel_i_config *config;
    const quernel_i_machine *machine;
    const quernel_i_plan_kernels *kernels;
    const quernel_i_plan_rows *rows;
} quernel_i_plan_base;

/// Whether the kernel has a form of the weights of its own, made block by block.
static inline bool quernel_i_plan_prepares(const quernel_i_plan_base *b) {
    return !quernel_i_problem_depthwise(b->problem) && b->kernels->main->b_prepare.any;
}

/// Whether there are many times L2 of weights, which a kernel reads as they are: every strip of
/// rows walks them.
bool quernel_i_plan_walks(const quernel_i_plan_base *b);

/// Whether weights of a product on tiles come from beyond L2 again for every strip of rows.
bool quernel_i_plan_far(const quernel_i_plan_base *b);
/// Budgets of such a product: half of L2 in rows and the rest for their pitch, an eighth in weights
/// (plan/tiled.c).
static inline size_t quernel_i_plan_far_strip(const quernel_i_plan_base *b) {
    return b->machine->l2_bytes * 5 / 8;
}
static inline size_t quernel_i_plan_far_block(const quernel_i_plan_base *b) {
    return b->machine->l2_bytes / 8;
}

/// Bytes from pixel to pixel of a strip, and of the strip of h x w output pixels.
size_t quernel_i_plan_strip_pixel(const quernel_i_plan_base *b);
size_t quernel_i_plan_strip_bytes(const quernel_i_plan_base *b, uint32_t h, uint32_t w);

/// Phases of a line of y whose epilogue runs at once; 1: none.
uint32_t quernel_i_plan_fused_phases(const quernel_i_problem *p);

/// Bytes of the kernel's scratch.
size_t quernel_i_plan_scratch_bytes(const quernel_i_plan_base *b);

/// Bytes of prepared weights that may be prepared at a time beside a strip of h x w output pixels.
size_t quernel_i_plan_block_budget(const quernel_i_plan_base *b, uint32_t h, uint32_t w);

quernel_i_plan_strip quernel_i_plan_strip_of(const quernel_i_plan_base *b);
quernel_i_plan_n_blocks quernel_i_plan_n_blocks_of(const quernel_i_plan_base *b,
                                                   const quernel_i_plan_strip *strip);
quernel_i_plan_streams quernel_i_plan_streams_of(const quernel_i_plan_base *b,
                                                 const quernel_i_plan_n_blocks *n);
uint32_t quernel_i_plan_range_tasks(const quernel_i_problem *problem);
uint32_t quernel_i_plan_float_pixels(const quernel_i_problem *problem);

/// Whether a strip is one line. Refuses a demand for it that is not legal.
int quernel_i_plan_collapse_of(const quernel_i_plan_base *b, const quernel_i_plan_strip *strip,
                               const quernel_i_plan_n_blocks *n, uint32_t dedup, bool *ret_collapse,
                               quernel_error *error);
uint32_t quernel_i_plan_chunk_of(const quernel_i_plan_base *b, const quernel_i_plan_strip *strip,
                                 const quernel_i_plan_n_blocks *n, bool collapse);

/// The layout of the workspace for a plan whose other parts are made. Refuses sizes that overflow.
int quernel_i_plan_workspace_of(const quernel_i_plan_base *b, const quernel_i_plan *plan,
                                quernel_i_plan_workspace *ret, quernel_error *error);

#endif
