// SPDX-License-Identifier: Apache-2.0
// What kernels that multiply Winograd's points have in common: rows and weights as 16 bits. Who
// includes it defines
//   WIDEN(bytes)   8 bytes of the rows, s8 or u8, as 16-bit values
#ifndef QUERNEL_NEON_POINTS_H
#define QUERNEL_NEON_POINTS_H

#include <stdbool.h>
#include <string.h>

#ifndef WIDEN
#error "WIDEN: bytes of the rows to 16 bits"
#endif

#include "inner16.h"
#include "integers.h"

enum {
    NR = INNER_OC,
    CHANNELS = 8,
    WIDE_VECTORS = 8, // of a group of w16x4 as 16 bits
};

// A group of w16x4 as [2 pairs of k][16 oc][2 k] of 16 bits.
static inline void widen_weights(const int8_t *group, vint to[WIDE_VECTORS]) {
    for (uint32_t i = 0; i < WIDE_VECTORS / 2; i++) {
        const int8x16_t oc = vld1q_s8(group + 16 * i);
        const uint32x4_t low = vreinterpretq_u32_s16(vmovl_s8(vget_low_s8(oc))),
                         high = vreinterpretq_u32_s16(vmovl_high_s8(oc));
        to[i] = vuzp1q_u32(low, high);
        to[WIDE_VECTORS / 2 + i] = vuzp2q_u32(low, high);
    }
}

// `count` bytes, up to 8, zeros behind them. Where others are before them, the 8 bytes that end
// with the last one are read.
static inline uint8x8_t load_bytes(const uint8_t *a, uint32_t count, bool first) {
    if (count >= CHANNELS) return vld1_u8(a);
    uint64_t bytes = 0;
    if (first) memcpy(&bytes, a, count);
    else memcpy(&bytes, a + count - CHANNELS, CHANNELS), bytes >>= 8 * (CHANNELS - count);
    return vcreate_u8(bytes);
}

static inline vint load_channels(const uint8_t *a, uint32_t count, bool first) {
    return WIDEN(load_bytes(a, count, first));
}

#endif
