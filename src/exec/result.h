// SPDX-License-Identifier: Apache-2.0
// How values of an operator without weights become its output: docs/numerics.md, rule 5 from step 2
// on, with tables per channel. Made by `op`, const from then on.
#ifndef QUERNEL_EXEC_RESULT_H
#define QUERNEL_EXEC_RESULT_H

#include "kernels/ukr.h"
#include "quernel/tensor.h"

typedef struct quernel_i_result {
    const quernel_i_kernel *epilogue;
    quernel_tensor y;
    // as quernel_i_epilogue, [channels rounded up to 16], or NULL
    const float *scale, *bias, *slope, *act_lo, *act_hi, *out_scale;
    quernel_i_act act;
    float q_lo, q_hi;
    int32_t q_zero;
} quernel_i_result;

/// Values of pixels (image, line, first) … of y: [pixels][channels], S32 (multiplied by the scales)
/// or F32, and a factor for each of the pixels, of S32, or NULL.
typedef struct quernel_i_values {
    const void *data;
    bool is_float;
    const float *factors;
    uint32_t image, line, first, pixels;
} quernel_i_values;

void quernel_i_result_store(const quernel_i_result *result, const quernel_i_values *values,
                            void *y);

/// Address of a pixel of y.
uint8_t *quernel_i_result_pixel(const quernel_i_result *result, void *y, uint32_t image,
                                int64_t line, int64_t pixel);

#endif
