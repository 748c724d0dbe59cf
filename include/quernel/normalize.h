// SPDX-License-Identifier: Apache-2.0
// Normalized channels: softmax, layer and RMS normalization.
#ifndef QUERNEL_NORMALIZE_H
#define QUERNEL_NORMALIZE_H

#include "eltwise.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum quernel_normalize_kind {
    QUERNEL_NORMALIZE_SOFTMAX = 0, ///< e^v / Σ e^v
    QUERNEL_NORMALIZE_LAYER = 1,   ///< (v − mean)/sqrt(variance + epsilon)·gamma + beta
    QUERNEL_NORMALIZE_RMS = 2,     ///< v/sqrt(mean of v² + epsilon)·gamma + beta
} quernel_normalize_kind;

/// Describes the operator: all channels of a pixel by themselves, as values v. Sizes of y are those
/// of x; x is int8, or F32 or BF16; layouts and strides are each tensor's own.
typedef struct quernel_normalize_desc {
    uint32_t size; ///< sizeof, set by QUERNEL_NORMALIZE_DESC_INIT
    int32_t kind;  ///< quernel_normalize_kind
    quernel_operand x;
    quernel_tensor y; ///< sizes 0: x's
    /// LAYER, RMS: [c], or NULL: ones, and zeros; copied by create
    const float *gamma, *beta;
    float epsilon; ///< LAYER, RMS: finite, 0 or more
    /// the output: activation and y_…; no bias, no residual
    quernel_epilogue epilogue;
    uint32_t threads;                   ///< workers that a run may use at most; 0 and 1: one
    int32_t isa;                        ///< ceiling: a quernel_isa, or −1: the process's
    const quernel_allocator *allocator; ///< NULL: the C library
} quernel_normalize_desc;
#define QUERNEL_NORMALIZE_DESC_INIT                                                               \
    {                                                                                             \
        sizeof(quernel_normalize_desc), 0, QUERNEL_OPERAND_INIT, QUERNEL_TENSOR_INIT, NULL, NULL, \
            1e-5f, QUERNEL_EPILOGUE_INIT, 1, -1, NULL                                             \
    }
#define QUERNEL_NORMALIZE_DESC_MIN 368 ///< bytes of its first layout

/// Creates the operator. y may be x itself, element for element.
/// Numbers: docs/numerics.md, Normalized channels. Of chain tensors the border is written.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE; QUERNEL_E_SHAPE; QUERNEL_E_STRIDE;
/// QUERNEL_E_OVERFLOW; QUERNEL_E_MEMORY.
/// Threads: any. Owner: the caller (quernel_operator_destroy). Example: examples/normalize.c.
QUERNEL_API int quernel_normalize_create(const quernel_normalize_desc *desc,
                                         quernel_operator **ret_op, quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
