// SPDX-License-Identifier: Apache-2.0
// Image tensors: layout, strides, channel slices and the borders of chains.
#ifndef QUERNEL_TENSOR_H
#define QUERNEL_TENSOR_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Order of the elements of a tensor.
typedef enum quernel_layout {
    QUERNEL_LAYOUT_NHWC = 0, ///< channels innermost
    QUERNEL_LAYOUT_NCHW = 1  ///< pixels of a line (w) innermost
} quernel_layout;

/// An image tensor, without its data. The data pointer that run takes points to element (0, 0, 0,
/// 0). Strides are in elements; the innermost is 1, the others any that keep elements apart; 0
/// means dense.
///
/// A channel slice of a larger tensor is a tensor too: c its own channels, the strides (and border)
/// of the larger one, the data pointer that of its first channel. Operators that write slices of
/// one tensor concatenate without a copy, in any order, also at the same time; each writes the
/// border of its own channels alone. A slice is read like any other tensor.
///
/// A chain tensor is NHWC int8 with a border: `border_h` lines above and below and `border_w`
/// pixels left and right of each image are memory of the same buffer, and hold the zero point. An
/// operator writes the border of its output in its run, and reads taps in place from an input whose
/// border is at least its padding. quernel_chain_describe lays one out. Frozen.
typedef struct quernel_tensor {
    int32_t type;   ///< quernel_type
    int32_t layout; ///< quernel_layout
    uint32_t n, c, h, w;
    int64_t stride_n, stride_c, stride_h, stride_w;
    uint32_t border_h, border_w;
    uint64_t reserved[2]; ///< 0
} quernel_tensor;
#define QUERNEL_TENSOR_INIT                          \
    {                                                \
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, { 0, 0 } \
    }

/// Lays out a chain tensor: fills layout, strides and borders of `tensor` (type S8 or U8, n, c, h,
/// w set by the caller), and gives the bytes to allocate (64-byte aligned, 64 spare ones at the end
/// among them) and the offset of element (0, 0, 0, 0) within them. All of the memory may be
/// uninitialized: the producer writes the border.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (type, reserved); QUERNEL_E_SHAPE;
/// QUERNEL_E_OVERFLOW.
/// Threads: any.
QUERNEL_API int quernel_chain_describe(quernel_tensor *tensor, uint32_t border_h, uint32_t border_w,
                                       size_t *ret_bytes, size_t *ret_offset, quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
