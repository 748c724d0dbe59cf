// SPDX-License-Identifier: Apache-2.0
// 3x3 convolution for AVX2, u8 rows, exact: Winograd's algorithm in integers. The file that includes this one has included the
// transforms before (winograd_*.h), which say why it is exact.
//
// A block of tiles, each IN x IN inputs for OUT x OUT outputs, is transformed once for all channels: IN² matrices [tile][channel] of 16 bits,
// in L2. For each sub-panel of 16 columns they are multiplied with the prepared weights by vpmaddwd, their sums go
// to L2, and from there, 16 pixels of each line at a time, back to outputs in L1 and through the finish.
#ifndef QUERNEL_AVX2_CONV3X3_H
#define QUERNEL_AVX2_CONV3X3_H

#include <immintrin.h>
#include <string.h>

#include "finish.h"
#include "kernels/ukr.h"
#include "madd16.h"

enum {
    WINOGRAD_POINTS = WINOGRAD_IN * WINOGRAD_IN,
    SUMS_MOST = 112 << 10,  // bytes of sums that a block may take
    TILES_MOST = SUMS_MOST / (WINOGRAD_POINTS * NR * (int)sizeof(int32_t)) / MR * MR,
    TILES_LEAST = 12,
    INPUTS_MOST = 320 << 10, // bytes of transformed inputs that a block should take
    BAND_PIXELS = 16,       // of OUT lines, that are finished together
    BAND = BAND_PIXELS / WINOGRAD_OUT,
    CHANNELS = 16,          // of an input vector
};

// Bytes of one tile's channels in one of the matrices; spread over the sets of L1.
static size_t row_bytes(uint32_t quads) {
    const size_t bytes = ((size_t)quads * 8 + 31) / 32 * 32;
    return bytes % 512 ? bytes : bytes + 64;
}

static uint32_t block_tiles(uint32_t quads) {
    const size_t fit = INPUTS_MOST / (WINOGRAD_POINTS * row_bytes(quads)) / MR * MR;
    return fit < TILES_LEAST ? TILES_LEAST : fit > TILES_MOST ? TILES_MOST : (uint32_t)fit;
}

static size_t inputs_bytes(uint32_t quads) { return WINOGRAD_POINTS * (block_tiles(quads) * row_bytes(quads) + 128); }

// One matrix of sums: [tile][16], and a line more.
static size_t sums_bytes(uint32_t count) { return (count + 1) * (size_t)NR * sizeof(int32_t); }

static size_t conv3x3_scratch(uint32_t groups) {
    const uint32_t quads = groups / 9;
    return (inputs_bytes(quads) + WINOGRAD_POINTS * sums_bytes(block_tiles(quads)) + 63) / 64 * 64;
}

// 4 channels of 16 columns, 9 taps `quads` groups apart, to IN² points, 128·quads bytes apart.
static void prepare_quad(const int8_t *panel, uint32_t quads, uint8_t *dst) {
    __m256i taps[9][4];
    for (uint32_t t = 0; t < 9; t++) widen_weights(panel + (size_t)t * quads * 64, taps[t]);
    for (uint32_t i = 0; i < 4; i++) {
        __m256i columns[3][WINOGRAD_IN], v[WINOGRAD_IN];
        for (uint32_t j = 0; j < 3; j++) winograd_weights(taps[j][i], taps[3 + j][i], taps[6 + j][i], columns[j]);
        for (uint32_t p = 0; p < WINOGRAD_IN; p++) {
            winograd_weights(columns[0][p], columns[1][p], columns[2][p], v);
            for (uint32_t q = 0; q < WINOGRAD_IN; q++)
                _mm256_store_si256((__m256i *)(dst + (p * WINOGRAD_IN + q) * (size_t)quads * 128) + i, v[q]);
        }
    }
}

static void conv3x3_prepare(const int8_t *panel, const quernel_i_window *w, void *dst) {
    const uint32_t quads = w->channels / 4;
    for (uint32_t q = 0; q < quads; q++) prepare_quad(panel + (size_t)q * 64, quads, (uint8_t *)dst + (size_t)q * 128);
}

// A call and the block in work.
typedef struct work {
    const quernel_i_conv *c;
    uint8_t *inputs;      // [IN²][tiles][row]
    int32_t *sums;        // [IN²][tiles + 1][16]
    size_t row, point;    // bytes
    uint32_t tiles_w;     // tiles of a line
    uint32_t first, count;// tiles of the block
    bool plain;
} work;

