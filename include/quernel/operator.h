// SPDX-License-Identifier: Apache-2.0
// What all operators share: how activations are quantized, how results are finished, and how an operator is run.
#ifndef QUERNEL_OPERATOR_H
#define QUERNEL_OPERATOR_H

#include "common.h"
#include "cpu.h"
#include "weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Where the quantization of the activations comes from.
typedef enum quernel_quant_mode {
    QUERNEL_QUANT_STATIC = 0,      ///< scale and zero point given
    QUERNEL_QUANT_DYNAMIC_CALL = 1, ///< found in the run, over the whole call (linear) or over each image (conv2d, deconv2d)
    QUERNEL_QUANT_DYNAMIC_ROW = 2  ///< found per row (linear), or per im2col row of each group (conv2d; not for groups
                                   ///< that share 16 output channels: two or more of 8 or fewer, without weight zero points)
} quernel_quant_mode;

/// How the multiplied activations are represented.
///
/// Float input x is quantized with t = (x·m_k)·g, q = rne(clamp(t, lo − z, hi − z)) + z, NaN as 0.
/// Static: m_k = 1/(s_k·scale), g = 1. Dynamic and per-row scales: m_k = 1/s_k, g = 1/d, with d from the range of x·m_k:
/// s8: d = max|y|/127; u8, non-negative: d = max(0, max y)/255, z = 0; u8, asymmetric: d = (mx − mn)/255,
/// z = clamp(rne(−mn/d), 0, 255). Integer input is used as it is: type, scale and zero point describe it.
typedef struct quernel_quant {
    int32_t mode;          ///< quernel_quant_mode; integer input: static only
    int32_t type;          ///< QUERNEL_TYPE_U8 or _S8; integer input: its own type
    float scale;           ///< d_a, static
    int32_t zero;          ///< z_a, static
    int32_t narrow;        ///< 1: s8 uses −127 … 127
    int32_t asymmetric;    ///< dynamic u8: 1 finds a zero point, 0 clamps negative numbers to 0
    const float *row_scale; ///< linear, static: [M] scales, one per row, in place of `scale`; copied by create; or NULL
} quernel_quant;

typedef enum quernel_activation {
    QUERNEL_ACTIVATION_NONE = 0,
    QUERNEL_ACTIVATION_RELU = 1,
    QUERNEL_ACTIVATION_CLAMP = 2, ///< min(max(t, lo), hi)
    QUERNEL_ACTIVATION_LEAKY = 3, ///< t >= 0 ? t : t·slope
    QUERNEL_ACTIVATION_PRELU = 4, ///< t >= 0 ? t : t·slopes[n]
    // Each within max(1e-6·|y|, 2e-7) of the true function, the same bits everywhere; a NaN stays one.
    QUERNEL_ACTIVATION_HSWISH = 5,   ///< t·(clamp(t + 3, 0, 6)·(1/6))
    QUERNEL_ACTIVATION_HSIGMOID = 6, ///< clamp(t + 3, 0, 6)·(1/6)
    QUERNEL_ACTIVATION_SILU = 7,     ///< t·sigmoid(t)
    QUERNEL_ACTIVATION_GELU = 8,     ///< t·(1 + erf(t/√2))/2
    QUERNEL_ACTIVATION_SIGMOID = 9,  ///< 1/(1 + e^−t)
    QUERNEL_ACTIVATION_TANH = 10
} quernel_activation;

/// How the int32 sums become the output. c[n] = d_a·d_w[n]; t = fma(acc, c, bias); residual; activation; output.
/// Where the output is int8 the factor 1/(y_scale·y_smooth[n]) is folded into c, bias, bounds and residual scales; behind
/// a late residual or an activation from HSWISH on it is a multiplication of its own.
/// All arrays are copied by create.
typedef struct quernel_finish {
    int32_t bias_type;      ///< QUERNEL_TYPE_F32: added in the fma; _S32: added to the sums
    const void *bias;       ///< [N] or NULL
    int32_t activation;     ///< quernel_activation
    float lo, hi;           ///< clamp
    float slope;            ///< leaky
    const float *slopes;    ///< [N], PReLU
    int32_t y_type;         ///< F32, BF16, S32 (the sums alone; with residual_type S32 the residual is added), S8, U8
    float y_scale;          ///< int8 output: d_y; times y_smooth within 2^-96 … 2^96
    int32_t y_zero;         ///< int8 output: z_y
    int32_t y_narrow;       ///< s8 output: −127 … 127
    const float *y_smooth;  ///< [N] smoothing factors of the next layer, or NULL
    int32_t residual;       ///< 1: run takes a residual tensor of y's shape
    int32_t residual_type;  ///< F32, S8, U8; S32 with S32 output
    float residual_scale;   ///< int8 residual: d_r
    const float *residual_scales; ///< [N] in place of residual_scale, or NULL
    int32_t residual_zero;
    int32_t residual_after_activation; ///< 1: the sum comes behind the activation
} quernel_finish;
#define QUERNEL_FINISH_INIT \
    {0, NULL, 0, 0.0f, 0.0f, 0.0f, NULL, 0, 1.0f, 0, 0, NULL, 0, 0, 1.0f, NULL, 0, 0}
