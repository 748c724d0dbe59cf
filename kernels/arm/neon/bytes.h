// SPDX-License-Identifier: Apache-2.0
// Loads of fewer than 16 bytes. They call nothing: a loop around them keeps its sums in registers.
#ifndef QUERNEL_NEON_BYTES_H
#define QUERNEL_NEON_BYTES_H

#include "vector.h"

NEON_INLINE uint64_t four_bytes(const uint8_t *a) {
    uint32_t bytes;
    memcpy(&bytes, a, sizeof bytes);
    return bytes;
}

// `count` <= 8 bytes, of two pieces that overlap.
NEON_INLINE uint64_t some_bytes(const uint8_t *a, uint32_t count) {
    if (count >= 4) return four_bytes(a) | four_bytes(a + count - 4) << 8 * (count - 4);
    return count ? (uint64_t)(a[0] | a[count / 2] << 8 * (count / 2)) | (uint64_t)a[count - 1]
                                                                            << 8 * (count - 1)
                 : 0;
}

/// The first `count` <= 16 bytes, the others 0; a constant, but for one below 16 other than 8.
NEON_INLINE uint8x16_t load_bytes(const uint8_t *a, uint32_t count) {
    if (count == 16) return vld1q_u8(a);
    if (count >= 8) return vcombine_u8(vld1_u8(a), vcreate_u8(some_bytes(a + 8, count - 8)));
    return vcombine_u8(vcreate_u8(some_bytes(a, count)), vdup_n_u8(0));
}

#endif
