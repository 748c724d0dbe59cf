// SPDX-License-Identifier: Apache-2.0
// 3x3 convolution, u8 rows, exact: Winograd's algorithm in integers. A template for any instruction
// set; who includes it has included before
//   integers.h       vectors of integers, vint
//   the transforms   winograd_*.h, which say why it is exact
//   the register tile   MR, NR, widen_weights, multiply_tile(const winograd_tile *)
//   the epilogue     epilogue.h
//   tap_quad         4 channels of a tap, as they begin in a quad of their own
// and defines
//   SUMS_MAX         bytes of sums that a block may take
//   INPUTS_MAX       bytes of transformed inputs that a block should take
//   GRAIN            tiles of a block are a multiple of it; divides MR
//   CHANNELS, load_channels   bytes of a vector of 16-bit values; up to so many bytes as one
// and may define
//   WINOGRAD_ROW_TERMS  with row_terms(a, row, rows, quads, to): vectors that the sums of rows
//   begin
//                       with; up to 3 behind them may be written
//   WINOGRAD_FINISHES   with finish.h and finish_line: a line of a tile to bytes in registers
//
// A block of tiles, each IN x IN inputs for OUT x OUT outputs, is transformed once for all
// channels: IN² matrices [tile][channel] of 16 bits, in L2. For each sub-panel of 16 output
// channels they are multiplied with the prepared weights, their sums go to L2, and from there, 16
// pixels of each line at a time, back to outputs in L1 and through the epilogue.
#ifndef QUERNEL_TEMPLATE_CONV3X3_H
#define QUERNEL_TEMPLATE_CONV3X3_H

#include "kernels/template/planes.h"
#include "kernels/ukr.h"
#include "winograd_tile.h"

enum {
    WINOGRAD_POINTS = WINOGRAD_IN * WINOGRAD_IN,
    TILES_MAX = SUMS_MAX / (WINOGRAD_POINTS * NR * (int)sizeof(int32_t)) / MR * MR,
    TILES_MIN = 12,
    STEP = WINOGRAD_OUT * WINOGRAD_STRIDE, // pixels from tile to tile
    SEGMENT = 2,                           // tiles whose inputs are transformed together
    BAND_PIXELS = 16,                      // of OUT lines, whose epilogue runs together
    BAND = BAND_PIXELS / WINOGRAD_OUT,
    TILE_SUMS = WINOGRAD_OUT * WINOGRAD_OUT * EPILOGUE_NR,
    COLUMNS = sizeof(vint) / sizeof(int32_t), // of a vector of sums
    GROUP_VECTORS = 2 * 64 / sizeof(vint),    // of a group's weights
    // quads of 9 taps whose sums stay below the bound whatever bytes and weights are; that of
    // stride 2 is larger, and scratch then a little more than it needs
    UNDIVIDED = ((1 << QUERNEL_I_CONV3X3_BOUND) - 1) / (9 * 4 * 255 * 128),
};

static uint32_t quads_of(uint32_t channels) { return (channels + 3) / 4; }

// Bytes of one tile's channels in one of the matrices; spread over the sets of L1.
static size_t row_bytes(uint32_t quads) {
    const size_t bytes = ((size_t)quads * 8 + sizeof(vint) - 1) / sizeof(vint) * sizeof(vint);
    return bytes % 512 ? bytes : bytes + 64;
}

static uint32_t block_tiles(uint32_t quads) {
    const size_t fit = INPUTS_MAX / (WINOGRAD_POINTS * row_bytes(quads)) / MR * MR;
    const uint32_t min = quads > 128 ? TILES_MIN / 2 : TILES_MIN;
    return fit < min ? min : fit > TILES_MAX ? TILES_MAX : (uint32_t)fit;
}

static size_t inputs_bytes(uint32_t quads) {
    return WINOGRAD_POINTS * (block_tiles(quads) * row_bytes(quads) + 128);
}

// One matrix of sums: [tile][16], and a line more.
static size_t sums_bytes(uint32_t count) { return (count + 1) * (size_t)NR * sizeof(int32_t); }

static size_t outputs_bytes(uint32_t count) { return count * (size_t)TILE_SUMS * sizeof(int32_t); }

