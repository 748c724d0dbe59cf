// SPDX-License-Identifier: Apache-2.0
// Convolution with 3 to 8 kernel lines and stride 1 or 2, for stems above all: Winograd's algorithm
// down the lines alone. Few channels do not pay for transforms in both directions, whose outputs
// are made of 36 sums for 16; here they are made of 5 to 7 for 4. A template for any instruction
// set; who includes it has included before
//   integers.h       vectors of integers, vint
//   winograd_lines.h the transforms
//   the epilogue     epilogue.h
//   the register tile   MR, NR, widen_weights, multiply_tile(a, row, rows, b, steps, acc): sums of
//                    up to MR rows, from 0
// and defines
//   INPUTS_MAX       bytes of transformed inputs that a block should take
//   STEP_K           k of a step of the register tile
//   READ_AHEAD       bytes that it may read behind a row
//   PADDING          values behind the last row that have to be 0
//   CHANNELS, load_channels   bytes of a vector of 16-bit values; up to so many bytes as one
//
// Kernel lines are 2 to 4 taps, by themselves or two by two, so that two input lines count as one
// with twice the channels, value by value in turn. Of 4 output lines 5 to 7 matrices of 16 bits
// are made, in which the row of a pixel is still one stretch that overlaps its neighbour's. For
// each sub-panel of 16 output channels, 24 pixels at a time, they are multiplied with the prepared
// weights; sums stay in L1, become outputs and go through the epilogue.
#ifndef QUERNEL_TEMPLATE_CONVLINES_H
#define QUERNEL_TEMPLATE_CONVLINES_H

#include <string.h>

#include "kernels/ukr.h"

enum {
    BAND_PIXELS = 24, // whose epilogue runs together
    SUMS_BYTES = LINES_IN_MAX * BAND_PIXELS * NR * (int)sizeof(int32_t),
    COLUMNS = sizeof(vint) / sizeof(int32_t), // of a vector of sums
    PAIR_VECTORS = 64 / sizeof(vint),         // of 16 output channels' weights of 2 k
    QUAD_VECTORS = 2 * PAIR_VECTORS,          // of 4 k
};

// Taps: line i with i + 1 where the stride is 2, with i + taps where it is 1.
typedef struct taps {
    uint32_t count, lines; // lines of a tap: 1 or 2
    uint32_t step, second; // lines from tap to tap; from a tap's first line to its second
} taps;

static taps taps_of(const quernel_i_window *w) {
    const bool pairs = w->stride_h == 2 || w->kernel_h > LINES_TAPS_MAX;
    const uint32_t count = pairs ? (w->kernel_h + 1) / 2 : w->kernel_h;
    return (taps){count, pairs ? 2 : 1, w->stride_h, w->stride_h == 2 ? 1 : count};
}

// Groups of 4 k of a kernel line.
static uint32_t line_k_quads_of(const quernel_i_window *w) {
    return (w->kernel_w * w->channels + 3) / 4;
}

// Bytes of a line that `pixels` outputs read.
static uint32_t span(const quernel_i_window *w, uint32_t pixels) {
    return ((pixels - 1) * w->stride_w + w->kernel_w) * w->channels;
}

// A matrix of transformed inputs, with what the register tile reads behind its last row; an odd
// number of cache lines.
static size_t point_bytes(uint32_t bytes, uint32_t lines) {
    const size_t vectors = (bytes + CHANNELS - 1) / CHANNELS;
    return (((vectors * CHANNELS + PADDING) * lines * sizeof(int16_t) + READ_AHEAD + 63) / 64 | 1) *
           64;
}

// A line has at most a third of the quads, and two are taken.
static size_t convlines_scratch(uint32_t k_quads) {
    const size_t min = LINES_IN_MAX * point_bytes(MR * 4 * ((k_quads + 2) / 3), 2);
    return (min > INPUTS_MAX ? min : INPUTS_MAX) + SUMS_BYTES;
}

// 4 k of a kernel line that may be none.
static void load_weights(const int8_t *panel, uint32_t line_k_quads, uint32_t line,
                         uint32_t kernel_h, vint to[QUAD_VECTORS]) {
    if (line < kernel_h) {
        widen_weights(panel + (size_t)line * line_k_quads * 64, to);
        return;
    }
    for (uint32_t i = 0; i < QUAD_VECTORS; i++) to[i] = vint_zero();
}

// 4 k of a tap: of one line as they are, of two lines pair by pair.
static void load_tap(const int8_t *panel, uint32_t line_k_quads, uint32_t kernel_h, taps t,
                     uint32_t tap, vint to[2 * QUAD_VECTORS]) {
    vint other[QUAD_VECTORS];
    const uint32_t line = tap * t.step;
    load_weights(panel, line_k_quads, line, kernel_h, to);
    if (t.lines == 1) return;
    load_weights(panel, line_k_quads, line + t.second, kernel_h, other);
    for (uint32_t i = QUAD_VECTORS; i--;) {
        const vint first = to[i];
        const uint32_t pair = i / PAIR_VECTORS * QUAD_VECTORS + i % PAIR_VECTORS;
        to[pair] = join_low16(first, other[i]);
        to[pair + PAIR_VECTORS] = join_high16(first, other[i]);
    }
}

