// SPDX-License-Identifier: Apache-2.0
// One dimension: Winograd's F(4, 2), F(4, 3) and F(4, 4) in integers: 5, 6 and 7 products where 4
// outputs of 2, 3 and 4 taps take 8, 12 and 16, with the points 0, ±1, 2, ∞, then −2, then 3.
//
// y = Aᵀ[(G g) ⊙ (Bᵀ d)] has fractions in G alone. All its rows are multiplied by 6, 24 and 120, so
// that they are whole:
//
//        3  0             2 −1 −2  1  0
//       −3 −3             0 −2 −1  1  0               1  1  1  1  0
//   G = −1  1        Bᵀ = 0  2 −3  1  0          Aᵀ = 0  1 −1  2  0
//        1  2             0 −1  0  1  0               0  1  1  4  0
//        0  6             0  2 −1 −2  1               0  1 −1  8  1
//
//        6  0  0          4  0 −5  0  1  0
//       −4 −4 −4          0 −4 −4  1  1  0          1  1  1  1  1  0
//   G = −4  4 −4     Bᵀ = 0  4 −4 −1  1  0     Aᵀ = 0  1 −1  2 −2  0
//        1  2  4          0 −2 −1  2  1  0          0  1  1  4  4  0
//        1 −2  4          0  2 −1 −2  1  0          0  1 −1  8 −8  1
//        0  0 24          0  4  0 −5  0  1
//
//      −10   0   0   0         −12   4  15  −5  −3   1   0
//       10  10  10  10           0  12   8  −7  −2   1   0        1  1  1  1  1  1  0
//        5  −5   5  −5           0 −12  16  −1  −4   1   0        0  1 −1  2 −2  3  0
//   G = −5 −10 −20 −40      Bᵀ = 0   6   1  −7  −1   1   0   Aᵀ = 0  1  1  4  4  9  0
//       −1   2  −4   8           0  −6   5   5  −5   1   0        0  1 −1  8 −8 27  1
//        1   3   9  27           0   4   0  −5   0   1   0
//        0   0   0 120           0 −12   4  15  −5  −3   1
//
// An output then is 6 = 3·2, 24 = 3·2^3 or 120 = 15·2^3 times its sum modulo 2^32, where 3 and 15
// have inverses: exact as long as |sum| < 2^28. Bytes 0 … 255 become at most 21·255 = 5355, weights
// 120·128 = 15 360, and a pair of their products stays below 2^28.
//
// A template over an instruction set's integers.h.
#ifndef QUERNEL_TEMPLATE_WINOGRAD_LINES_H
#define QUERNEL_TEMPLATE_WINOGRAD_LINES_H

#include <stdint.h>

#include "winograd_input.h"

enum { LINES_OUT = 4, LINES_TAPS_MAX = 4, LINES_IN_MAX = LINES_TAPS_MAX + LINES_OUT - 1 };

static inline __attribute__((always_inline)) void lines_weights_2(const vint g[2], vint v[5]) {
    v[0] = times16(g[0], 3);
    v[1] = times16(add16(g[0], g[1]), -3);
    v[2] = sub16(g[1], g[0]);
    v[3] = add16(g[0], left16(g[1], 1));
    v[4] = times16(g[1], 6);
}

static inline __attribute__((always_inline)) void lines_weights_3(const vint g[3], vint v[6]) {
    const vint ends = add16(g[0], g[2]), far = add16(g[0], left16(g[2], 2));
    const vint twice = left16(g[1], 1);
    v[0] = times16(g[0], 6);
    v[1] = times16(add16(ends, g[1]), -4);
    v[2] = times16(sub16(ends, g[1]), -4);
    v[3] = add16(far, twice);
    v[4] = sub16(far, twice);
    v[5] = times16(g[2], 24);
}

static inline __attribute__((always_inline)) void lines_weights_4(const vint g[4], vint v[7]) {
    const vint even = add16(g[0], g[2]), odd = add16(g[1], g[3]);
    const vint even_far = add16(g[0], left16(g[2], 2));
    const vint odd_far = left16(add16(g[1], left16(g[3], 2)), 1);
    v[0] = times16(g[0], -10);
    v[1] = times16(add16(even, odd), 10);
    v[2] = times16(sub16(even, odd), 5);
    v[3] = times16(add16(even_far, odd_far), -5);
    v[4] = sub16(odd_far, even_far);
    v[5] = add16(add16(g[0], times16(g[1], 3)), add16(times16(g[2], 9), times16(g[3], 27)));
    v[6] = times16(g[3], 120);
}

