// SPDX-License-Identifier: Apache-2.0
// Sums that become int8 without leaving their registers: what kernels of x86 ask before, in vectors
// of 8.
//
// Integers take the place of float bounds: what a conversion to 32 bits cannot go beyond, packing
// saturates in order, so that a clamp of bytes does at the end.
#ifndef QUERNEL_X86_FINISH_H
#define QUERNEL_X86_FINISH_H

#include <immintrin.h>
#include <stdbool.h>

#include "kernels/ukr.h"

/// Zero point and bounds of the codes as u8; s8 codes are u8 ones with the upper bit flipped.
typedef struct finish_codes {
    int32_t zero, lo, hi, flip;
    bool bare; // u8 from 0 to 255, zero point 0
} finish_codes;

// Lanes of a table that lie beyond a bound, or are not what the first one is. NaN does.
static inline __m256 finish_beyond(const float *table, float bound) {
    return _mm256_cmp_ps(_mm256_andnot_ps(_mm256_set1_ps(-0.0f), _mm256_loadu_ps(table)),
                         _mm256_set1_ps(bound), _CMP_NLE_UQ);
}
static inline __m256 finish_unlike(const float *table, float first) {
    return _mm256_cmp_ps(_mm256_loadu_ps(table), _mm256_set1_ps(first), _CMP_NEQ_UQ);
}

/// Whether a plain epilogue of int8 may be finished so: no value leaves 1.5·2^30 (nor is NaN), and
/// all output channels have the same bounds.
static inline bool finish_fits(const quernel_i_epilogue *f, uint32_t oc) {
    const bool clamps = f->act == QUERNEL_I_ACT_CLAMP;
    const __m256i order = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    if (!function_is_clamp(f->act)) return false;
    for (uint32_t n = 0; n < oc; n += 8) {
        __m256 bad =
            _mm256_or_ps(finish_beyond(f->scale + n, 0.5f), finish_beyond(f->bias + n, 0x1p29f));
        if (clamps)
            bad = _mm256_or_ps(bad, _mm256_or_ps(finish_unlike(f->act_lo + n, *f->act_lo),
                                                 finish_unlike(f->act_hi + n, *f->act_hi)));
        const __m256i real = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(oc - n)), order);
        if (_mm256_movemask_ps(_mm256_and_ps(bad, _mm256_castsi256_ps(real)))) return false;
    }
    return true;
}

// A bound of values as a code.
static inline int32_t finish_bound(const quernel_i_epilogue *f, float bound) {
    const __m128 value =
        _mm_min_ss(_mm_max_ss(_mm_set_ss(bound), _mm_set_ss(f->q_lo)), _mm_set_ss(f->q_hi));
    return _mm_cvtss_si32(value) + f->q_zero;
}

static inline finish_codes finish_codes_of(const quernel_i_epilogue *f) {
    const int32_t flip = f->out == QUERNEL_TYPE_S8 ? 0x80 : 0;
    float lo = f->q_lo, hi = f->q_hi;
    if (f->act == QUERNEL_I_ACT_RELU) lo = 0;
    if (f->act == QUERNEL_I_ACT_CLAMP) lo = *f->act_lo, hi = *f->act_hi;
    finish_codes c = {f->q_zero + flip, finish_bound(f, lo) + flip, finish_bound(f, hi) + flip,
                      flip, false};
    c.bare = !c.flip && !c.zero && !c.lo && c.hi == UINT8_MAX;
    return c;
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
