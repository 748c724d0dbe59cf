// SPDX-License-Identifier: Apache-2.0
// Quantization of activations: how a descriptor gives it to an operator, and the same formulas as
// stand-alone calls.
#ifndef QUERNEL_QUANT_H
#define QUERNEL_QUANT_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Where the quantization of the activations comes from.
typedef enum quernel_quant_mode {
    QUERNEL_QUANT_STATIC = 0, ///< scale and zero point given
    /// computed in the run, over the whole call (linear) or over each image (conv2d, deconv2d)
    QUERNEL_QUANT_DYNAMIC_CALL = 1,
    /// computed per row (linear), or per im2col row of each group (conv2d; not where groups share
    /// 16 output channels: two or more groups of 8 or fewer, without weight zero points)
    QUERNEL_QUANT_DYNAMIC_ROW = 2
} quernel_quant_mode;

/// How the activations that are multiplied are represented.
///
/// Float input x becomes codes by t = (x·m_k)·g, q = rne(clamp(t, lo − z, hi − z)) + z, NaN as 0.
/// Static: m_k = 1/(s_k·scale), g = 1. Dynamic and per-row scales: m_k = 1/s_k, g = 1/d, with d
/// from the range of y = x·m_k, its minimum mn and maximum mx, both with 0: s8: d = max|y|/127; u8,
/// non-negative: d = mx/255, z = 0; u8, asymmetric: d = (mx − mn)/255, z = clamp(rne(−mn/d), 0,
/// 255). Integer input is used as it is: type, scale and zero point describe it. Frozen.
typedef struct quernel_quant {
    int32_t mode;       ///< quernel_quant_mode; integer input: static only
    int32_t type;       ///< QUERNEL_TYPE_U8 or _S8; integer input: its own type
    float scale;        ///< d_a, static
    int32_t zero;       ///< z_a, static
    int32_t narrow;     ///< 1: s8 uses −127 … 127
    int32_t asymmetric; ///< dynamic u8: 1 computes a zero point, 0 clamps negative values to 0
    /// linear, static: [M] scales, one per row, in place of `scale`; copied by create; or NULL
    const float *row_scale;
    uint64_t reserved[2]; ///< 0
} quernel_quant;
#define QUERNEL_QUANT_INIT                                \
    {                                                     \
        0, QUERNEL_TYPE_U8, 1.0f, 0, 0, 0, NULL, { 0, 0 } \
    }

/// q[i] = rne(clamp(t, lo − zero, hi − zero)) + zero, NaN as 0, with t = x·(1/scale) as operators
/// compute it, or, where `divide` is 1 or 1/scale overflows, t = x / scale as ONNX's QuantizeLinear
/// does (both differ by one code near ties).
/// Shapes: `x` and `q` [count], which do not overlap. `type` U8 or S8; s8 from −128, or from −127
/// where `narrow` is 1. scale finite and > 0.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (scale, zero, type); QUERNEL_E_OVERLAP.
/// Threads: any.
QUERNEL_API int quernel_quantize(const float *x, size_t count, float scale, int32_t zero,
                                 int32_t type, int32_t narrow, int32_t divide, void *q,
                                 quernel_error *error);

/// x[i] = (float)(q[i] − zero)·scale.
/// Shapes: `q` and `x` [count], which do not overlap; q of type U8, S8 or S32.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (scale, type); QUERNEL_E_OVERLAP.
/// Threads: any.
QUERNEL_API int quernel_dequantize(const void *q, size_t count, float scale, int32_t zero,
                                   int32_t type, float *x, quernel_error *error);

/// Scale and zero point of the range of x (NaN and infinities left out) by the formulas of
/// quernel_quant's dynamic modes.
/// Shapes: `x` [count]. `type` S8 (zero 0) or U8, the latter also with `asymmetric`.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (type, asymmetric).
/// Threads: any.
QUERNEL_API int quernel_quant_range(const float *x, size_t count, int32_t type, int32_t asymmetric,
                                    float *ret_scale, int32_t *ret_zero, quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
