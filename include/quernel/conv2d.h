// SPDX-License-Identifier: Apache-2.0
// Convolution: y[n][o][i][j] = epilogue(Σ_c,r,s x[n][c][i·stride_h + r·dilation_h −
// pad_top][…]·w[o][c][r][s]).
#ifndef QUERNEL_CONV2D_H
#define QUERNEL_CONV2D_H

#include "epilogue.h"
#include "operator.h"
#include "quant.h"
#include "tensor.h"
#include "weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Describes a convolution; channels, kernel and groups come from the weights. Padding contributes
/// exactly 0. Output lines: (h + pad_top + pad_bottom − dilation_h·(kernel_h − 1) − 1) / stride_h +
/// 1; pixels of a line alike.
typedef struct quernel_conv2d_desc {
    uint32_t size;            ///< sizeof, set by QUERNEL_CONV2D_DESC_INIT
    quernel_weights *weights; ///< of kind conv2d; the operator takes a reference of its own
    quernel_tensor x;         ///< n, c, h, w of the input; F32, BF16, S8, U8
    /// layout, strides, border; n, c, h, w: 0 (computed) or as computed; type from epilogue.y_type
    quernel_tensor y;
    /// where epilogue.residual is 1: like y, type from epilogue.residual_type; n, h and w may be 1:
    /// the same for all
    quernel_tensor residual;
    uint32_t stride_h, stride_w, dilation_h, dilation_w;
    uint32_t pad_top, pad_left, pad_bottom, pad_right;
    quernel_quant quant;
    quernel_epilogue epilogue;
    uint32_t threads; ///< workers that a run may use at most; 0 and 1: one
    int32_t isa;      ///< ceiling: a quernel_isa, or −1 for the process's ceiling
    /// forces choices: "key=value" words of quernel_operator_explain; or NULL
    const char *config;
    const quernel_allocator *allocator; ///< NULL: the C library
    /// deconv2d: lines added below, pixels added to the right; less than stride or dilation
    uint32_t out_pad_h, out_pad_w;
} quernel_conv2d_desc;
#define QUERNEL_CONV2D_DESC_INIT                                                     \
    {                                                                                \
        sizeof(quernel_conv2d_desc), NULL, QUERNEL_TENSOR_INIT, QUERNEL_TENSOR_INIT, \
            QUERNEL_TENSOR_INIT, 1, 1, 1, 1, 0, 0, 0, 0, QUERNEL_QUANT_INIT,         \
            QUERNEL_EPILOGUE_INIT, 1, -1, NULL, NULL, 0, 0                           \
    }
#define QUERNEL_CONV2D_DESC_MIN 488 ///< bytes of its first layout

/// Creates the operator of a convolution.
/// Shapes: those of the descriptor; the formula for y is at the top of this header.
/// Numbers: as quernel_linear_create. Smoothing per im2col column and dynamic quantization per
/// im2col row need float input.
/// Limits: strides, dilations and paddings <= 65 536; n, c, h, w <= 2^30; threads <= 4096.
/// Returns as quernel_linear_create; also QUERNEL_E_SHAPE (sizes that do not fit one another) and
/// QUERNEL_E_UNSUPPORTED (dynamic quantization per row where groups share 16 output channels).
/// Threads: any. Owner: the caller (quernel_operator_destroy). Example: examples/conv2d.c.
QUERNEL_API int quernel_conv2d_create(const quernel_conv2d_desc *desc, quernel_operator **ret_op,
                                      quernel_error *error);

/// Creates the operator of a transposed convolution ("deconvolution"): y[n][o][p][q] = epilogue(Σ
/// x[n][c][i][j]·w[c][o][r][s]) over all c, i, j, r, s with i·stride_h + r·dilation_h − pad_top = p
/// and j·stride_w + s·dilation_w − pad_left = q. It runs as stride_h·stride_w convolutions of
/// stride 1, its phases, each of the taps that meet one sub-pixel.
/// Shapes: weights of kind deconv2d, packed for this stride (deconv_stride_h, deconv_stride_w of
/// their descriptor; the kernel by default). Output lines: (h − 1)·stride_h + dilation_h·(kernel_h
/// − 1) + 1 + out_pad_h − pad_top − pad_bottom; pixels of a line alike. Pixels that no tap meets
/// are epilogue(0).
/// Returns as quernel_conv2d_create; also QUERNEL_E_VALUE (weights that were packed for another
/// stride) and QUERNEL_E_UNSUPPORTED (a dilation together with a stride above 1; dynamic
/// quantization per row).
/// Threads: any. Owner: the caller (quernel_operator_destroy). Example: examples/network.c.
QUERNEL_API int quernel_deconv2d_create(const quernel_conv2d_desc *desc, quernel_operator **ret_op,
                                        quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
