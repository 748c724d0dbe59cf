// SPDX-License-Identifier: Apache-2.0
// Stride 2: 81 products where 16 outputs of a 3x3 kernel take 144. A line is parted, y[i] = e[i]·g0
// + o[i]·g1 + e[i+1]·g2 with e the even inputs and o the odd ones. The even part is a kernel of two
// taps with stride 1, of which Winograd's F(4, 2) with the points 0, 1, −1, 2, ∞ makes 4 outputs by
// 5 products; the odd part stays as it is, 4 products. 9 instead of 12, in both directions.
//
// Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, where all rows of G are multiplied by 6, so that they are whole:
//
//       g0 g1 g2          e0 e1 e2 e3 e4 | o0 o1 o2 o3
//        3  0  0           2 −1 −2  1  0 |                   1  1  1  1  0 | 1
//        3  0  3           0  2  1 −1  0 |                   0  1 −1  2  0 |    1
//   G =  1  0 −1     Bᵀ =  0 −2  3 −1  0 |             Aᵀ =  0  1  1  4  0 |       1
//        1  0  2           0 −1  0  1  0 |                   0  1 −1  8  1 |          1
//        0  0  6           0  2 −1 −2  1 |
//        0  6  0                         | 1
//        … 4 times                            … 4 ones
//
// An output then is 36 = 9·4 times its sum modulo 2^32, where 9 has an inverse: exact as long as
// |sum| < 2^29. Bytes 0 … 255 become at most 18·255 = 4590, weights 36·128 = 4608, and a pair of
// their products stays below 2^26.
//
// A template over an instruction set's integers.h.
#ifndef QUERNEL_TEMPLATE_WINOGRAD_S2F4_H
#define QUERNEL_TEMPLATE_WINOGRAD_S2F4_H

#include <stdint.h>

#define WINOGRAD_INVERSE_OF_9 0x38e38e39 // 9 times it is 1 modulo 2^32

enum { WINOGRAD_STRIDE = 2, WINOGRAD_IN = 9, WINOGRAD_OUT = 4 };

/// G applied to three vectors of 16-bit weights.
static inline __attribute__((always_inline)) void winograd_weights(vint g0, vint g1, vint g2,
                                                                   vint v[WINOGRAD_IN]) {
    const vint odd = times16(g1, 6);
    v[0] = times16(g0, 3);
    v[1] = times16(add16(g0, g2), 3);
    v[2] = sub16(g0, g2);
    v[3] = add16(g0, left16(g2, 1));
    v[4] = times16(g2, 6);
    v[5] = v[6] = v[7] = v[8] = odd;
}

/// Bᵀ applied to nine vectors of 16-bit inputs.
static inline __attribute__((always_inline)) void winograd_input(const vint d[WINOGRAD_IN],
                                                                 vint v[WINOGRAD_IN]) {
    const vint s = sub16(d[6], d[2]), t = sub16(d[4], d[2]);
    v[0] = add16(left16(sub16(d[0], d[4]), 1), s);
    v[1] = sub16(add16(d[2], d[4]), s);
    v[2] = sub16(add16(left16(t, 1), t), s);
    v[3] = s;
    v[4] = sub16(sub16(d[8], d[4]), left16(s, 1));
    v[5] = d[1], v[6] = d[3], v[7] = d[5], v[8] = d[7];
}

/// Aᵀ applied to nine vectors of 32-bit sums.
static inline __attribute__((always_inline)) void winograd_output(const vint m[WINOGRAD_IN],
                                                                  vint y[WINOGRAD_OUT]) {
    const vint sum = add32(m[1], m[2]), difference = sub32(m[1], m[2]), four = left32(m[3], 2);
    y[0] = add32(add32(m[0], m[3]), add32(sum, m[5]));
    y[1] = add32(add32(m[3], m[3]), add32(difference, m[6]));
    y[2] = add32(four, add32(sum, m[7]));
    y[3] = add32(add32(add32(four, four), m[4]), add32(difference, m[8]));
}

/// What an output of winograd_output in both directions is as a sum.
static inline vint winograd_sum(vint y, uint32_t line, uint32_t pixel) {
    (void)line, (void)pixel;
    return right32(times32(y, WINOGRAD_INVERSE_OF_9), 2);
}

#endif
