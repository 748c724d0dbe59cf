// SPDX-License-Identifier: Apache-2.0
// Whole operators, restated naively from the public headers alone: plain loops, uint32_t sums,
// binary32 arithmetic, fmaf where an fma is meant. It shares no code with the library, and is slow.
#ifndef QUERNEL_TESTS_ORACLE_H
#define QUERNEL_TESTS_ORACLE_H

#include "quernel/quernel.h"

/// Output sizes that a convolution or deconvolution has; c, h and w of `y` are set, n is x's.
void oracle_output_size(const quernel_weights_desc *weights, const quernel_conv2d_desc *desc,
                        quernel_tensor *y);

/// The strides of `t` with every 0 replaced by the dense one. The sizes must be set.
quernel_tensor oracle_dense(quernel_tensor t);

/// Each writes the whole output (borders included) to `y` as the operator must. `desc->weights` is
/// not looked at: the weights are those that `weights` describes. The arguments must be legal. The
/// caller's float environment must be the default one. Returns 0, or 1 where memory is short.
int oracle_linear(const quernel_weights_desc *weights, const quernel_linear_desc *desc,
                  const void *x, const void *residual, void *y);
/// A convolution or a deconvolution, as the weights say.
int oracle_image(const quernel_weights_desc *weights, const quernel_conv2d_desc *desc,
                 const void *x, const void *residual, void *y);

/// An activation from QUERNEL_ACTIVATION_HSWISH on.
float oracle_function(int activation, float t);

/// C = (A − a_zero)·(B − b_zero) + beta·C modulo 2^32; A is u8 or s8 as `a_type` says.
void oracle_gemm(int a_type, int transpose_b, uint32_t m, uint32_t n, uint32_t k, const void *a,
                 int64_t lda, int32_t a_zero, const int8_t *b, int64_t ldb, int32_t b_zero,
                 int beta, int32_t *c, int64_t ldc);

#endif
