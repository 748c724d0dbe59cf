// SPDX-License-Identifier: Apache-2.0
// Stand-alone quantization, smoothing factors and scales: what a program needs around the operators.
#ifndef QUERNEL_QUANT_H
#define QUERNEL_QUANT_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/// q[i] = rne(clamp(t, lo − zero, hi − zero)) + zero, NaN as 0, with t = x·(1/scale) as operators do, or, where `divide`
/// is 1, t = x / scale as ONNX's QuantizeLinear does (both differ by one code near ties). `type` U8 or S8; s8 from −128,
/// or from −127 where `narrow` is 1. scale finite and > 0; x and q do not overlap.
QUERNEL_API int quernel_quantize(const float *x, size_t count, float scale, int32_t zero, int32_t type, int32_t narrow,
                                 int32_t divide, void *q, quernel_error *error);

/// x[i] = (float)(q[i] − zero)·scale; q of type U8, S8 or S32.
QUERNEL_API int quernel_dequantize(const void *q, size_t count, float scale, int32_t zero, int32_t type, float *x,
                                   quernel_error *error);

/// Scale and zero point of the range of x (NaN and infinities left out) by the rules of quernel_quant's dynamic modes:
/// type S8 (zero 0), U8, U8 with `asymmetric`.
QUERNEL_API int quernel_quant_range(const float *x, size_t count, int32_t type, int32_t asymmetric, float *ret_scale,
                                    int32_t *ret_zero, quernel_error *error);

/// Options of quernel_smooth_factors.
typedef struct quernel_smooth_options {
    uint32_t size;
    double alpha;        ///< 0 … 1, default 0.5
    double act_floor;    ///< a_k is at least max(a)·act_floor; default 1/20
    double weight_floor; ///< w_k is at least max(w)·weight_floor; default 1/1024
} quernel_smooth_options;
#define QUERNEL_SMOOTH_OPTIONS_INIT {sizeof(quernel_smooth_options), 0.5, 1.0 / 20, 1.0 / 1024}

/// Smoothing factors s_k = a_k'^alpha / w_k'^(1 − alpha), clamped to [2^-20, 2^20], from the largest |activation| and
/// |weight| of each channel (or im2col column) k. A silent tensor (max a = 0 or max w = 0) gives 1. Never 0, Inf or NaN.
/// Source: SmoothQuant (Xiao et al. 2023), equation 4, with floors for dead channels.
QUERNEL_API int quernel_smooth_factors(const float *act_max, const float *weight_max, uint32_t count,
                                       const quernel_smooth_options *options, float *ret_smooth, quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