static inline __attribute__((always_inline)) void
convlines_prepare(const int8_t *panel, const quernel_i_window *window, void *dst) {
    const taps t = taps_of(window);
    const uint32_t line_k_quads = line_k_quads_of(window), vectors = QUAD_VECTORS * t.lines;
    for (uint32_t q = 0; q < line_k_quads; q++) {
        vint w[LINES_TAPS_MAX][2 * QUAD_VECTORS];
        for (uint32_t i = 0; i < t.count; i++)
            load_tap(panel + (size_t)q * 64, line_k_quads, window->kernel_h, t, i, w[i]);
        for (uint32_t j = 0; j < vectors; j++) {
            vint g[LINES_TAPS_MAX], v[LINES_IN_MAX], *to = (vint *)dst + q * vectors + j;
            for (uint32_t i = 0; i < t.count; i++) g[i] = w[i][j];
            lines_weights(g, v, t.count);
            for (uint32_t p = 0; p < t.count + LINES_OUT - 1; p++)
                vint_store(to + (size_t)p * line_k_quads * vectors, v[p]);
        }
    }
}

// A call and the block in work: 4 lines of `count` pixels.
typedef struct work {
    const quernel_i_conv *c;
    taps t;
    uint8_t *inputs;   // [points][bytes of a line, of each of a tap's lines]
    int32_t *sums;     // [points][BAND_PIXELS][16]
    uint32_t steps;    // of k of a point
    size_t row, point; // bytes
    uint32_t y, x, count;
    bool plain;
} work;

// Two lines alternate value by value: a row of both then is one stretch, wherever it begins.
static inline __attribute__((always_inline)) void
transform_vector(const uint8_t *const lines[LINES_IN_MAX][2], ptrdiff_t at, uint32_t count,
                 uint8_t *to, size_t point, uint32_t n_taps, uint32_t n_lines) {
    vint d[2][LINES_IN_MAX], v[2][LINES_IN_MAX];
#pragma GCC unroll 2
    for (uint32_t i = 0; i < n_lines; i++) {
#pragma GCC unroll 7
        for (uint32_t j = 0; j < n_taps + LINES_OUT - 1; j++)
            d[i][j] = load_channels(lines[j][i] + at, count, at == 0);
        lines_input(d[i], v[i], n_taps);
    }
#pragma GCC unroll 7
    for (uint32_t p = 0; p < n_taps + LINES_OUT - 1; p++, to += point) {
        if (n_lines == 1) {
            vint_store(to, v[0][p]);
        } else {
            vint both[2];
            zip16(v[0][p], v[1][p], both);
            vint_store(to, both[0]);
            vint_store((vint *)to + 1, both[1]);
        }
    }
}

// Lines beyond the last one repeat it: what they add concerns outputs that nobody keeps, or meets
// weights that are 0.
static inline __attribute__((always_inline)) void transform(const work *w, uint32_t n_taps,
                                                            uint32_t n_lines) {
    const quernel_i_conv *c = w->c;
    const uint32_t last = c->window.stride_h * (c->lines - 1) + c->window.kernel_h - 1;
    const uint32_t bytes = span(&c->window, w->count);
    const uint8_t *lines[LINES_IN_MAX][2];
    for (uint32_t j = 0; j < n_taps + LINES_OUT - 1; j++)
        for (uint32_t i = 0; i < n_lines; i++) {
            const uint32_t line = w->y * c->window.stride_h + j * w->t.step + i * w->t.second;
            lines[j][i] = (const uint8_t *)c->a + (line < last ? line : last) * c->a_line +
                          (ptrdiff_t)w->x * c->window.stride_w * c->a_pixel;
        }
    for (uint32_t at = 0; at < bytes; at += CHANNELS) {
        uint8_t *to = w->inputs + (size_t)at * n_lines * sizeof(int16_t);
        if (bytes - at >= CHANNELS)
            transform_vector(lines, at, CHANNELS, to, w->point, n_taps, n_lines);
        else transform_vector(lines, at, bytes - at, to, w->point, n_taps, n_lines);
    }
}

// What the last rows' last steps read behind them.
static void pad(const work *w) {
    const uint32_t vectors = (span(&w->c->window, w->count) + CHANNELS - 1) / CHANNELS;
    for (uint32_t p = 0; p < w->t.count + LINES_OUT - 1; p++)
        memset(w->inputs + p * w->point + vectors * w->t.lines * sizeof(vint), 0,
               PADDING * sizeof(int16_t));
}

static void transform_block(const work *w) {
    if (PADDING) pad(w);
    if (w->t.lines == 1 && w->t.count == 3) transform(w, 3, 1);
    else if (w->t.lines == 1) transform(w, 4, 1);
    else if (w->t.count == 2) transform(w, 2, 2);
    else if (w->t.count == 3) transform(w, 3, 2);
    else transform(w, 4, 2);
}

