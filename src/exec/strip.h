// SPDX-License-Identifier: Apache-2.0
// Geometry of a strip, which both those who fill it and those who gather rows from it go by.
#ifndef QUERNEL_EXEC_STRIP_H
#define QUERNEL_EXEC_STRIP_H

#include "exec/exec.h"
#include "pack/stage.h"

// Input line and pixel of tap (0, 0) of an output pixel; negative in the padding.
static inline int64_t quernel_i_strip_input_line(const quernel_i_problem *p, uint32_t line) {
    return (int64_t)line * p->stride_h - p->pad_top;
}

static inline int64_t quernel_i_strip_input_x(const quernel_i_problem *p, uint32_t x) {
    return (int64_t)x * p->stride_w - p->pad_left;
}

// Whether the strip holds floats: rows with a scale, or factors, of their own are quantized as they
// are gathered.
static inline bool quernel_i_strip_float(const quernel_i_problem *p, const quernel_i_plan *plan) {
    return plan->rows.path == QUERNEL_I_PATH_IM2COL && quernel_i_problem_float_input(p);
}

static inline size_t quernel_i_strip_element(const quernel_i_problem *p,
                                             const quernel_i_plan *plan) {
    return quernel_i_strip_float(p, plan) ? sizeof(float) : 1;
}

// Bytes from pixel to pixel of the strip: the rows that the kernel reads, or what im2col rows are
// gathered from.
static inline size_t quernel_i_strip_pixel(const quernel_i_problem *p, const quernel_i_plan *plan) {
    return plan->rows.path == QUERNEL_I_PATH_IM2COL ? p->x.c * quernel_i_strip_element(p, plan)
                                                    : (size_t)plan->rows.pixel;
}

// Bytes from line to line of the strip.
static inline size_t quernel_i_strip_line(const quernel_i_problem *p, const quernel_i_plan *plan) {
    return plan->strip.pixels * quernel_i_strip_pixel(p, plan);
}

#endif
