// SPDX-License-Identifier: Apache-2.0
// Winograd's algorithm down the lines (template/convlines.h), multiplied by vpmaddwd.
//
//              direct products of an output, runs padded to 4     by points, padded to 2
//   7x7 s2, 3 channels     7·24 = 168                             7/4·42 = 74
//   5x5 s2, 3 channels     5·16 =  80                             6/4·30 = 45
//   3x3 s1, 3 channels     3·12 =  36                             6/4·10 = 15
//   3x3 s2, 3 channels     3·12 =  36                             5/4·18 = 23
//
// Cycles for one output (a pixel and oc) of N oc, at 24 products a cycle as the register
// tile does on Zen 3, by count:
//   multiplying   3.1, 1.9, 0.6, 0.9 in these cases; a tile's stores and start 0.15
//   outputs       24 to 35 operations, 5 to 7 loads, 4 stores for 8 output channels x 4 lines: 0.4
//   epilogue        0.5
//   inputs        about 50 operations for 16 values of a matrix, of which a pixel has
//   stride_w·channels·lines of a tap: below 3/N
// where the direct product takes 7.6, 3.9, 2.0, 2.0. Measured on Zen 1, whose vpmaddwd makes 8
// products a cycle: 2.0, 1.6, 1.55, 1.35 times as fast.
#include <immintrin.h>
#include <string.h>

#include "epilogue.h"
#include "integers.h"
#include "madd16.h"

#include "kernels/template/winograd_lines.h"

// The register tile of madd16.h, from 0 and pair by pair of k: there are few of them.
#define ZERO(at, acc0, acc1)                                                                    \
    "vpxor %%xmm" #acc0 ", %%xmm" #acc0 ", %%xmm" #acc0 "\n\tvpxor %%xmm" #acc1 ", %%xmm" #acc1 \
    ", %%xmm" #acc1 "\n\t"
#define ONE_PAIR(rows) PAIR(rows, 0, 0) "add $4, %[a]\n\tadd $4, %[c]\n\tadd $64, %[b]\n\t"
TILE(pairs_1, TILE_EDGE_1(ZERO), ONE_PAIR(1), TILE_EDGE_1(TILE_STORE))
TILE(pairs_2, TILE_EDGE_2(ZERO), ONE_PAIR(2), TILE_EDGE_2(TILE_STORE))
TILE(pairs_3, TILE_EDGE_3(ZERO), ONE_PAIR(3), TILE_EDGE_3(TILE_STORE))
TILE(pairs_4, TILE_EDGE_4(ZERO), ONE_PAIR(4), TILE_EDGE_4(TILE_STORE))
TILE(pairs_5, TILE_EDGE_5(ZERO), ONE_PAIR(5), TILE_EDGE_5(TILE_STORE))
TILE(pairs_6, TILE_EDGE_6(ZERO), ONE_PAIR(6), TILE_EDGE_6(TILE_STORE))
static tile_function *const pair_tiles[MR] = {pairs_1, pairs_2, pairs_3, pairs_4, pairs_5, pairs_6};

enum {
    INPUTS_MAX = 160 << 10, // bytes of transformed inputs that a block should take
    STEP_K = 2,
    READ_AHEAD = 8, // rows end at a multiple of 2 k
    PADDING = 0,
    CHANNELS = sizeof(vint) / sizeof(int16_t),
};

static inline __attribute__((always_inline)) void multiply_tile(const uint8_t *a, size_t row,
                                                                uint32_t rows, const uint8_t *b,
                                                                uint32_t steps, int32_t *acc) {
    pair_tiles[rows - 1](a, (ptrdiff_t)row, b, steps, NULL, acc);
}

static inline vint load_channels(const uint8_t *a, uint32_t count, bool first) {
    uint8_t some[CHANNELS] = {0};
    (void)first;
    if (count < CHANNELS) a = memcpy(some, a, count);
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)a));
}

#include "kernels/template/convlines.h"

size_t quernel_uk_convlines_u8s8_6x16x2_avx2_scratch(uint32_t k_quads);
size_t quernel_uk_convlines_u8s8_6x16x2_avx2_scratch(uint32_t k_quads) {
    return convlines_scratch(k_quads);
}

void quernel_uk_convlines_u8s8_6x16x2_avx2_prepare(const int8_t *panel, const quernel_i_window *w,
                                                   void *dst);
void quernel_uk_convlines_u8s8_6x16x2_avx2_prepare(const int8_t *panel, const quernel_i_window *w,
                                                   void *dst) {
    convlines_prepare(panel, w, dst);
}

void quernel_uk_convlines_u8s8_6x16x2_avx2(const quernel_i_conv *c);
void quernel_uk_convlines_u8s8_6x16x2_avx2(const quernel_i_conv *c) { convlines(c); }
