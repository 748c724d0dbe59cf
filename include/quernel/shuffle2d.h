// SPDX-License-Identifier: Apache-2.0
// Elements that change places: depth to space, space to depth, shuffled channels.
#ifndef QUERNEL_SHUFFLE2D_H
#define QUERNEL_SHUFFLE2D_H

#include "operator.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Describes the operator: element (c, h, w) of y is element (from[p][c], h / block_h, w / block_w)
/// of x, p = (h mod block_h)·block_w + w mod block_w. With `gather` the other way round: element
/// (c, h, w) of y is (channel, h·block_h + line, w·block_w + pixel) of x, where from[0][c] =
/// (line·block_w + pixel)·x.c + channel. Types are the same, of 1, 2 or 4 bytes; codes are not
/// looked at. Blocks of 1: channels alone.
typedef struct quernel_shuffle2d_desc {
    uint32_t size; ///< sizeof, set by QUERNEL_SHUFFLE2D_DESC_INIT
    int32_t gather;
    quernel_tensor x, y; ///< y: sizes 0 are inferred, but c
    uint32_t block_h, block_w;
    const uint32_t *from; ///< [block_h·block_w][y.c]; gather: [y.c]; copied by create
    uint8_t border;       ///< int8 y with a border: the code that is written there
    uint32_t threads;     ///< workers that a run may use at most; 0 and 1: one
    const quernel_allocator *allocator; ///< NULL: the C library
} quernel_shuffle2d_desc;
#define QUERNEL_SHUFFLE2D_DESC_INIT                                                              \
    {                                                                                            \
        sizeof(quernel_shuffle2d_desc), 0, QUERNEL_TENSOR_INIT, QUERNEL_TENSOR_INIT, 1, 1, NULL, \
            0, 1, NULL                                                                           \
    }
#define QUERNEL_SHUFFLE2D_DESC_MIN 200 ///< bytes of its first layout

/// Creates the operator.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (an index beyond x); QUERNEL_E_SHAPE;
/// QUERNEL_E_STRIDE; QUERNEL_E_OVERFLOW; QUERNEL_E_MEMORY.
/// Threads: any. Owner: the caller (quernel_operator_destroy).
QUERNEL_API int quernel_shuffle2d_create(const quernel_shuffle2d_desc *desc,
                                         quernel_operator **ret_op, quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
