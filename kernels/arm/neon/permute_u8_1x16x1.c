// SPDX-License-Identifier: Apache-2.0
// Permutations for NEON: tbl of 16 bytes. Not timed.
#include "vector.h"

typedef uint8x16_t bytes16;
NEON_INLINE bytes16 bytes16_load(const uint8_t *at) { return vld1q_u8(at); }
NEON_INLINE bytes16 bytes16_or(bytes16 a, bytes16 b) { return vorrq_u8(a, b); }
NEON_INLINE bytes16 bytes16_shuffle(bytes16 v, bytes16 order) { return vqtbl1q_u8(v, order); }

#include "kernels/template/permute.h"

void quernel_uk_permute_u8_1x16x1_neon(const quernel_i_permute *p);
void quernel_uk_permute_u8_1x16x1_neon(const quernel_i_permute *p) { permute(p); }