static size_t all_sums_bytes(uint32_t quads) {
    return (WINOGRAD_POINTS * sums_bytes(block_tiles(quads)) + 63) / 64 * 64;
}

// What the sums of rows begin with: [part of the channels][IN²][tiles] vectors, and 3 more.
static size_t row_terms_bytes(uint32_t quads) {
#ifdef WINOGRAD_ROW_TERMS
    const size_t parts = (quads + UNDIVIDED - 1) / UNDIVIDED;
    return (parts * WINOGRAD_POINTS * block_tiles(quads) + 3) * sizeof(vint);
#else
    (void)quads;
    return 0;
#endif
}

static size_t conv3x3_scratch(uint32_t k_quads) {
    const uint32_t quads = (k_quads + 8) / 9;
    return inputs_bytes(quads) + all_sums_bytes(quads) + row_terms_bytes(quads) +
           (quads > UNDIVIDED ? outputs_bytes(block_tiles(quads)) : 0);
}

// Weights of a point: an odd number of lines, so that those of the points meet in no set of L1.
static size_t weights_bytes(uint32_t quads) { return (size_t)quads * 128 + 64; }

// 4 channels of 16 output channels to IN² points.
static void prepare_quad(const int8_t *panel, uint32_t channels, uint32_t quad, uint8_t *dst) {
    const uint32_t quads = quads_of(channels);
    vint taps[9][GROUP_VECTORS];
    for (uint32_t t = 0; t < 9; t++) {
        int8_t group[64] __attribute__((aligned(64)));
        if (channels % 4) tap_quad(panel, channels, t, quad, group);
        widen_weights(channels % 4 ? group : panel + ((size_t)t * quads + quad) * 64, taps[t]);
    }
    for (uint32_t i = 0; i < GROUP_VECTORS; i++) {
        vint oc[3][WINOGRAD_IN], v[WINOGRAD_IN];
        for (uint32_t j = 0; j < 3; j++)
            winograd_weights(taps[j][i], taps[3 + j][i], taps[6 + j][i], oc[j]);
        for (uint32_t p = 0; p < WINOGRAD_IN; p++) {
            winograd_weights(oc[0][p], oc[1][p], oc[2][p], v);
            for (uint32_t q = 0; q < WINOGRAD_IN; q++)
                vint_store((vint *)(dst + (p * WINOGRAD_IN + q) * weights_bytes(quads)) + i, v[q]);
        }
    }
}

static void conv3x3_prepare(const int8_t *panel, const quernel_i_window *w, void *dst) {
    for (uint32_t q = 0; q < quads_of(w->channels); q++)
        prepare_quad(panel, w->channels, q, (uint8_t *)dst + (size_t)q * 128);
}

// A call and the block in work.
typedef struct work {
    const quernel_i_conv *c;
    uint8_t *inputs;       // [IN²][tiles][row]
    int32_t *sums;         // [IN²][tiles + 1][16]
    int32_t *outputs;      // of all bands, where the channels are divided
    size_t row, point;     // bytes
    uint32_t tiles_w;      // tiles of a line
    uint32_t first, count; // tiles of the block
    bool plain;
#ifdef WINOGRAD_ROW_TERMS
    vint *row_terms; // [part][IN²][tiles]
#endif
#ifdef WINOGRAD_FINISHES
    bool finishes;
    finish finish;
#endif
} work;

// Tiles from `at` on that lie side by side in one line of tiles, `max` at most.
static uint32_t side_by_side(const work *w, uint32_t at, uint32_t max) {
    const uint32_t to_end = w->tiles_w - (w->first + at) % w->tiles_w, left = w->count - at;
    const uint32_t most = left < max ? left : max;
    return to_end < most ? to_end : most;
}

// A vector of channels of a segment, [pixel][point of the lines].
typedef vint segment[(SEGMENT - 1) * STEP + WINOGRAD_IN][WINOGRAD_IN];

