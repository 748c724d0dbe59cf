// SPDX-License-Identifier: Apache-2.0
// Depthwise with an instruction that adds four products of bytes to a 32-bit lane: a lane is four
// taps, one below the other, of one channel. A template for any instruction set, over its
// epilogue.h; who includes it defines
//   DOT_VECTOR               a vector of 32-bit lanes
//   MULTIPLY_FROM(x, w, acc)   acc += unsigned bytes of x · signed ones at w
//   CHANNELS                 channels of a vector
//   SEVEN                    output lines of 7x7 whose sums the registers hold: 1 or 2
//   interleave(at, count)    at[0 … 3], `count` bytes of each, as lanes of four bytes
//   vector_of, …_bytes, …_zero, …_xor, …_add, …_sub, …_store
//
// Four lines of x, interleaved, serve two output lines, and sliding along x all output
// pixels whose taps they are:
//
//     input lines    0  1  2  3          3x3: weights of output line 0: w0 w1 w2  0
//                    └──┴──┴──┘                      of output line 1:  0 w0 w1 w2
//
// 5x5 and 7x7 take two such quads. s8 is moved to u8 and the start values put it right. All other
// kernels, without sliding, go pixel by pixel. Sums go to a tile in L1, which the instruction set's
// epilogue takes.
#include <stdbool.h>

#include "kernels/template/depthwise.h"

#ifndef DOT_VECTOR
#error "DOT_VECTOR: a vector of 32-bit lanes"
#endif
#ifndef MULTIPLY_FROM
#error "MULTIPLY_FROM: adds bytes times weights in memory"
#endif

enum {
    MAX = 7, // taps of a line of kernels that slide
    QUADS = 2,
    PIXELS = 48, // output pixels of a tile
    TAPS = 64,   // quads of taps of other kernels whose weights are prepared
};

typedef struct channels {
    const quernel_i_depthwise *d;
    uint32_t channel, count; // those of a vector, or what is left
    DOT_VECTOR flip;         // moves bytes of x to u8
    DOT_VECTOR init;
    DOT_VECTOR weights[TAPS]; // sliding: [output line][column][quad]
} channels;

// Up to four rows of bytes, `line` apart; those behind the last are the last again, and weights of
// zero meet them.
static inline __attribute__((always_inline)) DOT_VECTOR quad_of(const uint8_t *a, ptrdiff_t line,
                                                                int rows, uint32_t count) {
    const uint8_t *at[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) at[i] = a + (i < rows ? i : rows - 1) * line;
    return interleave(at, count);
}

static const int8_t no_weights[16];

// Taps first … first + 3 of kernel column j; those outside the kernel are 0. Weights may be read
// beyond the last channel.
static DOT_VECTOR weights_of(const channels *c, int first, uint32_t j) {
    const quernel_i_depthwise *d = c->d;
    const uint8_t *at[4];
    for (int i = 0; i < 4; i++) {
        const bool inside = first + i >= 0 && first + i < (int)d->kernel_h;
        at[i] =
            (const uint8_t *)(inside ? d->w + ((uint32_t)(first + i) * d->kernel_w + j) * d->w_tap +
                                           c->channel
                                     : no_weights);
    }
    return interleave(at, CHANNELS);
}

// Less 128 times the weights, where x is moved by 128.
static void correct_init(channels *c, uint32_t quads) {
    DOT_VECTOR sum = vector_zero();
    for (uint32_t i = 0; i < quads; i++) MULTIPLY_FROM(c->flip, c->weights + i, sum);
    c->init = vector_sub(c->init, sum);
}