static inline __m128i load_channels(const uint8_t *a, uint32_t count) {
    if (count >= CHANNELS) return _mm_loadu_si128((const __m128i *)a);
    uint8_t some[CHANNELS] = {0};
    for (uint32_t i = 0; i < count; i += 4) memcpy(some + i, a + i, 4);
    return _mm_loadu_si128((const __m128i *)some);
}

static inline __attribute__((always_inline)) void transform_16(const uint8_t *const lines[WINOGRAD_IN],
                                                               const ptrdiff_t pixels[WINOGRAD_IN], uint32_t count,
                                                               uint8_t *to, size_t point) {
    __m256i columns[WINOGRAD_IN][WINOGRAD_IN]; // [point of the lines][pixel]
#pragma GCC unroll 9
    for (uint32_t j = 0; j < WINOGRAD_IN; j++) {
        __m256i d[WINOGRAD_IN], v[WINOGRAD_IN];
#pragma GCC unroll 9
        for (uint32_t i = 0; i < WINOGRAD_IN; i++) d[i] = _mm256_cvtepu8_epi16(load_channels(lines[i] + pixels[j], count));
        winograd_input(d, v);
#pragma GCC unroll 9
        for (uint32_t i = 0; i < WINOGRAD_IN; i++) columns[i][j] = v[i];
    }
#pragma GCC unroll 9
    for (uint32_t i = 0; i < WINOGRAD_IN; i++) {
        __m256i v[WINOGRAD_IN];
        winograd_input(columns[i], v);
#pragma GCC unroll 9
        for (uint32_t j = 0; j < WINOGRAD_IN; j++, to += point)
            _mm256_store_si256((__m256i *)to, v[j]);
    }
}

// Tiles that stick out repeat the last line and pixel: what they add concerns outputs that nobody keeps.
static void transform_tile(const work *w, uint32_t tile, uint8_t *to) {
    const quernel_i_conv *c = w->c;
    const uint32_t step = WINOGRAD_OUT * WINOGRAD_STRIDE, channels = c->window.channels;
    const uint32_t y = tile / w->tiles_w * step, x = tile % w->tiles_w * step;
    const uint32_t last_line = WINOGRAD_STRIDE * (c->lines - 1) + 2, last_pixel = WINOGRAD_STRIDE * (c->pixels - 1) + 2;
    const uint8_t *lines[WINOGRAD_IN];
    ptrdiff_t pixels[WINOGRAD_IN];
    for (uint32_t i = 0; i < WINOGRAD_IN; i++) {
        const uint32_t line = y + i < last_line ? y + i : last_line, pixel = x + i < last_pixel ? x + i : last_pixel;
        lines[i] = (const uint8_t *)c->a + line * c->a_line;
        pixels[i] = pixel * c->a_pixel;
    }
    for (uint32_t k = 0; k < channels; k += CHANNELS) {
        if (channels - k >= CHANNELS) transform_16(lines, pixels, CHANNELS, to + 2 * k, w->point);
        else transform_16(lines, pixels, channels - k, to + 2 * k, w->point);
        for (uint32_t i = 0; i < WINOGRAD_IN; i++) lines[i] += CHANNELS;
    }
}

// The products of the block with 16 columns.
static void multiply(const work *w, const uint8_t *b) {
    static const int32_t zeros[NR];
    const uint32_t quads = w->c->window.channels / 4;
    for (uint32_t p = 0; p < WINOGRAD_POINTS; p++, b += (size_t)quads * 128) {
        const uint8_t *a = w->inputs + p * w->point;
        int32_t *acc = w->sums + p * sums_bytes(w->count) / sizeof(int32_t);
        multiply_rows(a, w->row, w->count, b, quads, zeros, acc);
    }
}

