// SPDX-License-Identifier: Apache-2.0
// Small groups for AVX-512-VNNI: slots of 4 channels, a register each; vpdpbusd adds up a group of
// 4 in one lane.
//
// A tile is up to 12 pixels x 16 output channels: 12 accumulators hide a latency of 5 on two ports.
// Per slot 13 loads and 12 vpdpbusd on two ports: loads bound it at 6.5 cycles, so 9 slots of 3x3
// with groups of 4 take 4.9 cycles a pixel, with groups of 8 9.8; the block diagonal takes 18.
// Speeds on Zen 4: bench/FIGURES.md.
#include "epilogue.h"
#include "vnni.h"

#define SLOT_CHANNELS 4
#define SLOT 64
#define GROUPS_MR 12
#define GROUPS_PIXELS 12
#include "kernels/x86/convgroups.h"

static inline void spread_slot(__m128i pixel, const uint8_t order[SPREAD], uint8_t *to) {
    _mm512_store_si512(
        to, _mm512_shuffle_epi8(_mm512_broadcast_i32x4(pixel), _mm512_load_si512(order)));
}

#define START(pixel, p, at) __m512i c##pixel = start;
#define STEP(pixel, p, at) MULTIPLY_SLOT(_mm512_load_si512((p) + (at)), four, c##pixel);
#define STORE(pixel, p, at) _mm512_store_si512(acc + (pixel)*EPILOGUE_NR, c##pixel);
// The empty asm keeps four pointers four: without it a compiler makes one induction variable per
// pixel, and spills.
#define TILE(pixels)                                                                          \
    static void tile_##pixels(const uint8_t *a, ptrdiff_t s, const void *weights, uint32_t n, \
                              const int32_t *init, int32_t *acc) {                            \
        const uint8_t *a3 = a + 3 * s, *a6 = a + 6 * s, *a9 = a + 9 * s, *b = weights;        \
        const __m512i start = _mm512_loadu_si512(init);                                       \
        PIXELS_##pixels(START) for (; n; n--, a += SLOT, a3 += SLOT, a6 += SLOT, a9 += SLOT,  \
                                         b += SLOT) {                                         \
            __asm__("" : "+r"(a), "+r"(a3), "+r"(a6), "+r"(a9), "+r"(b));                     \
            const __m512i four = _mm512_load_si512(b);                                        \
            PIXELS_##pixels(STEP)                                                             \
        }                                                                                     \
        PIXELS_##pixels(STORE)                                                                \
    }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)
TILE(7)
TILE(8)
TILE(9)
TILE(10)
TILE(11)
TILE(12)
static groups_tile *const groups_tiles[GROUPS_MR] = {tile_1, tile_2,  tile_3,  tile_4,
                                                     tile_5, tile_6,  tile_7,  tile_8,
                                                     tile_9, tile_10, tile_11, tile_12};

size_t quernel_uk_convgroups_u8s8_12x16x4_avx512vnni_scratch(uint32_t k_quads);
size_t quernel_uk_convgroups_u8s8_12x16x4_avx512vnni_scratch(uint32_t k_quads) {
    return convgroups_scratch(k_quads);
}

void quernel_uk_convgroups_u8s8_12x16x4_avx512vnni_prepare(const int8_t *panel,
                                                           const quernel_i_window *window,
                                                           void *dst);
void quernel_uk_convgroups_u8s8_12x16x4_avx512vnni_prepare(const int8_t *panel,
                                                           const quernel_i_window *window,
                                                           void *dst) {
    convgroups_prepare(panel, window, dst);
}

void quernel_uk_convgroups_u8s8_12x16x4_avx512vnni(const quernel_i_conv *c);
void quernel_uk_convgroups_u8s8_12x16x4_avx512vnni(const quernel_i_conv *c) { convgroups(c); }
