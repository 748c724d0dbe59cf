// SPDX-License-Identifier: Apache-2.0
// Packed weights: what quernel_weights is inside, and the position of each weight.
#ifndef QUERNEL_PACK_WEIGHTS_H
#define QUERNEL_PACK_WEIGHTS_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "quernel/weights.h"

/// How the bytes are laid out. Values are part of the blob.
typedef enum quernel_i_format {
    /// subproblems of sub-panels of 16 output channels, quads of [16 oc][4 k]
    QUERNEL_I_FORMAT_W16X4 = 1,
    QUERNEL_I_FORMAT_TAPS = 2 ///< depthwise: [tap][channels rounded up to 16]
} quernel_i_format;

// of strides, dilations and paddings: a product of two stays within 33 bits
#define QUERNEL_I_STRIDE_MAX 65536
_Static_assert(sizeof(int8_t[16][4]) == QUERNEL_I_LINE,
               "a group of a sub-panel is one line: 16 output channels of 4 k");
_Static_assert(QUERNEL_I_FORMAT_W16X4 == 1 && QUERNEL_I_FORMAT_TAPS == 2,
               "blobs hold formats by value");

/// Sizes of packed weights, which follow from kind, channels, kernel, groups and the stride of a
/// deconvolution alone.
///
/// A subproblem is a product of its own: a group, or a group pack that fit into 16 output channels,
/// in each of its phases. A deconvolution of stride s is s·s convolutions of stride 1, one for each
/// sub-pixel (line mod s, ox mod s) of its output: its phases. Each has the taps that meet that
/// sub-pixel, turned around; all of them read the same window of x, aligned at its end. Everything
/// else has one phase. Where all sub-pixels of all channels fit into 16 output channels they are
/// interleaved as one phase: output channels [sub-pixel][channel], each with zeros at the taps of
/// the window that do not meet it. The k of a subproblem are kernel rows one after another
/// (`k_runs`), each `k_run_length` long and padded with zeros to a multiple of 4.
typedef struct quernel_i_weights_shape {
    // up: the stride of a deconvolution; else 1
    uint32_t kind, out, in, kernel_h, kernel_w, groups, up_h, up_w;
    uint32_t format;
    uint32_t taps; // kernel_h·kernel_w
    uint32_t group_in, group_out;
    // pixels of x that meet an output pixel: the kernel, or kernel / stride rounded up
    uint32_t window_h, window_w;
    bool interleaved; // one phase for all sub-pixels
    uint32_t phases;  // up_h·up_w, or 1
    // small groups share a subproblem, as a block diagonal: how many, and their input channels
    uint32_t group_pack, subproblem_in;
    // subproblems = groups / group_pack·phases; output channels of one, unpadded
    uint32_t subproblems, oc;
    uint32_t oc16; // rounded up to 16
    // of phase 0, which has the most taps: window_h runs of window_w taps
    uint32_t k_run_length, run_k_quads, k_quads;
    size_t group_pack_bytes, packed_bytes; // of all phases of a group pack; of all
} quernel_i_weights_shape;

/// One phase of a group pack.
typedef struct quernel_i_phase {
    // a kernel below the stride leaves sub-pixels that no tap meets: one tap of zeros is
    // multiplied instead
    bool empty;
    uint32_t rows, row_taps;
    uint32_t k_run_length, run_k_quads, k_quads;
    size_t panel_bytes; // one sub-panel of 16 output channels
    size_t offset;      // of its panels within the group pack's bytes
} quernel_i_phase;
quernel_i_phase quernel_i_weights_phase(const quernel_i_weights_shape *shape, uint32_t phase);

struct quernel_weights {
    atomic_uint references;
    quernel_allocator allocator;
    size_t bytes; // of the whole block, this struct included
    quernel_i_weights_shape shape;
    int32_t smooth_kind;
    size_t smooth_count;
    bool has_zero;
    // All tables below lie in the same block.
    int8_t *packed;
    int32_t *sum;      // [subproblems·oc16] Σ w
    uint64_t *abs_sum; // [subproblems·oc16] Σ |w − z|: bounds an accumulator
    float *scale;      // [out]
    int32_t *zero;     // [out], all 0 where has_zero is false
    float *smooth;     // [smooth_count] or NULL
};

