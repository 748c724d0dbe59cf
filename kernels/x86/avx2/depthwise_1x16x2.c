// SPDX-License-Identifier: Apache-2.0
// Depthwise for AVX2, u8 and s8 rows, exact on any data: 16 channels at a time, taps two by two.
//
// Two taps of 16 channels are widened to 16 bits and interleaved, so that vpmaddwd multiplies both and adds them. Weights are
// interleaved once for up to 16 pairs of taps, then the pixels of a tile pass by: per pair and pixel 2 loads that widen, 2
// unpacks, 2 vpmaddwd, 2 vpaddd for 32 products. On Zen 4 8 vector operations on 4 pipes: 2 cycles, 16 products a cycle at
// most; neighbouring pixels' taps are loaded anew. The tile is finished from L1.
#include <immintrin.h>

#include "finish.h"
#include "kernels/ukr.h"

enum { PIXELS = 16, PAIRS = 16, CHANNELS = 16 };

typedef struct pair_weights {
    __m256i low, high; // channels 0-3 and 8-11, 4-7 and 12-15; two taps each
} pair_weights;

static inline __m256i widen_weights(const int8_t *w) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)w));
}

// Pairs of taps from `first` on; a last odd one meets zeros.
static void expand(const quernel_i_depthwise *d, uint32_t first, uint32_t taps, uint32_t c, pair_weights *to) {
    for (uint32_t t = 0; t < taps; t += 2, to++) {
        const int8_t *w = d->w + (first + t) * d->w_tap + c;
        const __m256i w0 = widen_weights(w);
        const __m256i w1 = t + 1 < taps ? widen_weights(w + d->w_tap) : _mm256_setzero_si256();
        to->low = _mm256_unpacklo_epi16(w0, w1);
        to->high = _mm256_unpackhi_epi16(w0, w1);
    }
}

// 16 channels of one tap; `count` of them where fewer are there.
static inline __attribute__((always_inline)) __m256i widen(const uint8_t *a, uint32_t count, bool is_signed) {
    __m128i v;
    if (count < CHANNELS) {
        uint8_t some[CHANNELS] = {0};
        memcpy(some, a, count);
        v = _mm_loadu_si128((const __m128i *)some);
    } else {
        v = _mm_loadu_si128((const __m128i *)a);
    }
    return is_signed ? _mm256_cvtepi8_epi16(v) : _mm256_cvtepu8_epi16(v);
}

// acc[16] += the taps of one pixel. `count` is a constant 16, or what is left of the channels.
static inline __attribute__((always_inline)) void add_taps(const uint8_t *a, const ptrdiff_t *offsets, uint32_t taps,
                                                           const pair_weights *w, uint32_t count, bool is_signed,
                                                           int32_t *acc) {
    __m256i *to = (__m256i *)acc;
    __m256i low = _mm256_permute2x128_si256(to[0], to[1], 0x20), high = _mm256_permute2x128_si256(to[0], to[1], 0x31);
    for (uint32_t t = 0; t < taps; t += 2, w++) {
        const __m256i a0 = widen(a + offsets[t], count, is_signed);
        const __m256i a1 = widen(a + offsets[t + 1 < taps ? t + 1 : t], count, is_signed);
        low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a0, a1), w->low));
        high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a0, a1), w->high));
    }
    to[0] = _mm256_permute2x128_si256(low, high, 0x20);
    to[1] = _mm256_permute2x128_si256(low, high, 0x31);
}

static inline __attribute__((always_inline)) void depthwise(const quernel_i_depthwise *d, bool is_signed) {
    int32_t acc[PIXELS * CHANNELS] __attribute__((aligned(64)));
    pair_weights w[PAIRS];
    const bool plain = finish_is_plain(d->finish);
    for (uint32_t m = 0; m < d->rows; m += PIXELS)
        for (uint32_t c = 0; c < d->columns; c += CHANNELS) {
            const uint32_t rows = d->rows - m < PIXELS ? d->rows - m : PIXELS;
            const uint32_t count = d->columns - c < CHANNELS ? d->columns - c : CHANNELS;
            for (uint32_t r = 0; r < rows; r++) memcpy(acc + r * CHANNELS, d->init + c, CHANNELS * sizeof *acc);
            for (uint32_t first = 0; first < d->n_taps; first += 2 * PAIRS) {
                const uint32_t taps = d->n_taps - first < 2 * PAIRS ? d->n_taps - first : 2 * PAIRS;
                expand(d, first, taps, c, w);
                for (uint32_t r = 0; r < rows; r++) {
                    const uint8_t *a = (const uint8_t *)d->a + (ptrdiff_t)(m + r) * d->a_row + c;
                    if (count == CHANNELS) add_taps(a, d->taps + first, taps, w, CHANNELS, is_signed, acc + r * CHANNELS);
                    else add_taps(a, d->taps + first, taps, w, count, is_signed, acc + r * CHANNELS);
                }
            }
            finish_run(&(finish_tile){acc, rows, count, m, c}, d->finish, plain);
        }
}

void quernel_uk_depthwise_u8s8_1x16x2_avx2(const quernel_i_depthwise *d);
void quernel_uk_depthwise_u8s8_1x16x2_avx2(const quernel_i_depthwise *d) { depthwise(d, false); }
void quernel_uk_depthwise_s8s8_1x16x2_avx2(const quernel_i_depthwise *d);
void quernel_uk_depthwise_s8s8_1x16x2_avx2(const quernel_i_depthwise *d) { depthwise(d, true); }
