// SPDX-License-Identifier: Apache-2.0
// Depthwise for AVX2, u8 and s8 rows, exact on any data: 16 channels at a time, taps of two lines
// in one vpmaddwd.
//
// 3x3 and 5x5 with stride 1 and 2 slide over a line with their sums in registers (slide.h). All
// others, and the last channels where fewer than 16 are left, go through memory: the lines that a
// kernel covers are interleaved two by two: a slot, one pixel of x, holds for each pair of lines 16
// channels of (upper, lower) in 16 bits. Every slot serves all output pixels whose taps meet it. Up
// to 24 output pixels are multiplied in tiles of 6: per kernel column and pair of lines 2 loads of
// weights, and for each pixel 2 vpmaddwd from memory and 2 vpaddd. The epilogue takes the sums from
// L1. Kernels of more than 8 lines or columns go in blocks; where output pixels share no slots
// (stride above 2), a column is a block of its own.
//
// Cycles for 16 outputs of 3x3 on Zen 3, about 3 vector operations a cycle: sliding is 12 vpmaddwd,
// 12 vpaddd, 8 to interleave and widen: 10.7; the epilogue 6. Measured on 32 channels of 112x112
// pixels, all included, 22 (through memory, where interleaving takes 4 stores a pixel, 28).
#include <immintrin.h>
#include <string.h>

#include "epilogue.h"
#include "kernels/template/depthwise.h"
#include "slide.h"
#include "slots.h"

enum {
    CHANNELS = 16,
    PIXELS = 24, // output pixels whose epilogue runs together
    // output pixels of a slide: each begins with columns of which nothing is ready yet
    SLIDE_PIXELS = 56,
    SLIDE_COLUMNS = (SLIDE_PIXELS - 1) * 2 + SLIDE_MAX, // that they read
    BLOCK = 8, // lines and columns of a block of the kernel
    PAIRS = BLOCK / 2,
    STEP_MAX = 2, // slots between output pixels that share them
    SLOTS = (PIXELS - 1) * STEP_MAX + BLOCK,
};

// 16 channels of two lines, interleaved as unpacking leaves them: channels 0-3 and 8-11, then 4-7
// and 12-15.
typedef struct pair {
    __m256i low, high;
} pair;

static inline __attribute__((always_inline)) pair interleave(__m256i upper, __m256i lower) {
    return (pair){_mm256_unpacklo_epi16(upper, lower), _mm256_unpackhi_epi16(upper, lower)};
}

// Sums lie in memory in the order of the channels.
#define START(at, acc0, acc1)                                                                    \
    "vmovdqa " #at "(%[i]), %%ymm14\n\tvperm2i128 $0x31, 32+" #at "(%[i]), %%ymm14, %%ymm" #acc1 \
    "\n\t"                                                                                       \
    "vperm2i128 $0x20, 32+" #at "(%[i]), %%ymm14, %%ymm" #acc0 "\n\t"
#define END(at, acc0, acc1)                                                                 \
    "vperm2i128 $0x20, %%ymm" #acc1 ", %%ymm" #acc0 ", %%ymm14\n\tvmovdqa %%ymm14, " #at    \
    "(%[t])\n\t"                                                                            \
    "vperm2i128 $0x31, %%ymm" #acc1 ", %%ymm" #acc0 ", %%ymm15\n\tvmovdqa %%ymm15, 32+" #at \
    "(%[t])\n\t"
TILE(add_1, TILE_EDGE_1(START), SLOT_STEP(1), TILE_EDGE_1(END))
TILE(add_2, TILE_EDGE_2(START), SLOT_STEP(2), TILE_EDGE_2(END))
TILE(add_3, TILE_EDGE_3(START), SLOT_STEP(3), TILE_EDGE_3(END))
TILE(add_4, TILE_EDGE_4(START), SLOT_STEP(4), TILE_EDGE_4(END))
TILE(add_5, TILE_EDGE_5(START), SLOT_STEP(5), TILE_EDGE_5(END))
TILE(add_6, TILE_EDGE_6(START), SLOT_STEP(6), TILE_EDGE_6(END))
static tile_function *const add_pairs[TILE_MR] = {add_1, add_2, add_3, add_4, add_5, add_6};

// A block of the kernel.
typedef struct block {
    uint32_t line, lines, pairs, column, kernel_columns;
} block;

