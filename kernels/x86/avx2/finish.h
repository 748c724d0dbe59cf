// SPDX-License-Identifier: Apache-2.0
// Sums that become int8 without leaving their registers, 32 at a time: per 16 sums 10.5
// instructions (8 where a byte's own range is the only bound), on three ports.
#ifndef QUERNEL_AVX2_FINISH_H
#define QUERNEL_AVX2_FINISH_H

#include "epilogue.h"
#include "kernels/x86/finish.h"

typedef struct finish {
    __m256i zero, lo, hi, flip; // zero: 16 bits
    bool bare;
} finish;

static inline finish finish_of(const quernel_i_epilogue *f) {
    const finish_codes c = finish_codes_of(f);
    return (finish){_mm256_set1_epi16((int16_t)c.zero), _mm256_set1_epi8((char)c.lo),
                    _mm256_set1_epi8((char)c.hi), _mm256_set1_epi8((char)c.flip), c.bare};
}

static inline __attribute__((always_inline)) __m256i finish_code(__m256i sums, const float *scale,
                                                                 const float *bias) {
    return _mm256_cvtps_epi32(epilogue_value(sums, _mm256_loadu_ps(scale), _mm256_loadu_ps(bias)));
}

// A row's 16 codes as words, of which each half of the register has half.
static inline __attribute__((always_inline)) __m256i finish_words(const finish *f, bool bare,
                                                                  __m256i c, __m256i d,
                                                                  const float *scale,
                                                                  const float *bias) {
    const __m256i words =
        _mm256_packs_epi32(finish_code(c, scale, bias), finish_code(d, scale + 8, bias + 8));
    return bare ? words : _mm256_adds_epi16(words, f->zero);
}

/// Two rows of sums of 16 output channels, c and d 8 of each. `bare` is a constant.
static inline __attribute__((always_inline)) void finish_two(const finish *f, bool bare, __m256i c0,
                                                             __m256i d0, __m256i c1, __m256i d1,
                                                             const float *scale, const float *bias,
                                                             uint8_t *y0, uint8_t *y1) {
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i bytes = _mm256_packus_epi16(finish_words(f, bare, c0, d0, scale, bias),
                                        finish_words(f, bare, c1, d1, scale, bias));
    if (!bare)
        bytes = _mm256_xor_si256(_mm256_min_epu8(_mm256_max_epu8(bytes, f->lo), f->hi), f->flip);
    bytes = _mm256_permutevar8x32_epi32(bytes, order);
    _mm_storeu_si128((__m128i *)y0, _mm256_castsi256_si128(bytes));
    _mm_storeu_si128((__m128i *)y1, _mm256_extracti128_si256(bytes, 1));
}

#endif
