// SPDX-License-Identifier: Apache-2.0
// Packed weights: what quernel_weights is inside, and where each weight stands.
#ifndef QUERNEL_PACK_WEIGHTS_H
#define QUERNEL_PACK_WEIGHTS_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "quernel/weights.h"

/// How the bytes are laid out. Values are part of the blob.
typedef enum quernel_i_format {
    QUERNEL_I_FORMAT_W16X4 = 1, ///< jobs of sub-panels of 16 columns, groups of [16 columns][4 k]
    QUERNEL_I_FORMAT_TAPS = 2   ///< depthwise: [tap][channels rounded up to 16]
} quernel_i_format;

#define QUERNEL_I_STRIDE_MOST 65536 // of strides, dilations and paddings: a product of two stays within 33 bits
_Static_assert(sizeof(int8_t[16][4]) == QUERNEL_I_LINE, "a group of a sub-panel is one line: 16 columns of 4 k");
_Static_assert(QUERNEL_I_FORMAT_W16X4 == 1 && QUERNEL_I_FORMAT_TAPS == 2, "formats are numbers in blobs");

/// Sizes of packed weights, found from kind, channels, kernel, groups and the stride of a deconvolution alone.
///
/// A job is a product of its own: a group, or a bundle of groups that fit into 16 columns, in each of its phases. A
/// deconvolution of stride s is s·s convolutions of stride 1, one for each place (line mod s, column mod s) of its output: its
/// phases. Each has the taps that meet that place, turned around; all of them read the same window of x, aligned at its end.
/// Everything else has one phase. Where all places of all channels fit into 16 columns they are merged into one phase: columns
/// [place][channel], each with zeros at the taps of the window that do not meet it. The k of a job are kernel rows one after another (`runs`), each `run_length` long and padded
/// with zeros to a multiple of 4.
typedef struct quernel_i_weights_shape {
    uint32_t kind, out, in, kernel_h, kernel_w, groups, up_h, up_w; // up: the stride of a deconvolution; else 1
    uint32_t format;
    uint32_t taps;           // kernel_h·kernel_w
    uint32_t group_in, group_out;
    uint32_t window_h, window_w; // pixels of x that meet an output pixel: the kernel, or kernel / stride rounded up
    bool merged;             // one phase for all places
    uint32_t phases;         // up_h·up_w, or 1
    uint32_t bundle, job_in; // small groups share a job, as a block diagonal: how many, and their input channels
    uint32_t jobs, columns;  // jobs = groups / bundle·phases; columns of a job, unpadded
    uint32_t columns16;      // rounded up to 16
    uint32_t run_length, run_groups, k_groups; // of phase 0, which has the most taps: window_h runs of window_w taps
    size_t bundle_bytes, packed_bytes; // of all phases of a bundle; of all
} quernel_i_weights_shape;

/// One phase of a bundle.
typedef struct quernel_i_phase {
    bool empty;              // a kernel below the stride leaves places that no tap meets: one tap of zeros stands for them
    uint32_t rows, row_taps;
    uint32_t run_length, run_groups, k_groups;
    size_t panel_bytes;      // one sub-panel of 16 columns
    size_t offset;           // of its panels within the bundle's bytes
} quernel_i_phase;
quernel_i_phase quernel_i_weights_phase(const quernel_i_weights_shape *shape, uint32_t phase);

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

/// Fills the sizes. False where they overflow. Zero points keep groups apart, because each corrects its own sums; they and
/// smoothing per column keep depthwise weights in w16x4.
bool quernel_i_weights_shape_fill(quernel_i_weights_shape *shape, bool has_zero, bool by_column);

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
    return at->base + k / 4 * QUERNEL_I_LINE + k % 4;
}

/// Output channel of a job's column.
static inline uint32_t quernel_i_job_channel(const quernel_i_weights_shape *s, uint32_t job, uint32_t column) {
    assert(job < s->jobs && column < s->columns);
    if (s->format == QUERNEL_I_FORMAT_TAPS) return column;
    return s->merged ? column % s->group_out : job / s->phases * s->columns + column;
}

/// Recomputes `sum` and `reach` from `packed`, `zero` and the shape.
void quernel_i_weights_sum(quernel_weights *weights);

#endif