// What a call works with: 16 channels from `channel` on.
typedef struct work {
    const quernel_i_depthwise *d;
    uint32_t channel, count; // count of channels, 16 or what is left
    uint32_t step;           // slots from output pixel to output pixel
    uint32_t block_kernel_columns;
    ptrdiff_t slot; // bytes of x from slot to slot
    uint8_t outside[CHANNELS];
    pair weights[BLOCK * PAIRS];
    pair slots[SLOTS * PAIRS];
    int32_t init[TILE_MR * CHANNELS] __attribute__((aligned(32))); // start values of a tile's rows
    int32_t acc[PIXELS * CHANNELS] __attribute__((aligned(32)));
} work;

static inline __m256i load_weights(const int8_t *w) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)w));
}

static void expand_weights(work *w, const block *b) {
    const quernel_i_depthwise *d = w->d;
    const size_t line = d->kernel_w * d->w_tap;
    for (uint32_t j = 0; j < b->kernel_columns; j++)
        for (uint32_t p = 0; p < b->pairs; p++) {
            const int8_t *at =
                d->w + (b->line + 2 * p) * line + (b->column + j) * d->w_tap + w->channel;
            const bool two = 2 * p + 1 < b->lines;
            w->weights[j * b->pairs + p] = interleave(
                load_weights(at), two ? load_weights(at + line) : _mm256_setzero_si256());
        }
}

static inline __attribute__((always_inline)) __m256i load(const uint8_t *a, uint32_t count,
                                                          bool is_signed) {
    uint8_t some[CHANNELS] = {0};
    if (count < CHANNELS) memcpy(some, a, count), a = some;
    const __m128i v = _mm_loadu_si128((const __m128i *)a);
    return is_signed ? _mm256_cvtepi8_epi16(v) : _mm256_cvtepu8_epi16(v);
}

// Lines of x from a column on, and how far it moves from slot to slot.
typedef struct slot_line {
    const uint8_t *at;
    ptrdiff_t slot;
} slot_line;

// Line i of the block, whose first column is at byte `pixel`.
static slot_line line_of(const work *w, const block *b, uint32_t i, ptrdiff_t pixel) {
    const quernel_i_depthwise *d = w->d;
    const ptrdiff_t at = (b->line + i) * d->tap_line - d->top;
    return depthwise_has_line(d, at) && i < b->lines
               ? (slot_line){(const uint8_t *)d->a + at + pixel + w->channel, w->slot}
               : (slot_line){w->outside, 0};
}

// One pair of lines of slots. `two`: the weights of the lower one are not all 0.
static inline __attribute__((always_inline)) void fill_pair(slot_line upper, slot_line lower,
                                                            bool two, uint32_t slots,
                                                            uint32_t count, bool is_signed,
                                                            pair *to, uint32_t pairs) {
    for (uint32_t s = 0; s < slots; s++, to += pairs) {
        *to = interleave(load(upper.at, count, is_signed),
                         two ? load(lower.at, count, is_signed) : _mm256_setzero_si256());
        upper.at += upper.slot, lower.at += lower.slot;
    }
}

// Slots of the block for output pixels from m on.
static inline __attribute__((always_inline)) void
fill_slots(work *w, const block *b, uint32_t m, uint32_t slots, uint32_t count, bool is_signed) {
    const quernel_i_depthwise *d = w->d;
    const ptrdiff_t pixel = (ptrdiff_t)m * d->a_row + b->column * d->tap_pixel - d->left;
    const depthwise_columns in = depthwise_inside(d, pixel, w->slot, slots);
    const slot_line none = {w->outside, 0};
    for (uint32_t p = 0; p < b->pairs; p++) {
        const bool two = 2 * p + 1 < b->lines;
        pair *to = w->slots + p;
        fill_pair(none, none, two, in.from, count, is_signed, to, b->pairs);
        if (in.from < in.to)
            fill_pair(line_of(w, b, 2 * p, pixel + in.from * w->slot),
                      line_of(w, b, 2 * p + 1, pixel + in.from * w->slot), two, in.to - in.from,
                      count, is_signed, to + in.from * b->pairs, b->pairs);
        fill_pair(none, none, two, slots - in.to, count, is_signed, to + in.to * b->pairs,
                  b->pairs);
    }
}