// Down the lines: each pixel once, for all tiles that it is of.
static inline __attribute__((always_inline)) void
transform_lines(const uint8_t *const lines[WINOGRAD_IN], const ptrdiff_t *pixels, uint32_t some,
                uint32_t count, bool first, segment to) {
    for (uint32_t x = 0; x < some; x++) {
        vint d[WINOGRAD_IN];
#pragma GCC unroll 9
        for (uint32_t i = 0; i < WINOGRAD_IN; i++)
            d[i] = load_channels(lines[i] + pixels[x], count, first);
        winograd_input(d, to[x]);
    }
}

// Along the lines, to the matrices of all points.
static void transform_pixels(const work *w, const segment from, uint32_t count, uint8_t *to) {
    for (uint32_t t = 0; t < count; t++, from += STEP, to += w->row) {
        uint8_t *matrix = to;
        for (uint32_t i = 0; i < WINOGRAD_IN; i++) {
            vint d[WINOGRAD_IN], v[WINOGRAD_IN];
#pragma GCC unroll 9
            for (uint32_t j = 0; j < WINOGRAD_IN; j++) d[j] = from[j][i];
            winograd_input(d, v);
#pragma GCC unroll 9
            for (uint32_t j = 0; j < WINOGRAD_IN; j++, matrix += w->point) vint_store(matrix, v[j]);
        }
    }
}

// Tiles that stick out repeat the last line and pixel: what they add concerns outputs that nobody
// keeps.
static void transform_segment(const work *w, uint32_t at, uint32_t count) {
    const quernel_i_conv *c = w->c;
    const uint32_t tile = w->first + at, channels = c->window.channels,
                   some = (count - 1) * STEP + WINOGRAD_IN;
    const uint32_t y = tile / w->tiles_w * STEP, x = tile % w->tiles_w * STEP;
    const uint32_t last_line = WINOGRAD_STRIDE * (c->lines - 1) + 2,
                   last_pixel = WINOGRAD_STRIDE * (c->pixels - 1) + 2;
    const uint8_t *lines[WINOGRAD_IN];
    ptrdiff_t pixels[(SEGMENT - 1) * STEP + WINOGRAD_IN];
    segment made;
    for (uint32_t i = 0; i < WINOGRAD_IN; i++)
        lines[i] = (const uint8_t *)c->a + (y + i < last_line ? y + i : last_line) * c->a_line;
    for (uint32_t i = 0; i < some; i++)
        pixels[i] = (x + i < last_pixel ? x + i : last_pixel) * c->a_pixel;
    for (uint32_t k = 0; k < channels; k += CHANNELS) {
        if (channels - k >= CHANNELS) transform_lines(lines, pixels, some, CHANNELS, false, made);
        else transform_lines(lines, pixels, some, channels - k, k == 0, made);
        transform_pixels(w, (const vint(*)[WINOGRAD_IN])made, count,
                         w->inputs + at * w->row + 2 * k);
        for (uint32_t i = 0; i < WINOGRAD_IN; i++) lines[i] += CHANNELS;
    }
}

static void transform_block(const work *w) {
    for (uint32_t at = 0, count; at < w->count; at += count) {
        count = side_by_side(w, at, SEGMENT);
        transform_segment(w, at, count);
    }
}

// Fetches, where y is planes, line `i` of output channel n in the tiles of the block.
static void fetch_line(const work *w, uint32_t n, uint32_t i) {
    const quernel_i_conv *c = w->c;
    const quernel_i_epilogue *f = c->epilogue;
    const uint8_t *plane = (const uint8_t *)f->y + (ptrdiff_t)n * f->y_col;
    for (uint32_t tile = w->first, end = tile + w->count, some; tile < end; tile += some) {
        const uint32_t to_end = w->tiles_w - tile % w->tiles_w;
        some = to_end < end - tile ? to_end : end - tile;
        const uint32_t x = tile % w->tiles_w * WINOGRAD_OUT,
                       y = tile / w->tiles_w * WINOGRAD_OUT + i;
        const uint32_t left = c->pixels - x,
                       pixels = some * WINOGRAD_OUT < left ? some * WINOGRAD_OUT : left;
        if (y < c->lines)
            planes_fetch(plane + (ptrdiff_t)y * c->y_line + (ptrdiff_t)x * f->y_row,
                         (ptrdiff_t)pixels * f->y_row, false);
    }
}

