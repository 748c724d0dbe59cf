// SPDX-License-Identifier: Apache-2.0
// GEMM for the dot products of Armv8.2, s8 rows, exact on any data; reads w16x4 and the rows as
// they are. sdot adds four products of 8 bits to a sum of 32: nothing saturates.
#define DOT "sdot"
#include "gemm.h"

void quernel_uk_gemm_s8s8_6x16x4_dotprod(const quernel_i_gemm *g);
void quernel_uk_gemm_s8s8_6x16x4_dotprod(const quernel_i_gemm *g) { gemm(g); }