// The products of `pixels` pixels with 16 output channels, for each point. Pixels are split evenly
// among tiles.
static void multiply(const work *w, const uint8_t *b, uint32_t at, uint32_t pixels) {
    const size_t b_point = (size_t)line_k_quads_of(&w->c->window) * w->t.lines * 128;
    for (uint32_t p = 0; p < w->t.count + LINES_OUT - 1; p++, b += b_point) {
        const uint8_t *a = w->inputs + p * w->point + at * w->row;
        int32_t *sums = w->sums + p * BAND_PIXELS * NR;
        for (uint32_t m = 0, left = (pixels + MR - 1) / MR; left; left--) {
            const uint32_t some = (pixels - m + left - 1) / left;
            multiply_tile(a + m * w->row, w->row, some, b, w->steps, sums + m * NR);
            m += some;
        }
    }
}

// Outputs of 16 output channels of `pixels` pixels: acc[line][pixel][16].
static inline __attribute__((always_inline)) void
outputs(const int32_t *sums, uint32_t pixels, const int32_t *init, int32_t *acc, uint32_t n_taps) {
    for (uint32_t n = 0; n < NR; n += COLUMNS) {
        const vint start = vint_load_unaligned(init + n);
        for (uint32_t at = n; at < pixels * NR; at += NR) {
            vint m[LINES_IN_MAX], y[LINES_OUT];
#pragma GCC unroll 7
            for (uint32_t p = 0; p < n_taps + LINES_OUT - 1; p++)
                m[p] = vint_load(sums + p * BAND_PIXELS * NR + at);
            lines_output(m, y, n_taps);
#pragma GCC unroll 4
            for (uint32_t i = 0; i < LINES_OUT; i++)
                vint_store(acc + i * BAND_PIXELS * NR + at, add32(y[i], start));
        }
    }
}

// 16 output channels of `pixels` pixels, `at` the first of them within the block.
static void convolve_band(const work *w, uint32_t at, uint32_t pixels, uint32_t n) {
    const quernel_i_conv *c = w->c;
    int32_t acc[LINES_OUT * BAND_PIXELS * NR] __attribute__((aligned(64)));
    multiply(w, (const uint8_t *)c->b + n / NR * c->b_panel, at, pixels);
    if (w->t.count == 2) outputs(w->sums, pixels, c->init + n, acc, 2);
    else if (w->t.count == 3) outputs(w->sums, pixels, c->init + n, acc, 3);
    else outputs(w->sums, pixels, c->init + n, acc, 4);
    const uint32_t oc = c->oc - n < NR ? c->oc - n : NR;
    for (uint32_t i = 0, y = w->y; i < LINES_OUT && y < c->lines; i++, y++) {
        quernel_i_epilogue f = *c->epilogue;
        f.y = (uint8_t *)f.y + y * c->y_line;
        if (f.residual) f.residual = (const uint8_t *)f.residual + y * c->r_line;
        epilogue_run(&(epilogue_tile){acc + i * BAND_PIXELS * NR, pixels, oc, w->x + at, n}, &f,
                     w->plain);
    }
}

static void convolve_block(const work *w) {
    for (uint32_t n = 0; n < w->c->oc; n += NR)
        for (uint32_t at = 0; at < w->count; at += BAND_PIXELS)
            convolve_band(w, at, w->count - at < BAND_PIXELS ? w->count - at : BAND_PIXELS, n);
}

// As many bands of a line as fit, or tiles where none does.
static uint32_t block_pixels(const work *w) {
    uint32_t pixels = MR;
    const uint32_t points = w->t.count + LINES_OUT - 1;
    while (pixels < w->c->pixels &&
           points * point_bytes(span(&w->c->window, pixels + MR), w->t.lines) <= INPUTS_MAX)
        pixels += MR;
    return pixels < BAND_PIXELS ? pixels : pixels / BAND_PIXELS * BAND_PIXELS;
}

static inline __attribute__((always_inline)) void convlines(const quernel_i_conv *c) {
    work w = {.c = c,
              .t = taps_of(&c->window),
              .inputs = c->scratch,
              .plain = epilogue_is_plain(c->epilogue)};
    const uint32_t max = block_pixels(&w);
    w.steps = (c->window.kernel_w * c->window.channels * w.t.lines + STEP_K - 1) / STEP_K;
    w.row = (size_t)c->window.stride_w * c->window.channels * w.t.lines * sizeof(int16_t);
    w.sums = (int32_t *)((uint8_t *)c->scratch +
                         convlines_scratch(line_k_quads_of(&c->window) * c->window.kernel_h) -
                         SUMS_BYTES);
    for (; w.y < c->lines; w.y += LINES_OUT)
        for (w.x = 0; w.x < c->pixels; w.x += w.count) {
            w.count = c->pixels - w.x < max ? c->pixels - w.x : max;
            w.point = point_bytes(span(&c->window, w.count), w.t.lines);
            transform_block(&w);
            convolve_block(&w);
        }
}

#endif
