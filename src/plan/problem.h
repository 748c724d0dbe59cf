// SPDX-License-Identifier: Apache-2.0
// The problem: what the user described, checked. Made by `op`, const from then on. What differs
// from machine to machine, or with how the problem is solved, is in the plan.
//
// Every operator is a grid of output pixels. linear: one image of one line with M pixels. conv2d:
// its output. deconv2d: the patches of stride x stride pixels that tile its output, where
// each phase writes its own pixel of every patch.
#ifndef QUERNEL_PLAN_PROBLEM_H
#define QUERNEL_PLAN_PROBLEM_H

#include "kernels/ukr.h"
#include "pack/weights.h"
#include "quernel/cpu.h"
#include "quernel/epilogue.h"
#include "quernel/quant.h"
#include "quernel/tensor.h"

typedef struct quernel_i_problem {
    const char *where;             // "linear", "conv2d", "deconv2d": who speaks in messages
    quernel_tensor x, y, residual; // strides filled in
    uint32_t grid_h, grid_w;       // output pixels per image
    uint32_t kernel_h, kernel_w;   // of the window of taps read from x
    uint32_t stride_h, stride_w, dilation_h, dilation_w;
    int32_t pad_top, pad_left;    // below 0 where a deconvolution crops whole pixels of x
    uint32_t up_h, up_w;          // deconv2d: its stride; else 1
    uint32_t crop_top, crop_left; // deconv2d: of the first patches, what lies outside y
    quernel_weights *weights;
    quernel_quant quant;
    quernel_epilogue epilogue; // its pointers: not after the operator is made
    uint32_t threads;
} quernel_i_problem;

/// The geometry of a product of rows: one image of one line, a pixel for each row.
static inline quernel_i_problem quernel_i_problem_of_rows(const char *where, uint32_t rows) {
    return (quernel_i_problem){.where = where,
                               .grid_h = 1,
                               .grid_w = rows,
                               .kernel_h = 1,
                               .kernel_w = 1,
                               .stride_h = 1,
                               .stride_w = 1,
                               .dilation_h = 1,
                               .dilation_w = 1,
                               .up_h = 1,
                               .up_w = 1};
}

static inline bool quernel_i_problem_depthwise(const quernel_i_problem *p) {
    return p->weights->shape.format == QUERNEL_I_FORMAT_TAPS;
}
/// Scale and zero point of each image are computed in the run.
static inline bool quernel_i_problem_by_image(const quernel_i_problem *p) {
    return p->quant.mode == QUERNEL_QUANT_DYNAMIC_CALL;
}
/// Rows have parameters of their own, computed in the run.
static inline bool quernel_i_problem_by_row(const quernel_i_problem *p) {
    return p->quant.mode == QUERNEL_QUANT_DYNAMIC_ROW;
}
/// y is floats in planes: pixels side by side, channels apart.
static inline bool quernel_i_problem_planes(const quernel_i_problem *p) {
    return p->y.type == QUERNEL_TYPE_F32 && p->y.stride_w == 1 && p->y.stride_c != 1;
}
/// Bytes of y.
static inline uint64_t quernel_i_problem_y_bytes(const quernel_i_problem *p) {
    return (uint64_t)p->y.n * p->y.c * p->y.h * p->y.w * quernel_type_size((quernel_type)p->y.type);
}
static inline bool quernel_i_problem_float_input(const quernel_i_problem *p) {
    return p->x.type == QUERNEL_TYPE_F32 || p->x.type == QUERNEL_TYPE_BF16;
}
static inline bool quernel_i_problem_int8_input(const quernel_i_problem *p) {
    return p->x.type == QUERNEL_TYPE_S8 || p->x.type == QUERNEL_TYPE_U8;
}
/// Input lines that `lines` output lines read, and the pixels of a line.
static inline uint32_t quernel_i_problem_lines(const quernel_i_problem *p, uint32_t lines) {
    return (lines - 1) * p->stride_h + (p->kernel_h - 1) * p->dilation_h + 1;
}
static inline uint32_t quernel_i_problem_pixels(const quernel_i_problem *p, uint32_t pixels) {
    return (pixels - 1) * p->stride_w + (p->kernel_w - 1) * p->dilation_w + 1;
}

#endif
