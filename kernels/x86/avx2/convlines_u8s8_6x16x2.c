// SPDX-License-Identifier: Apache-2.0
// Convolution with 3 to 8 kernel lines and stride 1 or 2, for stems above all: Winograd's algorithm
// down the lines alone. Few channels do not pay for transforms in both directions, whose outputs
// are made of 36 sums for 16; here they are made of 5 to 7 for 4.
//
// Kernel lines are 2 to 4 taps, by themselves or two by two, so that two input lines count as one
// with twice the channels, value by value in turn. Of 4 output lines 5 to 7 matrices of 16 bits
// are made, in which the row of a pixel is still one stretch that overlaps its neighbour's. For
// each sub-panel of 16 output channels, 24 pixels at a time, they are multiplied with the prepared
// weights by vpmaddwd; sums stay in L1, become outputs and go through the epilogue.
//
//              direct products of an output, runs padded to 4     by points, padded to 2
//   7x7 s2, 3 channels     7·24 = 168                             7/4·42 = 74
//   5x5 s2, 3 channels     5·16 =  80                             6/4·30 = 45
//   3x3 s1, 3 channels     3·12 =  36                             6/4·10 = 15
//   3x3 s2, 3 channels     3·12 =  36                             5/4·18 = 23
//
// Cycles for one output (a pixel and oc) of N oc, at 24 products a cycle as the register
// tile does on Zen 3, by count:
//   multiplying   3.1, 1.9, 0.6, 0.9 in these cases; a tile's stores and start 0.15
//   outputs       24 to 35 operations, 5 to 7 loads, 4 stores for 8 output channels x 4 lines: 0.4
//   epilogue        0.5
//   inputs        about 50 operations for 16 values of a matrix, of which a pixel has
//   stride_w·channels·lines of a tap: below 3/N
// where the direct product takes 7.6, 3.9, 2.0, 2.0. Measured on Zen 1, whose vpmaddwd makes 8
// products a cycle: 2.0, 1.6, 1.55, 1.35 times as fast.
#include <immintrin.h>
#include <string.h>

#include "epilogue.h"
#include "kernels/ukr.h"
#include "madd16.h"
#include "winograd_lines.h"

enum {
    BAND_PIXELS = 24,       // whose epilogue runs together
    INPUTS_MAX = 160 << 10, // bytes of transformed inputs that a block should take
    BYTES = 16,             // of an input vector
    SUMS_BYTES = LINES_IN_MAX * BAND_PIXELS * NR * (int)sizeof(int32_t),
};

// The register tile of madd16.h, from 0 and pair by pair of k: there are few of them.
#define ZERO(at, acc0, acc1)                                                                    \
    "vpxor %%xmm" #acc0 ", %%xmm" #acc0 ", %%xmm" #acc0 "\n\tvpxor %%xmm" #acc1 ", %%xmm" #acc1 \
    ", %%xmm" #acc1 "\n\t"
#define ONE_PAIR(rows) PAIR(rows, 0, 0) "add $4, %[a]\n\tadd $4, %[c]\n\tadd $64, %[b]\n\t"
TILE(pairs_1, TILE_EDGE_1(ZERO), ONE_PAIR(1), TILE_EDGE_1(TILE_STORE))
TILE(pairs_2, TILE_EDGE_2(ZERO), ONE_PAIR(2), TILE_EDGE_2(TILE_STORE))
TILE(pairs_3, TILE_EDGE_3(ZERO), ONE_PAIR(3), TILE_EDGE_3(TILE_STORE))
TILE(pairs_4, TILE_EDGE_4(ZERO), ONE_PAIR(4), TILE_EDGE_4(TILE_STORE))
TILE(pairs_5, TILE_EDGE_5(ZERO), ONE_PAIR(5), TILE_EDGE_5(TILE_STORE))
TILE(pairs_6, TILE_EDGE_6(ZERO), ONE_PAIR(6), TILE_EDGE_6(TILE_STORE))
static tile_function *const pair_tiles[MR] = {pairs_1, pairs_2, pairs_3, pairs_4, pairs_5, pairs_6};

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

