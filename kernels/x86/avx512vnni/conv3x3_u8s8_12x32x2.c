// SPDX-License-Identifier: Apache-2.0
// 3x3 with stride 1 for AVX-512-VNNI, 36 products for 144, of 16 bits at half the rate of bytes.
//
// Cycles for one output (a pixel and oc) of C channels, N oc, by count; multiplying alone
// is 36·C/(16·64) = 0.035·C:
//   inputs    40 operations down and 51 along the lines for a tile's 32 channels, on two ports:
//   0.19·C/N, and as much again where the 36 lines that it writes come from L2
//   outputs   12 operations on each of 10 lines of 16 output channels x 16 pixels, 16 products by
//   the inverse of two operations each, 32 for shifts and start values: 0.36; the epilogue 0.25
// so 3.2, 5.5, 10.0 for C = N = 64, 128, 256, where the direct product takes 9·C/128 = 4.5, 9, 18.
// Plain int8 of whole tiles leaves the registers as bytes (finish.h): half of that epilogue, and no
// outputs' sums to L1 and back.
// Measured on a Sapphire Rapids class core, C = N = 64, a tile of all output channels: product 2450
// (2304 by count), outputs and epilogue 690, inputs 400; whole layers 118 to 151 % of the direct
// peak up to 128 channels; of 256, 98 to 130, where weights are prepared and stream from L3. Zen 4,
// with one multiply, one load and half a store of 512 bits a cycle: product 4700 (4608 by count),
// outputs 650, before they left as bytes 850, inputs 450.
#include "epilogue.h"
#include "finish.h"

#include "dot16.h"
#include "integers.h"
#include "kernels/template/winograd_s1.h"
#include "kernels/x86/tap_quad.h"

enum {
    // blocks of 24 tiles, two register tiles, up to 256 channels; twice as many measured equal with
    // an L2 of 2 MiB
    SUMS_MAX = 128 << 10,
    INPUTS_MAX = 512 << 10, // as above
    GRAIN = 1,              // 5 rows hide the latency
    CHANNELS = sizeof(vint) / sizeof(int16_t)
};

static inline vint load_channels(const uint8_t *a, uint32_t count, bool first) {
    (void)first;
    if (count >= CHANNELS) return _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)a));
    return _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8((__mmask32)((1u << count) - 1), a));
}

#define WINOGRAD_FINISHES
// A line's outputs of 16 output channels.
static inline __attribute__((always_inline)) void finish_line(const finish *to, finish_kind kind,
                                                              const vint sums[WINOGRAD_OUT],
                                                              const quernel_i_epilogue *f,
                                                              uint32_t n, uint8_t *y) {
    const finish_columns columns = finish_columns_at(f, n);
    finish_pixels(to, kind, sums, &columns, y, f->y_row);
}

#include "kernels/template/conv3x3.h"

size_t quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni_scratch(uint32_t k_quads);
size_t quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni_scratch(uint32_t k_quads) {
    return conv3x3_scratch(k_quads);
}

void quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni_prepare(const int8_t *panel,
                                                        const quernel_i_window *w, void *dst);
void quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni_prepare(const int8_t *panel,
                                                        const quernel_i_window *w, void *dst) {
    conv3x3_prepare(panel, w, dst);
}

void quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni(const quernel_i_conv *c);
void quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni(const quernel_i_conv *c) { conv3x3(c); }
