// SPDX-License-Identifier: Apache-2.0
// GEMM for the dot products of Armv8.2, s8 rows, exact on any data; reads w16x4 and the rows as
// they are. sdot adds four products of 8 bits to a sum of 32: nothing saturates.
//
// A turn of the loop is 16 k of 6 rows: 96 sdot, 22 loads, 4 others. The vector pipes set the
// bound: 32 products a cycle with two of them (Neoverse N1, N2, Cortex-A76), 64 with four (V1, V2),
// 16 with one (Cortex-A55). Speed is a model here: llvm-mca 22, caches and branches perfect; no Arm
// processor was timed.
//   1536 products take   N1 54 cycles (28.4 a cycle), N2 and A76 48 (32.0), V1 and V2 24 (63.8),
//                        A55 122 (12.6)
//   4 k of a run's end   N1 18 (21.3), N2 12 (31.9), V1 6.1 (63.4), V2 6.4 (60.1), A55 38 (10.1)
#define DOT "sdot"
#include "gemm.h"

void quernel_uk_gemm_s8s8_6x16x4_dotprod(const quernel_i_gemm *g);
void quernel_uk_gemm_s8s8_6x16x4_dotprod(const quernel_i_gemm *g) { gemm(g); }
