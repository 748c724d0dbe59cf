// SPDX-License-Identifier: Apache-2.0
// Stride 1: Winograd's F(4x4, 3x3) in integers, 36 products where 16 outputs of a 3x3 kernel take
// 144 (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, with the points
// 0, ±1, ±2, ∞).
//
// Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A has fractions in G alone. Its rows are multiplied by 24, 6, 6, 24,
// 24, 6, so that they are whole:
//
//        6  0  0          4  0 −5  0  1  0          1  4  4  1  1  0  : 24
//       −1 −1 −1          0 −4 −4  1  1  0          0  2 −2  1 −1  0  : 12
//   G = −1  1 −1     Bᵀ = 0  4 −4 −1  1  0     Aᵀ = 0  1  1  1  1  0  : 6
//        1  2  4          0 −2 −1  2  1  0          0  1 −1  2 −2  1  : 6
//        1 −2  4          0  2 −1 −2  1  0
//        0  0  6          0  4  0 −5  0  1
//
// An output then is its sum times 24, 12 or 6 by its line and again by its column: 9·2^s with s = 2
// … 6. Everything is computed modulo 2^32, where 9 has an inverse; what is left is the sum times
// 2^s, and its top bits are right as long as |sum| < 2^(31 − s), which 2^25 is for all. So the
// result is exact, not approximate, without any other condition: bytes 0 … 255 become at most
// 68·255 = 17 340, weights 49·128 = 6272, and a pair of their products stays below 2^28.
//
// A template over an instruction set's integers.h.
#ifndef QUERNEL_TEMPLATE_WINOGRAD_S1_H
#define QUERNEL_TEMPLATE_WINOGRAD_S1_H

#include <stdint.h>

#include "winograd_input.h"

enum { WINOGRAD_STRIDE = 1, WINOGRAD_IN = 6, WINOGRAD_OUT = 4 };
#define WINOGRAD_INVERSE_OF_9 0x38e38e39 // 9 times it is 1 modulo 2^32

/// G applied to three vectors of 16-bit weights.
static inline __attribute__((always_inline)) void winograd_weights(vint g0, vint g1, vint g2,
                                                                   vint v[WINOGRAD_IN]) {
    const vint ends = add16(g0, g2), twice = left16(g1, 1), far = add16(g0, left16(g2, 2));
    v[0] = times16(g0, 6);
    v[1] = sub16(vint_zero(), add16(ends, g1));
    v[2] = sub16(g1, ends);
    v[3] = add16(far, twice);
    v[4] = sub16(far, twice);
    v[5] = times16(g2, 6);
}

static inline __attribute__((always_inline)) void winograd_input(const vint d[WINOGRAD_IN],
                                                                 vint v[WINOGRAD_IN]) {
    winograd_input_6(d, v);
}

/// Aᵀ applied to six vectors of 32-bit sums.
static inline __attribute__((always_inline)) void winograd_output(const vint m[WINOGRAD_IN],
                                                                  vint y[WINOGRAD_OUT]) {
    const vint near_sum = add32(m[1], m[2]), near = sub32(m[1], m[2]);
    const vint far_sum = add32(m[3], m[4]), far = sub32(m[3], m[4]), both = add32(near, far);
    y[0] = add32(add32(m[0], far_sum), left32(near_sum, 2));
    y[1] = add32(near, both);
    y[2] = add32(near_sum, far_sum);
    y[3] = add32(add32(far, m[5]), both);
}

/// What an output of winograd_output in both directions is as a sum: 9·2^(shifts[line] +
/// shifts[pixel]) times too much.
static inline __attribute__((always_inline)) vint winograd_sum(vint y, uint32_t line,
                                                               uint32_t pixel) {
    static const int shifts[WINOGRAD_OUT] = {3, 2, 1, 1};
    return right32(times32(y, WINOGRAD_INVERSE_OF_9), shifts[line] + shifts[pixel]);
}

#endif
