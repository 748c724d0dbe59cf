// SPDX-License-Identifier: Apache-2.0
// Resampling along lines and pixels: resize, crop, pad, flip, slices with steps.
#ifndef QUERNEL_RESIZE2D_H
#define QUERNEL_RESIZE2D_H

#include "eltwise.h"

#ifdef __cplusplus
extern "C" {
#endif

#define QUERNEL_RESIZE2D_PAD UINT32_MAX ///< in quernel_resize2d_axis.index: the pad value

/// What each of y's lines (or pixels) is made of: a sum of `taps` lines of x, index[i][t], each
/// times weight[i][t]; without weights, of one tap alone, that line as it is. Where index[i][0] is
/// QUERNEL_RESIZE2D_PAD, all of the line (or pixel) is padded, and what else its entries say is not
/// looked at. Any formula of coordinates, any filter and any border is such a table.
typedef struct quernel_resize2d_axis {
    uint32_t taps;         ///< 1 or more
    const uint32_t *index; ///< [size of y][taps]
    const float *weight;   ///< [size of y][taps], finite, or NULL with one tap
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
#define QUERNEL_RESIZE2D_DESC_INIT                                                                 \
    {                                                                                              \
        sizeof(quernel_resize2d_desc), QUERNEL_OPERAND_INIT, QUERNEL_TENSOR_INIT, {1, NULL, NULL}, \
            {1, NULL, NULL}, 0.0f, QUERNEL_EPILOGUE_INIT, 1, -1, NULL                              \
    }
#define QUERNEL_RESIZE2D_DESC_MIN 400 ///< bytes of its first layout

/// Creates the operator.
/// Numbers: docs/numerics.md, Resampling. Without weights, and with the same codes on both sides,
/// codes are copied. Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (no taps, an index beyond
/// x, a weight that is not finite); QUERNEL_E_SHAPE; QUERNEL_E_STRIDE; QUERNEL_E_OVERFLOW;
/// QUERNEL_E_MEMORY. Threads: any. Owner: the caller (quernel_operator_destroy).
QUERNEL_API int quernel_resize2d_create(const quernel_resize2d_desc *desc,
                                        quernel_operator **ret_op, quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
