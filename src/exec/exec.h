// SPDX-License-Identifier: Apache-2.0
// Runs an operator: strips of output pixels, chunks, n-blocks, threads.
#ifndef QUERNEL_EXEC_DRIVE_H
#define QUERNEL_EXEC_DRIVE_H

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
} quernel_i_call;

/// Runs everything: ranges first where they are dynamic over the image, then the strips.
void quernel_i_exec_run(const quernel_i_call *call, const quernel_parallel *parallel);

/// What one task works on: output pixels [y0, y1) x [x0, x1) of an image, and its worker's slice of
/// the workspace.
typedef struct quernel_i_task {
    const quernel_i_call *call;
    uint8_t *slice;
    uint32_t image, y0, y1, x0, x1;
    uint32_t n_block0, n_block1;
    quernel_i_image_quant image_quant; // dynamic over the image: found in the run
    uint8_t zero_byte;                 // the zero point as rows hold it
} quernel_i_task;

/// The loops of a task, by the form of its kernel: product.c, conv.c.
void quernel_i_product_run_staged(const quernel_i_task *task);
void quernel_i_product_run_im2col(const quernel_i_task *task);
void quernel_i_conv_run(const quernel_i_task *task);

/// Prepares the strip of a task (nothing to do in place).
void quernel_i_strip_stage(const quernel_i_task *task);
/// Address of the row of output pixel (line, ox) for this group pack's channels: in place or in the
/// strip.
const uint8_t *quernel_i_strip_row(const quernel_i_task *task, uint32_t line, uint32_t ox,
                                   uint32_t group_pack);
/// Where the plan says so: finds the blocks of the task's pixels whose rows are all equal to the
/// row before them.
void quernel_i_dedup_find(const quernel_i_task *task);
/// The stretch of pixels from (line, x) on that are alike in this: [x, *ret_end). True where all
/// rows are equal to the one before x.
bool quernel_i_dedup_span(const quernel_i_task *task, uint32_t line, uint32_t x, uint32_t *ret_end);
/// Copies the results of the epilogue's first pixel to the `pixels` pixels behind it.
void quernel_i_dedup_copy(const quernel_i_epilogue *epilogue, uint32_t pixels, uint32_t oc);

/// Packs im2col rows of `pixels` output pixels of a line for one group pack, and fills row_scale
/// and row_term by row.
void quernel_i_im2col_gather(const quernel_i_task *task, uint32_t line, uint32_t ox, uint32_t pixels,
                          uint32_t group_pack);
/// Fills the slice's row_sum: Σ of the real k of each row of a product, k_run_bytes of each of its
/// runs.
void quernel_i_chunk_sum(const quernel_i_task *task, const quernel_i_gemm *product,
                         uint32_t k_run_bytes);

/// Fills the epilogue of a n-block's output channels (first entry `j` of the tables, output channel
/// `channel`, phase of a deconvolution) for the pixels from (line, ox) on.
void quernel_i_epilogue_fill(const quernel_i_task *task, uint32_t line, uint32_t ox, size_t j,
                             uint32_t channel, uint32_t phase, quernel_i_epilogue *ret_epilogue);

/// Patches of `up` pixels that cover `size` pixels, the first `crop` of them outside: those whose
/// pixel p lies inside.
void quernel_i_n_block_patches(uint32_t size, uint32_t up, uint32_t crop, uint32_t p,
                              uint32_t *ret_first, uint32_t *ret_end);
/// Interleaved phases: their output channels lie apart in y in no regular way, so a chunk is
/// finished into a tile and spread from there. _collect turns the epilogue to the tile and gathers
/// the residual's; _spread writes the tile to y.
void quernel_i_interleaved_collect(const quernel_i_task *task, uint32_t line, uint32_t ox,
                                   uint32_t pixels, quernel_i_epilogue *epilogue);
void quernel_i_interleaved_spread(const quernel_i_task *task, uint32_t line, uint32_t ox,
                                  uint32_t pixels);

/// Fused lines: in a layout other than NHWC the results of one phase lie apart in every direction,
/// so that the sums of all phases of a line go into a tile, [pixel of y][oc], and are finished from
/// there as one line. _collect turns the epilogue of the i-th phase to the tile; _epilogue makes
/// results of the tile, by the epilogue of the first.
void quernel_i_fused_line_collect(const quernel_i_task *task, uint32_t i,
                                  quernel_i_epilogue *epilogue);
void quernel_i_fused_line_epilogue(const quernel_i_task *task, uint32_t ox, uint32_t pixels,
                                   uint32_t oc, quernel_i_epilogue *epilogue);

/// Writes the zero point into those border pixels of y that lie beside the task's lines.
void quernel_i_border_fill(const quernel_i_task *task);

/// Finds the quantization of all images: fills the array of quernel_i_image_quant in the shared
/// workspace.
void quernel_i_ranges_find(const quernel_i_call *call, const quernel_parallel *parallel);
static inline quernel_i_image_quant *quernel_i_call_image_quants(const quernel_i_call *call) {
    return (quernel_i_image_quant *)call->workspace;
}

#endif
