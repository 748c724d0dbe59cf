// SPDX-License-Identifier: Apache-2.0
// Depthwise sums in registers: the kernel slides over the pixels of a line. A column of x, 16
// channels of each line, is loaded once and added to every output pixel that it is a tap of; an
// output leaves when its last column has come.
//
// Lines go two by two: their bytes are interleaved and widened, so that a vpmaddwd adds two taps of
// 8 channels. An odd last line is widened to 32 bits, its partner's weight is 0. Nothing can
// saturate: two products of a byte and a weight fit 17 bits.
#ifndef QUERNEL_AVX2_SLIDE_H
#define QUERNEL_AVX2_SLIDE_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernels/template/depthwise.h"

enum { SLIDE_MAX = 5, SLIDE_CHANNELS = 16, SLIDE_WEIGHTS = SLIDE_MAX * (SLIDE_MAX + 1) / 2 * 2 };

/// One line of outputs, 16 channels.
typedef struct slide {
    const uint8_t *a;         // the first column inside
    ptrdiff_t line, pixel;    // bytes
    depthwise_columns inside; // all others are `outside`
    uint8_t outside[SLIDE_CHANNELS];
    uint32_t pixels; // outputs
    __m256i init[2];
    __m256i weights[SLIDE_WEIGHTS]; // [column][pair of lines][8 channels]
} slide;

static inline __m128i slide_bytes(const void *a) { return _mm_loadu_si128((const __m128i *)a); }

static inline __attribute__((always_inline)) __m256i slide_widen(__m128i bytes, bool is_signed) {
    return is_signed ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
}

// Channels 8h … 8h + 7 of two lines, or of one.
static inline __attribute__((always_inline)) __m256i slide_pair(__m128i upper, __m128i lower, int h,
                                                                bool is_signed) {
    return slide_widen(h ? _mm_unpackhi_epi8(upper, lower) : _mm_unpacklo_epi8(upper, lower),
                       is_signed);
}
static inline __attribute__((always_inline)) __m256i slide_single(__m128i line, int h,
                                                                  bool is_signed) {
    const __m128i bytes = h ? _mm_unpackhi_epi64(line, line) : line;
    return is_signed ? _mm256_cvtepi8_epi32(bytes) : _mm256_cvtepu8_epi32(bytes);
}

// sum + x · weights. The weights stay in memory: where a compiler moves some of them to registers,
// it spills sums.
static inline __attribute__((always_inline)) __m256i slide_add(__m256i sum, __m256i x,
                                                               const __m256i *weights) {
    __m256i products;
    __asm__("vpmaddwd %2, %1, %0" : "=x"(products) : "x"(x), "m"(*weights));
    return _mm256_add_epi32(sum, products);
}

/// Interleaves the weights of 16 channels, `tap` bytes from tap to tap.
static inline void slide_weights(slide *s, const int8_t *w, size_t tap, uint32_t lines,
                                 uint32_t kernel_columns) {
    const uint32_t pairs = (lines + 1) / 2;
    for (uint32_t j = 0; j < kernel_columns; j++)
        for (uint32_t p = 0; p < pairs; p++) {
            const int8_t *at = w + (2 * p * kernel_columns + j) * tap;
            const __m128i upper = slide_bytes(at);
            const __m128i lower =
                2 * p + 1 < lines ? slide_bytes(at + kernel_columns * tap) : _mm_setzero_si128();
            for (int h = 0; h < 2; h++)
                s->weights[(j * pairs + p) * 2 + h] = slide_pair(upper, lower, h, true);
        }
}

/// acc[pixels][16]; `lines` and `kernel_columns` of the kernel, `step` pixels from output to
/// output, all of them constants.
static inline __attribute__((always_inline)) void slide_line(const slide *s, const int lines,
                                                             const int kernel_columns,
                                                             const int step, bool is_signed,
                                                             int32_t *acc) {
    const int flight = (kernel_columns + step - 1) / step, pairs = (lines + 1) / 2;
    const int halves = lines > 3 ? 1 : 2; // that the registers hold at a time
    const uint32_t last = (s->pixels - 1) * (uint32_t)step + (uint32_t)kernel_columns - 1;
    for (int h0 = 0; h0 < 2; h0 += halves) {
        __m256i sum[SLIDE_MAX][2]; // of the i-th last output that was begun
        for (int i = 0; i < SLIDE_MAX; i++) sum[i][0] = sum[i][1] = _mm256_setzero_si256();
        for (uint32_t m = 0; m < s->pixels + (uint32_t)flight - 1; m++) {
#pragma GCC unroll 8
            for (int i = flight - 1; i > 0; i--)
                sum[i][0] = sum[i - 1][0], sum[i][1] = sum[i - 1][1];
            sum[0][0] = s->init[h0], sum[0][1] = s->init[1];
#pragma GCC unroll 2
            for (int o = 0; o < step; o++) {
                // behind the last column comes nothing that counts
                const uint32_t c = m * (uint32_t)step + (uint32_t)o;
                const uint32_t column = (c < last ? c : last) - s->inside.from;
                const bool inside = column < s->inside.to - s->inside.from;
                const ptrdiff_t line = inside ? s->line : 0;
                const uint8_t *at = inside ? s->a + (ptrdiff_t)column * s->pixel : s->outside;
#pragma GCC unroll 4
                for (int p = 0; p < pairs; p++) {
                    const __m128i upper = slide_bytes(at + 2 * p * line);
                    const bool two = 2 * p + 1 < lines;
                    const __m128i lower = two ? slide_bytes(at + (2 * p + 1) * line) : upper;
#pragma GCC unroll 2
                    for (int h = 0; h < halves; h++) {
                        const __m256i x = two ? slide_pair(upper, lower, h0 + h, is_signed)
                                              : slide_single(upper, h0 + h, is_signed);
#pragma GCC unroll 8
                        for (int i = 0; i < flight; i++)
                            if (i * step + o < kernel_columns)
                                sum[i][h] = slide_add(
                                    sum[i][h], x,
                                    &s->weights[((i * step + o) * pairs + p) * 2 + h0 + h]);
                    }
                }
            }
            if (m + 1 < (uint32_t)flight) continue;
            int32_t *to = acc + (m + 1 - (uint32_t)flight) * SLIDE_CHANNELS + 8 * h0;
#pragma GCC unroll 2
            for (int h = 0; h < halves; h++)
                _mm256_storeu_si256((__m256i *)(to + 8 * h), sum[flight - 1][h]);
        }
    }
}

#endif
