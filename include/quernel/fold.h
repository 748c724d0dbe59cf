// SPDX-License-Identifier: Apache-2.0
// What is done to a float network before its weights are packed: batch norms folded, the weights'
// maxima for smoothing, and the plan of a chain, where each layer writes what the next one reads.
#ifndef QUERNEL_FOLD_H
#define QUERNEL_FOLD_H

#include "quant.h"
#include "weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A batch norm in inference: y[n] = (x[n] − mean[n]) / sqrt(variance[n] + eps)·gamma[n] + beta[n],
/// n an output channel.
typedef struct quernel_batch_norm {
    uint32_t size;
    const float *gamma, *beta;    ///< [out] or NULL: 1 and 0
    const float *mean, *variance; ///< [out]; variance >= 0
    double eps;                   ///< >= 0, and variance + eps > 0; frameworks differ: 1e-5, 1e-3
} quernel_batch_norm;
#define QUERNEL_BATCH_NORM_INIT \
    { sizeof(quernel_batch_norm), NULL, NULL, NULL, NULL, 1e-5 }
#define QUERNEL_BATCH_NORM_MIN 48 ///< bytes of its first layout

/// Folds a batch norm behind a layer into its f32 weights and bias: w·f[n], (bias[n] −
/// mean[n])·f[n] + beta[n] with f[n] = gamma[n] / sqrt(variance[n] + eps).
/// Shapes: `weights` gives kind, sizes, strides and data; the output channel is the second axis of
/// a deconvolution's data. `bias` [out] or NULL (0). `ret_weights` takes dense data in the order of
/// the kind; it may be weights->data itself where that is dense. `ret_bias` [out]; may be `bias`.
/// Numbers: in double, rounded once.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (index: the channel or element);
/// QUERNEL_E_SHAPE, QUERNEL_E_STRIDE, QUERNEL_E_OVERFLOW as quernel_weights_pack.
/// Threads: any.
QUERNEL_API int quernel_batch_norm_fold(const quernel_batch_norm *norm,
                                        const quernel_weights_desc *weights, const float *bias,
                                        float *ret_weights, float *ret_bias, quernel_error *error);

/// Raises max[k] to the largest |w| of each input channel or im2col column k: what
/// quernel_smooth_factors takes. Start from zeros. Layers that read the same tensor (siblings)
/// share one s: call it for each of them on the same array.
/// Shapes: `max` [in] where `smooth_kind` is CHANNEL, [in][kernel_h][kernel_w] where it is COLUMN.
/// f32 weights only.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (a non-finite weight: index its element);
/// QUERNEL_E_SHAPE, QUERNEL_E_STRIDE, QUERNEL_E_OVERFLOW as quernel_weights_pack.
/// Threads: any.
QUERNEL_API int quernel_weights_absmax(const quernel_weights_desc *weights, int32_t smooth_kind,
                                       float *max, quernel_error *error);

/// A layer of a chain: what it reads, and how it was decided to be quantized. Frozen.
typedef struct quernel_chain_layer {
    /// layer whose output it reads, before this one; −1: a tensor of the caller
    int32_t from;
    uint32_t in, out;    ///< channels
    quernel_quant quant; ///< of its input
    int32_t smooth_kind; ///< quernel_smooth_kind
    const float *smooth; ///< [in] where smooth_kind is CHANNEL
    /// 1: it reads float (it is not quantized, or something else reads its input too)
    int32_t float_input;
    uint64_t reserved[2]; ///< 0
} quernel_chain_layer;

/// Why a layer of a chain writes float.
typedef enum quernel_chain_reason {
    QUERNEL_CHAIN_INT8 = 0,          ///< it writes int8
    QUERNEL_CHAIN_LAST = 1,          ///< nothing in the chain reads it
    QUERNEL_CHAIN_FLOAT_READER = 2,  ///< a reader wants float
    QUERNEL_CHAIN_DYNAMIC = 3,       ///< a reader computes its scale in the run
    QUERNEL_CHAIN_COLUMN = 4,        ///< a reader smooths per im2col column, which cannot be folded
    QUERNEL_CHAIN_READERS_DIFFER = 5 ///< its readers do not share one scale, zero point and s
} quernel_chain_reason;

/// What a layer of a chain writes: members of its quernel_epilogue. Frozen.
typedef struct quernel_chain_output {
    int32_t y_type, y_zero, y_narrow;
    float y_scale;
    const float *y_smooth; ///< the reader's own array, or NULL
    int32_t reason;        ///< quernel_chain_reason
    uint64_t reserved[2];  ///< 0
} quernel_chain_output;

/// Plans the outputs of `count` layers so that each hands its readers int8 as they quantize it,
/// smoothed for them: the next layer's scale and s go into this layer's epilogue (y_scale, y_zero,
/// y_smooth), where they cost nothing. A layer whose readers cannot all read one int8 tensor writes
/// F32, with the reason.
/// Shapes: `layers` and `ret_outputs` [count]; each layer reads the output of one before it.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE and QUERNEL_E_SHAPE (index: the layer).
/// Threads: any. Owner: y_smooth points into `layers`.
QUERNEL_API int quernel_chain_plan(const quernel_chain_layer *layers, uint32_t count,
                                   quernel_chain_output *ret_outputs, quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