// All pixels of one or two lines; `size` of the kernel, `step` pixels from output to output:
// constants. sums[line]: [pixels][EPILOGUE_NR].
static inline __attribute__((always_inline)) void slide(const channels *c, const uint8_t *a,
                                                        uint32_t pixels, const int size,
                                                        const int step, const int lines,
                                                        uint32_t count, int32_t *const sums[2]) {
    const int flight = (size + step - 1) / step, quads = (size + 4) / 4, rows = size + lines - 1;
    const ptrdiff_t line = c->d->tap_line, pixel = c->d->tap_pixel;
    const uint32_t last = (pixels - 1) * (uint32_t)step + (uint32_t)size - 1,
                   end = pixels + (uint32_t)flight - 1;
    DOT_VECTOR sum[2][MAX]; // of the i-th last output that was begun
#pragma GCC unroll 7
    for (int i = 0; i < MAX; i++) sum[0][i] = sum[1][i] = c->init;
    for (uint32_t m = 0; m < end; m++) {
#pragma GCC unroll 2
        for (int l = 0; l < lines; l++) {
#pragma GCC unroll 7
            for (int i = flight - 1; i > 0; i--) sum[l][i] = sum[l][i - 1];
            sum[l][0] = c->init;
        }
#pragma GCC unroll 2
        for (int o = 0; o < step; o++) {
            // behind the last one comes nothing that counts
            const uint32_t column = m * (uint32_t)step + (uint32_t)o;
            const uint8_t *at = a + (ptrdiff_t)(step == 1 || column < last ? column : last) * pixel;
#pragma GCC unroll 2
            for (int q = 0; q < quads; q++) {
                if (4 * q >= rows) continue;
                const DOT_VECTOR x =
                    vector_xor(quad_of(at + 4 * q * line, line, rows - 4 * q, count), c->flip);
#pragma GCC unroll 7
                for (int i = 0; i < flight; i++)
#pragma GCC unroll 2
                    for (int l = 0; l < lines; l++)
                        if (i * step + o < size)
                            MULTIPLY_FROM(x, c->weights + (l * size + i * step + o) * quads + q,
                                          sum[l][i]);
            }
        }
        if (m + 1 < (uint32_t)flight) continue;
#pragma GCC unroll 2
        for (int l = 0; l < lines; l++)
            vector_store(sums[l] + (m + 1 - (uint32_t)flight) * EPILOGUE_NR, sum[l][flight - 1]);
    }
}

static inline __attribute__((always_inline)) void slide_by_size(const channels *c, const uint8_t *a,
                                                                uint32_t pixels, uint32_t step,
                                                                const int lines, uint32_t count,
                                                                int32_t *const sums[2]) {
    const uint32_t size = c->d->kernel_h;
    if (size == 3 && step == 1) slide(c, a, pixels, 3, 1, lines, count, sums);
    else if (size == 3) slide(c, a, pixels, 3, 2, lines, count, sums);
    else if (size == 5 && step == 1) slide(c, a, pixels, 5, 1, lines, count, sums);
    else if (size == 5) slide(c, a, pixels, 5, 2, lines, count, sums);
    else if (step == 1) slide(c, a, pixels, 7, 1, lines < SEVEN ? lines : SEVEN, count, sums);
    else slide(c, a, pixels, 7, 2, lines < SEVEN ? lines : SEVEN, count, sums);
}

// Pixels from output to output where the kernel slides, else 0.
static uint32_t slide_step(const quernel_i_depthwise *d) {
    const bool size =
        d->kernel_h == d->kernel_w && d->kernel_h % 2 && d->kernel_h >= 3 && d->kernel_h <= MAX;
    return !size ? 0 : d->a_row == d->tap_pixel ? 1 : d->a_row == 2 * d->tap_pixel ? 2 : 0;
}

static void slide_pixels(const channels *c, const uint8_t *a, uint32_t pixels, uint32_t step,
                         uint32_t lines, int32_t *const sums[2]) {
    if (c->count < CHANNELS) slide_by_size(c, a, pixels, step, 1, c->count, sums);
    else if (lines == 2) slide_by_size(c, a, pixels, step, 2, CHANNELS, sums);
    else slide_by_size(c, a, pixels, step, 1, CHANNELS, sums);
}

// Weights for sliding, of both output lines where their taps lie in the same quads.
static void slide_weights(channels *c) {
    const uint32_t size = c->d->kernel_h, quads = (size + 4) / 4;
    for (uint32_t l = 0; l < 2; l++)
        for (uint32_t j = 0; j < size; j++)
            for (uint32_t q = 0; q < quads; q++)
                c->weights[(l * size + j) * quads + q] = weights_of(c, (int)(4 * q) - (int)l, j);
    correct_init(c, size * quads);
}

// Any kernel, a block of at most TAPS quads of taps at a time. The first block begins with the
// start values.
static void add_pixels(channels *c, const uint8_t *a, uint32_t pixels, int32_t *sums) {
    const quernel_i_depthwise *d = c->d;
    const uint32_t quads = (d->kernel_h + 3) / 4, kernel_columns = TAPS / quads;
    const DOT_VECTOR init = c->init;
    for (uint32_t j0 = 0; j0 < d->kernel_w; j0 += kernel_columns) {
        const uint32_t some = d->kernel_w - j0 < kernel_columns ? d->kernel_w - j0 : kernel_columns;
        for (uint32_t i = 0; i < some * quads; i++)
            c->weights[i] = weights_of(c, (int)(i % quads * 4), j0 + i / quads);
        c->init = j0 ? vector_zero() : init;
        correct_init(c, some * quads);
        for (uint32_t m = 0; m < pixels; m++) {
            DOT_VECTOR sum = j0 ? vector_add(vector_of(sums + m * EPILOGUE_NR), c->init) : c->init;
            for (uint32_t i = 0; i < some * quads; i++) {
                const uint32_t line = i % quads * 4, rows = d->kernel_h - line;
                const uint8_t *at = a + (ptrdiff_t)m * d->a_row + (j0 + i / quads) * d->tap_pixel +
                                    line * d->tap_line;
                const DOT_VECTOR x = vector_xor(
                    quad_of(at, d->tap_line, rows < 4 ? (int)rows : 4, c->count), c->flip);
                MULTIPLY_FROM(x, c->weights + i, sum);
            }
            vector_store(sums + m * EPILOGUE_NR, sum);
        }
    }
    c->init = init;
}

