// SPDX-License-Identifier: Apache-2.0
// Look-ups for AVX-512 with VBMI: 256 codes in four vectors.
//
// vpermb takes the lower six bits of an index; the upper two choose among four of them, by masks.
// For 64 bytes that is 4 shuffles among 10 vector operations: 4 cycles where shuffles have one
// port, and the load and store of a line bind.
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/template/lookup.h"
#include "kernels/x86/turn.h"

// Not of the set: kernels.def says that this kernel needs it.
#define VBMI __attribute__((target("avx512vbmi")))

enum { QUARTERS = 4, BYTES = sizeof(__m512i), PAYS = 16 };

typedef struct codes {
    __m512i quarter[QUARTERS];
} codes;

static codes codes_of(const uint8_t *table) {
    codes c;
    for (int i = 0; i < QUARTERS; i++) c.quarter[i] = _mm512_loadu_si512(table + i * BYTES);
    return c;
}

VBMI static inline __attribute__((always_inline)) __m512i look_up(const codes *c, __m512i x) {
    const __mmask64 odd = _mm512_movepi8_mask(_mm512_add_epi8(x, x)),
                    upper = _mm512_movepi8_mask(x);
    __m512i low = _mm512_permutexvar_epi8(x, c->quarter[0]),
            high = _mm512_permutexvar_epi8(x, c->quarter[2]);
    low = _mm512_mask_permutexvar_epi8(low, odd, x, c->quarter[1]);
    high = _mm512_mask_permutexvar_epi8(high, odd, x, c->quarter[3]);
    return _mm512_mask_mov_epi8(low, upper, high);
}

VBMI static void look_up_line(const codes *c, const uint8_t *x, uint8_t *y, uint32_t count) {
    uint32_t i = 0;
    for (; i + BYTES <= count; i += BYTES)
        _mm512_storeu_si512(y + i, look_up(c, _mm512_loadu_si512(x + i)));
    const __mmask64 rest = ((__mmask64)1 << (count - i)) - 1; // fewer than 64
    if (rest)
        _mm512_mask_storeu_epi8(y + i, rest, look_up(c, _mm512_maskz_loadu_epi8(rest, x + i)));
}

VBMI static void look_up_16(const codes *c, __m128i v[TURN_LINES]) {
    for (int i = 0; i < TURN_LINES; i += 4)
        _mm512_storeu_si512(v + i, look_up(c, _mm512_loadu_si512(v + i)));
}

#include "kernels/x86/lookup.h"

void quernel_uk_lookup_u8_1x64x1_avx512vnni(const quernel_i_lookup *l);
void quernel_uk_lookup_u8_1x64x1_avx512vnni(const quernel_i_lookup *l) { lookup(l); }
