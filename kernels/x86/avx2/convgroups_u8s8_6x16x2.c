// SPDX-License-Identifier: Apache-2.0
// Convolution in groups of few channels, several of which share 16 columns: only what a column's own group has is multiplied, where a
// product of the whole block diagonal would meet zeros for the most part.
//
// A vector of 16 columns needs, for each tap and pair of the group's channels, these two of each column's own group: a slot. vpshufb
// spreads a pixel's bytes into slots once, in L1; they serve all output pixels whose taps meet it. Slots of a pixel hold a ring of
// the kernel's lines, so that a line of x is spread once, whatever the number of output lines that it meets; the weights turn with the
// ring. Tiles of 6 pixels then take per slot 2 loads of weights, and for each pixel 2 vpmaddwd from memory and 2 vpaddd.
//
// Cycles for 16 outputs of 3x3 on Zen 3, about 3 vector operations a cycle, groups of 2, 4, 8 channels: 18, 36, 72 vpmaddwd and as many
// vpaddd, 7, 14, 28 operations to spread: 14, 29, 57; the finish 6. The block diagonal takes 144 of each, Winograd's algorithm 36
// and 10 to 20 beside them.
#include <immintrin.h>
#include <string.h>

#include "finish.h"
#include "kernels/ukr.h"
#include "madd16.h"

enum {
    CHANNELS = 16,
    SLOT = 64,               // bytes: [16 columns][2 channels] of 16 bits
    PIXELS = 24,             // that are finished together
    SLOTS_BYTES = 24 << 10,  // that stay in L1 beside weights and sums
    MOST_BYTES = (5 * 2 + 8) * 8 * 4 * SLOT, // of the slots of a tile: 6 pixels 2 apart, 8 x 8 taps, 4 pairs
};

#define PIXEL(k, at, acc0, acc1)                                                                                       \
    "vpmaddwd " #k at ", %%ymm12, %%ymm14\n\tvpmaddwd 32+" #k at ", %%ymm13, %%ymm15\n\t"                              \
    "vpaddd %%ymm14, %%ymm" #acc0 ", %%ymm" #acc0 "\n\tvpaddd %%ymm15, %%ymm" #acc1 ", %%ymm" #acc1 "\n\t"
#define STEP(rows)                                                                                                     \
    "vmovdqa (%[b]), %%ymm12\n\tvmovdqa 32(%[b]), %%ymm13\n\t" TILE_ROWS_##rows(PIXEL, 0)                              \
    "add $64, %[a]\n\tadd $64, %[c]\n\tadd $64, %[b]\n\t"
TILE(slots_1, TILE_EDGE_1(START), STEP(1), TILE_EDGE_1(TILE_STORE))
TILE(slots_2, TILE_EDGE_2(START), STEP(2), TILE_EDGE_2(TILE_STORE))
TILE(slots_3, TILE_EDGE_3(START), STEP(3), TILE_EDGE_3(TILE_STORE))
TILE(slots_4, TILE_EDGE_4(START), STEP(4), TILE_EDGE_4(TILE_STORE))
TILE(slots_5, TILE_EDGE_5(START), STEP(5), TILE_EDGE_5(TILE_STORE))
TILE(slots_6, TILE_EDGE_6(START), STEP(6), TILE_EDGE_6(TILE_STORE))
static tile_function *const slot_tiles[TILE_MR] = {slots_1, slots_2, slots_3, slots_4, slots_5, slots_6};

static uint32_t group_in_of(const quernel_i_window *w) { return w->channels / w->groups; }
static uint32_t pairs_of(const quernel_i_window *w) { return (group_in_of(w) + 1) / 2; }
static uint32_t taps_of(const quernel_i_window *w) { return w->kernel_h * w->kernel_w; }

// For each pair of a group's channels, which two bytes of a pixel a column reads; NONE where there are no more.
enum { PAIRS_MOST = CHANNELS / 4, NONE = 0x80 };
typedef struct sources {
    uint8_t of[PAIRS_MOST][2 * CHANNELS] __attribute__((aligned(32)));
} sources;

static void find_sources(const quernel_i_window *w, sources *ret) {
    const uint32_t group_in = group_in_of(w);
    memset(ret->of, NONE, sizeof ret->of);
    for (uint32_t group = 0, n = 0; group < w->groups; group++)
        for (uint32_t end = n + w->group_columns; n < end; n++)
            for (uint32_t c = 0; c < group_in; c++) ret->of[c / 2][2 * n + c % 2] = (uint8_t)(group * group_in + c);
}