static inline __attribute__((always_inline)) void lines_input_2(const vint d[5], vint v[5]) {
    const vint odd = sub16(d[3], d[1]), step = sub16(d[1], d[2]);
    v[0] = add16(odd, left16(sub16(d[0], d[2]), 1));
    v[1] = sub16(odd, add16(d[1], d[2]));
    v[2] = add16(odd, times16(step, 3));
    v[3] = odd;
    v[4] = sub16(sub16(d[4], d[2]), left16(odd, 1));
}

// The rows of F(4, 3), one further, less three times themselves: the point 3 is in all but its own.
static inline __attribute__((always_inline)) void lines_input_4(const vint d[7], vint v[7]) {
    vint low[6], high[6];
    winograd_input_6(d, low);
    winograd_input_6(d + 1, high);
#pragma GCC unroll 6
    for (uint32_t i = 0; i < 5; i++) v[i] = sub16(high[i], times16(low[i], 3));
    v[5] = low[5];
    v[6] = sub16(high[5], times16(low[5], 3));
}

static inline __attribute__((always_inline)) void lines_output_2(const vint m[5],
                                                                 vint y[LINES_OUT]) {
    const vint near_sum = add32(m[1], m[2]), near = sub32(m[1], m[2]);
    y[0] = add32(m[0], add32(near_sum, m[3]));
    y[1] = add32(near, left32(m[3], 1));
    y[2] = add32(near_sum, left32(m[3], 2));
    y[3] = add32(add32(near, m[4]), left32(m[3], 3));
}

static inline __attribute__((always_inline)) void lines_output_3(const vint m[6],
                                                                 vint y[LINES_OUT]) {
    const vint near_sum = add32(m[1], m[2]), near = sub32(m[1], m[2]);
    const vint far_sum = add32(m[3], m[4]), far = sub32(m[3], m[4]);
    y[0] = add32(m[0], add32(near_sum, far_sum));
    y[1] = add32(near, left32(far, 1));
    y[2] = add32(near_sum, left32(far_sum, 2));
    y[3] = add32(add32(near, m[5]), left32(far, 3));
}

static inline __attribute__((always_inline)) void lines_output_4(const vint m[7],
                                                                 vint y[LINES_OUT]) {
    const vint six[6] = {m[0], m[1], m[2], m[3], m[4], m[6]};
    const vint thrice = add32(m[5], left32(m[5], 1));
    const vint nine = add32(m[5], left32(m[5], 3));
    lines_output_3(six, y);
    y[0] = add32(y[0], m[5]);
    y[1] = add32(y[1], thrice);
    y[2] = add32(y[2], nine);
    y[3] = add32(y[3], add32(nine, left32(nine, 1)));
}

/// G applied to vectors of 16-bit weights, one of each tap.
static inline __attribute__((always_inline)) void lines_weights(const vint *g, vint *v,
                                                                uint32_t taps) {
    if (taps == 2) lines_weights_2(g, v);
    else if (taps == 3) lines_weights_3(g, v);
    else lines_weights_4(g, v);
}

/// Bᵀ applied to vectors of 16-bit inputs.
static inline __attribute__((always_inline)) void lines_input(const vint *d, vint *v,
                                                              uint32_t taps) {
    if (taps == 2) lines_input_2(d, v);
    else if (taps == 3) winograd_input_6(d, v);
    else lines_input_4(d, v);
}

/// Aᵀ applied to vectors of 32-bit sums, as what they are times 1.
static inline __attribute__((always_inline)) void lines_output(const vint *m, vint y[LINES_OUT],
                                                               uint32_t taps) {
    const int32_t inverse = (int32_t)(taps == 4 ? 0xeeeeeeef : 0xaaaaaaab); // of 15, 3
    if (taps == 2) lines_output_2(m, y);
    else if (taps == 3) lines_output_3(m, y);
    else lines_output_4(m, y);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < LINES_OUT; i++)
        y[i] = right32(times32(y[i], inverse), taps == 2 ? 1 : 3);
}

#endif
