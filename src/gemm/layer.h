// SPDX-License-Identifier: Apache-2.0
// A layer as the drive sees it: one product of rows by packed weights per job, whatever the operator was called.
// `op` fills geometry, numbers and tables; `plan` the kernels and sizes; the drive only reads.
//
// Every operator is a grid of output pixels. linear: one image of one line with M pixels. conv2d: its output. deconv2d: the
// patches of stride x stride pixels that its output is laid with, where each phase writes its own pixel of every patch.
#ifndef QUERNEL_GEMM_LAYER_H
#define QUERNEL_GEMM_LAYER_H

#include "kernels/ukr.h"
#include "pack/weights.h"
#include "quernel/operator.h"

/// How the rows that the micro-kernel reads come to be.
typedef enum quernel_i_path {
    QUERNEL_I_PATH_INPLACE = 0, ///< taps read in the caller's own int8 tensor
    QUERNEL_I_PATH_STAGED = 1,  ///< a strip of input lines is quantized or copied, taps read there
    QUERNEL_I_PATH_PACKED = 2   ///< im2col rows are gathered from a strip, a chunk of pixels at a time
} quernel_i_path;

/// Where a worker's pieces of workspace begin, in bytes from its slice. `bytes` is the size of a slice.
typedef struct quernel_i_slice {
    size_t strip;   // staged rows, or the float strip of the packed path
    size_t packed;  // im2col rows of one chunk
    size_t block;   // a block of weights in the kernel's own form
    size_t scratch; // the micro-kernel's
    size_t equal;   // a flag for each block of a strip
    size_t floats;  // bf16 pieces as f32
    size_t tile, residual; // merged phases: results and residuals of one chunk, [pixel][column]; joined ones: their sums
    size_t row_scale, row_term, row_sum; // one chunk
    size_t init, scale;                  // dynamic: this image's tables
    size_t bytes;
} quernel_i_slice;

typedef struct quernel_i_layer {
    // Geometry
    quernel_tensor x, y, residual;     // strides filled in
    uint32_t grid_h, grid_w;           // output pixels per image
    uint32_t kernel_h, kernel_w;       // of the window of taps read from x
    uint32_t stride_h, stride_w, dilation_h, dilation_w;
    int32_t pad_top, pad_left;         // below 0 where a deconvolution's own padding crops whole pixels of x
    uint32_t up_h, up_w;               // deconv2d: its stride; else 1
    uint32_t crop_top, crop_left;      // deconv2d: lines and pixels of the first patches that lie outside y
    quernel_weights *weights;

    // Numbers
    quernel_quant quant;
    const float *mult;                 // [C], or in packed order [groups][4·k_groups] on the packed path
    const float *range_mult;           // [C]: what ranges of whole pixels multiply with
    float lo, hi;                      // least and greatest number, z not yet subtracted
    int32_t encode;                    // added to numbers so that they travel as the kernel's type
    const float *row_scales;           // linear, static per row: [M], or NULL
    quernel_finish finish;             // activation, types, flags; its pointers are not used
    const int32_t *init;               // [jobs·columns16]: bias − Z·col_term, Z = z + encode, where Z is static
    const int32_t *z_columns;          // [jobs·columns16]: Σ(w − z_w): what a zero point Z takes away
    const int32_t *w_zeros;            // [jobs·columns16]: −z_w, or NULL where all are 0
    const float *scale, *bias, *slope, *act_lo, *act_hi, *out_scale, *r_scale; // as quernel_i_finish, or NULL
    quernel_i_act act;
    float q_lo, q_hi;
    int32_t q_zero;

    // Plan
    quernel_isa isa;
    quernel_i_path path;
    const quernel_i_kernel *gemm, *depthwise, *rows, *range, *gather; // gather: float rows of the packed path
    const quernel_i_kernel *finisher;  // of joined phases
    const quernel_i_run *runs;         // [phases][n_runs]
    uint32_t n_runs;                   // of a phase at most
    ptrdiff_t a_line, a_pixel;         // bytes of the rows that the kernel reads
    uint32_t strip_h, strip_w;         // output pixels of a strip
    uint32_t strip_lines, strip_pixels;// input lines and pixels of a strip
    uint32_t chunk;                    // output pixels that are packed, or multiplied, at a time
    uint32_t flat;                     // a strip's lines are one line of pixels; those between them land in y's border
    quernel_i_stream stream;
    uint32_t prefetch;                 // bytes ahead; 0: none
    uint32_t stay;                     // groups of k of a tile kernel's rows that stay in L1; 0: all
    uint32_t floats;                   // pixels of a bf16 piece
    uint32_t equal;                    // output pixels of a block whose rows may be equal; 0: not looked for
    uint32_t conv_parts;               // of a convolution kernel's channels
    uint32_t columns_block;            // columns of a unit
    uint32_t joined;                   // phases of a unit: those of one line of y where it is finished as a whole, else 1
    uint32_t units_per_job, units;     // units = jobs / joined·units_per_job
    uint32_t strips_h, strips_w, parts; // tasks = images·strips_h·strips_w·parts; parts split the units
    uint32_t range_tasks;              // per image; 0: not dynamic over the image
    uint32_t threads;
    quernel_i_slice slice;
    size_t shared_bytes;               // at the start of the workspace: ranges and parameters of every image
    size_t workspace_bytes;
} quernel_i_layer;

static inline bool quernel_i_layer_dynamic(const quernel_i_layer *l) { return l->quant.mode != QUERNEL_QUANT_STATIC; }
static inline bool quernel_i_layer_depthwise(const quernel_i_layer *l) {
    return l->weights->shape.format == QUERNEL_I_FORMAT_TAPS;
}
/// One run covers a kernel row, else each tap is a run.
static inline bool quernel_i_layer_whole_rows(const quernel_i_layer *l) { return l->n_runs == l->kernel_h; }
/// Its kernel takes strips of pixels, not rows.
static inline bool quernel_i_layer_conv(const quernel_i_layer *l) {
    return !quernel_i_layer_depthwise(l) && l->gemm->call == QUERNEL_I_CALL_CONV;
}
/// Its kernel works in tiles that the thread configures.
static inline bool quernel_i_layer_tiles(const quernel_i_layer *l) {
    return !quernel_i_layer_depthwise(l) && l->gemm->tiles;
}
/// Bytes from row to row of the tile of joined phases' sums.
static inline size_t quernel_i_layer_tile_row(const quernel_i_layer *l) { return (size_t)l->columns_block * sizeof(int32_t); }
/// Output lines of a register tile: such kernels work in tiles of 4.
static inline uint32_t quernel_i_layer_line_step(const quernel_i_layer *l) { return quernel_i_layer_conv(l) ? 4 * l->dilation_h : 1; }
/// Blocks of pixels of a strip's line.
static inline uint32_t quernel_i_layer_blocks(const quernel_i_layer *l) {
    return l->equal ? (l->strip_w + l->equal - 1) / l->equal : 0;
}
/// Rows have parameters of their own, found in the run.
static inline bool quernel_i_layer_by_row(const quernel_i_layer *l) {
    return l->quant.mode == QUERNEL_QUANT_DYNAMIC_ROW;
}

#endif
