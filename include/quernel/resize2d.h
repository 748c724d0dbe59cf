// SPDX-License-Identifier: Apache-2.0
// Resampling along lines and pixels: resize, crop, pad, flip, slices with steps.
#ifndef QUERNEL_RESIZE2D_H
#define QUERNEL_RESIZE2D_H

#include "eltwise.h"

#ifdef __cplusplus
extern "C" {
#endif

#define QUERNEL_RESIZE2D_PAD UINT32_MAX ///< in quernel_resize2d_axis.from: the pad value

/// Where each of y's lines (or pixels) comes from: line from[i] of x, or, where `to` is given,
/// between two: (1 − share[i])·x[from[i]] + share[i]·x[to[i]]. Where from[i] is
/// QUERNEL_RESIZE2D_PAD, all of the line (or pixel) is padded, and to[i] and share[i] are not
/// looked at. Any formula of coordinates is such a table.
typedef struct quernel_resize2d_axis {
    const uint32_t *from; ///< [size of y]
    const uint32_t *to;   ///< [size of y] or NULL
    const float *share;   ///< [size of y], 0 … 1, with `to`
} quernel_resize2d_axis;

/// Describes the operator. y's n and c are x's, its h and w must be given. Axes are copied by
/// create.
typedef struct quernel_resize2d_desc {
    uint32_t size; ///< sizeof, set by QUERNEL_RESIZE2D_DESC_INIT
    quernel_operand x;
    quernel_tensor y;
    quernel_resize2d_axis lines, pixels;
    float pad; ///< the value of what is padded; not NaN
    /// the output: activation and y_…; no bias, no residual
    quernel_epilogue epilogue;
    uint32_t threads;                   ///< workers that a run may use at most; 0 and 1: one
    int32_t isa;                        ///< ceiling: a quernel_isa, or −1: the process's
    const quernel_allocator *allocator; ///< NULL: the C library
} quernel_resize2d_desc;
#define QUERNEL_RESIZE2D_DESC_INIT                                                           \
    {                                                                                        \
        sizeof(quernel_resize2d_desc), QUERNEL_OPERAND_INIT, QUERNEL_TENSOR_INIT,            \
            {NULL, NULL, NULL}, {NULL, NULL, NULL}, 0.0f, QUERNEL_EPILOGUE_INIT, 1, -1, NULL \
    }
#define QUERNEL_RESIZE2D_DESC_MIN 400 ///< bytes of its first layout

/// Creates the operator.
/// Numbers: docs/numerics.md, Resampling. Without `to`, and with the same codes on both sides,
/// codes are copied. Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (an index beyond x, a
/// share outside 0 … 1); QUERNEL_E_SHAPE; QUERNEL_E_STRIDE; QUERNEL_E_OVERFLOW; QUERNEL_E_MEMORY.
/// Threads: any. Owner: the caller (quernel_operator_destroy).
QUERNEL_API int quernel_resize2d_create(const quernel_resize2d_desc *desc,
                                        quernel_operator **ret_op, quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
