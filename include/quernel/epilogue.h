// SPDX-License-Identifier: Apache-2.0
// The epilogue: how int32 sums become the output.
#ifndef QUERNEL_EPILOGUE_H
#define QUERNEL_EPILOGUE_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What is done to an output before it is stored.
typedef enum quernel_activation {
    QUERNEL_ACTIVATION_NONE = 0,
    QUERNEL_ACTIVATION_RELU = 1,
    QUERNEL_ACTIVATION_CLAMP = 2, ///< min(max(t, lo), hi)
    QUERNEL_ACTIVATION_LEAKY = 3, ///< t >= 0 ? t : t·slope
    QUERNEL_ACTIVATION_PRELU = 4, ///< t >= 0 ? t : t·slopes[n]
    // From here on within max(1e-6·|y|, 2e-7) of the true function, the same bits everywhere; NaN
    // gives NaN.
    QUERNEL_ACTIVATION_HSWISH = 5,   ///< t·(clamp(t + 3, 0, 6)·(1/6))
    QUERNEL_ACTIVATION_HSIGMOID = 6, ///< clamp(t + 3, 0, 6)·(1/6)
    QUERNEL_ACTIVATION_SILU = 7,     ///< t·sigmoid(t)
    QUERNEL_ACTIVATION_GELU = 8,     ///< t·(1 + erf(t/√2))/2
    QUERNEL_ACTIVATION_SIGMOID = 9,  ///< 1/(1 + e^−t)
    QUERNEL_ACTIVATION_TANH = 10
} quernel_activation;

/// How the int32 sums become the output. c[n] = d_a·d_w[n]; t = fma(acc, c, bias); residual;
/// activation; output type. The exact formulas are docs/numerics.md, Epilogue. For int8 output the
/// factor 1/(y_scale·y_smooth[n]) is folded into c, bias, bounds and residual scales; behind a late
/// residual, or an activation from HSWISH on, it is a multiplication of its own. All arrays are
/// copied by create. Frozen.
typedef struct quernel_epilogue {
    int32_t bias_type;   ///< QUERNEL_TYPE_F32: added in the fma; _S32: added to the sums
    const void *bias;    ///< [N] or NULL
    int32_t activation;  ///< quernel_activation
    float lo, hi;        ///< clamp
    float slope;         ///< leaky
    const float *slopes; ///< [N], PReLU
    /// F32, BF16, S32 (the sums alone; with residual_type S32 the residual is added), S8, U8
    int32_t y_type;
    float y_scale;                ///< int8 output: d_y; times y_smooth within 2^-96 … 2^96
    int32_t y_zero;               ///< int8 output: z_y
    int32_t y_narrow;             ///< s8 output: −127 … 127
    const float *y_smooth;        ///< [N] smoothing factors of the next layer, or NULL
    int32_t residual;             ///< 1: run takes a residual tensor
    int32_t residual_type;        ///< F32, BF16, S8, U8; S32 with S32 output
    float residual_scale;         ///< int8 residual: d_r
    const float *residual_scales; ///< [N] in place of residual_scale, or NULL
    int32_t residual_zero;
    int32_t residual_after_activation; ///< 1: added behind the activation
    /// int8 output of products: y becomes table[y], by the bits of the code that y_scale, y_zero
    /// and y_narrow speak of; [256], or [N][256]; or NULL. Of chain tensors the border holds
    /// table_zero
    const uint8_t *table;
    uint32_t tables;      ///< 1 or N; without a table 0
    int32_t table_zero;   ///< zero point behind the table; without a table 0
    uint64_t reserved[2]; ///< 0
} quernel_epilogue;
#define QUERNEL_EPILOGUE_INIT                                                                     \
    {                                                                                             \
        0, NULL, 0, 0.0f, 0.0f, 0.0f, NULL, 0, 1.0f, 0, 0, NULL, 0, 0, 1.0f, NULL, 0, 0, NULL, 0, \
            0, {                                                                                  \
            0, 0                                                                                  \
        }                                                                                         \
    }

#ifdef __cplusplus
}
#endif

#endif
