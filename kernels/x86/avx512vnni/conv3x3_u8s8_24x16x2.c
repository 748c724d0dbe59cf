// SPDX-License-Identifier: Apache-2.0
// 3x3 with stride 1 for AVX-512-VNNI, 36 products for 144, of 16 bits at half the rate of bytes.
//
// Cycles for one output (a pixel and oc) of C channels, N oc, by count; multiplying alone
// is 36·C/(16·61) = 0.037·C:
//   inputs    17 operations on each of 12 lines of 32 channels x 16 pixels, 36 widening loads, on
//   two ports; 72 stores: about 0.25·C/N outputs   13 operations on each of 10 lines of 16 output
//   channels x 16 pixels, 16 products by the inverse of two operations each: about 0.4
// so 3.0, 5.4, 10.1 for C = N = 64, 128, 256, where the direct product takes 9·C/128 = 4.5, 9, 18:
// 190 to 228 products of the plain convolution a cycle, where vpdpbusd's peak is 128. Model
// (llvm-mca 14, icelake-server and sapphirerapids, the loop of 24 rows): 25.1 cycles a quad of
// k, 61 products a cycle. Zen 4, whole layers: 135 to 155 % of the direct peak (bench/FIGURES.md).
#include "epilogue.h"

#include "dot16.h"
#include "integers.h"
#include "kernels/template/winograd_s1.h"
#include "kernels/x86/tap_quad.h"

// Blocks of 24 tiles, one register tile, up to 256 channels.
enum { SUMS_MAX = 64 << 10, INPUTS_MAX = 512 << 10, CHANNELS = sizeof(vint) / sizeof(int16_t) };

static inline vint load_channels(const uint8_t *a, uint32_t count, bool first) {
    (void)first;
    if (count >= CHANNELS) return _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)a));
    return _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8((__mmask32)((1u << count) - 1), a));
}

#define CONV3X3_TILES dot_tiles
#include "kernels/template/conv3x3.h"

size_t quernel_uk_conv3x3_u8s8_24x16x2_avx512vnni_scratch(uint32_t k_quads);
size_t quernel_uk_conv3x3_u8s8_24x16x2_avx512vnni_scratch(uint32_t k_quads) {
    return conv3x3_scratch(k_quads);
}

void quernel_uk_conv3x3_u8s8_24x16x2_avx512vnni_prepare(const int8_t *panel,
                                                        const quernel_i_window *w, void *dst);
void quernel_uk_conv3x3_u8s8_24x16x2_avx512vnni_prepare(const int8_t *panel,
                                                        const quernel_i_window *w, void *dst) {
    conv3x3_prepare(panel, w, dst);
}

void quernel_uk_conv3x3_u8s8_24x16x2_avx512vnni(const quernel_i_conv *c);
void quernel_uk_conv3x3_u8s8_24x16x2_avx512vnni(const quernel_i_conv *c) { conv3x3(c); }
