// SPDX-License-Identifier: Apache-2.0
// Small groups for AVX-VNNI: slots of 4 channels, bytes as they are; vpdpbusd adds up a group of 4
// in one lane.
//
// A tile is up to 6 pixels x 16 output channels: 12 accumulators, 2 registers of weights, 2 of a
// slot. Per slot 14 loads and 12 vpdpbusd on two ports: 6 cycles for 6 pixels, so 9 slots of 3x3
// with groups of 4 take 9 cycles a pixel, with groups of 8 18; the block diagonal takes 36. Model
// (llvm-mca, alderlake); not timed here.
#include "kernels/x86/avx2/epilogue.h"
#include "vnni.h"

#define SLOT_CHANNELS 4
#define SLOT 64
#define GROUPS_MR 6
#define GROUPS_PIXELS 24 // 4 tiles: 1.5 KiB of sums
#include "kernels/x86/convgroups.h"

static inline void spread_slot(__m128i pixel, const uint8_t order[SPREAD], uint8_t *to) {
    const __m256i both = _mm256_broadcastsi128_si256(pixel);
    for (int half = 0; half < 2; half++)
        _mm256_store_si256(
            (__m256i *)to + half,
            _mm256_shuffle_epi8(both, _mm256_load_si256((const __m256i *)order + half)));
}

#define START(pixel, p, at) __m256i c##pixel = init0, d##pixel = init1;
#define STEP(pixel, p, at)                              \
    MULTIPLY_SLOT(vector_of((p) + (at)), b0, c##pixel); \
    MULTIPLY_SLOT(vector_of((p) + (at) + 32), b1, d##pixel);
#define STORE(pixel, p, at)                                               \
    _mm256_store_si256((__m256i *)(acc + (pixel)*EPILOGUE_NR), c##pixel); \
    _mm256_store_si256((__m256i *)(acc + (pixel)*EPILOGUE_NR + LANES), d##pixel);
// The empty asm keeps two pointers two: without it a compiler makes one induction variable per
// pixel, and spills.
#define TILE(pixels)                                                                          \
    static void tile_##pixels(const uint8_t *a, ptrdiff_t s, const void *weights, uint32_t n, \
                              const int32_t *init, int32_t *acc) {                            \
        const uint8_t *a3 = a + 3 * s, *b = weights;                                          \
        const __m256i init0 = vector_of(init), init1 = vector_of(init + LANES);               \
        PIXELS_##pixels(START) for (; n; n--, a += SLOT, a3 += SLOT, b += SLOT) {             \
            __asm__("" : "+r"(a), "+r"(a3), "+r"(b));                                         \
            const __m256i b0 = vector_of(b), b1 = vector_of(b + 32);                          \
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
static groups_tile *const groups_tiles[GROUPS_MR] = {tile_1, tile_2, tile_3,
                                                     tile_4, tile_5, tile_6};

size_t quernel_uk_convgroups_u8s8_6x16x4_avxvnni_scratch(uint32_t k_quads);
size_t quernel_uk_convgroups_u8s8_6x16x4_avxvnni_scratch(uint32_t k_quads) {
    return convgroups_scratch(k_quads);
}

void quernel_uk_convgroups_u8s8_6x16x4_avxvnni_prepare(const int8_t *panel,
                                                       const quernel_i_window *window, void *dst);
void quernel_uk_convgroups_u8s8_6x16x4_avxvnni_prepare(const int8_t *panel,
                                                       const quernel_i_window *window, void *dst) {
    convgroups_prepare(panel, window, dst);
}

void quernel_uk_convgroups_u8s8_6x16x4_avxvnni(const quernel_i_conv *c);
void quernel_uk_convgroups_u8s8_6x16x4_avxvnni(const quernel_i_conv *c) { convgroups(c); }
