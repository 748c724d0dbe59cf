// SPDX-License-Identifier: Apache-2.0
// The tile of AVX2's epilogue, and how a finished one becomes output: whatever is not a row of
// elements side by side. Lanes beyond the last oc hold values that nobody reads.
#ifndef QUERNEL_AVX2_EPILOGUE_STORE_H
#define QUERNEL_AVX2_EPILOGUE_STORE_H

#include "kernels/ukr.h"
#include "kernels/x86/lines.h"
#include "vector.h"

enum {
    EPILOGUE_NR = 16,       // oc of a tile
    EPILOGUE_ROWS_MAX = 32, // rows of a tile: 2 KiB, and 2 KiB for residuals
};

/// Rows of 16 sums, and where they lie in the call's output.
typedef struct epilogue_tile {
    // [rows][16], 32-byte aligned; where rows are not stored at once, they are kept here instead,
    // as elements in the low bytes
    int32_t *acc;
    uint32_t rows, oc; // oc <= 16
    uint32_t m, n;     // first row and output channel within the call
} epilogue_tile;

static inline bool epilogue_is_int8(const quernel_i_epilogue *f) {
    return f->out == QUERNEL_TYPE_S8 || f->out == QUERNEL_TYPE_U8;
}

static inline uint32_t epilogue_size(int32_t type) {
    if (type == QUERNEL_TYPE_BF16) return 2;
    return type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8 ? 1 : 4;
}

static inline uint8_t *epilogue_y(const epilogue_tile *t, const quernel_i_epilogue *f) {
    return (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + (ptrdiff_t)t->n * f->y_col;
}

// `rows` <= 8 elements side by side.
static inline __attribute__((always_inline)) void
epilogue_store_column(uint8_t *y, __m256 v, uint32_t rows, uint32_t element) {
    if (element == 4) {
        store_dwords(y, v, rows);
        return;
    }
    const __m256i bits = _mm256_castps_si256(v);
    const __m128i words =
        _mm_packus_epi32(_mm256_castsi256_si128(bits), _mm256_extracti128_si256(bits, 1));
    store_bytes(y, element == 1 ? _mm_packus_epi16(words, words) : words, rows * element);
}

// Channel after channel, each with the tile's rows side by side: NCHW. `element` is a constant
// where this is called.
static inline __attribute__((always_inline)) void
epilogue_store_transposed(const epilogue_tile *t, uint8_t *y, ptrdiff_t y_col, uint32_t element) {
    for (uint32_t c = 0; c < t->oc; c += 4)
        for (uint32_t r = 0; r < t->rows; r += 8) {
            const uint32_t rows = t->rows - r < 8 ? t->rows - r : 8;
            const uint32_t oc = t->oc - c < 4 ? t->oc - c : 4;
            __m256i bits[4];
            __m256 v[4];
            load_8x4(t->acc + r * EPILOGUE_NR + c, EPILOGUE_NR, rows, bits);
            for (uint32_t i = 0; i < 4; i++) v[i] = _mm256_castsi256_ps(bits[i]);
            transpose_8x4(v);
            for (uint32_t i = 0; i < oc; i++)
                epilogue_store_column(y + (ptrdiff_t)(c + i) * y_col + r * element, v[i], rows,
                                      element);
        }
}

// Elements apart in both directions: channel after channel, so that neighbouring rows meet in one
// cache line. `element` is a constant where this is called.
static inline __attribute__((always_inline)) void epilogue_store_apart(const epilogue_tile *t,
                                                                       const quernel_i_epilogue *f,
                                                                       uint8_t *y,
                                                                       uint32_t element) {
    for (uint32_t c = 0; c < t->oc; c++, y += f->y_col)
        for (uint32_t r = 0; r < t->rows; r++) // little-endian: the low bytes come first
            memcpy(y + (ptrdiff_t)r * f->y_row, t->acc + r * EPILOGUE_NR + c, element);
}

static inline __attribute__((always_inline)) void
epilogue_store_elements(const epilogue_tile *t, const quernel_i_epilogue *f, uint32_t element) {
    uint8_t *y = epilogue_y(t, f);
    if (f->y_row == (ptrdiff_t)element) epilogue_store_transposed(t, y, f->y_col, element);
    else epilogue_store_apart(t, f, y, element);
}

/// Stores a tile of elements whose columns lie apart.
static inline void epilogue_store(const epilogue_tile *t, const quernel_i_epilogue *f) {
    const uint32_t element = epilogue_size(f->out);
    if (element == 4) epilogue_store_elements(t, f, 4);
    else if (element == 2) epilogue_store_elements(t, f, 2);
    else epilogue_store_elements(t, f, 1);
}

#endif
