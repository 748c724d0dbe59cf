// SPDX-License-Identifier: Apache-2.0
// Linear layer: y[m][n] = epilogue(Σ_k x[m][k]·w[n][k]).
#ifndef QUERNEL_LINEAR_H
#define QUERNEL_LINEAR_H

#include "epilogue.h"
#include "operator.h"
#include "quant.h"
#include "weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Describes a linear layer; K and N come from the weights. Strides in elements, 0: dense.
typedef struct quernel_linear_desc {
    uint32_t size;            ///< sizeof, set by QUERNEL_LINEAR_DESC_INIT
    quernel_weights *weights; ///< of kind linear; the operator takes a reference of its own
    uint32_t m;               ///< rows
    int32_t x_type;           ///< F32, BF16, S8, U8
    int64_t x_stride, y_stride, residual_stride; ///< from row to row
    quernel_quant quant;
    quernel_epilogue epilogue;
    uint32_t threads;   ///< workers that a run may use at most; 0 and 1: one
    int32_t isa;        ///< ceiling: a quernel_isa, or −1 for the process's ceiling
    const char *config; ///< forces choices: "key=value" words of quernel_operator_explain; or NULL
    const quernel_allocator *allocator; ///< NULL: the C library
} quernel_linear_desc;
#define QUERNEL_LINEAR_DESC_INIT                                              \
    {                                                                         \
        sizeof(quernel_linear_desc), NULL, 0, 0, 0, 0, 0, QUERNEL_QUANT_INIT, \
            QUERNEL_EPILOGUE_INIT, 1, -1, NULL, NULL                          \
    }
#define QUERNEL_LINEAR_DESC_MIN 248 ///< bytes of its first layout

/// Creates the operator of a linear layer: y [m][N] = epilogue(x [m][K]·weights).
/// Numbers: docs/numerics.md. Refused are s_k·d_a outside 2^-96 … 2^96, and a channel whose bound
/// |bias| + Σ max|q_a − z_a|·|q_w − z_w| exceeds int32.
/// Limits: m <= 2^30; threads <= 4096.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (a member outside the range that its comment
/// gives; a config that is unknown or not legal here); QUERNEL_E_SHAPE (m); QUERNEL_E_STRIDE;
/// QUERNEL_E_OVERFLOW (index: the channel; or sizes in bytes); QUERNEL_E_MEMORY; QUERNEL_E_ISA (a
/// kernel of `config` that cannot run here).
/// Threads: any. Owner: the caller (quernel_operator_destroy); the operator holds a reference to
/// the weights, and copies of all arrays. Example: examples/linear.c.
QUERNEL_API int quernel_linear_create(const quernel_linear_desc *desc, quernel_operator **ret_op,
                                      quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
