// SPDX-License-Identifier: Apache-2.0
// Sums that become int8 without leaving their registers, 64 at a time.
//
// Integers take the place of float bounds: what a conversion to 32 bits cannot go beyond, packing
// saturates in order, so that a clamp of bytes does at the end. Per 16 sums 5.25 instructions (4
// where a byte's own range is the only bound) beside the 6.75 of epilogue.h, and no store and load
// of each vector of sums.
#ifndef QUERNEL_AVX512VNNI_FINISH_H
#define QUERNEL_AVX512VNNI_FINISH_H

#include "epilogue.h"

/// Bounds of the codes as u8; s8 codes are u8 ones with the upper bit flipped.
typedef struct finish {
    __m512i zero, lo, hi, flip; // zero: 16 bits
    bool bare;                  // u8 from 0 to 255, zero point 0
} finish;

// Whether lanes of a table keep within a bound, or are what the first one is.
static inline __mmask16 finish_within(const float *table, float bound) {
    return _mm512_cmp_ps_mask(_mm512_abs_ps(_mm512_loadu_ps(table)), _mm512_set1_ps(bound),
                              _CMP_LE_OQ);
}
static inline __mmask16 finish_equal(const float *table, float first) {
    return _mm512_cmp_ps_mask(_mm512_loadu_ps(table), _mm512_set1_ps(first), _CMP_EQ_OQ);
}

/// Whether a plain epilogue may be finished here: no value leaves 1.5·2^30 (nor is NaN), and all
/// output channels have the same bounds.
static inline bool finish_fits(const quernel_i_epilogue *f, uint32_t oc) {
    if (f->act == QUERNEL_I_ACT_PRELU) return false;
    for (uint32_t n = 0; n < oc; n += LANES) {
        __mmask16 fits = finish_within(f->scale + n, 0.5f) & finish_within(f->bias + n, 0x1p29f);
        if (f->act == QUERNEL_I_ACT_CLAMP)
            fits &=
                finish_equal(f->act_lo + n, *f->act_lo) & finish_equal(f->act_hi + n, *f->act_hi);
        if (lanes(oc - n) & ~fits) return false;
    }
    return true;
}

// A bound of values as a code.
static inline int32_t finish_bound(const quernel_i_epilogue *f, float bound) {
    const __m128 value =
        _mm_min_ss(_mm_max_ss(_mm_set_ss(bound), _mm_set_ss(f->q_lo)), _mm_set_ss(f->q_hi));
    return _mm_cvtss_si32(value) + f->q_zero;
}

static inline finish finish_of(const quernel_i_epilogue *f) {
    const int32_t flip = f->out == QUERNEL_TYPE_S8 ? 0x80 : 0;
    float lo = f->q_lo, hi = f->q_hi;
    if (f->act == QUERNEL_I_ACT_RELU) lo = 0;
    if (f->act == QUERNEL_I_ACT_CLAMP) lo = *f->act_lo, hi = *f->act_hi;
    const int32_t low = finish_bound(f, lo) + flip, high = finish_bound(f, hi) + flip,
                  zero = f->q_zero + flip;
    return (finish){_mm512_set1_epi16((int16_t)zero), _mm512_set1_epi8((char)low),
                    _mm512_set1_epi8((char)high), _mm512_set1_epi8((char)flip),
                    !flip && !zero && !low && high == UINT8_MAX};
}

/// Scale and bias of two sub-panels, or of one twice.
typedef struct finish_columns {
    __m512 scale0, bias0, scale1, bias1;
} finish_columns;

static inline __attribute__((always_inline)) finish_columns
finish_columns_at(const quernel_i_epilogue *f, uint32_t n, int panels) {
    const uint32_t last = n + (panels - 1) * LANES;
    return (finish_columns){_mm512_loadu_ps(f->scale + n), _mm512_loadu_ps(f->bias + n),
                            _mm512_loadu_ps(f->scale + last), _mm512_loadu_ps(f->bias + last)};
}

static inline __attribute__((always_inline)) __m512i finish_code(__m512i sums, __m512 scale,
                                                                 __m512 bias) {
    return _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_cvtepi32_ps(sums), scale, bias));
}

// The bytes of 4 x 16 codes in order.
static inline __attribute__((always_inline)) __m512i
finish_bytes(const finish *f, bool bare, __m512i v0, __m512i v1, __m512i v2, __m512i v3) {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i v01 = _mm512_packs_epi32(v0, v1), v23 = _mm512_packs_epi32(v2, v3);
    if (!bare) v01 = _mm512_adds_epi16(v01, f->zero), v23 = _mm512_adds_epi16(v23, f->zero);
    __m512i bytes = _mm512_packus_epi16(v01, v23);
    if (!bare) {
        bytes = _mm512_min_epu8(_mm512_max_epu8(bytes, f->lo), f->hi);
        bytes = _mm512_xor_si512(bytes, f->flip);
    }
    return _mm512_permutexvar_epi32(order, bytes);
}

/// Two rows of sums of up to 32 output channels, c and d 16 of each. `bare` is a constant.
static inline __attribute__((always_inline)) void
finish_two(const finish *f, const finish_columns *at, bool bare, __m512i c0, __m512i d0, __m512i c1,
           __m512i d1, uint32_t oc, uint8_t *y0, uint8_t *y1) {
    const __m512i rows = finish_bytes(
        f, bare, finish_code(c0, at->scale0, at->bias0), finish_code(d0, at->scale1, at->bias1),
        finish_code(c1, at->scale0, at->bias0), finish_code(d1, at->scale1, at->bias1));
    const __m256i row0 = _mm512_castsi512_si256(rows), row1 = _mm512_extracti64x4_epi64(rows, 1);
    if (oc == EPILOGUE_NR) {
        _mm256_storeu_si256((__m256i *)y0, row0);
        _mm256_storeu_si256((__m256i *)y1, row1);
    } else {
        const __mmask32 mask = (__mmask32)((1u << oc) - 1);
        _mm256_mask_storeu_epi8(y0, mask, row0);
        _mm256_mask_storeu_epi8(y1, mask, row1);
    }
}

/// The pairs of a tile's rows: op(row, next row); the last one of an odd number goes twice.
#define PAIRS_1(op) op(0, 0)
#define PAIRS_2(op) op(0, 1)
#define PAIRS_3(op) PAIRS_2(op) op(2, 2)
#define PAIRS_4(op) PAIRS_2(op) op(2, 3)
#define PAIRS_5(op) PAIRS_4(op) op(4, 4)
#define PAIRS_6(op) PAIRS_4(op) op(4, 5)
#define PAIRS_7(op) PAIRS_6(op) op(6, 6)
#define PAIRS_8(op) PAIRS_6(op) op(6, 7)
#define PAIRS_9(op) PAIRS_8(op) op(8, 8)
#define PAIRS_10(op) PAIRS_8(op) op(8, 9)
#define PAIRS_11(op) PAIRS_10(op) op(10, 10)
#define PAIRS_12(op) PAIRS_10(op) op(10, 11)
#define PAIRS_13(op) PAIRS_12(op) op(12, 12)
#define PAIRS_14(op) PAIRS_12(op) op(12, 13)

#endif
