// SPDX-License-Identifier: Apache-2.0
// Sums that become int8 without leaving their registers, 64 at a time: per 16 sums 5.25
// instructions (4 where a byte's own range is the only bound) beside the 6.75 of epilogue.h, and no
// store and load of each vector of sums.
#ifndef QUERNEL_AVX512VNNI_FINISH_H
#define QUERNEL_AVX512VNNI_FINISH_H

#include "epilogue.h"
#include "kernels/x86/finish.h"

typedef struct finish {
    __m512i zero, lo, hi, flip; // zero: 16 bits
    bool bare;
} finish;

static inline finish finish_of(const quernel_i_epilogue *f) {
    const finish_codes c = finish_codes_of(f);
    return (finish){_mm512_set1_epi16((int16_t)c.zero), _mm512_set1_epi8((char)c.lo),
                    _mm512_set1_epi8((char)c.hi), _mm512_set1_epi8((char)c.flip), c.bare};
}

static inline __attribute__((always_inline)) __m512i finish_code(__m512i sums, const float *scale,
                                                                 const float *bias) {
    return _mm512_cvtps_epi32(
        _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums), _mm512_loadu_ps(scale), _mm512_loadu_ps(bias)));
}

// A pair of vectors of codes as words, of which each quarter of the register has a quarter.
static inline __attribute__((always_inline)) __m512i finish_words(const finish *f, bool bare,
                                                                  __m512i v0, __m512i v1) {
    const __m512i words = _mm512_packs_epi32(v0, v1);
    return bare ? words : _mm512_adds_epi16(words, f->zero);
}

// Two pairs of words as bytes, in order.
static inline __attribute__((always_inline)) __m512i finish_bytes(const finish *f, bool bare,
                                                                  __m512i w0, __m512i w1) {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i bytes = _mm512_packus_epi16(w0, w1);
    if (!bare)
        bytes = _mm512_xor_si512(_mm512_min_epu8(_mm512_max_epu8(bytes, f->lo), f->hi), f->flip);
    return _mm512_permutexvar_epi32(order, bytes);
}

/// Two rows of sums of 32 output channels, c and d 16 of each. `bare` is a constant.
static inline __attribute__((always_inline)) void finish_two(const finish *f, bool bare, __m512i c0,
                                                             __m512i d0, __m512i c1, __m512i d1,
                                                             const float *scale, const float *bias,
                                                             uint8_t *y0, uint8_t *y1) {
    const float *scale1 = scale + LANES, *bias1 = bias + LANES;
    const __m512i bytes = finish_bytes(
        f, bare,
        finish_words(f, bare, finish_code(c0, scale, bias), finish_code(d0, scale1, bias1)),
        finish_words(f, bare, finish_code(c1, scale, bias), finish_code(d1, scale1, bias1)));
    _mm256_storeu_si256((__m256i *)y0, _mm512_castsi512_si256(bytes));
    _mm256_storeu_si256((__m256i *)y1, _mm512_extracti64x4_epi64(bytes, 1));
}

/// Two rows of sums of 16 output channels.
static inline __attribute__((always_inline)) void
finish_single(const finish *f, bool bare, __m512i c0, __m512i c1, const float *scale,
              const float *bias, uint8_t *y0, uint8_t *y1) {
    const __m512i words =
        finish_words(f, bare, finish_code(c0, scale, bias), finish_code(c1, scale, bias));
    const __m512i bytes = finish_bytes(f, bare, words, words);
    _mm_storeu_si128((__m128i *)y0, _mm512_castsi512_si128(bytes));
    _mm_storeu_si128((__m128i *)y1, _mm512_extracti32x4_epi32(bytes, 1));
}

#endif
