// SPDX-License-Identifier: Apache-2.0
// kernels/template/conv3x3.h for NEON; who includes it defines
//   WIDEN(bytes)   8 bytes of the rows, s8 or u8, as 16-bit values
#ifndef QUERNEL_NEON_CONV3X3_H
#define QUERNEL_NEON_CONV3X3_H

#include <stdbool.h>
#include <string.h>

#ifndef WIDEN
#error "WIDEN: bytes of the rows to 16 bits"
#endif

#include "epilogue.h"
#include "inner16.h"
#include "integers.h"
#define WINOGRAD_ROW_TERMS
#include "kernels/template/winograd_tile.h"

enum {
    NR = INNER_OC,
    // sums and inputs of a block lie in half of an L2 of 512 KiB, which small cores may share,
    // beside the weights that stream through
    SUMS_MAX = 64 << 10,
    INPUTS_MAX = 160 << 10, // as above
    // rows of a call, for which the terms of its weights are computed once: those of a block
    MR = WINOGRAD_IN == 6 ? 24 : 12,
    GRAIN = INNER_ROWS,
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

// Quad `quad` of a tap of a 3x3 kernel, whose channels begin anywhere in a quad of the panel: moved
// to its beginning, zeros behind them.
static inline void tap_quad(const int8_t *panel, uint32_t channels, uint32_t tap, uint32_t quad,
                            int8_t to[64]) {
    const uint32_t k = tap % 3 * channels + 4 * quad, shift = k % 4, left = channels - 4 * quad;
    const int8_t *from = panel + (tap / 3 * ((3 * channels + 3) / 4) + k / 4) * (size_t)64;
    const bool further = shift + (left < 4 ? left : 4) > 4;
    const int32x4_t down = vdupq_n_s32(-8 * (int)shift), up = vdupq_n_s32(32 - 8 * (int)shift);
    const uint32x4_t real = vdupq_n_u32(left < 4 ? (1u << 8 * left) - 1 : UINT32_MAX);
    for (uint32_t i = 0; i < 64; i += 16) {
        const uint32x4_t next = further ? vint_load(from + 64 + i) : vint_zero();
        const uint32x4_t moved =
            vorrq_u32(vshlq_u32(vint_load(from + i), down), vshlq_u32(next, up));
        vint_store(to + i, vandq_u32(moved, real));
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

static inline void row_terms(const uint8_t *a, size_t row, uint32_t rows, uint32_t quads,
                             vint *to) {
    inner_row_terms((const int16_t *)a, row / 2, rows, quads, (int32x4_t *)to);
}

// The last register tile shares a row with the one before it; a single row is both of its own.
static void multiply_tile(const winograd_tile *t) {
    int32x4_t b_terms[INNER_SUMS];
    const int32x4_t *a_terms = (const int32x4_t *)t->row_terms;
    const uint32_t second = t->rows > 1 ? 1 : 0;
    inner_oc_terms((const int16_t *)t->b, t->quads, b_terms);
    for (uint32_t m = 0; m < t->rows; m += INNER_ROWS) {
        const uint32_t at = m + second < t->rows ? m : m - 1, next = at + second;
        inner_tile((const int16_t *)(t->a + at * t->row), (const int16_t *)(t->a + next * t->row),
                   (const int16_t *)t->b, t->quads, a_terms + at, a_terms + next, b_terms,
                   t->acc + at * NR, t->acc + next * NR);
    }
}

#include "kernels/template/conv3x3.h"

#endif
