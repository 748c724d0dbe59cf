// SPDX-License-Identifier: Apache-2.0
// The input transform of F(4, 3) with the points 0, ±1, ±2, ∞, which algorithms in one and in two
// dimensions share. A template over an instruction set's integers.h.
#ifndef QUERNEL_TEMPLATE_WINOGRAD_INPUT_H
#define QUERNEL_TEMPLATE_WINOGRAD_INPUT_H

/// Bᵀ (winograd_s1.h) applied to six vectors of 16-bit inputs.
static inline __attribute__((always_inline)) void winograd_input_6(const vint d[6], vint v[6]) {
    const vint outer = sub16(d[4], left16(d[2], 2));
    const vint inner = sub16(d[3], left16(d[1], 2));
    const vint even = sub16(d[4], d[2]), odd = sub16(d[3], d[1]);
    const vint odd_twice = left16(odd, 1);
    v[0] = add16(even, left16(sub16(d[0], d[2]), 2));
    v[1] = add16(outer, inner);
    v[2] = sub16(outer, inner);
    v[3] = add16(even, odd_twice);
    v[4] = sub16(even, odd_twice);
    v[5] = sub16(sub16(d[5], d[3]), left16(odd, 2));
}

#endif
