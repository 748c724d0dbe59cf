// SPDX-License-Identifier: Apache-2.0
// kernels/template/conv3x3.h for 256-bit vectors; who includes it defines
//   CONV3X3_TILES    functions of the register tile for 1 … MR rows
#ifndef QUERNEL_AVX2_CONV3X3_H
#define QUERNEL_AVX2_CONV3X3_H

#include <string.h>

#include "epilogue.h"
#include "integers.h"
#include "kernels/template/winograd_tile.h"
#include "kernels/x86/tap_quad.h"

#ifndef CONV3X3_TILES
#error "CONV3X3_TILES: the functions of the register tile"
#endif

enum {
    // sums and inputs of a block lie in an L2 of 512 KiB, beside the weights that stream through
    SUMS_MAX = 112 << 10,
    INPUTS_MAX = 320 << 10, // as above
    // shorter register tiles take as long as full ones: 10 sums do not hide vpdpwssd's latency
    GRAIN = MR,
    CHANNELS = sizeof(vint) / sizeof(int16_t)
};

// `count` bytes, up to 16, zeros behind them. Where others are before them, the 16 bytes that end
// with the last one are read.
static inline __m128i load_bytes(const uint8_t *a, uint32_t count, bool first) {
    static const int8_t order[2 * CHANNELS] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                               11, 12, 13, 14, 15, -1, -1, -1, -1, -1, -1,
                                               -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    if (count >= CHANNELS) return _mm_loadu_si128((const __m128i *)a);
    if (!first)
        return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(a + count - CHANNELS)),
                                _mm_loadu_si128((const __m128i *)(order + CHANNELS - count)));
    uint8_t some[CHANNELS] = {0};
    for (uint32_t i = 0; i < count; i++) some[i] = a[i];
    return _mm_loadu_si128((const __m128i *)some);
}

static inline vint load_channels(const uint8_t *a, uint32_t count, bool first) {
    return _mm256_cvtepu8_epi16(load_bytes(a, count, first));
}

static void multiply_tile(const winograd_tile *t) {
    static const int32_t zeros[NR];
    CONV3X3_TILES[t->rows - 1](t->a, (ptrdiff_t)t->row, t->b, t->quads, zeros, t->acc);
}

#include "kernels/template/conv3x3.h"

#endif
