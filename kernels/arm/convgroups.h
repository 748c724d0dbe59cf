// SPDX-License-Identifier: Apache-2.0
// Convolution in groups of 2, 4 or 8 channels, and as many output channels, which share 16: only
// products of an output channel's own group are taken, where a product of the whole block diagonal
// would meet zeros for the most part. A template; who includes it has an epilogue.h before it and
// defines
//   GROUPS_MR, GROUPS_EACH(BODY)   pixels of a tile, as GROUPS_SUMS; BODY(0), BODY(1), … for them
//   GROUPS_SUMS                    sums of a pixel's 16 output channels
//   groups_start(init), groups_store(acc, sums)
//   groups_add(sums, x, b), groups_add_wide(sums, x, b)   adds a tap of all pixels: x · a quad, or
//                                                         two
//   groups_arrange(quads, wide, to)                       of a tap as those read them
//
// Four output channels read the same four channels where a group has 2 or 4, and eight where it has
// 8. So a pixel's 16 bytes are four lanes that meet four output channels each, in one quad of
// weights a tap, or in two ("wide"): nothing is shuffled, pixels are read where they lie.
#ifndef QUERNEL_ARM_CONVGROUPS_H
#define QUERNEL_ARM_CONVGROUPS_H

#include "kernels/arm/neon/bytes.h"
#include "kernels/ukr.h"

#if !defined GROUPS_MR || !defined GROUPS_EACH || !defined GROUPS_SUMS
#error "the macros of groups are not defined"
#endif

enum {
    CHANNELS = 16,
    QUAD_BYTES = 64,
    TAPS_MAX = 8 * 8,
    PIXELS = GROUPS_MR * 8 // whose epilogue runs together: at most 2 KiB of sums
};

static inline bool groups_are_wide(const quernel_i_window *w) { return w->group_oc > 4; }

// Of each block of 4 output channels the weights of 4 channels: of its own lane, or of the
// `step`-th of both that are its group's. `k`: of the pixel's first channel in its line.
static void take_quad(const quernel_i_window *w, const int8_t *line, uint32_t k, uint32_t step,
                      int8_t quad[QUAD_BYTES]) {
    for (uint32_t n = 0; n < 16; n++)
        for (uint32_t i = 0; i < 4; i++) {
            const uint32_t lane = groups_are_wide(w) ? n / 8 * 2 + step : n / 4, c = 4 * lane + i,
                           at = k + c;
            quad[4 * n + i] = c < w->channels ? line[at / 4 * QUAD_BYTES + 4 * n + at % 4] : 0;
        }
}

static void convgroups_prepare(const int8_t *panel, const quernel_i_window *w, void *dst) {
    const bool wide = groups_are_wide(w);
    const uint32_t line = (w->kernel_w * w->channels + 3) / 4 * QUAD_BYTES;
    int8_t *to = dst;
    for (uint32_t i = 0; i < w->kernel_h; i++, panel += line)
        for (uint32_t j = 0; j < w->kernel_w; j++, to += QUAD_BYTES << wide) {
            int8_t quads[2][QUAD_BYTES];
            for (uint32_t step = 0; step <= wide; step++)
                take_quad(w, panel, j * w->channels, step, quads[step]);
            groups_arrange(quads, wide, to);
        }
}

// A call and what its tiles read.
typedef struct work {
    const quernel_i_conv *c;
    uint32_t taps;
    ptrdiff_t at[TAPS_MAX]; // of a pixel's taps
} work;

