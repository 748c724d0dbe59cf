// SPDX-License-Identifier: Apache-2.0
// Sums that become int8 without leaving their registers, 64 at a time: per 16 sums 5.25
// instructions (4 where a byte's own range is the only bound) beside the 6.75 of epilogue.h, and no
// store and load of each vector of sums. A residual of codes takes 5 more.
#ifndef QUERNEL_AVX512VNNI_FINISH_H
#define QUERNEL_AVX512VNNI_FINISH_H

#include "epilogue.h"
#include "kernels/x86/finish.h"

/// What is done to sums.
typedef enum finish_kind {
    FINISH_BARE,    // u8 from 0 to 255, zero point 0
    FINISH_CODES,   // any zero point and bounds
    FINISH_RESIDUAL // the same, with a residual of codes
} finish_kind;

typedef struct finish {
    __m512i zero, lo, hi, flip; // zero: 16 bits
    __m512i r_zero;             // of the residual as u8
    __m128i r_flip;
    finish_kind kind;
} finish;

/// Of the output channels of a tile.
typedef struct finish_columns {
    const float *scale, *bias, *r_scale;
} finish_columns;

/// Whether a residual is one that epilogue_int8 adds, and no value of it goes beyond 2^28.
static inline bool finish_adds(const quernel_i_epilogue *f, uint32_t oc) {
    if (!epilogue_adds(f)) return false;
    for (uint32_t n = 0; n < oc; n++)
        if (!(f->r_scale[n] <= 0x1p20f && f->r_scale[n] >= -0x1p20f)) return false; // NaN as well
    return true;
}

static inline finish finish_of(const quernel_i_epilogue *f) {
    const finish_codes c = finish_codes_of(f);
    const int r_flip = epilogue_r_flip(f);
    const finish_kind plain = c.bare ? FINISH_BARE : FINISH_CODES;
    return (finish){.zero = _mm512_set1_epi16((int16_t)c.zero),
                    .lo = _mm512_set1_epi8((char)c.lo),
                    .hi = _mm512_set1_epi8((char)c.hi),
                    .flip = _mm512_set1_epi8((char)c.flip),
                    .r_zero = _mm512_set1_epi32(f->r_zero + r_flip),
                    .r_flip = _mm_set1_epi8((char)r_flip),
                    .kind = f->residual ? FINISH_RESIDUAL : plain};
}

static inline finish_columns finish_columns_at(const quernel_i_epilogue *f, uint32_t n) {
    return (finish_columns){f->scale + n, f->bias + n, f->residual ? f->r_scale + n : NULL};
}

/// Of a row m and output channel n, or NULL.
static inline const uint8_t *finish_residual(const quernel_i_epilogue *f, uint32_t m, uint32_t n) {
    return f->residual ? (const uint8_t *)f->residual + (ptrdiff_t)m * f->r_row + n : NULL;
}

// `i`: of the 32 output channels, `r`: the row's residual, where `kind` has one.
static inline __attribute__((always_inline)) __m512i finish_code(const finish *f, finish_kind kind,
                                                                 __m512i sums, uint32_t i,
                                                                 const finish_columns *c,
                                                                 const uint8_t *r) {
    __m512 t = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums), _mm512_loadu_ps(c->scale + i),
                               _mm512_loadu_ps(c->bias + i));
    if (kind == FINISH_RESIDUAL) {
        const epilogue_codes codes = {_mm512_loadu_ps(c->r_scale + i), f->r_zero, f->r_flip};
        t = epilogue_add_codes(t, _mm_loadu_si128((const __m128i *)(r + i)), &codes);
    }
    return _mm512_cvtps_epi32(t);
}

// A pair of vectors of codes as words, of which each quarter of the register has a quarter.
static inline __attribute__((always_inline)) __m512i finish_words(const finish *f, finish_kind kind,
                                                                  __m512i v0, __m512i v1) {
    const __m512i words = _mm512_packs_epi32(v0, v1);
    return kind == FINISH_BARE ? words : _mm512_adds_epi16(words, f->zero);
}

// Two pairs of words as bytes, in order.
static inline __attribute__((always_inline)) __m512i finish_bytes(const finish *f, finish_kind kind,
                                                                  __m512i w0, __m512i w1) {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i bytes = _mm512_packus_epi16(w0, w1);
    if (kind != FINISH_BARE)
        bytes = _mm512_xor_si512(_mm512_min_epu8(_mm512_max_epu8(bytes, f->lo), f->hi), f->flip);
    return _mm512_permutexvar_epi32(order, bytes);
}

/// Where two rows lie, and their residuals.
typedef struct finish_rows {
    uint8_t *y0, *y1;
    const uint8_t *r0, *r1;
} finish_rows;

/// Two rows of sums of 32 output channels, c and d 16 of each. `kind` is a constant.
static inline __attribute__((always_inline)) void finish_two(const finish *f, finish_kind kind,
                                                             __m512i c0, __m512i d0, __m512i c1,
                                                             __m512i d1, const finish_columns *c,
                                                             const finish_rows *at) {
    const __m512i bytes = finish_bytes(f, kind,
                                       finish_words(f, kind, finish_code(f, kind, c0, 0, c, at->r0),
                                                    finish_code(f, kind, d0, LANES, c, at->r0)),
                                       finish_words(f, kind, finish_code(f, kind, c1, 0, c, at->r1),
                                                    finish_code(f, kind, d1, LANES, c, at->r1)));
    _mm256_storeu_si256((__m256i *)at->y0, _mm512_castsi512_si256(bytes));
    _mm256_storeu_si256((__m256i *)at->y1, _mm512_extracti64x4_epi64(bytes, 1));
}

/// Two rows of sums of 16 output channels.
static inline __attribute__((always_inline)) void finish_single(const finish *f, finish_kind kind,
                                                                __m512i c0, __m512i c1,
                                                                const finish_columns *c,
                                                                const finish_rows *at) {
    const __m512i words = finish_words(f, kind, finish_code(f, kind, c0, 0, c, at->r0),
                                       finish_code(f, kind, c1, 0, c, at->r1));
    const __m512i bytes = finish_bytes(f, kind, words, words);
    _mm_storeu_si128((__m128i *)at->y0, _mm512_castsi512_si128(bytes));
    _mm_storeu_si128((__m128i *)at->y1, _mm512_extracti32x4_epi32(bytes, 1));
}

/// Four pixels' sums of 16 output channels, whose bytes lie `y_row` apart; without a residual.
static inline __attribute__((always_inline)) void finish_pixels(const finish *f, finish_kind kind,
                                                                const __m512i sums[4],
                                                                const finish_columns *c, uint8_t *y,
                                                                ptrdiff_t y_row) {
    __m512i codes[4];
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++) codes[i] = finish_code(f, kind, sums[i], 0, c, NULL);
    const __m512i bytes = finish_bytes(f, kind, finish_words(f, kind, codes[0], codes[1]),
                                       finish_words(f, kind, codes[2], codes[3]));
    _mm_storeu_si128((__m128i *)y, _mm512_castsi512_si128(bytes));
    _mm_storeu_si128((__m128i *)(y + y_row), _mm512_extracti32x4_epi32(bytes, 1));
    _mm_storeu_si128((__m128i *)(y + 2 * y_row), _mm512_extracti32x4_epi32(bytes, 2));
    _mm_storeu_si128((__m128i *)(y + 3 * y_row), _mm512_extracti32x4_epi32(bytes, 3));
}

#endif
