// SPDX-License-Identifier: Apache-2.0
// kernels/template/conv3x3.h for NEON; who includes it defines
//   WIDEN(bytes)   8 bytes of the rows, s8 or u8, as 16-bit values
#ifndef QUERNEL_NEON_CONV3X3_H
#define QUERNEL_NEON_CONV3X3_H

#include "epilogue.h"
#include "points.h"
#define WINOGRAD_ROW_TERMS
#include "kernels/template/winograd_tile.h"

enum {
    // sums and inputs of a block lie in half of an L2 of 512 KiB, which small cores may share,
    // beside the weights that stream through
    SUMS_MAX = 64 << 10,
    INPUTS_MAX = 160 << 10, // as above
    // rows of a call, for which the terms of its weights are computed once: those of a block
    MR = WINOGRAD_IN == 6 ? 24 : 12,
    GRAIN = INNER_ROWS,
};

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

static inline void row_terms(const uint8_t *a, size_t row, uint32_t rows, uint32_t quads,
                             vint *to) {
    inner_row_terms((const int16_t *)a, row / 2, rows, quads, (int32x4_t *)to);
}

static void multiply_tile(const winograd_tile *t) {
    inner_rows((const int16_t *)t->a, t->row / 2, t->rows, (const int16_t *)t->b, t->quads,
               (const int32x4_t *)t->row_terms, t->acc);
}

#include "kernels/template/conv3x3.h"

#endif