static void add_block(work *w, const block *b, uint32_t pixels) {
    const size_t pitch = w->step * b->pairs * sizeof(pair);
    for (uint32_t m = 0, left = (pixels + TILE_MR - 1) / TILE_MR; left; left--) {
        const uint32_t some = (pixels - m + left - 1) / left;
        int32_t *acc = w->acc + m * CHANNELS;
        add_pairs[some - 1]((const uint8_t *)w->slots + m * pitch, (ptrdiff_t)pitch, w->weights,
                            b->kernel_columns * b->pairs, b->line + b->column == 0 ? w->init : acc,
                            acc);
        m += some;
    }
}

static inline __attribute__((always_inline)) void run_pixels(work *w, uint32_t m, uint32_t pixels,
                                                             bool is_signed) {
    const quernel_i_depthwise *d = w->d;
    // one block: its weights stay
    const bool whole = d->kernel_h <= BLOCK && d->kernel_w <= w->block_kernel_columns;
    for (uint32_t line = 0; line < d->kernel_h; line += BLOCK)
        for (uint32_t column = 0; column < d->kernel_w; column += w->block_kernel_columns) {
            block b = {.line = line, .column = column};
            b.lines = d->kernel_h - line < BLOCK ? d->kernel_h - line : BLOCK;
            b.kernel_columns = d->kernel_w - column < w->block_kernel_columns
                                   ? d->kernel_w - column
                                   : w->block_kernel_columns;
            b.pairs = (b.lines + 1) / 2;
            if (!whole || m == 0) expand_weights(w, &b);
            const uint32_t slots = (pixels - 1) * w->step + b.kernel_columns;
            if (w->count == CHANNELS) fill_slots(w, &b, m, slots, CHANNELS, is_signed);
            else fill_slots(w, &b, m, slots, w->count, is_signed);
            add_block(w, &b, pixels);
        }
}

// 16 channels of kernels that have code of their own.
static inline __attribute__((always_inline)) void
slide_by_size(const slide *s, uint32_t size, uint32_t step, bool is_signed, int32_t *acc) {
    if (size == 3 && step == 1) slide_line(s, 3, 3, 1, is_signed, acc);
    else if (size == 3) slide_line(s, 3, 3, 2, is_signed, acc);
    else if (step == 1) slide_line(s, 5, 5, 1, is_signed, acc);
    else slide_line(s, 5, 5, 2, is_signed, acc);
}

// Pixels from output to output where the kernel is one of them, else 0. 7x7 is left out: its sums
// do not fit the registers.
static uint32_t slide_step(const quernel_i_depthwise *d) {
    const bool size = d->kernel_h == d->kernel_w && (d->kernel_h == 3 || d->kernel_h == 5);
    return !size ? 0 : d->a_row == d->tap_pixel ? 1 : d->a_row == 2 * d->tap_pixel ? 2 : 0;
}

// What a slide reads where lines of it lie outside x.
typedef struct window {
    uint8_t at[SLIDE_MAX][SLIDE_COLUMNS][CHANNELS];
} window;

// Line i of the window from byte `pixel` on.
static void window_fill(window *w, const slide *s, const quernel_i_depthwise *d, uint32_t i,
                        ptrdiff_t pixel, uint32_t columns) {
    const ptrdiff_t line = i * d->tap_line - d->top;
    const bool has_line = depthwise_has_line(d, line);
    for (uint32_t c = 0; c < columns; c++) {
        const bool inside = has_line && c >= s->inside.from && c < s->inside.to;
        memcpy(w->at[i][c],
               inside ? (const uint8_t *)d->a + line + pixel + c * d->tap_pixel : s->outside,
               CHANNELS);
    }
}

// Where a slide over outputs from m on reads.
static void slide_place(slide *s, const quernel_i_depthwise *d, uint32_t channel, uint32_t m,
                        uint32_t step, window *w) {
    const ptrdiff_t pixel = (ptrdiff_t)m * d->a_row - d->left, first = -d->top,
                    last = first + (d->kernel_h - 1) * d->tap_line;
    const uint32_t columns = (s->pixels - 1) * step + d->kernel_w;
    s->line = d->tap_line, s->pixel = d->tap_pixel;
    s->inside = depthwise_inside(d, pixel, s->pixel, columns);
    if (depthwise_has_line(d, first) && depthwise_has_line(d, last)) {
        s->a = (const uint8_t *)d->a + first + pixel + s->inside.from * s->pixel + channel;
        return;
    }
    for (uint32_t i = 0; i < d->kernel_h; i++) window_fill(w, s, d, i, pixel + channel, columns);
    s->a = w->at[0][0], s->line = sizeof w->at[0], s->pixel = CHANNELS;
    s->inside = (depthwise_columns){0, columns};
}

