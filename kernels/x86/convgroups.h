// SPDX-License-Identifier: Apache-2.0
// Convolution in groups of few channels, several of which share 16 output channels: only what a
// output channel's own group has is multiplied, where a product of the whole block diagonal would
// meet zeros for the most part. A template; who includes it defines
//   SLOT_CHANNELS, SLOT   channels of a group that are multiplied at a time, 2 or 4, and the bytes
//                         of a slot: of these of all 16 output channels
//   GROUPS_MR             pixels of a tile
//   GROUPS_PIXELS         whose epilogue runs together: as many as the epilogue takes at most
//   spread_slot, take_slots, and the tiles, which are declared below
//
// A pixel's bytes are spread into slots once, in L1, by a shuffle; they serve all output pixels
// whose taps meet it. Slots of a pixel hold a ring of the kernel's lines, so that a line of x is
// spread once, whatever the number of output lines that it meets; the weights turn with the ring.
#ifndef QUERNEL_X86_CONVGROUPS_H
#define QUERNEL_X86_CONVGROUPS_H

#include <immintrin.h>
#include <string.h>

#include "kernels/ukr.h"

#if !defined SLOT_CHANNELS || SLOT_CHANNELS != 2 && SLOT_CHANNELS != 4
#error "SLOT_CHANNELS: 2 or 4"
#endif
#if !defined SLOT || SLOT % 32 != 0
#error "SLOT: bytes, whole vectors"
#endif
#if !defined GROUPS_MR || GROUPS_MR < 1
#error "GROUPS_MR: pixels of a tile"
#endif
#if !defined GROUPS_PIXELS || GROUPS_PIXELS < GROUPS_MR
#error "GROUPS_PIXELS: a tile at least"
#endif

enum {
    CHANNELS = 16,
    GROUP_MAX = CHANNELS / 2, // channels of a group
    SLOTS_MAX = GROUP_MAX / SLOT_CHANNELS,
    SPREAD = CHANNELS * SLOT_CHANNELS, // bytes of x in a slot
    BLOCK_BYTES = 24 << 10,            // of slots, that stay in L1 beside weights and sums
    // of a tile at most: pixels 2 apart, 8 x 8 taps
    TILE_BYTES = ((GROUPS_MR - 1) * 2 + 8) * 8 * SLOTS_MAX * SLOT,
    SLOTS_BYTES = BLOCK_BYTES > TILE_BYTES ? BLOCK_BYTES : TILE_BYTES,
};

/// The slot of a pixel of 16 bytes: `order` says which of them, or NONE, each of the slot's values
/// is.
static inline void spread_slot(__m128i pixel, const uint8_t order[SPREAD], uint8_t *to);

/// The slots of a group of w16x4, as many as its 4 channels are: 4 / SLOT_CHANNELS.
static inline void take_slots(const int8_t group[64], uint8_t *to);

/// As many rows as its index says: slots at `a`, `s` bytes from pixel to pixel, `n` of them that
/// follow each other, as the weights at `b` do. acc[pixel][EPILOGUE_NR] = init and their products.
typedef void groups_tile(const uint8_t *a, ptrdiff_t s, const void *b, uint32_t n,
                         const int32_t *init, int32_t *acc);
static groups_tile *const groups_tiles[GROUPS_MR];

#ifdef VNNI_DOT // slots of 4 channels: a group of w16x4 is one
static inline void take_slots(const int8_t group[64], uint8_t *to) { memcpy(to, group, SLOT); }

// acc += a·b, both in registers: unsigned bytes in a, signed ones in b.
#define MULTIPLY_SLOT(a, b, acc) \
    __asm__(VNNI_DOT " %2, %1, %0" : "+" VNNI_REGISTER(acc) : VNNI_REGISTER(a), VNNI_REGISTER(b))

// Pixels of a tile: op(pixel, pointer, offset).
#define PIXELS_1(op) op(0, a, 0)
#define PIXELS_2(op) PIXELS_1(op) op(1, a, s)
#define PIXELS_3(op) PIXELS_2(op) op(2, a, 2 * s)
#define PIXELS_4(op) PIXELS_3(op) op(3, a3, 0)
#define PIXELS_5(op) PIXELS_4(op) op(4, a3, s)
#define PIXELS_6(op) PIXELS_5(op) op(5, a3, 2 * s)
#define PIXELS_7(op) PIXELS_6(op) op(6, a6, 0)
#define PIXELS_8(op) PIXELS_7(op) op(7, a6, s)
#define PIXELS_9(op) PIXELS_8(op) op(8, a6, 2 * s)
#define PIXELS_10(op) PIXELS_9(op) op(9, a9, 0)
#define PIXELS_11(op) PIXELS_10(op) op(10, a9, s)
#define PIXELS_12(op) PIXELS_11(op) op(11, a9, 2 * s)
#endif

