// SPDX-License-Identifier: Apache-2.0
// The quantize formula on 16 lanes: (x·m)·g, clamped, rounded, plus the zero point. A NaN converts
// to 0x80000000, whose low byte is 0, so that the low bytes are right for it too.
#ifndef QUERNEL_AVX512VNNI_QUANTIZE_H
#define QUERNEL_AVX512VNNI_QUANTIZE_H

#include "kernels/ukr.h"
#include "vnni.h"

typedef struct quantizer {
    __m512 g, lo, hi;
    __m512i zero;
} quantizer;

static inline quantizer quantizer_of(const quernel_i_quantize_args *r) {
    return (quantizer){_mm512_set1_ps(r->g), _mm512_set1_ps(r->lo), _mm512_set1_ps(r->hi),
                       _mm512_set1_epi32(r->zero)};
}

/// Sixteen codes in the low bytes of their lanes; the other bytes are of no use.
static inline __m512i quantize_16(const quantizer *q, __m512 x, __m512 m) {
    const __m512 t = _mm512_mul_ps(_mm512_mul_ps(x, m), q->g);
    return _mm512_add_epi32(round_clamped(t, q->lo, q->hi), q->zero);
}

#endif