// acc[GROUPS_MR][16] = the sums of the pixels at `a`; `channels` and `wide` are constants, but for
// fewer channels than 16.
NEON_INLINE void groups_tile(const work *w, const uint8_t *const a[GROUPS_MR], int32_t *acc,
                             uint32_t channels, bool wide) {
    const int8_t *b = w->c->b;
    GROUPS_SUMS sums[GROUPS_MR];
#define BODY(p) sums[p] = groups_start(w->c->init);
    GROUPS_EACH(BODY)
#undef BODY
    for (const ptrdiff_t *at = w->at, *end = at + w->taps; at != end; at++) {
        const ptrdiff_t offset = *at;
        int8x16_t x[GROUPS_MR];
#define BODY(p) x[p] = vreinterpretq_s8_u8(load_bytes(a[p] + offset, channels));
        GROUPS_EACH(BODY)
#undef BODY
        (wide ? groups_add_wide : groups_add)(sums, x, b);
        b += QUAD_BYTES << wide;
    }
#define BODY(p) groups_store(acc + p * EPILOGUE_NR, sums[p]);
    GROUPS_EACH(BODY)
#undef BODY
}

// Functions of their own, whose loops a compiler keeps in registers.
#define GROUPS_TILE(name, channels, wide)                                                        \
    static __attribute__((noinline)) void name(const work *w, const uint8_t *const a[GROUPS_MR], \
                                               int32_t *acc) {                                   \
        groups_tile(w, a, acc, channels, wide);                                                  \
    }
GROUPS_TILE(tile_narrow, CHANNELS, false)
GROUPS_TILE(tile_wide, CHANNELS, true)
GROUPS_TILE(tile_some, w->c->window.channels, false)

typedef void tile_function(const work *w, const uint8_t *const a[GROUPS_MR], int32_t *acc);

// Groups of 8 are two, and so fill all channels.
static tile_function *tile_of(const quernel_i_window *w) {
    if (groups_are_wide(w)) return tile_wide;
    return w->channels == CHANNELS ? tile_narrow : tile_some;
}

// Pixels of a line from `x` on; in a tile those behind the last one are the last one again.
static void convolve_pixels(const work *w, const uint8_t *line, uint32_t x, uint32_t pixels,
                            int32_t *acc) {
    tile_function *const tile = tile_of(&w->c->window);
    const ptrdiff_t step = (ptrdiff_t)w->c->window.stride_w * w->c->a_pixel;
    for (uint32_t m = 0; m < pixels; m += GROUPS_MR, acc += GROUPS_MR * EPILOGUE_NR) {
        const uint8_t *a[GROUPS_MR];
        for (uint32_t p = 0; p < GROUPS_MR; p++)
            a[p] = line + (ptrdiff_t)(x + (m + p < pixels ? m + p : pixels - 1)) * step;
        tile(w, a, acc);
    }
}

static void convolve_line(const work *w, uint32_t y, bool plain) {
    const quernel_i_conv *c = w->c;
    const uint8_t *line = (const uint8_t *)c->a + (ptrdiff_t)(y * c->window.stride_h) * c->a_line;
    int32_t acc[PIXELS * EPILOGUE_NR] __attribute__((aligned(64)));
    quernel_i_epilogue f = *c->epilogue;
    f.y = (uint8_t *)f.y + (ptrdiff_t)y * c->y_line;
    if (f.residual) f.residual = (const uint8_t *)f.residual + (ptrdiff_t)y * c->r_line;
    for (uint32_t x = 0, pixels; x < c->pixels; x += pixels) {
        pixels = c->pixels - x < PIXELS ? c->pixels - x : PIXELS;
        convolve_pixels(w, line, x, pixels, acc);
        epilogue_run(&(epilogue_tile){acc, pixels, c->oc, x, 0}, &f, plain);
    }
}

static void convgroups(const quernel_i_conv *c) {
    const quernel_i_window *k = &c->window;
    const bool plain = epilogue_is_plain(c->epilogue);
    work w = {.c = c, .taps = k->kernel_h * k->kernel_w};
    for (uint32_t i = 0, tap = 0; i < k->kernel_h; i++)
        for (uint32_t j = 0; j < k->kernel_w; j++)
            w.at[tap++] = (ptrdiff_t)i * c->a_line + (ptrdiff_t)j * c->a_pixel;
    for (uint32_t y = 0; y < c->lines; y++) convolve_line(&w, y, plain);
}

#endif
