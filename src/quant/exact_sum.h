// SPDX-License-Identifier: Apache-2.0
// The exact sum of non-negative finite binary32 values, as an integer in units of 2^-149: no order
// of adding matters.
#ifndef QUERNEL_QUANT_EXACT_SUM_H
#define QUERNEL_QUANT_EXACT_SUM_H

#include <assert.h>
#include <math.h>
#include <stdint.h>

#include "base/num.h"

// 254 binades above 2^-149 and 24 bits: 277 bits, which leave 75 for the carries of 2^75 numbers.
_Static_assert(11 * 32 - 277 >= 64, "more numbers fit than a 64-bit count can have");

/// Digits of base 2^32, least first: 277 bits for one number, the rest for carries.
typedef struct quernel_i_exact_sum {
    uint32_t digit[11];
} quernel_i_exact_sum;

/// Adds value·2^(32·i), carrying upwards.
static inline void quernel_i_exact_sum_carry(quernel_i_exact_sum *s, uint32_t i, uint64_t value) {
    assert(i < 11);
    for (; value && i < 11; i++) {
        value += s->digit[i];
        s->digit[i] = (uint32_t)value;
        value >>= 32;
    }
}

/// Adds a finite x >= 0.
static inline void quernel_i_exact_sum_add(quernel_i_exact_sum *s, float x) {
    const uint32_t bits = quernel_i_bits(x), exponent = bits >> 23 & 255;
    assert(x >= 0.0f && exponent < 255); // −0 has no fraction
    const uint64_t fraction = (bits & 0x7fffff) | (exponent ? 0x800000u : 0u);
    const uint32_t up = exponent ? exponent - 1 : 0;
    quernel_i_exact_sum_carry(s, up / 32, (fraction << up % 32) & 0xffffffffu);
    quernel_i_exact_sum_carry(s, up / 32 + 1, (fraction << up % 32) >> 32);
}

static inline void quernel_i_exact_sum_merge(quernel_i_exact_sum *into,
                                             const quernel_i_exact_sum *from) {
    for (uint32_t i = 0; i < 11; i++) quernel_i_exact_sum_carry(into, i, from->digit[i]);
}

/// The sum as a double, its digits added up from the highest one.
static inline double quernel_i_exact_sum_value(const quernel_i_exact_sum *s) {
    double value = 0.0;
    for (uint32_t i = 11; i-- > 0;) value += ldexp((double)s->digit[i], (int)(32 * i) - 149);
    return value;
}

#endif
