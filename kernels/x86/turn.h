// SPDX-License-Identifier: Apache-2.0
// 16 lines of 16 bytes become lines the other way.
#ifndef QUERNEL_X86_TURN_H
#define QUERNEL_X86_TURN_H

#include <immintrin.h>

enum { TURN_LINES = 16 /* and bytes of a vector */ };

/// Four times each line is interleaved with the one 8 behind it: 64 shuffles.
static inline __attribute__((always_inline)) void turn_16x16(__m128i v[TURN_LINES]) {
#pragma GCC unroll 4
    for (int stage = 0; stage < 4; stage++) {
        __m128i w[TURN_LINES];
#pragma GCC unroll 8
        for (int i = 0; i < TURN_LINES / 2; i++) {
            w[2 * i] = _mm_unpacklo_epi8(v[i], v[i + TURN_LINES / 2]);
            w[2 * i + 1] = _mm_unpackhi_epi8(v[i], v[i + TURN_LINES / 2]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < TURN_LINES; i++) v[i] = w[i];
    }
}

#endif
