// SPDX-License-Identifier: Apache-2.0
// GEMV for the dot products of Armv8.2, up to 4 s8 rows: the GEMM's tiles, of which each reads its
// weights once.
#define DOT "sdot"
#include "gemm.h"

void quernel_uk_gemv_s8s8_4x16x4_dotprod(const quernel_i_gemm *g);
void quernel_uk_gemv_s8s8_4x16x4_dotprod(const quernel_i_gemm *g) { gemm(g); }