// The p-th share of what the block's output channels from n on are going to be written to, where
// that is not in L2 anyway: looking for lines takes 5 % of a small image's time.
static void fetch_share(const work *w, uint32_t n, uint32_t p) {
    const uint32_t oc = w->c->oc - n < NR ? w->c->oc - n : NR, lines = oc * WINOGRAD_OUT;
    if (!planes_are(w->c->epilogue) || !w->c->epilogue->past_caches) return;
    for (uint32_t i = lines * p / WINOGRAD_POINTS; i < lines * (p + 1) / WINOGRAD_POINTS; i++)
        fetch_line(w, n + i / WINOGRAD_OUT, i % WINOGRAD_OUT);
}

#ifdef WINOGRAD_ROW_TERMS
static vint *row_terms_of(const work *w, uint32_t part, uint32_t point) {
    return w->row_terms + (size_t)(part * WINOGRAD_POINTS + point) * w->count;
}

// Once for all output channels.
static void sum_rows(const work *w) {
    const uint32_t quads = quads_of(w->c->window.channels);
    for (uint32_t part = 0; part < w->c->ic_split; part++) {
        const uint32_t first = quads * part / w->c->ic_split,
                       some = quads * (part + 1) / w->c->ic_split - first;
        for (uint32_t p = 0; p < WINOGRAD_POINTS; p++)
            row_terms(w->inputs + p * w->point + (size_t)first * 8, w->row, w->count, some,
                      row_terms_of(w, part, p));
    }
}
#define ROW_TERMS(w, part, point, m) , row_terms_of(w, part, point) + (m)
#else
#define ROW_TERMS(w, part, point, m)
#endif

// The products of one part of the block's channels with NR output channels. Tiles are split evenly
// among register tiles.
static void multiply(const work *w, uint32_t n, uint32_t part) {
    const quernel_i_conv *c = w->c;
    const uint32_t quads = quads_of(c->window.channels), panels = c->oc - n > 16 ? NR / 16 : 1;
    const uint32_t first = quads * part / c->ic_split,
                   some = quads * (part + 1) / c->ic_split - first;
    const uint8_t *b = (const uint8_t *)c->b + n / 16 * c->b_panel + (size_t)first * 128;
    for (uint32_t p = 0; p < WINOGRAD_POINTS; p++, b += weights_bytes(quads)) {
        const uint8_t *a = w->inputs + p * w->point + (size_t)first * 8;
        int32_t *acc = w->sums + p * sums_bytes(w->count) / sizeof(int32_t);
        if (part + 1 == w->c->ic_split) fetch_share(w, n, p);
        for (uint32_t m = 0, left = (w->count + MR - 1) / MR, rows; left; left--, m += rows) {
            rows = (w->count - m + left - 1) / left;
            multiply_tile(&(winograd_tile){a + m * w->row, w->row, w->point, b, c->b_panel, rows,
                                           some, panels, acc + m * NR ROW_TERMS(w, part, p, m)});
        }
    }
}

// Down the lines: sums of a vector of output channels of one tile, each line's points.
static inline __attribute__((always_inline)) void
outputs_down(const int32_t *sums, size_t step, vint lines[WINOGRAD_OUT][WINOGRAD_IN]) {
#pragma GCC unroll 9
    for (uint32_t j = 0; j < WINOGRAD_IN; j++) {
        vint m[WINOGRAD_IN], y[WINOGRAD_OUT];
#pragma GCC unroll 9
        for (uint32_t i = 0; i < WINOGRAD_IN; i++)
            m[i] = vint_load(sums + (i * WINOGRAD_IN + j) * step);
        winograd_output(m, y);
#pragma GCC unroll 9
        for (uint32_t i = 0; i < WINOGRAD_OUT; i++) lines[i][j] = y[i];
    }
}

