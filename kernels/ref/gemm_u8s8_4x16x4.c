// SPDX-License-Identifier: Apache-2.0
// Product of u8 rows and s8 weights: the oracle, and its GEMV twin.
#define REF_NAME(x) u8s8_##x
#define ROW_TYPE uint8_t
#define GEMM quernel_uk_gemm_u8s8_4x16x4_ref
#define GEMV quernel_uk_gemv_u8s8_1x16x4_ref
#include "kernels/ref/gemm_4x16x4.h"
