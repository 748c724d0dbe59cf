// SPDX-License-Identifier: Apache-2.0
// The tile of AVX-512's epilogue: sums in L1, and how its elements and those of a residual come and
// go in any layout. Whole tiles are of up to 32 output channels; here they are of one sub-panel.
#ifndef QUERNEL_AVX512VNNI_EPILOGUE_TILE_H
#define QUERNEL_AVX512VNNI_EPILOGUE_TILE_H

#include "kernels/ukr.h"
#include "vnni.h"

enum {
    EPILOGUE_MR = 16,
    EPILOGUE_NR = 32, // also the pitch of a tile
    EPILOGUE_ROWS_MAX = EPILOGUE_MR,
};

/// Rows of sums, and where they lie in the call's output.
typedef struct epilogue_tile {
    // [rows][EPILOGUE_NR], 64-byte aligned; they become floats and elements in place
    int32_t *acc;
    uint32_t rows, oc; // oc <= EPILOGUE_NR; lanes beyond them hold values that nobody reads
    uint32_t m, n;     // first row and output channel within the call
} epilogue_tile;

static inline __m512i tile_load(const int32_t *at) { return _mm512_load_si512(at); }
static inline __m512 tile_float(const int32_t *at) { return _mm512_castsi512_ps(tile_load(at)); }
static inline void tile_keep(int32_t *at, __m512i v) { _mm512_store_si512(at, v); }
static inline void tile_keep_float(int32_t *at, __m512 v) { tile_keep(at, _mm512_castps_si512(v)); }

static inline ptrdiff_t element_size(int32_t type) {
    if (type == QUERNEL_TYPE_BF16) return 2;
    return type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8 ? 1 : 4;
}

// Elements side by side as 4-byte lanes: integers for S8, U8 and S32, bits of floats for F32 and
// BF16. `some` are the lanes that are read.
static inline __m512i load_lanes(const uint8_t *at, __mmask16 some, int32_t type) {
    if (type == QUERNEL_TYPE_S8) return _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(some, at));
    if (type == QUERNEL_TYPE_U8) return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(some, at));
    if (type == QUERNEL_TYPE_BF16)
        return _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(some, at)), 16);
    return _mm512_maskz_loadu_epi32(some, at);
}

// Lanes as elements of 1, 2 or 4 bytes, side by side.
static inline void store_lanes(uint8_t *y, __m512i v, __mmask16 some, ptrdiff_t element) {
    if (element == 4) _mm512_mask_storeu_epi32(y, some, v);
    else if (element == 2) _mm256_mask_storeu_epi16(y, some, _mm512_cvtepi32_epi16(v));
    else _mm_mask_storeu_epi8(y, some, _mm512_cvtepi32_epi8(v));
}

/// A residual as rows of 16 elements. `at` is NULL without one.
typedef struct epilogue_residual {
    const uint8_t *at;
    ptrdiff_t row; // bytes
    int32_t type;  // of its elements in memory: S32 for lanes that were gathered
} epilogue_residual;

static inline int32_t residual_one(const uint8_t *at, int32_t type) {
    int32_t x = 0;
    if (type == QUERNEL_TYPE_S8) return (int8_t)*at;
    if (type == QUERNEL_TYPE_U8) return *at;
    if (type == QUERNEL_TYPE_BF16) memcpy((uint8_t *)&x + 2, at, 2); // little-endian
    else memcpy(&x, at, sizeof x);
    return x;
}

// Rows side by side, output channels apart, to lanes [rows][16].
static inline void residual_turn(const epilogue_tile *t, const quernel_i_epilogue *f,
                                 const uint8_t *from, int32_t *to) {
    __m512i v[LANES];
    for (uint32_t c = 0; c < LANES; c++)
        v[c] = c < t->oc ? load_lanes(from + (ptrdiff_t)c * f->r_col, lanes(t->rows), f->r_type)
                         : _mm512_setzero_si512();
    transpose_16x16(v);
    for (uint32_t r = 0; r < t->rows; r++) tile_keep(to + r * LANES, v[r]);
}

/// Finds that of a tile of up to 16 output channels, or gathers it in `to`, [rows][16].
static inline epilogue_residual epilogue_residual_of(const epilogue_tile *t,
                                                     const quernel_i_epilogue *f, int32_t *to) {
    if (!f->residual) return (epilogue_residual){NULL, 0, 0};
    const uint8_t *from =
        (const uint8_t *)f->residual + (ptrdiff_t)t->m * f->r_row + (ptrdiff_t)t->n * f->r_col;
    const ptrdiff_t size = element_size(f->r_type);
    if (f->r_col == size) return (epilogue_residual){from, f->r_row, f->r_type};
    if (f->r_row == size) residual_turn(t, f, from, to);
    else
        for (uint32_t r = 0; r < t->rows; r++)
            for (uint32_t c = 0; c < t->oc; c++)
                to[r * LANES + c] = residual_one(
                    from + (ptrdiff_t)r * f->r_row + (ptrdiff_t)c * f->r_col, f->r_type);
    return (epilogue_residual){(const uint8_t *)to, LANES * sizeof *to, QUERNEL_TYPE_S32};
}

static inline uint8_t *epilogue_y(const epilogue_tile *t, const quernel_i_epilogue *f) {
    return (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + (ptrdiff_t)t->n * f->y_col;
}

// Channel after channel, each with the tile's rows side by side: NCHW.
static inline void epilogue_store_turned(const epilogue_tile *t, uint8_t *y, ptrdiff_t y_col,
                                         ptrdiff_t element) {
    __m512i v[LANES];
    for (uint32_t r = 0; r < LANES; r++)
        v[r] = tile_load(t->acc + (r < t->rows ? r : 0) * EPILOGUE_NR);
    transpose_16x16(v);
    for (uint32_t c = 0; c < t->oc; c++, y += y_col) store_lanes(y, v[c], lanes(t->rows), element);
}

// Elements apart in both directions, for instance one kernel position of a deconvolution in NCHW:
// channel after channel, so that neighbouring rows meet in one cache line. `element` is a constant
// where this is called.
static inline __attribute__((always_inline)) void
epilogue_store_apart(const epilogue_tile *t, const quernel_i_epilogue *f, size_t element) {
    uint8_t *y = epilogue_y(t, f);
    for (uint32_t c = 0; c < t->oc; c++, y += f->y_col)
        for (uint32_t r = 0; r < t->rows; r++) // little-endian: the low bytes come first
            memcpy(y + (ptrdiff_t)r * f->y_row, t->acc + r * EPILOGUE_NR + c, element);
}

/// Stores a tile of elements, of up to 16 output channels that lie apart.
static inline void epilogue_store(const epilogue_tile *t, const quernel_i_epilogue *f) {
    const ptrdiff_t element = element_size(f->out);
    if (f->y_row == element) epilogue_store_turned(t, epilogue_y(t, f), f->y_col, element);
    else if (element == 4) epilogue_store_apart(t, f, 4);
    else if (element == 2) epilogue_store_apart(t, f, 2);
    else epilogue_store_apart(t, f, 1);
}

#endif
