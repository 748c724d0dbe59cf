// SPDX-License-Identifier: Apache-2.0
// Runs an operator. The way of one tensor, from x to y:
//
//   quernel_i_exec_run      cuts the output grid into strips, and the n-blocks into n_split shares;
//                           a task is one of each, and the threads take tasks (threads/parallel.h).
//                           Where the scale is the image's, ranges.c finds it in x first.
//   quernel_i_strip_stage   brings the input lines that a strip reads into the worker's slice of
//                           the workspace: floats are quantized, int8 is copied, padding is filled
//                           (path staged). Path inplace reads x itself and has no strip. Path
//                           im2col keeps floats as they are, and _im2col_gather makes the rows of a
//                           chunk of pixels, quantized, from them.
//   k runs                  (params) say which bytes of a row are its k: one run per kernel row, or
//                           per tap, as offsets from the row of quernel_i_strip_row.
//   quernel_i_product_…     multiplies the rows of a chunk by each n-block's weights: product.c for
//                           kernels that take rows, conv.c for those that take rectangles of
//                           pixels.
//   quernel_i_epilogue_fill says what the kernel does with the int32 sums before it stores them: to
//                           y at once, or to a tile where the phases of a deconvolution interleave.
//   quernel_i_lookup_run    takes the codes of the task's part of y through the caller's table.
//   quernel_i_border_fill   writes the zero point around y, which the next layer reads as padding.
#ifndef QUERNEL_EXEC_EXEC_H
#define QUERNEL_EXEC_EXEC_H

#include "exec/params.h"
#include "plan/plan.h"
#include "quernel/threads.h"

/// One run of an operator: what to do, and the buffers.
typedef struct quernel_i_call {
    const quernel_i_problem *problem;
    const quernel_i_plan *plan;
    const quernel_i_params *params;
    const void *x;
    const void *residual;
    void *y;
    uint8_t *workspace;
    const quernel_i_ahead *ahead; // as of quernel_i_operator_call
} quernel_i_call;

/// Runs everything: ranges first where they are dynamic over the image, then the strips. The caller
/// has checked the buffers.
void quernel_i_exec_run(const quernel_i_call *call, const quernel_parallel *parallel);

/// What one task works on: output pixels [y0, y1) x [x0, x1) of an image, n-blocks
/// [n_block0, n_block1), and its worker's slice of the workspace.
typedef struct quernel_i_task {
    const quernel_i_call *call;
    uint8_t *slice;
    uint32_t image, y0, y1, x0, x1;
    uint32_t n_block0, n_block1;
    quernel_i_image_quant image_quant; // of this image where it is dynamic; else z alone matters
    uint8_t zero_byte;                 // the zero point as rows hold it
    bool last;                         // of its worker, if tasks take the same time
} quernel_i_task;

/// How many of `count` lines or pixels a lattice of every step-th one has (of a dilation).
static inline uint32_t quernel_i_exec_every(uint32_t count, uint32_t step) {
    return (count + step - 1) / step;
}

/// The loops of a task, by the form of its kernel.
void quernel_i_product_run_staged(const quernel_i_task *task);
void quernel_i_product_run_im2col(const quernel_i_task *task);
void quernel_i_conv_run(const quernel_i_task *task);

/// Prepares the strip of a task (nothing to do in place).
void quernel_i_strip_stage(const quernel_i_task *task);
/// Address of the row of output pixel (line, ox) for this group pack's channels: in x or in the
/// strip. Its first byte is tap (0, 0), which the strip holds even in the padding.
const uint8_t *quernel_i_strip_row(const quernel_i_task *task, uint32_t line, uint32_t ox,
                                   uint32_t group_pack);
/// Gathers im2col rows of `pixels` output pixels of a line for one group pack. Fills row_scale and
/// row_term where the scale is the row's.
void quernel_i_im2col_gather(const quernel_i_task *task, uint32_t line, uint32_t ox,
                             uint32_t pixels, uint32_t group_pack);

/// Where the plan says so: flags the blocks of the task's pixels whose rows are all equal to the
/// row before them.
void quernel_i_dedup_find(const quernel_i_task *task);
/// The stretch of pixels from (line, x) on that are alike in this: [x, *ret_end). True where all
/// rows are equal to the one before x.
bool quernel_i_dedup_span(const quernel_i_task *task, uint32_t line, uint32_t x, uint32_t *ret_end);

/// Fills the epilogue of an n-block's output channels (first entry `j` of the tables, output
/// channel `channel`, phase of a deconvolution) for the pixels from (line, ox) on.
void quernel_i_epilogue_fill(const quernel_i_task *task, uint32_t line, uint32_t ox, size_t j,
                             uint32_t channel, uint32_t phase, quernel_i_epilogue *epilogue);
/// Bytes from the first element of a tensor laid out like y to output pixel (line, ox) of the grid
/// in this phase, which may lie outside where y is cropped.
ptrdiff_t quernel_i_epilogue_offset(const quernel_i_task *task, const quernel_tensor *y,
                                    uint32_t line, uint32_t ox, uint32_t channel, uint32_t phase);

/// Interleaved phases: their output channels lie apart in y in no regular way, so the results of a
/// chunk go to a tile and are spread from there. _collect turns the epilogue to the tile and
/// gathers the residual's; _spread writes the tile to y.
void quernel_i_interleaved_collect(const quernel_i_task *task, uint32_t line, uint32_t ox,
                                   uint32_t pixels, quernel_i_epilogue *epilogue);
void quernel_i_interleaved_spread(const quernel_i_task *task, uint32_t line, uint32_t ox,
                                  uint32_t pixels);

/// Fused lines: in a layout other than NHWC the results of one phase lie apart in every direction,
/// so the sums of all phases of a line go to a tile, [pixel of y][oc], and one epilogue takes them
/// from there as one line. _collect turns the epilogue of the i-th phase to the tile; _fetch brings
/// the lines of y that the i-th share of the output channels is going to write; _epilogue makes
/// results of the tile. These two go by the epilogue of the first phase.
void quernel_i_fused_line_collect(const quernel_i_task *task, uint32_t i,
                                  quernel_i_epilogue *epilogue);
void quernel_i_fused_line_fetch(const quernel_i_task *task, uint32_t i, uint32_t ox,
                                uint32_t pixels, uint32_t oc, const quernel_i_epilogue *epilogue);
void quernel_i_fused_line_epilogue(const quernel_i_task *task, uint32_t ox, uint32_t pixels,
                                   uint32_t oc, quernel_i_epilogue *epilogue);

/// Where there is a table: what the task has stored of y becomes what the table says.
void quernel_i_lookup_run(const quernel_i_task *task);

/// Writes the zero point into those border pixels of y that lie beside the task's lines.
void quernel_i_border_fill(const quernel_i_task *task);

/// Dynamic over the image: fills the array of quernel_i_image_quant in the shared workspace.
void quernel_i_ranges_find(const quernel_i_call *call, const quernel_parallel *parallel);
static inline quernel_i_image_quant *quernel_i_call_image_quants(const quernel_i_call *call) {
    return (quernel_i_image_quant *)call->workspace;
}

#endif
