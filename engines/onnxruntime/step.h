// SPDX-License-Identifier: Apache-2.0
// What the compiler makes of nodes: steps over values, without shapes and without pointers, so that
// an island's steps are at once what is lowered, what is saved and what is loaded.
//
// A value is float, or int8 codes whose meaning (scale, zero point) belongs to it. A step reads and
// writes either. Arrays are spans of bytes of one block of data.
#ifndef QUERNEL_EP_STEP_H
#define QUERNEL_EP_STEP_H

#include <stdbool.h>
#include <stdint.h>

/// Bytes of a block of data; 0 bytes: none. Offsets are multiples of 8.
typedef struct quernel_ep_span {
    uint32_t offset, bytes;
} quernel_ep_span;

/// Which axis of ONNX's tensor holds the channels. With two dimensions both are the same.
typedef enum quernel_ep_order {
    QUERNEL_EP_ORDER_IMAGE = 0, // n c h w, n c w, n c
    QUERNEL_EP_ORDER_ROWS = 1,  // n h w c, n w c, n c
    QUERNEL_EP_ORDER_ANY = 2    // in the search: that of its neighbours
} quernel_ep_order;

/// What codes mean.
typedef struct quernel_ep_coding {
    int32_t type; // U8, S8; 0: not known
    float scale;
    int32_t zero;
} quernel_ep_coding;

/// Sizes of a value inside a network.
typedef struct quernel_ep_sizes {
    uint32_t n, c, h, w;
} quernel_ep_sizes;

/// A value of a program.
typedef struct quernel_ep_record {
    int32_t type; // ONNX's: F32, U8, S8
    int32_t order;
    uint32_t rank;
    quernel_ep_coding coding;
    quernel_ep_span constant;        // f32, n h w c; or none
    quernel_ep_sizes constant_sizes; // of it
    quernel_ep_span smooth;          // [c] factors by which its codes were divided
    int32_t input, output;           // of the run's inputs, outputs; −1: not handed to it
} quernel_ep_record;

typedef enum quernel_ep_kind {
    QUERNEL_EP_CONV = 0,    // convolution, deconvolution, product; z is the residual
    QUERNEL_EP_ELTWISE = 1, // `op` is a quernel_eltwise_kind
    QUERNEL_EP_POOL = 2,    // `op` is a quernel_pool2d_kind
    QUERNEL_EP_RESIZE = 3,
    QUERNEL_EP_SHUFFLE = 4,
    QUERNEL_EP_CONCAT = 5,    // of the values of LIST along channels
    QUERNEL_EP_VIEW = 6,      // channels `channel` … of x, with another rank or order
    QUERNEL_EP_NORMALIZE = 7, // `op` is a quernel_normalize_kind; BIAS is its beta
    QUERNEL_EP_MATMUL = 8,    // of x and z; `op` 1: z is [n][k]
    QUERNEL_EP_N_KINDS
} quernel_ep_kind;

/// How the padding of a window is found.
typedef enum quernel_ep_auto_pad {
    QUERNEL_EP_PAD_GIVEN = 0,
    QUERNEL_EP_PAD_SAME_UPPER = 1, // so that y is x / stride, rounded up; the odd one at the end
    QUERNEL_EP_PAD_SAME_LOWER = 2  // … at the beginning
} quernel_ep_auto_pad;

/// A window over lines (0) and pixels (1).
typedef struct quernel_ep_window {
    uint32_t kernel[2], stride[2], dilation[2], begin[2], end[2];
    uint32_t out_pad[2]; // deconvolution
    int32_t auto_pad, ceil_mode;
} quernel_ep_window;

/// What becomes of an axis.
typedef enum quernel_ep_axis_kind {
    QUERNEL_EP_AXIS_KEEP = 0,
    QUERNEL_EP_AXIS_RESIZE = 1, // `scale`, or `size` where that is not 0
    QUERNEL_EP_AXIS_SLICE = 2,  // from `begin` to `end` by `step`, as ONNX's Slice
    QUERNEL_EP_AXIS_PAD = 3     // `begin` before, `end` behind; negative: cut off
} quernel_ep_axis_kind;

typedef struct quernel_ep_axis {
    int32_t kind;
    int32_t mode; // RESIZE, PAD: enums of resample.h, as are these
    int32_t coordinates, nearest;
    int32_t antialias, exclude_outside;
    float scale, cubic; // cubic: the filter's coefficient
    uint32_t size;
    int64_t begin, end, step;
    float roi[2];
} quernel_ep_axis;

/// Arrays of a step.
typedef enum quernel_ep_array {
    QUERNEL_EP_BIAS = 0,   // f32 [out]
    QUERNEL_EP_SLOPES = 1, // f32 [out]
    QUERNEL_EP_TABLE = 2,  // u8 [tables][256]
    QUERNEL_EP_FROM = 3,   // u32: of a shuffle
    QUERNEL_EP_LIST = 4,   // i32: values that are concatenated
    QUERNEL_EP_GAMMA = 5,  // f32 [out]: NORMALIZE
    QUERNEL_EP_N_ARRAYS
} quernel_ep_array;

typedef struct quernel_ep_step {
    int32_t kind, op;
    int32_t x, z, y;        // values; z −1: none
    int32_t order, y_order; // of x and z, and of y: they differ in VIEW alone
    int32_t weights;        // CONV: index; else −1
    uint32_t out;           // CONV, SHUFFLE: channels of y; VIEW: those that are read; 0: x's
    uint32_t channel;       // VIEW
    quernel_ep_sizes rows;  // VIEW of rows: what n, h and w must be found to be; n 0: anything
    int32_t up;             // CONV: a deconvolution
    int32_t dynamic;        // CONV: x is float and quantized in the run
    int32_t activation, residual_late;
    float lo, hi, slope, pad;
    float epsilon;  // NORMALIZE
    int32_t gather; // SHUFFLE
    uint32_t block[2];
    quernel_ep_window window;
    quernel_ep_axis axes[2];
    quernel_ep_span arrays[QUERNEL_EP_N_ARRAYS];
} quernel_ep_step;

#endif
