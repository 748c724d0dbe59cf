// SPDX-License-Identifier: Apache-2.0
// Product of s8 rows and s8 weights: the oracle, and its GEMV twin.
#define REF_NAME(x) s8s8_##x
#define ROW_TYPE int8_t
#define GEMM quernel_uk_gemm_s8s8_4x16x4_ref
#define GEMV quernel_uk_gemv_s8s8_1x16x4_ref
#include "kernels/ref/gemm_4x16x4.h"
