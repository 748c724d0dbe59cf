// SPDX-License-Identifier: Apache-2.0
// One-shot integer matrix products, exact on any data.
#ifndef QUERNEL_GEMM_H
#define QUERNEL_GEMM_H

#include "common.h"
#include "threads.h"

#ifdef __cplusplus
extern "C" {
#endif

/// C = (A − a_zero)·(B − b_zero) + beta·C, row-major, exact; the sum with C wraps modulo 2^32.
/// Shapes: A [m][k] with lda >= k; B [k][n] with ldb >= n, or with `transpose_b` [n][k] with ldb >=
/// k; C [m][n] with ldc >= n; strides in elements; 0 rows, columns or k are refused. beta is 0 (C
/// is not read) or 1. Limits: k <= 131 071 (s8s8) or 65 793 (u8s8) with both zero points 0, else 33
/// 025. C overlaps neither A nor B. Packs B on each call: for weights that stay use quernel_linear.
/// Memory comes from `allocator` (NULL: the C library) and is returned before the call ends.
/// `parallel` NULL: on the calling thread; else up to `threads` workers. Returns QUERNEL_OK,
/// _E_NULL, _E_SHAPE, _E_STRIDE, _E_VALUE (beta, zero points), _E_OVERFLOW (k), _E_OVERLAP,
/// _E_MEMORY.
QUERNEL_API int quernel_gemm_s8s8s32(int transpose_b, uint32_t m, uint32_t n, uint32_t k,
                                     const int8_t *a, int64_t lda, int32_t a_zero, const int8_t *b,
                                     int64_t ldb, int32_t b_zero, int beta, int32_t *c, int64_t ldc,
                                     uint32_t threads, const quernel_parallel *parallel,
                                     const quernel_allocator *allocator, quernel_error *error);

/// The same for unsigned A.
QUERNEL_API int quernel_gemm_u8s8s32(int transpose_b, uint32_t m, uint32_t n, uint32_t k,
                                     const uint8_t *a, int64_t lda, int32_t a_zero, const int8_t *b,
                                     int64_t ldb, int32_t b_zero, int beta, int32_t *c, int64_t ldc,
                                     uint32_t threads, const quernel_parallel *parallel,
                                     const quernel_allocator *allocator, quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
