// SPDX-License-Identifier: Apache-2.0
// Products of two int8 tensors, neither of which is known before the run: attention.
#ifndef QUERNEL_MATMUL_H
#define QUERNEL_MATMUL_H

#include "eltwise.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Describes products of matrices: of each image n and line h the pixels are rows, the channels
/// columns, and y[n][h] = x[n][h]·z[n][h]. x is [w][c], with w rows of k = c values; z is [k][y.c],
/// or with `transposed` [y.c][k]; y is [x.w][y.c]. n and h of z are those of x, or 1: one matrix
/// for all of them. All three NHWC, with any strides between pixels, lines and images.
/// Numbers: docs/numerics.md, rules 4 and 5, with z as weights; c[n] = x.scale·z.scale.
typedef struct quernel_matmul_desc {
    uint32_t size;      ///< sizeof, set by QUERNEL_MATMUL_DESC_INIT
    int32_t transposed; ///< 0, or 1: z's rows are columns of the product
    quernel_operand x;  ///< int8; no `scales`
    /// int8, handed to run as `residual`; `scales`: of y's channels, where it is not transposed
    quernel_operand z;
    quernel_tensor y; ///< sizes 0: inferred
    /// the output: activation and y_…; no bias, no residual
    quernel_epilogue epilogue;
    const char *config; ///< demands on the plan, as of quernel_linear_desc; NULL: none
    uint32_t threads;   ///< workers that a run may use at most; 0 and 1: one
    int32_t isa;        ///< ceiling: a quernel_isa, or −1: the process's
    const quernel_allocator *allocator; ///< NULL: the C library
} quernel_matmul_desc;
#define QUERNEL_MATMUL_DESC_INIT                                                    \
    {                                                                               \
        sizeof(quernel_matmul_desc), 0, QUERNEL_OPERAND_INIT, QUERNEL_OPERAND_INIT, \
            QUERNEL_TENSOR_INIT, QUERNEL_EPILOGUE_INIT, NULL, 1, -1, NULL           \
    }
#define QUERNEL_MATMUL_DESC_MIN 464 ///< bytes of its first layout

/// Creates the operator. Each run packs z, in the workspace.
/// Limits: k times the largest distances of x and z from their zero points is 2^31 - 1 or less.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE; QUERNEL_E_SHAPE; QUERNEL_E_STRIDE;
/// QUERNEL_E_OVERFLOW (x: k); QUERNEL_E_MEMORY.
/// Threads: any. Owner: the caller (quernel_operator_destroy). Example: examples/attention.c.
QUERNEL_API int quernel_matmul_create(const quernel_matmul_desc *desc, quernel_operator **ret_op,
                                      quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