/// Fills the sizes. False where they overflow. Zero points keep groups apart, because each corrects
/// its own sums; they and smoothing per im2col column keep depthwise weights in w16x4.
bool quernel_i_weights_shape_fill(quernel_i_weights_shape *shape, bool has_zero, bool by_column);

/// Allocates a block for this shape: tables of zeros; what `packed` holds is not said. With
/// `packed` given that memory is used in place of its own.
int quernel_i_weights_allocate(const quernel_i_weights_shape *shape, size_t smooth_count,
                               const int8_t *packed, const quernel_allocator *allocator,
                               quernel_weights **ret_weights, quernel_error *error);

/// The position of output channel n's weights at tap t, for all input channels of its group:
/// subproblem, its output channel, the byte of that one's first k, and the k of input channel 0.
typedef struct quernel_i_weight_position {
    uint32_t subproblem, oc;
    size_t base, k;
} quernel_i_weight_position;
quernel_i_weight_position quernel_i_weight_find(const quernel_i_weights_shape *shape, uint32_t n,
                                                uint32_t t);

/// Reads a caller's descriptor of any size into one of this library's. `name` is what messages
/// call its size.
int quernel_i_weights_read(const quernel_weights_desc *from, const char *where, const char *name,
                           quernel_weights_desc *ret_desc, quernel_error *error);

/// Checks a descriptor that was read, and fills the sizes that follow from it.
int quernel_i_weights_check(const quernel_weights_desc *desc, quernel_i_weights_shape *ret_shape,
                            quernel_error *error);

/// Factors that a descriptor has; whether it has zero points other than 0.
size_t quernel_i_weights_smooth_count(const quernel_weights_desc *desc);
bool quernel_i_weights_any_zero(const quernel_weights_desc *desc);

/// Elements of a descriptor's data for output channel n at tap t: that of input channel c of the
/// group is first + c·step.
typedef struct quernel_i_weights_source {
    size_t first, step;
} quernel_i_weights_source;
quernel_i_weights_source quernel_i_weights_source_at(const quernel_weights_desc *desc,
                                                     const quernel_i_weights_shape *shape,
                                                     uint32_t n, uint32_t t);

/// Byte of input channel c of the group.
static inline size_t quernel_i_weight_byte(const quernel_i_weight_position *at, uint32_t c) {
    const size_t k = at->k + c;
    return at->base + k / 4 * QUERNEL_I_LINE + k % 4;
}

/// Output channel of the operator for one of a subproblem.
static inline uint32_t quernel_i_weights_subproblem_channel(const quernel_i_weights_shape *s,
                                                            uint32_t subproblem, uint32_t oc) {
    assert(subproblem < s->subproblems && oc < s->oc);
    if (s->format == QUERNEL_I_FORMAT_TAPS) return oc;
    return s->interleaved ? oc % s->group_out : subproblem / s->phases * s->oc + oc;
}

/// The sub-panel of 16 output channels of a subproblem from `oc` on: quads of [16 oc][4 k].
static inline int8_t *quernel_i_weights_panel(const quernel_weights *w, uint32_t subproblem,
                                              const quernel_i_phase *phase, uint32_t oc) {
    return w->packed + subproblem / w->shape.phases * w->shape.group_pack_bytes + phase->offset +
           oc / 16 * phase->panel_bytes;
}

/// Computes `sum` and `abs_sum` from `packed`, `zero` and the shape; of one sub-panel.
void quernel_i_weights_sum(quernel_weights *weights);
void quernel_i_weights_sum_panel(quernel_weights *weights, uint32_t subproblem,
                                 const quernel_i_phase *phase, uint32_t oc);

/// Padding must be 0: kernels multiply it with whatever follows a row.
bool quernel_i_weights_good_padding(const quernel_weights *weights);

#endif
