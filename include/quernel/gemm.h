// SPDX-License-Identifier: Apache-2.0
// One-shot integer matrix products, exact on any data.
#ifndef QUERNEL_GEMM_H
#define QUERNEL_GEMM_H

#include "common.h"
#include "threads.h"

#ifdef __cplusplus
extern "C" {
#endif

/// C = (A − a_zero)·(B − b_zero) + beta·C, row-major, exact. B is packed on each call: for weights
/// that stay, use quernel_linear_create.
/// Shapes: A [m][k] with lda >= k; B [k][n] with ldb >= n, or with `transpose_b` [n][k] with ldb >=
/// k; C [m][n] with ldc >= n; strides in elements; m, n, k of 1 or more. beta is 0 (C is not read)
/// or 1. C overlaps neither A nor B.
/// Numbers: the product fits int32; the sum with C wraps modulo 2^32.
/// Limits: m, n <= 2^26; k <= 131 071 with both zero points 0, else 33 025; strides below 2^31.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_SHAPE (m, n, k); QUERNEL_E_STRIDE (lda, ldb, ldc);
/// QUERNEL_E_VALUE (beta, zero points, threads, parallel, allocator); QUERNEL_E_OVERFLOW (k; sizes
/// in bytes); QUERNEL_E_ALIGN (c); QUERNEL_E_OVERLAP (c); QUERNEL_E_MEMORY.
/// Threads: any. `parallel` NULL: on the calling thread; else on up to `threads` workers (0 …
/// 4096).
/// Owner: memory comes from `allocator` (NULL: the C library) and is given back before the call
/// returns.
QUERNEL_API int quernel_gemm_s8s8s32(int transpose_b, uint32_t m, uint32_t n, uint32_t k,
                                     const int8_t *a, int64_t lda, int32_t a_zero, const int8_t *b,
                                     int64_t ldb, int32_t b_zero, int beta, int32_t *c, int64_t ldc,
                                     uint32_t threads, const quernel_parallel *parallel,
                                     const quernel_allocator *allocator, quernel_error *error);

/// quernel_gemm_s8s8s32 for unsigned A; k <= 65 793 with both zero points 0.
QUERNEL_API int quernel_gemm_u8s8s32(int transpose_b, uint32_t m, uint32_t n, uint32_t k,
                                     const uint8_t *a, int64_t lda, int32_t a_zero, const int8_t *b,
                                     int64_t ldb, int32_t b_zero, int beta, int32_t *c, int64_t ldc,
                                     uint32_t threads, const quernel_parallel *parallel,
                                     const quernel_allocator *allocator, quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
