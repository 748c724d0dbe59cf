// SPDX-License-Identifier: Apache-2.0
// Depthwise for base NEON: two taps at a time of any kernel (depthwise.h).
//
// A pair of taps of a pixel: 2 loads, 4 multiplications, 4 additions for 32 products. 8 products a
// cycle where one of two pipes multiplies (Neoverse N1), 16 where two of four do (V1, V2), 4 with
// one (Cortex-A55); 9 taps are 5 pairs. Speed is a model here: llvm-mca 22, caches and branches
// perfect; no Arm processor was timed. Cycles for 4 pixels:
//   s8   N1 22, N2 16, V1 and V2 12, A55 51;   u8   24, 20, 12, 69
#include "depthwise.h"

static void run(const quernel_i_depthwise *d, bool moved) {
    static const depthwise_way pairs = {begin_pairs, sum_pairs};
    depthwise(&(block){.d = d, .moved = moved}, &pairs);
}

void quernel_uk_depthwise_s8s8_4x16x2_neon(const quernel_i_depthwise *d);
void quernel_uk_depthwise_s8s8_4x16x2_neon(const quernel_i_depthwise *d) { run(d, false); }
void quernel_uk_depthwise_u8s8_4x16x2_neon(const quernel_i_depthwise *d);
void quernel_uk_depthwise_u8s8_4x16x2_neon(const quernel_i_depthwise *d) { run(d, true); }
