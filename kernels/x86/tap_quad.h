// SPDX-License-Identifier: Apache-2.0
// A tap's channels of w16x4, where a kernel line's k is not a multiple of 4 (AVX2 and above).
#ifndef QUERNEL_X86_TAP_QUAD_H
#define QUERNEL_X86_TAP_QUAD_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

/// Quad `quad` of a tap of a 3x3 kernel, whose channels begin anywhere in a quad of the panel:
/// moved to its beginning, zeros behind them.
static inline void tap_quad(const int8_t *panel, uint32_t channels, uint32_t tap, uint32_t quad,
                            int8_t to[64]) {
    const uint32_t k = tap % 3 * channels + 4 * quad, shift = k % 4, left = channels - 4 * quad;
    const __m256i *from =
        (const __m256i *)(panel + (tap / 3 * ((3 * channels + 3) / 4) + k / 4) * (size_t)64);
    const bool further = shift + (left < 4 ? left : 4) > 4;
    const __m128i down = _mm_cvtsi32_si128((int)(8 * shift)),
                  up = _mm_cvtsi32_si128((int)(32 - 8 * shift));
    const __m256i real = _mm256_set1_epi32(left < 4 ? (int)((1u << 8 * left) - 1) : -1);
    for (uint32_t half = 0; half < 2; half++) {
        const __m256i next = further ? from[2 + half] : _mm256_setzero_si256();
        const __m256i moved =
            _mm256_or_si256(_mm256_srl_epi32(from[half], down), _mm256_sll_epi32(next, up));
        _mm256_store_si256((__m256i *)to + half, _mm256_and_si256(moved, real));
    }
}

#endif