// Outputs of a vector of output channels of one tile: acc[line][pixel of the band][EPILOGUE_NR] =
// init, or what is there, and their sums. `line` sums from line to line.
static inline __attribute__((always_inline)) void
outputs_of(const int32_t *sums, size_t step, const int32_t *init, int32_t *acc, size_t line) {
    vint lines[WINOGRAD_OUT][WINOGRAD_IN];
    outputs_down(sums, step, lines);
#pragma GCC unroll 9
    for (uint32_t i = 0; i < WINOGRAD_OUT; i++) {
        vint y[WINOGRAD_OUT];
        winograd_output(lines[i], y);
#pragma GCC unroll 9
        for (uint32_t j = 0; j < WINOGRAD_OUT; j++) {
            int32_t *to = acc + i * line + j * EPILOGUE_NR;
            const vint before = init ? vint_load_unaligned(init) : vint_load(to);
            vint_store(to, add32(winograd_sum(y[j], i, j), before));
        }
    }
}

// `count` neighbouring tiles of one line of tiles, `at` the first of them within the block.
typedef struct band {
    uint32_t at, count;
    int32_t *acc; // [OUT lines][OUT·count pixels][EPILOGUE_NR]
} band;

// Sums of a line of a band.
static size_t line_sums(const band *b) { return b->count * (size_t)WINOGRAD_OUT * EPILOGUE_NR; }

static void sum_band(const work *w, const band *b, uint32_t n, bool first) {
    const size_t step = sums_bytes(w->count) / sizeof(int32_t);
    const uint32_t left = w->c->oc - n, oc = left < NR ? left : NR;
    for (uint32_t t = 0; t < b->count; t++)
        for (uint32_t at = 0; at < oc; at += COLUMNS) {
            const int32_t *sums = w->sums + (size_t)(b->at + t) * NR + at;
            int32_t *acc = b->acc + t * WINOGRAD_OUT * EPILOGUE_NR + at;
            if (first) outputs_of(sums, step, w->c->init + n + at, acc, line_sums(b));
            else outputs_of(sums, step, NULL, acc, line_sums(b));
        }
}

static void epilogue_band(const work *w, const band *b, uint32_t n) {
    const quernel_i_conv *c = w->c;
    const uint32_t tile = w->first + b->at, x = tile % w->tiles_w * WINOGRAD_OUT, count = b->count;
    const uint32_t pixels =
        c->pixels - x < count * WINOGRAD_OUT ? c->pixels - x : count * WINOGRAD_OUT;
    const uint32_t oc = c->oc - n < NR ? c->oc - n : NR;
    for (uint32_t i = 0, y = tile / w->tiles_w * WINOGRAD_OUT; i < WINOGRAD_OUT && y < c->lines;
         i++, y++) {
        quernel_i_epilogue f = *c->epilogue;
        f.y = (uint8_t *)f.y + y * c->y_line;
        if (f.residual) f.residual = (const uint8_t *)f.residual + y * c->r_line;
        epilogue_run(&(epilogue_tile){b->acc + i * line_sums(b), pixels, oc, x, n}, &f, w->plain);
    }
}

#ifdef WINOGRAD_FINISHES
// Whether all of a band's outputs are wanted, as bytes that need no more than registers.
static bool band_finishes(const work *w, const band *b) {
    const uint32_t tile = w->first + b->at, x = tile % w->tiles_w, y = tile / w->tiles_w;
    return w->finishes && (x + b->count) * WINOGRAD_OUT <= w->c->pixels &&
           (y + 1) * WINOGRAD_OUT <= w->c->lines;
}

// Codes of a vector of output channels of one tile. `kind` is a constant.
static inline __attribute__((always_inline)) void
finish_outputs(const work *w, finish_kind kind, const int32_t *sums, uint32_t n, uint8_t *to) {
    const quernel_i_epilogue *f = w->c->epilogue;
    const vint init = vint_load_unaligned(w->c->init + n);
    vint lines[WINOGRAD_OUT][WINOGRAD_IN];
    outputs_down(sums, sums_bytes(w->count) / sizeof(int32_t), lines);
#pragma GCC unroll 9
    for (uint32_t i = 0; i < WINOGRAD_OUT; i++, to += w->c->y_line) {
        vint y[WINOGRAD_OUT];
        winograd_output(lines[i], y);
#pragma GCC unroll 9
        for (uint32_t j = 0; j < WINOGRAD_OUT; j++) y[j] = add32(winograd_sum(y[j], i, j), init);
        finish_line(&w->finish, kind, y, f, n, to);
    }
}