// A matrix of transformed inputs: a little more, since rows end at a multiple of 2 k; an odd number
// of cache lines.
static size_t point_bytes(uint32_t bytes, uint32_t lines) {
    const size_t vectors = (bytes + BYTES - 1) / BYTES;
    return ((vectors * BYTES * lines * sizeof(int16_t) + 8 + 63) / 64 | 1) * 64;
}

size_t quernel_uk_convlines_u8s8_6x16x2_avx2_scratch(uint32_t k_quads);
// a line has at most a third of them, and two are taken
size_t quernel_uk_convlines_u8s8_6x16x2_avx2_scratch(uint32_t k_quads) {
    const size_t min = LINES_IN_MAX * point_bytes(MR * 4 * ((k_quads + 2) / 3), 2);
    return (min > INPUTS_MAX ? min : INPUTS_MAX) + SUMS_BYTES;
}

// 4 k of a kernel line that may be none.
static void load_weights(const int8_t *panel, uint32_t line_k_quads, uint32_t line,
                         uint32_t kernel_h, __m256i to[4]) {
    if (line < kernel_h) {
        widen_weights(panel + (size_t)line * line_k_quads * 64, to);
        return;
    }
    for (uint32_t i = 0; i < 4; i++) to[i] = _mm256_setzero_si256();
}

// 4 k of a tap: of one line as they are, of two lines pair by pair.
static void load_tap(const int8_t *panel, uint32_t line_k_quads, uint32_t kernel_h, taps t,
                     uint32_t tap, __m256i to[8]) {
    __m256i other[4];
    const uint32_t line = tap * t.step;
    load_weights(panel, line_k_quads, line, kernel_h, to);
    if (t.lines == 1) return;
    load_weights(panel, line_k_quads, line + t.second, kernel_h, other);
    for (uint32_t i = 4; i--;) {
        const __m256i first = to[i];
        to[i / 2 * 4 + i % 2] = _mm256_blend_epi16(first, _mm256_slli_epi32(other[i], 16), 0xaa);
        to[i / 2 * 4 + 2 + i % 2] =
            _mm256_blend_epi16(_mm256_srli_epi32(first, 16), other[i], 0xaa);
    }
}

void quernel_uk_convlines_u8s8_6x16x2_avx2_prepare(const int8_t *panel,
                                                   const quernel_i_window *window, void *dst);
void quernel_uk_convlines_u8s8_6x16x2_avx2_prepare(const int8_t *panel,
                                                   const quernel_i_window *window, void *dst) {
    const taps t = taps_of(window);
    const uint32_t line_k_quads = line_k_quads_of(window), vectors = 4 * t.lines;
    for (uint32_t q = 0; q < line_k_quads; q++) {
        __m256i w[LINES_TAPS_MAX][8];
        for (uint32_t i = 0; i < t.count; i++)
            load_tap(panel + (size_t)q * 64, line_k_quads, window->kernel_h, t, i, w[i]);
        for (uint32_t j = 0; j < vectors; j++) {
            __m256i g[LINES_TAPS_MAX], v[LINES_IN_MAX], *to = (__m256i *)dst + q * vectors + j;
            for (uint32_t i = 0; i < t.count; i++) g[i] = w[i][j];
            lines_weights(g, v, t.count);
            for (uint32_t p = 0; p < t.count + LINES_OUT - 1; p++)
                to[(size_t)p * line_k_quads * vectors] = v[p];
        }
    }
}

// A call and the block in work: 4 lines of `count` pixels.
typedef struct work {
    const quernel_i_conv *c;
    taps t;
    uint8_t *inputs;   // [points][bytes of a line, of each of a tap's lines]
    int32_t *sums;     // [points][BAND_PIXELS][16]
    uint32_t pairs;    // of k of a point
    size_t row, point; // bytes
    uint32_t y, x, count;
    bool plain;
} work;

static inline __m256i load_bytes(const uint8_t *a, uint32_t count) {
    uint8_t some[BYTES] = {0};
    if (count < BYTES) a = memcpy(some, a, count);
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)a));
}

