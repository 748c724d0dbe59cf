// SPDX-License-Identifier: Apache-2.0
// Float NHWC, or a row-major matrix, to rows, for AVX2.
#include <immintrin.h>

#include "kernels/ukr.h"
#include "quantize.h"
#include "vector.h"

// 32 codes from four vectors.
static inline __attribute__((always_inline)) __m256i pack_32(__m256i v0, __m256i v1, __m256i v2,
                                                             __m256i v3, const quantizer *q) {
    const __m256i bytes = quantize_pack(v0, v1, v2, v3, q);
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

static inline __attribute__((always_inline)) __m256i load_8(const float *x, const float *m,
                                                            const quantizer *q, bool g_is_1) {
    return quantize_8(_mm256_loadu_ps(x), _mm256_loadu_ps(m), q, g_is_1);
}

// The same for the first n lanes, n may be 0 or above 8.
static inline __attribute__((always_inline)) __m256i
load_part(const float *x, const float *m, int32_t n, const quantizer *q, bool g_is_1) {
    if (n <= 0) return _mm256_setzero_si256();
    const __m256i mask = lanes_mask((uint32_t)n);
    return quantize_8(_mm256_maskload_ps(x, mask), _mm256_maskload_ps(m, mask), q, g_is_1);
}

static inline __attribute__((always_inline)) void row(const float *x, const float *m, uint32_t n,
                                                      const quantizer *q, bool g_is_1, uint8_t *y) {
    for (; n >= 32; n -= 32, x += 32, m += 32, y += 32)
        _mm256_storeu_si256((__m256i *)y,
                            pack_32(load_8(x, m, q, g_is_1), load_8(x + 8, m + 8, q, g_is_1),
                                    load_8(x + 16, m + 16, q, g_is_1),
                                    load_8(x + 24, m + 24, q, g_is_1), q));
    if (!n) return;
    const int32_t left = (int32_t)n;
    const __m256i v =
        pack_32(load_part(x, m, left, q, g_is_1), load_part(x + 8, m + 8, left - 8, q, g_is_1),
                load_part(x + 16, m + 16, left - 16, q, g_is_1),
                load_part(x + 24, m + 24, left - 24, q, g_is_1), q);
    store_bytes(y, _mm256_castsi256_si128(v), n < 16 ? n : 16);
    if (n > 16) store_bytes(y + 16, _mm256_extracti128_si256(v, 1), n - 16);
}

#include "kernels/x86/quantize_lines.h"

void quernel_uk_quantize_f32_nhwc_1x32x1_avx2(const quernel_i_quantize_args *r);
void quernel_uk_quantize_f32_nhwc_1x32x1_avx2(const quernel_i_quantize_args *r) {
    quantize_lines(r);
}
