// SPDX-License-Identifier: Apache-2.0
// The quantize formula on 16 lanes: (x·m)·g, clamped, rounded. A NaN converts to 0x80000000, whose
// low byte is 0, so that the low bytes are right for it too; the zero point is added to bytes.
#ifndef QUERNEL_AVX512VNNI_QUANTIZE_H
#define QUERNEL_AVX512VNNI_QUANTIZE_H

#include "kernels/ukr.h"
#include "vnni.h"

typedef struct quantizer {
    __m512 g, lo, hi;
    __m512i zero; // bytes
} quantizer;

static inline quantizer quantizer_of(const quernel_i_quantize_args *r) {
    return (quantizer){_mm512_set1_ps(r->g), _mm512_set1_ps(r->lo), _mm512_set1_ps(r->hi),
                       _mm512_set1_epi8((char)r->zero)};
}

/// Sixteen codes less the zero point in the low bytes of their lanes; the other bytes are of no
/// use. `g_is_1`: the product with g is exact and left out.
static inline __attribute__((always_inline)) __m512i quantize_16(const quantizer *q, __m512 x,
                                                                 __m512 m, bool g_is_1) {
    __m512 t = _mm512_mul_ps(x, m);
    if (!g_is_1) t = _mm512_mul_ps(t, q->g);
    return round_clamped(t, q->lo, q->hi);
}

#endif
