// SPDX-License-Identifier: Apache-2.0
// Float planes to rows: the walk, for the instruction sets of x86. Who includes it defines
//   PIXELS                of a block
//   block(b, q, g_is_1, y, y_pixel)   codes of 16 channels of PIXELS pixels: 16 bytes each, of
//   which
//                         those of b->channels and b->pixels count
//   quads(b, q, to)       up to 4 channels: 4 bytes for each of PIXELS pixels
//   quantizer, quantizer_of(args), store_bytes(to, bytes, n)
//
// Tiles of 64 channels, a cache line of y, by 64 pixels: what a tile reads and writes stays in L1,
// and no more than 16 planes are read at a time, which are still more than hardware follows: blocks
// fetch each AHEAD, into L2. The last block of a line, and of the channels, overlaps the one before
// it.
#ifndef QUERNEL_X86_QUANTIZE_PLANES_H
#define QUERNEL_X86_QUANTIZE_PLANES_H

#include <immintrin.h>
#include <stdbool.h>

#include "kernels/ukr.h"

enum { CHANNELS = 16, QUAD = 4, TILE = 64 };

// Twelve cache lines of a plane: about the time that memory takes. Into L2, because so many lines
// of 16 planes would drive each other out of L1: on Zen 4 fetches into L1 are best 32 floats ahead,
// and from memory take 1.5 to 2 times as long as these; of 96 to 384 floats all are alike. Zen 5
// reads planes of L3 at 101 bytes a ns with four lines ahead into L1 and 74 with these, of memory
// 32 and 23.
enum { AHEAD = 192, AHEAD_NEAR = 64 };

// Up to 16 channels of up to PIXELS pixels.
typedef struct planes {
    const float *x;
    ptrdiff_t x_channel;
    const float *mult;
    uint32_t pixels, channels;
    bool near;
} planes;

static void block(const planes *b, const quantizer *q, bool g_is_1, uint8_t *y, ptrdiff_t y_pixel);

static void quads(const planes *b, const quantizer *q, uint8_t *to);

static inline __attribute__((always_inline)) void fetch(const planes *b, const float *x) {
    if (b->near) _mm_prefetch((const char *)(x + AHEAD_NEAR), _MM_HINT_T0);
    else _mm_prefetch((const char *)(x + AHEAD), _MM_HINT_T1);
}

static inline uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

static inline __attribute__((always_inline)) planes planes_at(const quernel_i_quantize_args *r,
                                                              uint32_t c, uint32_t p) {
    return (planes){r->x + (ptrdiff_t)c * r->x_channel + p,
                    r->x_channel,
                    r->mult + c,
                    least(PIXELS, r->pixels - p),
                    least(CHANNELS, r->channels - c),
                    r->near};
}

static inline __attribute__((always_inline)) void
whole(const quernel_i_quantize_args *r, const quantizer *q, bool g_is_1, uint32_t c, uint32_t p) {
    planes b = planes_at(r, c, p);
    b.pixels = PIXELS, b.channels = CHANNELS;
    block(&b, q, g_is_1, r->y + (ptrdiff_t)p * r->y_pixel + c, r->y_pixel);
}

// Of fewer channels or pixels than a block has.
static __attribute__((noinline)) void part(const quernel_i_quantize_args *r, const quantizer *q,
                                           uint32_t c, uint32_t p) {
    uint8_t rows[PIXELS][CHANNELS] __attribute__((aligned(CHANNELS)));
    const planes b = planes_at(r, c, p);
    block(&b, q, false, rows[0], CHANNELS);
    uint8_t *y = r->y + (ptrdiff_t)p * r->y_pixel + c;
    for (uint32_t i = 0; i < b.pixels; i++, y += r->y_pixel)
        store_bytes(y, _mm_load_si128((const __m128i *)(const void *)rows[i]), b.channels);
}

// Up to 4 channels of pixels that lie side by side: four pixels lose the bytes between them at
// once.
static __attribute__((noinline)) void few(const quernel_i_quantize_args *r, const quantizer *q,
                                          uint32_t p) {
    static const uint8_t order[QUAD][CHANNELS] = {
        {0, 4, 8, 12},
        {0, 1, 4, 5, 8, 9, 12, 13},
        {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14},
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
    uint8_t codes[PIXELS * QUAD] __attribute__((aligned(CHANNELS)));
    const planes b = planes_at(r, 0, p);
    quads(&b, q, codes);
    const __m128i kept = _mm_loadu_si128((const __m128i *)(const void *)order[b.channels - 1]);
    uint8_t *y = r->y + (ptrdiff_t)p * r->y_pixel;
    for (uint32_t i = 0; i < b.pixels; i += QUAD, y += QUAD * b.channels) {
        const __m128i v = _mm_load_si128((const __m128i *)(const void *)(codes + QUAD * i));
        store_bytes(y, _mm_shuffle_epi8(v, kept), least(QUAD, b.pixels - i) * b.channels);
    }
}

static inline __attribute__((always_inline)) void
tile(const quernel_i_quantize_args *r, const quantizer *q, bool g_is_1, uint32_t c0, uint32_t p0) {
    const bool fits = r->channels >= CHANNELS && r->pixels >= PIXELS;
    const uint32_t c1 = least(c0 + TILE, r->channels), p1 = least(p0 + TILE, r->pixels);
    for (uint32_t c = c0; c < c1; c += CHANNELS)
        for (uint32_t p = p0; p < p1; p += PIXELS) {
            if (!fits) part(r, q, c, p);
            else
                whole(r, q, g_is_1, least(c, r->channels - CHANNELS), least(p, r->pixels - PIXELS));
        }
}

static inline __attribute__((always_inline)) void quantize_planes(const quernel_i_quantize_args *r,
                                                                  bool g_is_1) {
    const quantizer q = quantizer_of(r);
    if (r->channels <= QUAD && r->y_pixel == r->channels) {
        for (uint32_t p = 0; p < r->pixels; p += PIXELS) few(r, &q, p);
        return;
    }
    for (uint32_t c = 0; c < r->channels; c += TILE)
        for (uint32_t p = 0; p < r->pixels; p += TILE) tile(r, &q, g_is_1, c, p);
}

#endif
