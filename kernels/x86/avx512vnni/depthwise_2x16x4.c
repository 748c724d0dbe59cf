// SPDX-License-Identifier: Apache-2.0
// Depthwise for AVX-512-VNNI, u8 and s8 rows: 16 channels in a register, two output lines
// (kernels/template/depthwise_dot.h).
//
// A pixel of 3x3: 3 inserts from memory, 2 shuffles, 1 xor, 6 vpdpbusd on two ports: 6 cycles for
// two times 16 outputs, 10 with the moves of the sums to the next pixel where they are not renamed;
// then the epilogue, 3.4 for 16. Model (llvm-mca 14, icelake-server, the loops alone), cycles for
// 16 outputs: 3x3 5.0, 5x5 16.6, 7x7 16.8. Zen 4: bench/FIGURES.md.
#include "epilogue.h"
#include "vnni.h"

enum { CHANNELS = 16, SEVEN = 2 };

static inline __m512i vector_of(const void *from) { return _mm512_loadu_si512(from); }
static inline __m512i vector_bytes(int8_t x) { return _mm512_set1_epi8(x); }
static inline __m512i vector_zero(void) { return _mm512_setzero_si512(); }
static inline __m512i vector_xor(__m512i a, __m512i b) { return _mm512_xor_si512(a, b); }
static inline __m512i vector_add(__m512i a, __m512i b) { return _mm512_add_epi32(a, b); }
static inline __m512i vector_sub(__m512i a, __m512i b) { return _mm512_sub_epi32(a, b); }
static inline void vector_store(int32_t *to, __m512i v) { _mm512_store_si512(to, v); }

static inline __attribute__((always_inline)) __m128i bytes_of(const uint8_t *a, uint32_t count) {
    return count == CHANNELS ? _mm_loadu_si128((const __m128i *)a)
                             : _mm_maskz_loadu_epi8(lanes(count), a);
}

// One row a quarter; then every quarter gets its four channels of all rows, and transposes 4x4
// bytes.
static inline __attribute__((always_inline)) __m512i interleave(const uint8_t *const at[4],
                                                                uint32_t count) {
    const __m512i quarters =
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i bytes =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    __m512i rows = _mm512_castsi128_si512(bytes_of(at[0], count));
    rows = _mm512_inserti32x4(rows, bytes_of(at[1], count), 1);
    rows = _mm512_inserti32x4(rows, bytes_of(at[2], count), 2);
    rows = _mm512_inserti32x4(rows, bytes_of(at[3], count), 3);
    return _mm512_shuffle_epi8(_mm512_permutexvar_epi32(quarters, rows), bytes);
}
#include "kernels/template/depthwise_dot.h"

void quernel_uk_depthwise_u8s8_2x16x4_avx512vnni(const quernel_i_depthwise *d);
void quernel_uk_depthwise_u8s8_2x16x4_avx512vnni(const quernel_i_depthwise *d) {
    depthwise(d, false);
}
void quernel_uk_depthwise_s8s8_2x16x4_avx512vnni(const quernel_i_depthwise *d);
void quernel_uk_depthwise_s8s8_2x16x4_avx512vnni(const quernel_i_depthwise *d) {
    depthwise(d, true);
}