static uint32_t group_in_of(const quernel_i_window *w) { return w->channels / w->groups; }
static uint32_t slots_of(const quernel_i_window *w) {
    return (group_in_of(w) + SLOT_CHANNELS - 1) / SLOT_CHANNELS;
}

enum { NONE = 0x80 }; // vpshufb makes a zero of it
typedef struct orders {
    uint8_t of[SLOTS_MAX][SPREAD] __attribute__((aligned(64)));
} orders;

static void find_orders(const quernel_i_window *w, orders *ret) {
    const uint32_t group_in = group_in_of(w);
    memset(ret->of, NONE, sizeof ret->of);
    for (uint32_t group = 0, n = 0; group < w->groups; group++)
        for (uint32_t end = n + w->group_oc; n < end; n++)
            for (uint32_t c = 0; c < group_in; c++)
                ret->of[c / SLOT_CHANNELS][SLOT_CHANNELS * n + c % SLOT_CHANNELS] =
                    (uint8_t)(group * group_in + c);
}

// Up to 4 channels of each output channel's own group, from channel `first` of the group on, at a
// kernel line's k of its pixel: a group of w16x4 that has the diagonal alone.
static void take_diagonal(const quernel_i_window *w, const int8_t *line, uint32_t pixel_k,
                          uint32_t first, int8_t to[64]) {
    const uint32_t group_in = group_in_of(w), count = group_in - first < 4 ? group_in - first : 4;
    memset(to, 0, 64);
    for (uint32_t group = 0, n = 0; group < w->groups; group++)
        for (uint32_t end = n + w->group_oc, k = pixel_k + group * group_in + first; n < end; n++) {
            const int8_t *column = line + n * 4;
            if (count == 4 && k % 4 == 0) memcpy(to + n * 4, column + k / 4 * 64, 4);
            else
                for (uint32_t c = 0; c < count; c++)
                    to[n * 4 + c] = column[(k + c) / 4 * 64 + (k + c) % 4];
        }
}

static void convgroups_prepare(const int8_t *panel, const quernel_i_window *window, void *dst) {
    const uint32_t group_in = group_in_of(window), slots = slots_of(window),
                   line = (window->kernel_w * window->channels + 3) / 4 * 64;
    uint8_t *to = dst;
    for (uint32_t j = 0; j < window->kernel_w; j++)
        for (uint32_t i = 0; i < window->kernel_h; i++, to += slots * SLOT)
            for (uint32_t c = 0; c < group_in; c += 4) {
                int8_t group[64] __attribute__((aligned(64)));
                uint8_t all[4 / SLOT_CHANNELS * SLOT] __attribute__((aligned(64)));
                const uint32_t first = c / SLOT_CHANNELS, left = slots - first;
                take_diagonal(window, panel + i * line, j * window->channels, c, group);
                take_slots(group, all);
                memcpy(to + first * SLOT, all, left * SLOT < sizeof all ? left * SLOT : sizeof all);
            }
}

// A group of 4 k is at least half a slot: of the weights as they turn with the ring.
static size_t convgroups_scratch(uint32_t k_quads) {
    return SLOTS_BYTES + (size_t)k_quads * 2 * SLOT;
}

// A call and what it works with: a block of `count` pixels from x on, all lines.
typedef struct work {
    const quernel_i_conv *c;
    // [pixel of x][ring of kernel lines][slot], [kernel pixel][ring of kernel lines][slot]
    uint8_t *slots, *turned;
    uint32_t n_slots, steps; // of a pixel's line; of a kernel
    uint32_t x, count, span; // span: pixels of x that the block reads
    orders orders;
    bool plain;
} work;

static inline __attribute__((always_inline)) void
spread_pixels(const work *w, const uint8_t *a, uint8_t *to, uint32_t channels, uint32_t slots) {
    const size_t pitch = (size_t)w->c->window.kernel_h * slots * SLOT;
    for (uint32_t x = 0; x < w->span; x++, a += w->c->a_pixel, to += pitch) {
        uint8_t some[CHANNELS] = {0};
        const uint8_t *from = channels < CHANNELS ? memcpy(some, a, channels) : a;
        const __m128i pixel = _mm_loadu_si128((const __m128i *)from);
#pragma GCC unroll 4
        for (uint32_t i = 0; i < slots; i++) spread_slot(pixel, w->orders.of[i], to + i * SLOT);
    }
}