// Up to 4 channels of each column's own group, from channel `first` of the group on, at a kernel line's k of its pixel: a group of
// w16x4 that has the diagonal alone.
static void take_diagonal(const quernel_i_window *w, const int8_t *line, uint32_t pixel_k, uint32_t first, int8_t to[64]) {
    const uint32_t group_in = group_in_of(w), count = group_in - first < 4 ? group_in - first : 4;
    memset(to, 0, 64);
    for (uint32_t group = 0, n = 0; group < w->groups; group++)
        for (uint32_t end = n + w->group_columns, k = pixel_k + group * group_in + first; n < end; n++) {
            const int8_t *column = line + n * 4;
            if (count == 4 && k % 4 == 0) memcpy(to + n * 4, column + k / 4 * 64, 4);
            else
                for (uint32_t c = 0; c < count; c++) to[n * 4 + c] = column[(k + c) / 4 * 64 + (k + c) % 4];
        }
}

void quernel_uk_convgroups_u8s8_6x16x2_avx2_prepare(const int8_t *panel, const quernel_i_window *window, void *dst);
void quernel_uk_convgroups_u8s8_6x16x2_avx2_prepare(const int8_t *panel, const quernel_i_window *window, void *dst) {
    const uint32_t pairs = pairs_of(window), line = (window->kernel_w * window->channels + 3) / 4 * 64;
    uint8_t *to = dst;
    for (uint32_t j = 0; j < window->kernel_w; j++)
        for (uint32_t i = 0; i < window->kernel_h; i++)
            for (uint32_t p = 0; p < pairs; p += 2) {
                int8_t group[64] __attribute__((aligned(64)));
                __m256i both[4];
                take_diagonal(window, panel + i * line, j * window->channels, 2 * p, group);
                widen_weights(group, both);
                const size_t bytes = pairs - p < 2 ? SLOT : 2 * SLOT;
                memcpy(to, both, bytes);
                to += bytes;
            }
}

// Bytes of weights as they turn with the ring: a group of 4 k is at least half a slot.
static size_t turned_bytes(uint32_t groups) { return (size_t)groups * 2 * SLOT; }

size_t quernel_uk_convgroups_u8s8_6x16x2_avx2_scratch(uint32_t groups);
size_t quernel_uk_convgroups_u8s8_6x16x2_avx2_scratch(uint32_t groups) { return MOST_BYTES + turned_bytes(groups); }

// A call and what it works with: a block of `count` pixels from x on, all lines.
typedef struct work {
    const quernel_i_conv *c;
    uint8_t *slots, *turned; // [pixel of x][ring of kernel lines][pair], [kernel pixel][ring of kernel lines][pair]
    uint32_t pairs, steps;   // steps: slots of a kernel
    uint32_t x, count, span; // span: pixels of x that the block reads
    sources from;
    bool plain;
} work;

static inline __attribute__((always_inline)) void spread_pixels(const work *w, const uint8_t *a, uint8_t *to, uint32_t channels,
                                                                uint32_t pairs) {
    const size_t pitch = (size_t)w->c->window.kernel_h * pairs * SLOT;
    for (uint32_t x = 0; x < w->span; x++, a += w->c->a_pixel, to += pitch) {
        uint8_t some[CHANNELS] = {0};
        const uint8_t *from = channels < CHANNELS ? memcpy(some, a, channels) : a;
        const __m256i pixel = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)from));
#pragma GCC unroll 4
        for (uint32_t p = 0; p < pairs; p++) {
            const __m256i bytes = _mm256_shuffle_epi8(pixel, _mm256_load_si256((const __m256i *)w->from.of[p]));
            __m256i *slot = (__m256i *)(to + p * SLOT);
            _mm256_store_si256(slot, _mm256_cvtepu8_epi16(_mm256_castsi256_si128(bytes)));
            _mm256_store_si256(slot + 1, _mm256_cvtepu8_epi16(_mm256_extracti128_si256(bytes, 1)));
        }
    }
}

