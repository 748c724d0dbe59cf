// SPDX-License-Identifier: Apache-2.0
// Runs an operator: strips of output pixels, chunks, units of columns, threads.
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
void quernel_i_drive(const quernel_i_call *call, const quernel_parallel *parallel);

/// What one task works on: output pixels [y0, y1) x [x0, x1) of an image, and its worker's slice of the workspace.
typedef struct quernel_i_task {
    const quernel_i_call *call;
    uint8_t *slice;
    uint32_t image, y0, y1, x0, x1;
    uint32_t unit0, unit1;
    quernel_i_image_quant image_quant; // dynamic over the image: found in the run
    uint8_t zero_byte;      // the zero point as rows hold it
} quernel_i_task;

/// The loops of a task, by the form of its kernel: product.c, conv.c.
void quernel_i_run_staged(const quernel_i_task *task);
void quernel_i_run_packed(const quernel_i_task *task);
void quernel_i_run_conv(const quernel_i_task *task);

/// Prepares the strip of a task (nothing to do in place).
void quernel_i_strip_stage(const quernel_i_task *task);
/// Address of the row of output pixel (line, column) for this bundle's channels: in place or in the strip.
const uint8_t *quernel_i_strip_row(const quernel_i_task *task, uint32_t line, uint32_t column, uint32_t bundle);
/// Where the plan says so: finds the blocks of the task's pixels whose rows are all equal to the row before them.
void quernel_i_equal_find(const quernel_i_task *task);
/// The stretch of pixels from (line, x) on that are alike in this: [x, *ret_end). True where all rows are equal to the one
/// before x.
bool quernel_i_equal_span(const quernel_i_task *task, uint32_t line, uint32_t x, uint32_t *ret_end);
/// Copies the results of the finish's first pixel to the `pixels` pixels behind it.
void quernel_i_equal_copy(const quernel_i_finish *finish, uint32_t pixels, uint32_t columns);

/// Packs im2col rows of `pixels` output pixels of a line for one bundle of groups, and fills row_scale and row_term by row.
void quernel_i_chunk_pack(const quernel_i_task *task, uint32_t line, uint32_t column, uint32_t pixels, uint32_t bundle);
/// Fills the slice's row_sum: Σ of the real k of each row of a product, run_bytes of each of its runs.
void quernel_i_chunk_sum(const quernel_i_task *task, const quernel_i_gemm *product, uint32_t run_bytes);

/// Fills the finish of a unit's columns (first column `j` of the tables, output channel `channel`, phase of a
/// deconvolution) for the pixels from (line, column) on.
void quernel_i_finish_fill(const quernel_i_task *task, uint32_t line, uint32_t column, size_t j, uint32_t channel,
                           uint32_t phase, quernel_i_finish *ret_finish);

/// Patches of `up` pixels that cover `size` pixels, the first `crop` of them outside: those whose pixel p lies inside.
void quernel_i_patches_inside(uint32_t size, uint32_t up, uint32_t crop, uint32_t p, uint32_t *ret_first, uint32_t *ret_end);
/// Merged phases: their columns lie apart in y in no regular way, so a chunk is finished into a tile and spread from there.
/// _collect turns the finish to the tile and gathers the residual's; _spread writes the tile to y.
void quernel_i_merged_collect(const quernel_i_task *task, uint32_t line, uint32_t column, uint32_t pixels,
                              quernel_i_finish *finish);
void quernel_i_merged_spread(const quernel_i_task *task, uint32_t line, uint32_t column, uint32_t pixels);

/// Joined phases: in a layout other than NHWC the results of one phase lie apart in every direction, so that the sums of
/// all phases of a line go into a tile, [pixel of y][column], and are finished from there as one line.
/// _collect turns the finish of the i-th phase to the tile; _finish makes results of the tile, by the finish of the first.
void quernel_i_joined_collect(const quernel_i_task *task, uint32_t i, quernel_i_finish *finish);
void quernel_i_joined_finish(const quernel_i_task *task, uint32_t column, uint32_t pixels, uint32_t columns,
                             quernel_i_finish *finish);

/// Writes the zero point into those border pixels of y that lie beside the task's lines.
void quernel_i_border_fill(const quernel_i_task *task);

/// Finds the quantization of all images: fills the array of quernel_i_image_quant in the shared workspace.
void quernel_i_ranges_find(const quernel_i_call *call, const quernel_parallel *parallel);
static inline quernel_i_image_quant *quernel_i_images(const quernel_i_call *call) {
    return (quernel_i_image_quant *)call->workspace;
}

#endif