static void finish_band(const work *w, const band *b, uint32_t n) {
    const quernel_i_conv *c = w->c;
    const quernel_i_epilogue *f = c->epilogue;
    const uint32_t tile = w->first + b->at, oc = c->oc - n < NR ? c->oc - n : NR;
    const int32_t *sums = w->sums + (size_t)b->at * NR;
    uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)(tile / w->tiles_w * WINOGRAD_OUT) * c->y_line +
                 (ptrdiff_t)(tile % w->tiles_w * WINOGRAD_OUT) * f->y_row + n;
    for (uint32_t t = 0; t < b->count; t++, sums += NR, y += WINOGRAD_OUT * f->y_row)
        for (uint32_t at = 0; at < oc; at += COLUMNS) {
            if (w->finish.kind == FINISH_BARE)
                finish_outputs(w, FINISH_BARE, sums + at, n + at, y + at);
            else finish_outputs(w, FINISH_CODES, sums + at, n + at, y + at);
        }
}
#endif

// Outputs of one part of the channels; behind the last part comes the epilogue.
static void epilogue_block(const work *w, uint32_t n, uint32_t part) {
    int32_t acc[BAND * TILE_SUMS] __attribute__((aligned(64)));
    const uint32_t ic_split = w->c->ic_split;
    band b = {.acc = ic_split > 1 ? w->outputs : acc};
    for (; b.at < w->count; b.at += b.count) {
        b.count = side_by_side(w, b.at, BAND);
#ifdef WINOGRAD_FINISHES
        if (band_finishes(w, &b)) {
            finish_band(w, &b, n);
            continue;
        }
#endif
        sum_band(w, &b, n, part == 0);
        if (part + 1 == ic_split) epilogue_band(w, &b, n);
        if (ic_split > 1) b.acc += b.count * TILE_SUMS;
    }
}

// Tiles of the first of so many blocks.
static uint32_t block_count(uint32_t all, uint32_t blocks) {
    const uint32_t even = (all + blocks - 1) / blocks, whole = (even + GRAIN - 1) / GRAIN * GRAIN;
    return whole < all ? whole : all;
}

static void conv3x3(const quernel_i_conv *c) {
    const uint32_t quads = quads_of(c->window.channels), max = block_tiles(quads),
                   tiles_w = (c->pixels + WINOGRAD_OUT - 1) / WINOGRAD_OUT;
    const uint32_t all = tiles_w * ((c->lines + WINOGRAD_OUT - 1) / WINOGRAD_OUT);
    work w = {.c = c,
              .inputs = c->scratch,
              .row = row_bytes(quads),
              .tiles_w = tiles_w,
              .plain = epilogue_is_plain(c->epilogue)};
    w.sums = (int32_t *)((uint8_t *)c->scratch + inputs_bytes(quads));
    w.outputs = (int32_t *)((uint8_t *)w.sums + all_sums_bytes(quads));
#ifdef WINOGRAD_ROW_TERMS
    w.row_terms = (vint *)w.outputs;
    w.outputs = (int32_t *)((uint8_t *)w.outputs + row_terms_bytes(quads));
#endif
#ifdef WINOGRAD_FINISHES
    w.finishes =
        w.plain && c->ic_split == 1 && c->oc % COLUMNS == 0 && finish_fits(c->epilogue, c->oc);
    if (w.finishes) w.finish = finish_of(c->epilogue);
#endif
    for (uint32_t blocks = (all + max - 1) / max; w.first < all; blocks--) {
        w.count = block_count(all - w.first, blocks);
        w.point = w.count * w.row;
        // an odd number of lines: a tile's stores meet in no set of L1
        w.point = ((w.point + 63) / 64 | 1) * 64;
        transform_block(&w);
#ifdef WINOGRAD_ROW_TERMS
        sum_rows(&w);
#endif
        for (uint32_t n = 0; n < c->oc; n += NR) {
            for (uint32_t part = 0; part < c->ic_split; part++) {
                multiply(&w, n, part);
                epilogue_block(&w, n, part);
            }
        }
        w.first += w.count;
    }
}

#endif