// A line of x into its place in the ring.
static void spread_line(const work *w, uint32_t line) {
    const quernel_i_window *k = &w->c->window;
    const uint8_t *a = (const uint8_t *)w->c->a + line * w->c->a_line + (ptrdiff_t)w->x * k->stride_w * w->c->a_pixel;
    uint8_t *to = w->slots + (size_t)(line % k->kernel_h) * w->pairs * SLOT;
    if (k->channels < CHANNELS) spread_pixels(w, a, to, k->channels, w->pairs);
    else if (w->pairs == 1) spread_pixels(w, a, to, CHANNELS, 1);
    else if (w->pairs == 2) spread_pixels(w, a, to, CHANNELS, 2);
    else spread_pixels(w, a, to, CHANNELS, w->pairs);
}

// The weights in the order of the ring whose place `first` holds kernel line 0.
static const uint8_t *turn_weights(const work *w, uint32_t first) {
    const quernel_i_window *k = &w->c->window;
    const size_t line = (size_t)w->pairs * SLOT, all = k->kernel_h * line, before = first * line;
    const uint8_t *from = w->c->b;
    if (first == 0) return from;
    for (uint32_t j = 0; j < k->kernel_w; j++) {
        memcpy(w->turned + j * all + before, from + j * all, all - before);
        memcpy(w->turned + j * all, from + j * all + all - before, before);
    }
    return w->turned;
}

// Output line y of the block.
static void convolve_line(const work *w, uint32_t y) {
    const quernel_i_conv *c = w->c;
    const quernel_i_window *k = &c->window;
    const size_t pitch = (size_t)k->stride_w * k->kernel_h * w->pairs * SLOT;
    const uint8_t *b = turn_weights(w, y * k->stride_h % k->kernel_h);
    int32_t acc[PIXELS * CHANNELS] __attribute__((aligned(32)));
    quernel_i_finish f = *c->finish;
    f.y = (uint8_t *)f.y + y * c->y_line;
    if (f.residual) f.residual = (const uint8_t *)f.residual + y * c->r_line;
    for (uint32_t at = 0, pixels; at < w->count; at += pixels) {
        pixels = w->count - at < PIXELS ? w->count - at : PIXELS;
        for (uint32_t m = 0, left = (pixels + TILE_MR - 1) / TILE_MR; left; left--) {
            const uint32_t some = (pixels - m + left - 1) / left;
            slot_tiles[some - 1](w->slots + (at + m) * pitch, (ptrdiff_t)pitch, b, w->steps, c->init, acc + m * CHANNELS);
            m += some;
        }
        finish_run(&(finish_tile){acc, pixels, c->columns, w->x + at, 0}, &f, w->plain);
    }
}

static void convolve_block(const work *w) {
    const quernel_i_window *k = &w->c->window;
    for (uint32_t y = 0, next = 0; y < w->c->lines; y++) {
        const uint32_t first = y * k->stride_h;
        for (next = next > first ? next : first; next < first + k->kernel_h; next++) spread_line(w, next);
        convolve_line(w, y);
    }
}

// Pixels of x that `pixels` outputs read.
static uint32_t span_of(const quernel_i_window *w, uint32_t pixels) { return (pixels - 1) * w->stride_w + w->kernel_w; }

// Whole tiles whose slots fit, or one.
static uint32_t block_pixels(const work *w) {
    const quernel_i_window *k = &w->c->window;
    const size_t slots = (size_t)k->kernel_h * w->pairs * SLOT;
    uint32_t pixels = TILE_MR;
    while (pixels < w->c->pixels && span_of(k, pixels + TILE_MR) * slots <= SLOTS_BYTES) pixels += TILE_MR;
    return pixels;
}

void quernel_uk_convgroups_u8s8_6x16x2_avx2(const quernel_i_conv *c);
void quernel_uk_convgroups_u8s8_6x16x2_avx2(const quernel_i_conv *c) {
    work w = {.c = c, .slots = c->scratch, .turned = (uint8_t *)c->scratch + MOST_BYTES, .pairs = pairs_of(&c->window),
              .plain = finish_is_plain(c->finish)};
    w.steps = taps_of(&c->window) * w.pairs;
    find_sources(&c->window, &w.from);
    const uint32_t most = block_pixels(&w);
    for (; w.x < c->pixels; w.x += w.count) {
        w.count = c->pixels - w.x < most ? c->pixels - w.x : most;
        w.span = span_of(&c->window, w.count);
        convolve_block(&w);
    }
}