#define QUERNEL_QUANT_INIT {0, QUERNEL_TYPE_U8, 1.0f, 0, 0, 0, NULL}

typedef enum quernel_layout {
    QUERNEL_LAYOUT_NHWC = 0, ///< channels innermost
    QUERNEL_LAYOUT_NCHW = 1  ///< columns (w) innermost
} quernel_layout;

/// An image tensor, without its data. The data pointer that run takes is that of element (0, 0, 0, 0).
/// Strides are in elements; the innermost is 1, the others any number that keeps elements apart; 0 means dense.
///
/// A channel slice of a larger tensor is a tensor too: c its own channels, the strides (and border) of the larger one, the
/// data pointer that of its first channel. Operators that write slices of one tensor concatenate without a copy, in any
/// order, also at the same time; each writes the border of its own channels alone. A slice is read like any other tensor.
///
/// A chain tensor is NHWC int8 with a border: `border_h` lines above and below and `border_w` pixels left and right of each
/// image are memory of the same buffer, and hold the zero point. An operator writes the border of its output in its run,
/// and reads taps in place from an input whose border is at least its padding. quernel_chain_describe lays one out.
typedef struct quernel_tensor {
    int32_t type;    ///< quernel_type
    int32_t layout;  ///< quernel_layout
    uint32_t n, c, h, w;
    int64_t stride_n, stride_c, stride_h, stride_w;
    uint32_t border_h, border_w;
} quernel_tensor;
#define QUERNEL_TENSOR_INIT {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/// Lays out a chain tensor: fills layout, strides and borders of `tensor` (type S8 or U8, n, c, h, w set by the caller) and
/// returns the bytes to allocate (64-byte aligned) and the offset of element (0, 0, 0, 0) within them. The
/// bytes hold 64 spare ones at the end. All of the memory may be uninitialized: the producer writes the border.
QUERNEL_API int quernel_chain_describe(quernel_tensor *tensor, uint32_t border_h, uint32_t border_w, size_t *ret_bytes,
                                       size_t *ret_offset, quernel_error *error);

/// An operator that can be run: immutable, shared by any number of threads at once, each with its own workspace.
typedef struct quernel_operator quernel_operator;

/// Bytes of workspace a run needs, 64-byte aligned. For all of its threads together.
QUERNEL_API size_t quernel_operator_workspace(const quernel_operator *op);

/// Runs. `x`, `residual` (NULL where the descriptor has none) and `y` are as described at create; y may be the residual
/// itself, element for element, but overlaps nothing else. Allocates nothing and prints nothing. `parallel` NULL: on the
/// calling thread. The result is the same for every number of threads.
/// Returns QUERNEL_E_NULL, _ALIGN (workspace 64 bytes; tensors their element), _WORKSPACE, _OVERLAP.
QUERNEL_API int quernel_operator_run(const quernel_operator *op, const void *x, const void *residual, void *y,
                                     void *workspace, size_t workspace_bytes, const quernel_parallel *parallel,
                                     quernel_error *error);

/// What was chosen and why, as one line of "key=value" words that `config` accepts back ("equal=8" is a word that only a
/// caller says: inputs that are mostly one constant pixel; blocks of so many equal rows are computed once), written to `text` (always
/// terminated where capacity > 0). Returns the length that the whole line has.
QUERNEL_API size_t quernel_operator_explain(const quernel_operator *op, char *text, size_t capacity);

/// Frees it. NULL is allowed. No run may be under way.
QUERNEL_API void quernel_operator_destroy(quernel_operator *op);

#ifdef __cplusplus
}
#endif

#endif
