// SPDX-License-Identifier: Apache-2.0
// Element by element: sums, products, activations, changes of type, scale and layout, and tables.
#ifndef QUERNEL_ELTWISE_H
#define QUERNEL_ELTWISE_H

#include "epilogue.h"
#include "operator.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What is computed of x and z, as values: v = (q − zero)·scale of int8, else the element.
typedef enum quernel_eltwise_kind {
    QUERNEL_ELTWISE_COPY = 0,   ///< x: an activation alone, another type, scale or layout
    QUERNEL_ELTWISE_ADD = 1,    ///< x + z
    QUERNEL_ELTWISE_SUB = 2,    ///< x − z
    QUERNEL_ELTWISE_MUL = 3,    ///< x·z
    QUERNEL_ELTWISE_DIV = 4,    ///< x / z
    QUERNEL_ELTWISE_LOOKUP = 5, ///< table[x]: any function of one int8 code
} quernel_eltwise_kind;

/// A tensor that is read, and what its codes mean.
typedef struct quernel_operand {
    quernel_tensor tensor; ///< type F32, BF16, S8 or U8
    float scale;           ///< int8
    int32_t zero;          ///< int8
    const float *scales;   ///< int8: [c] in place of `scale`, or NULL
    uint64_t reserved[2];  ///< 0
} quernel_operand;
#define QUERNEL_OPERAND_INIT                         \
    {                                                \
        QUERNEL_TENSOR_INIT, 1.0f, 0, NULL, { 0, 0 } \
    }

/// Describes the operator. n, c, h and w of x are those of y; of z each is y's, or 1: the element
/// is the same for all. Layouts and strides are each tensor's own. Of `epilogue` the activation and
/// its parameters and the members y_… count; bias and residual must be left out.
typedef struct quernel_eltwise_desc {
    uint32_t size;     ///< sizeof, set by QUERNEL_ELTWISE_DESC_INIT
    int32_t kind;      ///< quernel_eltwise_kind
    quernel_operand x; ///< LOOKUP: int8
    quernel_operand z; ///< ADD … DIV, handed to run as `residual`
    quernel_tensor y;  ///< sizes 0: x's; LOOKUP: int8
    quernel_epilogue epilogue;
    /// LOOKUP: [256], or [c][256], by the code's bits as u8: codes of y; copied by create
    const uint8_t *table;
    uint32_t tables;                    ///< 1 or c
    uint32_t threads;                   ///< workers that a run may use at most; 0 and 1: one
    int32_t isa;                        ///< ceiling: a quernel_isa, or −1: the process's
    const quernel_allocator *allocator; ///< NULL: the C library
} quernel_eltwise_desc;
#define QUERNEL_ELTWISE_DESC_INIT                                                    \
    {                                                                                \
        sizeof(quernel_eltwise_desc), 0, QUERNEL_OPERAND_INIT, QUERNEL_OPERAND_INIT, \
            QUERNEL_TENSOR_INIT, QUERNEL_EPILOGUE_INIT, NULL, 0, 1, -1, NULL         \
    }
#define QUERNEL_ELTWISE_DESC_MIN 472 ///< bytes of its first layout

/// Creates the operator. y may be x or z itself, element for element.
/// Numbers: docs/numerics.md, Elements. Of chain tensors the border is written.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE; QUERNEL_E_SHAPE; QUERNEL_E_STRIDE;
/// QUERNEL_E_OVERFLOW; QUERNEL_E_MEMORY.
/// Threads: any. Owner: the caller (quernel_operator_destroy).
QUERNEL_API int quernel_eltwise_create(const quernel_eltwise_desc *desc, quernel_operator **ret_op,
                                       quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
