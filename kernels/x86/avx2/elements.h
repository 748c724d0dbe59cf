// SPDX-License-Identifier: Apache-2.0
// Operands of element-wise kernels for AVX2: a tile's elements as values. No byte outside of them
// is read.
#ifndef QUERNEL_AVX2_ELEMENTS_H
#define QUERNEL_AVX2_ELEMENTS_H

#include "epilogue.h"
#include "values.h"

#include "kernels/template/eltwise.h" // over its tiles

static inline __attribute__((always_inline)) __m256 elements_scaled(__m256 v, int32_t type,
                                                                    __m256 scale) {
    return elements_is_codes(type) ? _mm256_mul_ps(v, scale) : v;
}

// Elements side by side.
static inline __attribute__((always_inline)) void
elements_rows(const elements *e, int32_t type, uint32_t rows, uint32_t oc, float *to) {
    const __m256i zero = _mm256_set1_epi32(e->zero);
    const __m256 scale[2] = {_mm256_loadu_ps(e->scale), _mm256_loadu_ps(e->scale + 8)};
    const uint32_t size = elements_size(type);
    uint8_t part[64] = {0};
    for (uint32_t r = 0; r < rows; r++, to += EPILOGUE_NR) {
        const uint8_t *at = e->at + (ptrdiff_t)r * e->row;
        if (oc < EPILOGUE_NR) at = memcpy(part, at, (size_t)oc * size);
        _mm256_store_ps(to, elements_scaled(values_8(at, type, zero), type, scale[0]));
        _mm256_store_ps(to + 8,
                        elements_scaled(values_8(at + 8 * size, type, zero), type, scale[1]));
    }
}

// Up to 4 rows of one column, where rows lie side by side.
static inline __attribute__((always_inline)) __m128i
elements_column(const elements *e, int32_t type, uint32_t r, uint32_t c, uint32_t rows) {
    const uint32_t size = elements_size(type);
    const uint8_t *at = e->at + (size_t)r * size + (ptrdiff_t)c * e->col;
    uint8_t part[16] = {0};
    if (rows < 4) at = memcpy(part, at, (size_t)rows * size);
    return size == 4   ? _mm_loadu_si128((const __m128i *)at)
           : size == 2 ? _mm_loadl_epi64((const __m128i *)at)
                       : _mm_loadu_si32(at);
}

// 4 rows of two columns, one behind the other; codes less their zero point.
static inline __attribute__((always_inline)) __m256 elements_pair(__m128i low, __m128i high,
                                                                  int32_t type, __m256i zero) {
    if (type == QUERNEL_TYPE_F32)
        return _mm256_castsi256_ps(_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1));
    return values_wide(type == QUERNEL_TYPE_BF16 ? _mm_unpacklo_epi64(low, high)
                                                 : _mm_unpacklo_epi32(low, high),
                       type, zero);
}

// Up to 8 columns of up to 4 rows, turned: whole vectors are stored, which can be loaded again at
// once.
static inline __attribute__((always_inline)) void elements_turn(const elements *e, int32_t type,
                                                                uint32_t r, uint32_t c,
                                                                uint32_t rows, uint32_t oc,
                                                                __m256 scale, float *to) {
    const __m256i zero = _mm256_set1_epi32(e->zero);
    __m256 v[4];
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t left = i < oc ? i : 0, right = i + 4 < oc ? i + 4 : 0;
        v[i] = elements_pair(elements_column(e, type, r, c + left, rows),
                             elements_column(e, type, r, c + right, rows), type, zero);
    }
    transpose_8x4(v);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++)
        if (i < rows) _mm256_store_ps(to + i * EPILOGUE_NR, elements_scaled(v[i], type, scale));
}

static inline __attribute__((always_inline)) void
elements_columns(const elements *e, int32_t type, uint32_t rows, uint32_t oc, float *to) {
    for (uint32_t c = 0; c < oc; c += 8) {
        const __m256 scale = _mm256_loadu_ps(e->scale + c);
        float *at = to + c;
        for (uint32_t r = 0; r < rows; r += 4, at += 4 * EPILOGUE_NR) {
            if (rows - r >= 4 && oc - c >= 8) elements_turn(e, type, r, c, 4, 8, scale, at);
            else elements_turn(e, type, r, c, rows - r < 4 ? rows - r : 4, oc - c, scale, at);
        }
    }
}

// One element for all columns.
static inline void elements_same(const elements *e, uint32_t rows, float *to) {
    const __m256 scale[2] = {_mm256_loadu_ps(e->scale), _mm256_loadu_ps(e->scale + 8)};
    for (uint32_t r = 0; r < rows; r++, to += EPILOGUE_NR) {
        const __m256 v =
            _mm256_set1_ps(elements_one(e->at + (ptrdiff_t)r * e->row, e->type, e->zero));
        _mm256_store_ps(to, elements_scaled(v, e->type, scale[0]));
        _mm256_store_ps(to + 8, elements_scaled(v, e->type, scale[1]));
    }
}

// Elements apart in both directions.
static inline void elements_apart(const elements *e, uint32_t rows, uint32_t oc, float *to) {
    const __m256 scale[2] = {_mm256_loadu_ps(e->scale), _mm256_loadu_ps(e->scale + 8)};
    float v[EPILOGUE_NR] __attribute__((aligned(32))) = {0};
    for (uint32_t r = 0; r < rows; r++, to += EPILOGUE_NR) {
        for (uint32_t c = 0; c < oc; c++)
            v[c] = elements_one(e->at + (ptrdiff_t)r * e->row + (ptrdiff_t)c * e->col, e->type,
                                e->zero);
        _mm256_store_ps(to, elements_scaled(_mm256_load_ps(v), e->type, scale[0]));
        _mm256_store_ps(to + 8, elements_scaled(_mm256_load_ps(v + 8), e->type, scale[1]));
    }
}

// Rows or columns side by side; `type` is a constant.
static inline __attribute__((always_inline)) void
elements_typed(const elements *e, int32_t type, uint32_t rows, uint32_t oc, float *to) {
    if (e->col == (ptrdiff_t)elements_size(type)) elements_rows(e, type, rows, oc, to);
    else elements_columns(e, type, rows, oc, to);
}

/// Values of a tile, [rows][16].
static inline void elements_load(const elements *e, uint32_t rows, uint32_t oc, float *to) {
    const ptrdiff_t size = elements_size(e->type);
    if (!e->col) {
        elements_same(e, rows, to);
    } else if (e->col != size && e->row != size) {
        elements_apart(e, rows, oc, to);
    } else {
        switch (e->type) {
        case QUERNEL_TYPE_F32: elements_typed(e, QUERNEL_TYPE_F32, rows, oc, to); break;
        case QUERNEL_TYPE_BF16: elements_typed(e, QUERNEL_TYPE_BF16, rows, oc, to); break;
        case QUERNEL_TYPE_S8: elements_typed(e, QUERNEL_TYPE_S8, rows, oc, to); break;
        default: elements_typed(e, QUERNEL_TYPE_U8, rows, oc, to); break;
        }
    }
}

#endif