// Sums of a vector of channels, PIXELS at most of one or two lines.
typedef struct stretch {
    uint32_t line, lines, pixel, pixels;
} stretch;

static void channels_run(channels *c, const stretch *s, uint32_t step, int32_t *const sums[2]) {
    const quernel_i_depthwise *d = c->d;
    const uint8_t *a = depthwise_input(d, s->line) + (ptrdiff_t)s->pixel * d->a_row + c->channel;
    const bool both = s->lines == 2 && c->count == CHANNELS && (d->kernel_h < MAX || SEVEN == 2);
    if (step && both) {
        slide_pixels(c, a, s->pixels, step, 2, sums);
        return;
    }
    for (uint32_t l = 0; l < s->lines; l++, a += d->a_line) {
        int32_t *const one[2] = {sums[l], NULL};
        if (step) slide_pixels(c, a, s->pixels, step, 1, one);
        else add_pixels(c, a, s->pixels, sums[l]);
    }
}

// EPILOGUE_NR channels from `channel` on, all pixels of the lines from `line` on.
static void slide_run(const quernel_i_depthwise *d, uint32_t channel, uint32_t line, uint32_t lines,
                      uint32_t step, bool is_signed, bool plain) {
    int32_t acc[2][PIXELS * EPILOGUE_NR] __attribute__((aligned(64)));
    channels c[EPILOGUE_NR / CHANNELS];
    const uint32_t count = d->oc - channel < EPILOGUE_NR ? d->oc - channel : EPILOGUE_NR,
                   vectors = (count + CHANNELS - 1) / CHANNELS;
    for (uint32_t v = 0; v < vectors; v++) {
        const uint32_t n = v * CHANNELS, left = count - n;
        c[v].d = d, c[v].channel = channel + n, c[v].count = left < CHANNELS ? left : CHANNELS;
        c[v].flip = vector_bytes(is_signed ? INT8_MIN : 0),
        c[v].init = vector_of(d->init + channel + n);
        if (step) slide_weights(&c[v]);
    }
    const uint32_t together = d->a_line == d->tap_line ? 2 : 1; // lines one apart share their quads
    for (stretch s = {.line = line}; s.line < line + lines; s.line += s.lines) {
        s.lines = line + lines - s.line < together ? line + lines - s.line : together;
        s.pixel = 0;
        for (uint32_t left = (d->rows + PIXELS - 1) / PIXELS; left; left--, s.pixel += s.pixels) {
            s.pixels = (d->rows - s.pixel + left - 1) / left;
            for (uint32_t v = 0; v < vectors; v++)
                channels_run(&c[v], &s, step,
                             (int32_t *const[2]){acc[0] + v * CHANNELS, acc[1] + v * CHANNELS});
            for (uint32_t l = 0; l < s.lines; l++) {
                const quernel_i_epilogue f = depthwise_epilogue(d, s.line + l);
                for (uint32_t m = 0; m < s.pixels; m += 16) {
                    const uint32_t rows = s.pixels - m < 16 ? s.pixels - m : 16;
                    epilogue_run(&(epilogue_tile){acc[l] + m * EPILOGUE_NR, rows, count,
                                                  s.pixel + m, channel},
                                 &f, plain);
                }
            }
        }
    }
}

// Lines for which a stretch of channels is computed before the next one: those whose cache lines of
// input half of L1 keeps.
static uint32_t lines_kept(const quernel_i_depthwise *d) {
    const ptrdiff_t pixel = d->a_row < 64 ? d->a_row : 64,
                    kept = (16 << 10) / ((ptrdiff_t)d->rows * pixel) - (ptrdiff_t)d->kernel_h;
    return kept < 2 ? 2 : (uint32_t)kept / 2 * 2;
}

static void depthwise(const quernel_i_depthwise *d, bool is_signed) {
    const bool plain = epilogue_is_plain(d->epilogue);
    const uint32_t step = slide_step(d), kept = lines_kept(d);
    for (uint32_t line = 0, lines; line < d->lines; line += lines) {
        lines = d->lines - line < kept ? d->lines - line : kept;
        for (uint32_t channel = 0; channel < d->oc; channel += EPILOGUE_NR)
            slide_run(d, channel, line, lines, step, is_signed, plain);
    }
}