// A line of x into its line of the ring.
static void spread_line(const work *w, uint32_t line) {
    const quernel_i_window *k = &w->c->window;
    const uint8_t *a = (const uint8_t *)w->c->a + line * w->c->a_line +
                       (ptrdiff_t)w->x * k->stride_w * w->c->a_pixel;
    uint8_t *to = w->slots + (size_t)(line % k->kernel_h) * w->n_slots * SLOT;
    if (k->channels < CHANNELS) spread_pixels(w, a, to, k->channels, w->n_slots);
    else if (w->n_slots == 1) spread_pixels(w, a, to, CHANNELS, 1);
    else if (w->n_slots == 2) spread_pixels(w, a, to, CHANNELS, 2);
    else spread_pixels(w, a, to, CHANNELS, w->n_slots);
}

// The weights in the order of the ring whose line `first` holds kernel line 0.
static const uint8_t *turn_weights(const work *w, uint32_t first) {
    const quernel_i_window *k = &w->c->window;
    const size_t line = (size_t)w->n_slots * SLOT, all = k->kernel_h * line, before = first * line;
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
    const size_t pitch = (size_t)k->stride_w * k->kernel_h * w->n_slots * SLOT;
    const uint8_t *b = turn_weights(w, y * k->stride_h % k->kernel_h);
    int32_t acc[GROUPS_PIXELS * EPILOGUE_NR] __attribute__((aligned(64)));
    quernel_i_epilogue f = *c->epilogue;
    f.y = (uint8_t *)f.y + y * c->y_line;
    if (f.residual) f.residual = (const uint8_t *)f.residual + y * c->r_line;
    for (uint32_t at = 0, pixels; at < w->count; at += pixels) {
        pixels = w->count - at < GROUPS_PIXELS ? w->count - at : GROUPS_PIXELS;
        for (uint32_t m = 0, left = (pixels + GROUPS_MR - 1) / GROUPS_MR; left; left--) {
            const uint32_t some = (pixels - m + left - 1) / left;
            groups_tiles[some - 1](w->slots + (at + m) * pitch, (ptrdiff_t)pitch, b, w->steps,
                                   c->init, acc + m * EPILOGUE_NR);
            m += some;
        }
        epilogue_run(&(epilogue_tile){acc, pixels, c->oc, w->x + at, 0}, &f, w->plain);
    }
}

static void convolve_block(const work *w) {
    const quernel_i_window *k = &w->c->window;
    for (uint32_t y = 0, next = 0; y < w->c->lines; y++) {
        const uint32_t first = y * k->stride_h;
        for (next = next > first ? next : first; next < first + k->kernel_h; next++)
            spread_line(w, next);
        convolve_line(w, y);
    }
}

// Pixels of x that `pixels` outputs read.
static uint32_t span_of(const quernel_i_window *w, uint32_t pixels) {
    return (pixels - 1) * w->stride_w + w->kernel_w;
}

// Whole tiles whose slots fit, or one.
static uint32_t block_pixels(const work *w) {
    const quernel_i_window *k = &w->c->window;
    const size_t slots = (size_t)k->kernel_h * w->n_slots * SLOT;
    uint32_t pixels = GROUPS_MR;
    while (pixels < w->c->pixels && span_of(k, pixels + GROUPS_MR) * slots <= BLOCK_BYTES)
        pixels += GROUPS_MR;
    return pixels;
}

static void convgroups(const quernel_i_conv *c) {
    work w = {.c = c,
              .slots = c->scratch,
              .turned = (uint8_t *)c->scratch + SLOTS_BYTES,
              .n_slots = slots_of(&c->window),
              .plain = epilogue_is_plain(c->epilogue)};
    w.steps = c->window.kernel_h * c->window.kernel_w * w.n_slots;
    find_orders(&c->window, &w.orders);
    const uint32_t max = block_pixels(&w);
    for (; w.x < c->pixels; w.x += w.count) {
        w.count = c->pixels - w.x < max ? c->pixels - w.x : max;
        w.span = span_of(&c->window, w.count);
        convolve_block(&w);
    }
}

#endif
