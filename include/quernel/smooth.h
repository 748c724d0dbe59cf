// SPDX-License-Identifier: Apache-2.0
// Smoothing: factors that make activations easier to quantize and are multiplied into the weights.
#ifndef QUERNEL_SMOOTH_H
#define QUERNEL_SMOOTH_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/// How activations are smoothed before they are quantized: x / s, with s multiplied into the
/// weights.
typedef enum quernel_smooth_kind {
    QUERNEL_SMOOTH_NONE = 0,
    QUERNEL_SMOOTH_CHANNEL = 1, ///< one factor per input channel: s[in]
    /// one factor per im2col column, conv2d only: s[in][kernel_h][kernel_w]
    QUERNEL_SMOOTH_COLUMN = 2
} quernel_smooth_kind;

/// Options of quernel_smooth_factors.
typedef struct quernel_smooth_options {
    uint32_t size;
    double alpha;        ///< 0 … 1, default 0.5
    double act_floor;    ///< a_k is at least max(a)·act_floor; default 1/20
    double weight_floor; ///< w_k is at least max(w)·weight_floor; default 1/1024
} quernel_smooth_options;
#define QUERNEL_SMOOTH_OPTIONS_INIT \
    { sizeof(quernel_smooth_options), 0.5, 1.0 / 20, 1.0 / 1024 }
#define QUERNEL_SMOOTH_OPTIONS_MIN 32 ///< bytes of its first layout

/// Smoothing factors s_k = a_k'^alpha / w_k'^(1 − alpha), clamped to 2^-20 … 2^20, from the largest
/// |activation| and |weight| of each channel (or im2col column) k. A silent tensor (max a = 0 or
/// max w = 0) gives 1. Never 0, infinity or NaN.
/// Shapes: `act_max`, `weight_max` and `ret_smooth` [count]. `options` NULL: as its _INIT.
/// Numbers: in double, rounded once; as good as the machine's libm.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (options; a maximum that is not finite or
/// below 0: index its channel).
/// Threads: any.
/// Source: SmoothQuant (Xiao et al. 2023), equation 4, with floors for silent channels.
QUERNEL_API int quernel_smooth_factors(const float *act_max, const float *weight_max,
                                       uint32_t count, const quernel_smooth_options *options,
                                       float *ret_smooth, quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