// Outputs of 8 columns of one tile: acc[line][pixel of the band][16].
static inline void outputs_8(const int32_t *sums, size_t step, __m256i init, int32_t *acc) {
    __m256i lines[WINOGRAD_OUT][WINOGRAD_IN];
#pragma GCC unroll 9
    for (uint32_t j = 0; j < WINOGRAD_IN; j++) {
        __m256i m[WINOGRAD_IN], y[WINOGRAD_OUT];
#pragma GCC unroll 9
        for (uint32_t i = 0; i < WINOGRAD_IN; i++)
            m[i] = _mm256_load_si256((const __m256i *)(sums + (i * WINOGRAD_IN + j) * step));
        winograd_output(m, y);
#pragma GCC unroll 9
        for (uint32_t i = 0; i < WINOGRAD_OUT; i++) lines[i][j] = y[i];
    }
#pragma GCC unroll 9
    for (uint32_t i = 0; i < WINOGRAD_OUT; i++) {
        __m256i y[WINOGRAD_OUT];
        winograd_output(lines[i], y);
#pragma GCC unroll 9
        for (uint32_t j = 0; j < WINOGRAD_OUT; j++) {
            const __m256i sum = winograd_sum(y[j], i, j);
            _mm256_store_si256((__m256i *)(acc + (i * BAND_PIXELS + j) * NR), _mm256_add_epi32(sum, init));
        }
    }
}

// Finishes `count` neighbouring tiles of one line of tiles, `at` the first of them within the block.
static void finish_band(const work *w, uint32_t at, uint32_t count, uint32_t n) {
    const quernel_i_conv *c = w->c;
    const uint32_t tile = w->first + at, x = tile % w->tiles_w * WINOGRAD_OUT;
    const size_t step = sums_bytes(w->count) / sizeof(int32_t);
    int32_t acc[WINOGRAD_OUT * BAND_PIXELS * NR] __attribute__((aligned(64)));
    for (uint32_t half = 0; half < NR; half += 8) {
        const __m256i init = _mm256_loadu_si256((const __m256i *)(c->init + n + half));
        for (uint32_t t = 0; t < count; t++)
            outputs_8(w->sums + (size_t)(at + t) * NR + half, step, init, acc + t * WINOGRAD_OUT * NR + half);
    }
    const uint32_t pixels = c->pixels - x < count * WINOGRAD_OUT ? c->pixels - x : count * WINOGRAD_OUT;
    const uint32_t columns = c->columns - n < NR ? c->columns - n : NR;
    for (uint32_t i = 0, y = tile / w->tiles_w * WINOGRAD_OUT; i < WINOGRAD_OUT && y < c->lines; i++, y++) {
        quernel_i_finish f = *c->finish;
        f.y = (uint8_t *)f.y + y * c->y_line;
        if (f.residual) f.residual = (const uint8_t *)f.residual + y * c->r_line;
        finish_run(&(finish_tile){acc + i * BAND_PIXELS * NR, pixels, columns, x, n}, &f, w->plain);
    }
}

static void finish_block(const work *w, uint32_t n) {
    for (uint32_t at = 0; at < w->count;) {
        const uint32_t to_end = w->tiles_w - (w->first + at) % w->tiles_w, left = w->count - at;
        uint32_t count = to_end < left ? to_end : left;
        if (count > BAND) count = BAND;
        finish_band(w, at, count, n);
        at += count;
    }
}

static void conv3x3(const quernel_i_conv *c) {
    const uint32_t quads = c->window.channels / 4, most = block_tiles(quads), tiles_w = (c->pixels + WINOGRAD_OUT - 1) / WINOGRAD_OUT;
    const uint32_t all = tiles_w * ((c->lines + WINOGRAD_OUT - 1) / WINOGRAD_OUT);
    work w = {.c = c, .inputs = c->scratch, .row = row_bytes(quads), .tiles_w = tiles_w,
              .plain = finish_is_plain(c->finish)};
    w.sums = (int32_t *)((uint8_t *)c->scratch + inputs_bytes(quads));
    for (uint32_t blocks = (all + most - 1) / most; blocks; blocks--) {
        w.count = (all - w.first + blocks - 1) / blocks;
        w.point = w.count * w.row;
        w.point = ((w.point + 63) / 64 | 1) * 64; // an odd number of lines: a tile's stores meet in no set of L1
        for (uint32_t t = 0; t < w.count; t++) transform_tile(&w, w.first + t, w.inputs + t * w.row);
        for (uint32_t n = 0; n < c->columns; n += NR) {
            multiply(&w, (const uint8_t *)c->b + n / NR * c->b_panel);
            finish_block(&w, n);
        }
        w.first += w.count;
    }
}

#endif
