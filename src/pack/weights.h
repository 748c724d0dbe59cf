// SPDX-License-Identifier: Apache-2.0
// Packed weights: what quernel_weights is inside, and where each weight stands.
#ifndef QUERNEL_PACK_WEIGHTS_H
#define QUERNEL_PACK_WEIGHTS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "quernel/weights.h"

/// How the bytes are laid out. Values are part of the blob.
typedef enum quernel_i_format {
    QUERNEL_I_FORMAT_W16X4 = 1, ///< jobs of sub-panels of 16 columns, groups of [16 columns][4 k]
    QUERNEL_I_FORMAT_TAPS = 2   ///< depthwise: [tap][channels rounded up to 16]
} quernel_i_format;

/// Sizes of packed weights, found from kind, channels, kernel and groups alone.
///
/// A job is a product of its own: a group of a convolution, or one kernel position of one group of a deconvolution. Its k are
/// kernel rows one after another (`runs`), each `run_length` long and padded with zeros to a multiple of 4.
typedef struct quernel_i_weights_shape {
    uint32_t kind, out, in, kernel_h, kernel_w, groups, format;
    uint32_t taps;           // kernel_h·kernel_w
    uint32_t group_in, group_out;
    uint32_t jobs, columns;  // columns of a job, unpadded
    uint32_t columns16;      // rounded up to 16
    uint32_t runs, run_length, run_groups;
    uint32_t k_groups;       // runs·run_groups
    size_t panel_bytes;      // one sub-panel of 16 columns
    size_t job_bytes, packed_bytes;
} quernel_i_weights_shape;

struct quernel_weights {
    atomic_uint references;
    quernel_allocator allocator;
    size_t bytes;            // of the whole block, this struct included
    quernel_i_weights_shape shape;
    int32_t smooth_kind;
    size_t smooth_count;
    bool has_zero;
    // All tables below lie in the same block.
    int8_t *packed;
    int32_t *sum;            // [jobs·columns16] Σ w
    uint64_t *reach;         // [jobs·columns16] Σ |w − z|: bounds an accumulator
    float *scale;            // [out]
    int32_t *zero;           // [out], all 0 where has_zero is false
    float *smooth;           // [smooth_count] or NULL
};

/// Fills the sizes. False where they overflow. `has_zero` and per-column smoothing keep depthwise weights in w16x4.
bool quernel_i_weights_shape_fill(quernel_i_weights_shape *shape, bool plain);

/// Allocates an empty (zeroed) block for this shape.
int quernel_i_weights_allocate(const quernel_i_weights_shape *shape, size_t smooth_count,
                               const quernel_allocator *allocator, quernel_weights **ret_weights, quernel_error *error);

/// Where the weights of output channel n at tap t stand, for all input channels of its group: job, column, the byte of
/// the column's first k, and the k of input channel 0.
typedef struct quernel_i_weight_place {
    uint32_t job, column;
    size_t base, k;
} quernel_i_weight_place;
quernel_i_weight_place quernel_i_weight_find(const quernel_i_weights_shape *shape, uint32_t n, uint32_t t);

/// Checks a descriptor and fills the sizes that follow from it.
int quernel_i_weights_check(const quernel_weights_desc *desc, quernel_i_weights_shape *ret_shape, quernel_error *error);

/// Elements of a descriptor's data for output channel n at tap t: that of input channel c of the group is first + c·step.
typedef struct quernel_i_weights_source {
    size_t first, step;
} quernel_i_weights_source;
quernel_i_weights_source quernel_i_weights_source_at(const quernel_weights_desc *desc,
                                                     const quernel_i_weights_shape *shape, uint32_t n, uint32_t t);

/// Byte of input channel c of the group.
static inline size_t quernel_i_weight_byte(const quernel_i_weight_place *at, uint32_t c) {
    const size_t k = at->k + c;
    return at->base + k / 4 * 64 + k % 4;
}

/// Output channel of a job's column.
static inline uint32_t quernel_i_job_channel(const quernel_i_weights_shape *s, uint32_t job, uint32_t column) {
    if (s->format == QUERNEL_I_FORMAT_TAPS) return column;
    const uint32_t group = s->kind == QUERNEL_WEIGHTS_DECONV2D ? job / s->taps : job;
    return group * s->group_out + column;
}

/// Recomputes `sum` and `reach` from `packed`, `zero` and the shape.
void quernel_i_weights_sum(quernel_weights *weights);

#endif
