// SPDX-License-Identifier: Apache-2.0
// GEMV for the dot products of Armv8.2, up to 4 s8 rows: the GEMM's tiles, of which each reads its
// weights once.
//
// Speed is a model here: llvm-mca 22, weights in L1; no Arm processor was timed. Products a cycle
// with 1, 2, 3, 4 rows, of which one row's are as many bytes of weights:
//   N1 14, 19, 22, 28;   V1 45, 64, 64, 64;   V2 41, 57, 64, 64;   Cortex-A55 6, 9, 11, 12
#define DOT "sdot"
#include "gemm.h"

void quernel_uk_gemv_s8s8_4x16x4_dotprod(const quernel_i_gemm *g);
void quernel_uk_gemv_s8s8_4x16x4_dotprod(const quernel_i_gemm *g) { gemm(g); }