static inline __attribute__((always_inline)) void slide_channels(const quernel_i_depthwise *d,
                                                                 uint32_t channel, uint32_t step,
                                                                 bool is_signed, bool plain) {
    int32_t acc[SLIDE_PIXELS * CHANNELS] __attribute__((aligned(32)));
    // most of these is never used: no initializers
    slide s;
    window w;
    memset(s.outside, d->outside, CHANNELS);
    slide_weights(&s, d->w + channel, d->w_tap, d->kernel_h, d->kernel_w);
    for (uint32_t h = 0; h < 2; h++)
        s.init[h] = _mm256_loadu_si256((const __m256i *)(d->init + channel) + h);
    for (uint32_t m = 0, left = (d->rows + SLIDE_PIXELS - 1) / SLIDE_PIXELS; left; left--) {
        s.pixels = (d->rows - m + left - 1) / left;
        slide_place(&s, d, channel, m, step, &w);
        slide_by_size(&s, d->kernel_h, step, is_signed, acc);
        for (uint32_t p = 0, rows; p < s.pixels; p += rows) {
            rows = s.pixels - p < EPILOGUE_ROWS_MAX ? s.pixels - p : EPILOGUE_ROWS_MAX;
            epilogue_run(&(epilogue_tile){acc + p * CHANNELS, rows, CHANNELS, m + p, channel},
                         d->epilogue, plain);
        }
        m += s.pixels;
    }
}

static inline __attribute__((always_inline)) void depthwise_line(const quernel_i_depthwise *d,
                                                                 bool is_signed) {
    work w;
    const ptrdiff_t step = d->a_row % d->tap_pixel ? 0 : d->a_row / d->tap_pixel;
    const bool shared = step >= 1 && step <= STEP_MAX && step < (ptrdiff_t)d->kernel_w;
    w.d = d;
    memset(w.outside, d->outside, CHANNELS);
    w.step = shared ? (uint32_t)step : 1;
    w.slot = shared ? d->tap_pixel : d->a_row;
    w.block_kernel_columns = shared ? BLOCK : 1;
    const bool plain = epilogue_is_plain(d->epilogue);
    const uint32_t slide_by = slide_step(d);
    for (w.channel = 0; w.channel < d->oc; w.channel += CHANNELS) {
        if (slide_by && d->oc - w.channel >= CHANNELS) {
            slide_channels(d, w.channel, slide_by, is_signed, plain);
            continue;
        }
        w.count = d->oc - w.channel < CHANNELS ? d->oc - w.channel : CHANNELS;
        for (uint32_t i = 0; i < TILE_MR; i++)
            for (uint32_t half = 0; half < CHANNELS; half += 8)
                _mm256_store_si256(
                    (__m256i *)(w.init + i * CHANNELS + half),
                    _mm256_loadu_si256((const __m256i *)(d->init + w.channel + half)));
        for (uint32_t m = 0, left = (d->rows + PIXELS - 1) / PIXELS; left; left--) {
            const uint32_t pixels = (d->rows - m + left - 1) / left;
            run_pixels(&w, m, pixels, is_signed);
            epilogue_run(&(epilogue_tile){w.acc, pixels, w.count, m, w.channel}, d->epilogue,
                         plain);
            m += pixels;
        }
    }
}

static inline __attribute__((always_inline)) void depthwise(const quernel_i_depthwise *d,
                                                            bool is_signed) {
    for (uint32_t line = 0; line < d->lines; line++) {
        const quernel_i_epilogue epilogue = depthwise_epilogue(d, line);
        quernel_i_depthwise one = *d;
        one.top -= (ptrdiff_t)line * d->a_line, one.epilogue = &epilogue;
        depthwise_line(&one, is_signed);
    }
}

void quernel_uk_depthwise_u8s8_6x16x2_avx2(const quernel_i_depthwise *d);
void quernel_uk_depthwise_u8s8_6x16x2_avx2(const quernel_i_depthwise *d) { depthwise(d, false); }
void quernel_uk_depthwise_s8s8_6x16x2_avx2(const quernel_i_depthwise *d);
void quernel_uk_depthwise_s8s8_6x16x2_avx2(const quernel_i_depthwise *d) { depthwise(d, true); }