// Two lines alternate value by value: a row of both then is one stretch, wherever it begins.
static inline __attribute__((always_inline)) void
transform_vector(const uint8_t *const lines[LINES_IN_MAX][2], ptrdiff_t at, uint32_t count,
                 uint8_t *to, size_t point, uint32_t n_taps, uint32_t n_lines) {
    __m256i d[2][LINES_IN_MAX], v[2][LINES_IN_MAX];
#pragma GCC unroll 2
    for (uint32_t i = 0; i < n_lines; i++) {
#pragma GCC unroll 7
        for (uint32_t j = 0; j < n_taps + LINES_OUT - 1; j++)
            d[i][j] = load_bytes(lines[j][i] + at, count);
        lines_input(d[i], v[i], n_taps);
    }
#pragma GCC unroll 7
    for (uint32_t p = 0; p < n_taps + LINES_OUT - 1; p++, to += point) {
        if (n_lines == 1) {
            _mm256_store_si256((__m256i *)to, v[0][p]);
        } else {
            const __m256i low = _mm256_unpacklo_epi16(v[0][p], v[1][p]),
                          high = _mm256_unpackhi_epi16(v[0][p], v[1][p]);
            _mm256_store_si256((__m256i *)to, _mm256_permute2x128_si256(low, high, 0x20));
            _mm256_store_si256((__m256i *)to + 1, _mm256_permute2x128_si256(low, high, 0x31));
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
    for (uint32_t at = 0; at < bytes; at += BYTES) {
        uint8_t *to = w->inputs + (size_t)at * n_lines * sizeof(int16_t);
        if (bytes - at >= BYTES) transform_vector(lines, at, BYTES, to, w->point, n_taps, n_lines);
        else transform_vector(lines, at, bytes - at, to, w->point, n_taps, n_lines);
    }
}

static void transform_block(const work *w) {
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
            pair_tiles[some - 1](a + m * w->row, (ptrdiff_t)w->row, b, w->pairs, NULL,
                                 sums + m * NR);
            m += some;
        }
    }
}

// Outputs of 16 output channels of `pixels` pixels: acc[line][pixel][16].
static inline __attribute__((always_inline)) void
outputs(const int32_t *sums, uint32_t pixels, const int32_t *init, int32_t *acc, uint32_t n_taps) {
    for (uint32_t half = 0; half < NR; half += 8) {
        const __m256i start = _mm256_loadu_si256((const __m256i *)(init + half));
        for (uint32_t at = half; at < pixels * NR; at += NR) {
            __m256i m[LINES_IN_MAX], y[LINES_OUT];
#pragma GCC unroll 7
            for (uint32_t p = 0; p < n_taps + LINES_OUT - 1; p++)
                m[p] = _mm256_load_si256((const __m256i *)(sums + p * BAND_PIXELS * NR + at));
            lines_output(m, y, n_taps);
#pragma GCC unroll 4
            for (uint32_t i = 0; i < LINES_OUT; i++)
                _mm256_store_si256((__m256i *)(acc + i * BAND_PIXELS * NR + at),
                                   _mm256_add_epi32(y[i], start));
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

void quernel_uk_convlines_u8s8_6x16x2_avx2(const quernel_i_conv *c);
void quernel_uk_convlines_u8s8_6x16x2_avx2(const quernel_i_conv *c) {
    work w = {.c = c,
              .t = taps_of(&c->window),
              .inputs = c->scratch,
              .plain = epilogue_is_plain(c->epilogue)};
    const uint32_t max = block_pixels(&w);
    w.pairs = (c->window.kernel_w * c->window.channels * w.t.lines + 1) / 2;
    w.row = (size_t)c->window.stride_w * c->window.channels * w.t.lines * sizeof(int16_t);
    w.sums = (int32_t *)((uint8_t *)c->scratch +
                         quernel_uk_convlines_u8s8_6x16x2_avx2_scratch(line_k_quads_of(&c->window) *
                                                                       c->window.kernel_h) -
                         SUMS_BYTES);
    for (; w.y < c->lines; w.y += LINES_OUT)
        for (w.x = 0; w.x < c->pixels; w.x += w.count) {
            w.count = c->pixels - w.x < max ? c->pixels - w.x : max;
            w.point = point_bytes(span(&c->window, w.count), w.t.lines);
            transform_block(&w);
            convolve_block(&w);
        }
}
