// SPDX-License-Identifier: Apache-2.0
// Pools: the maximum or the average of a window.
#ifndef QUERNEL_POOL2D_H
#define QUERNEL_POOL2D_H

#include "eltwise.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum quernel_pool2d_kind {
    QUERNEL_POOL2D_MAX = 0,
    QUERNEL_POOL2D_AVERAGE = 1,        ///< over the elements inside x
    QUERNEL_POOL2D_AVERAGE_PADDED = 2, ///< padding counts, as zeros (count_include_pad)
    QUERNEL_POOL2D_GLOBAL = 3,         ///< average of a whole image; the window is not looked at
} quernel_pool2d_kind;

/// Describes a pool. y's sizes 0 are inferred: floor((h + pad_top + pad_bottom − window) / stride)
/// + 1, window = dilation·(kernel − 1) + 1; with `ceil_mode` ceil instead of floor, less windows
/// that would begin behind x and its first padding. Padding is less than the window. x is int8, or
/// F32 or BF16.
typedef struct quernel_pool2d_desc {
    uint32_t size; ///< sizeof, set by QUERNEL_POOL2D_DESC_INIT
    int32_t kind;  ///< quernel_pool2d_kind
    quernel_operand x;
    quernel_tensor y;
    uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    uint32_t pad_top, pad_left, pad_bottom, pad_right;
    int32_t ceil_mode;
    /// the output: activation and y_…; no bias, no residual
    quernel_epilogue epilogue;
    uint32_t threads;                   ///< workers that a run may use at most; 0 and 1: one
    int32_t isa;                        ///< ceiling: a quernel_isa, or −1: the process's
    const quernel_allocator *allocator; ///< NULL: the C library
} quernel_pool2d_desc;
#define QUERNEL_POOL2D_DESC_INIT                                                                  \
    {                                                                                             \
        sizeof(quernel_pool2d_desc), 0, QUERNEL_OPERAND_INIT, QUERNEL_TENSOR_INIT, 1, 1, 1, 1, 1, \
            1, 0, 0, 0, 0, 0, QUERNEL_EPILOGUE_INIT, 1, -1, NULL                                  \
    }
#define QUERNEL_POOL2D_DESC_MIN 392 ///< bytes of its first layout

/// Creates the operator.
/// Numbers: docs/numerics.md, Pools. Where x and y are int8 with the same scales and zero point,
/// and no activation, a maximum is one of the codes themselves. Returns QUERNEL_OK; QUERNEL_E_NULL;
/// QUERNEL_E_VALUE; QUERNEL_E_SHAPE; QUERNEL_E_STRIDE; QUERNEL_E_OVERFLOW; QUERNEL_E_MEMORY.
/// Threads: any. Owner: the caller (quernel_operator_destroy). Example: examples/pool2d.c.
QUERNEL_API int quernel_pool2d_create(const quernel_pool2d_desc *desc, quernel_operator **ret_op,
                                      quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
