// SPDX-License-Identifier: Apache-2.0
// GEMV for CPUs with the matrix products of Armv8.6, up to 4 u8 rows: few rows read each weight
// once, which dot products do as fast. These are their tiles, by the instruction that has u8 rows.
#define DOT "sudot"
#include "kernels/arm/dotprod/gemm.h"

void quernel_uk_gemv_u8s8_4x16x4_i8mm(const quernel_i_gemm *g);
void quernel_uk_gemv_u8s8_4x16x4_i8mm(const quernel_i_gemm *g) { gemm(g); }
