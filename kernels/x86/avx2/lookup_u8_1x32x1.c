// SPDX-License-Identifier: Apache-2.0
// Look-ups for AVX2: 256 codes in 16 tables of 16, one for each upper nibble.
//
// vpshufb gives 0 for an index below 0. So with i = x mod 128, table k of half the codes is looked
// up with i − 16·k, and counts for all codes from 16·k on: it holds the difference (exclusive or)
// to the table before it, and all that count are joined. The upper bit of x chooses between the
// halves. For 32 bytes that is 16 vpshufb among 39 vector operations: 16 cycles where shuffles have
// one port, 10 to 13 where they have two.
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/template/lookup.h"
#include "kernels/x86/turn.h"

enum { NIBBLES = 8, TABLE = 16 /* bytes */, PAYS = 96 };

// Of each half of the codes.
typedef struct codes {
    __m256i lower[NIBBLES], upper[NIBBLES];
} codes;

static codes codes_of(const uint8_t *table) {
    codes d;
    for (int half = 0; half < 2; half++) {
        __m256i before = _mm256_setzero_si256(), *to = half ? d.upper : d.lower;
        for (int i = 0; i < NIBBLES; i++, table += TABLE) {
            const __m256i v = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
            to[i] = _mm256_xor_si256(v, before);
            before = v;
        }
    }
    return d;
}

static inline __attribute__((always_inline)) __m256i look_up(const codes *d, __m256i x) {
    __m256i index = _mm256_and_si256(x, _mm256_set1_epi8(0x7f));
    __m256i lower = _mm256_shuffle_epi8(d->lower[0], index),
            upper = _mm256_shuffle_epi8(d->upper[0], index);
#pragma GCC unroll 7
    for (int i = 1; i < NIBBLES; i++) {
        index = _mm256_sub_epi8(index, _mm256_set1_epi8(TABLE));
        lower = _mm256_xor_si256(lower, _mm256_shuffle_epi8(d->lower[i], index));
        upper = _mm256_xor_si256(upper, _mm256_shuffle_epi8(d->upper[i], index));
    }
    return _mm256_blendv_epi8(lower, upper, x);
}

static void look_up_line(const codes *d, const uint8_t *x, uint8_t *y, uint32_t count) {
    uint32_t i = 0;
    for (; i + 32 <= count; i += 32)
        _mm256_storeu_si256((__m256i *)(y + i),
                            look_up(d, _mm256_loadu_si256((const __m256i *)(x + i))));
    if (i == count) return;
    uint8_t part[32] = {0};
    memcpy(part, x + i, count - i);
    _mm256_storeu_si256((__m256i *)part, look_up(d, _mm256_loadu_si256((const __m256i *)part)));
    memcpy(y + i, part, count - i);
}

static void look_up_16(const codes *d, __m128i v[TURN_LINES]) {
    for (int i = 0; i < TURN_LINES; i += 2) {
        const __m256i two = look_up(d, _mm256_set_m128i(v[i + 1], v[i]));
        v[i] = _mm256_castsi256_si128(two), v[i + 1] = _mm256_extracti128_si256(two, 1);
    }
}

#include "kernels/x86/lookup.h"

void quernel_uk_lookup_u8_1x32x1_avx2(const quernel_i_lookup *l);
void quernel_uk_lookup_u8_1x32x1_avx2(const quernel_i_lookup *l) { lookup(l); }
