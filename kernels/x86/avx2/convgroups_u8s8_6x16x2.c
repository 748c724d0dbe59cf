// SPDX-License-Identifier: Apache-2.0
// Small groups for AVX2: slots of pairs in 16 bits. Tiles of 6 pixels take per slot 2 loads of
// weights, and for each pixel 2 vpmaddwd from memory and 2 vpaddd.
//
// Cycles for 16 outputs of 3x3 on Zen 3, about 3 vector operations a cycle, groups of 2, 4, 8
// channels: 18, 36, 72 vpmaddwd and as many vpaddd, 7, 14, 28 operations to spread: 14, 29, 57; the
// epilogue 6. The block diagonal takes 144 of each, Winograd's algorithm 36 and 10 to 20 beside
// them.
#include "epilogue.h"
#include "madd16.h"
#include "slots.h"

#define SLOT_CHANNELS 2
#define SLOT 64
#define GROUPS_MR 6
#define GROUPS_PIXELS 24 // 4 tiles: 1.5 KiB of sums
#include "kernels/x86/convgroups.h"

static inline void spread_slot(__m128i pixel, const uint8_t order[SPREAD], uint8_t *to) {
    const __m256i both = _mm256_broadcastsi128_si256(pixel),
                  bytes = _mm256_shuffle_epi8(both, _mm256_load_si256((const __m256i *)order));
    _mm256_store_si256((__m256i *)to, _mm256_cvtepu8_epi16(_mm256_castsi256_si128(bytes)));
    _mm256_store_si256((__m256i *)to + 1, _mm256_cvtepu8_epi16(_mm256_extracti128_si256(bytes, 1)));
}

static inline void take_slots(const int8_t group[64], uint8_t *to) {
    widen_weights(group, (__m256i *)to);
}

TILE(slots_1, TILE_EDGE_1(START), SLOT_STEP(1), TILE_EDGE_1(TILE_STORE))
TILE(slots_2, TILE_EDGE_2(START), SLOT_STEP(2), TILE_EDGE_2(TILE_STORE))
TILE(slots_3, TILE_EDGE_3(START), SLOT_STEP(3), TILE_EDGE_3(TILE_STORE))
TILE(slots_4, TILE_EDGE_4(START), SLOT_STEP(4), TILE_EDGE_4(TILE_STORE))
TILE(slots_5, TILE_EDGE_5(START), SLOT_STEP(5), TILE_EDGE_5(TILE_STORE))
TILE(slots_6, TILE_EDGE_6(START), SLOT_STEP(6), TILE_EDGE_6(TILE_STORE))
static groups_tile *const groups_tiles[GROUPS_MR] = {slots_1, slots_2, slots_3,
                                                     slots_4, slots_5, slots_6};

size_t quernel_uk_convgroups_u8s8_6x16x2_avx2_scratch(uint32_t k_quads);
size_t quernel_uk_convgroups_u8s8_6x16x2_avx2_scratch(uint32_t k_quads) {
    return convgroups_scratch(k_quads);
}

void quernel_uk_convgroups_u8s8_6x16x2_avx2_prepare(const int8_t *panel,
                                                    const quernel_i_window *window, void *dst);
void quernel_uk_convgroups_u8s8_6x16x2_avx2_prepare(const int8_t *panel,
                                                    const quernel_i_window *window, void *dst) {
    convgroups_prepare(panel, window, dst);
}

void quernel_uk_convgroups_u8s8_6x16x2_avx2(const quernel_i_conv *c);
void quernel_uk_convgroups_u8s8_6x16x2_avx2(const quernel_i_conv *c) { convgroups(c); }
