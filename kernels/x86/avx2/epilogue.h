// SPDX-License-Identifier: Apache-2.0
// The epilogue for AVX2: a tile of int32 sums of up to 16 output channels becomes output.
//
// The tile stays in L1 and every option of quernel_i_epilogue is one short pass over it, so no
// combination needs code of its own. The commonest cases, int8 or f32 out after none, ReLU or
// clamp, are done in one pass instead, f32 in any layout. Lanes beyond the last oc hold values
// that nobody reads.
#ifndef QUERNEL_AVX2_EPILOGUE_H
#define QUERNEL_AVX2_EPILOGUE_H

#include <immintrin.h>
#include <string.h>

#include "base/num.h"
#include "kernels/ukr.h"
#include "vector.h"

#include "kernels/template/functions.h" // over the vectors of those above

enum {
    EPILOGUE_NR = 16,       // oc of a tile
    EPILOGUE_ROWS_MAX = 32, // rows of a tile: 2 KiB, and 2 KiB for residuals
};

/// Rows of 16 sums, and where they lie in the call's output.
typedef struct epilogue_tile {
    // [rows][16], 32-byte aligned; passes turn it into floats, then into codes, in place
    int32_t *acc;
    uint32_t rows, oc; // oc <= 16
    uint32_t m, n;     // first row and output channel within the call
} epilogue_tile;

static inline bool epilogue_is_int8(const quernel_i_epilogue *f) {
    return f->out == QUERNEL_TYPE_S8 || f->out == QUERNEL_TYPE_U8;
}

static inline float *epilogue_floats(const epilogue_tile *t) { return (float *)(void *)t->acc; }

// The maximum and minimum of x86 return their second operand for NaN and for equal zeros: `t > lo ?
// t : lo`.
static inline __m256 epilogue_clamp(__m256 t, __m256 lo, __m256 hi) {
    return _mm256_min_ps(_mm256_max_ps(t, lo), hi);
}

static inline __m256 epilogue_zero_nan(__m256 u, __m256 t) {
    return _mm256_and_ps(u, _mm256_cmp_ps(t, t, _CMP_ORD_Q));
}

// Runs over the tile's vectors of 8: `i` is the index within the tile, `c` the output channel
// within the call, `r` the row.
#define EPILOGUE_EACH(t, i, r, c)            \
    for (uint32_t r = 0; r < (t)->rows; r++) \
        for (uint32_t i = r * EPILOGUE_NR, c = (t)->n; c < (t)->n + EPILOGUE_NR; i += 8, c += 8)

static inline void epilogue_terms(const epilogue_tile *t, const int32_t *row_term,
                                  const int32_t *col_term) {
    EPILOGUE_EACH(t, i, r, c) {
        const __m256i product =
            _mm256_mullo_epi32(_mm256_set1_epi32(row_term[t->m + r]),
                               _mm256_loadu_si256((const __m256i *)(col_term + c)));
        __m256i *acc = (__m256i *)(t->acc + i);
        *acc = _mm256_add_epi32(*acc, product);
    }
}

static inline void epilogue_scale(const epilogue_tile *t, const quernel_i_epilogue *f) {
    float *tile = epilogue_floats(t);
    EPILOGUE_EACH(t, i, r, c) {
        __m256 scale = _mm256_loadu_ps(f->scale + c);
        if (f->row_scale) scale = _mm256_mul_ps(scale, _mm256_set1_ps(f->row_scale[t->m + r]));
        const __m256 sum = _mm256_cvtepi32_ps(_mm256_load_si256((const __m256i *)(t->acc + i)));
        _mm256_store_ps(tile + i, _mm256_fmadd_ps(sum, scale, _mm256_loadu_ps(f->bias + c)));
    }
}

static inline ptrdiff_t epilogue_residual_size(int32_t r_type) {
    if (r_type == QUERNEL_TYPE_BF16) return 2;
    return r_type == QUERNEL_TYPE_S8 || r_type == QUERNEL_TYPE_U8 ? 1 : 4;
}

static inline int32_t epilogue_residual_one(const uint8_t *at, int32_t r_type) {
    int32_t x = 0;
    if (r_type == QUERNEL_TYPE_U8) return *at;
    if (r_type == QUERNEL_TYPE_S8) return (int8_t)*at;
    if (r_type == QUERNEL_TYPE_BF16) memcpy((uint8_t *)&x + 2, at, 2); // little-endian
    else memcpy(&x, at, sizeof x);
    return x;
}

// Copies the residual of a tile into `to` as 4-byte elements: integers for S8, U8 and S32, bits of
// floats for F32 and BF16.
static inline void epilogue_residual_load(const epilogue_tile *t, const quernel_i_epilogue *f,
                                          int32_t *to) {
    const uint8_t *base =
        (const uint8_t *)f->residual + (ptrdiff_t)t->m * f->r_row + (ptrdiff_t)t->n * f->r_col;
    const ptrdiff_t size = epilogue_residual_size(f->r_type);
    const bool vectors = t->oc == EPILOGUE_NR && f->r_col == size;
    for (uint32_t r = 0; r < t->rows; r++, base += f->r_row, to += EPILOGUE_NR) {
        if (vectors && size == 1) {
            const __m128i v = _mm_loadu_si128((const __m128i *)base), high = _mm_srli_si128(v, 8);
            const bool sign = f->r_type == QUERNEL_TYPE_S8;
            _mm256_store_si256((__m256i *)to,
                               sign ? _mm256_cvtepi8_epi32(v) : _mm256_cvtepu8_epi32(v));
            _mm256_store_si256((__m256i *)to + 1,
                               sign ? _mm256_cvtepi8_epi32(high) : _mm256_cvtepu8_epi32(high));
        } else if (vectors && size == 2) {
            for (uint32_t c = 0; c < EPILOGUE_NR; c += 8) {
                const __m128i v = _mm_loadu_si128((const __m128i *)(base + c * 2));
                _mm256_store_si256((__m256i *)(to + c),
                                   _mm256_slli_epi32(_mm256_cvtepu16_epi32(v), 16));
            }
        } else if (vectors) {
            memcpy(to, base, EPILOGUE_NR * sizeof *to);
        } else {
            for (uint32_t c = 0; c < t->oc; c++)
                to[c] = epilogue_residual_one(base + (ptrdiff_t)c * f->r_col, f->r_type);
        }
    }
}

static inline void epilogue_residual_s32(const epilogue_tile *t, const int32_t *residual) {
    for (uint32_t i = 0; i < t->rows * EPILOGUE_NR; i += 8) {
        __m256i *acc = (__m256i *)(t->acc + i);
        *acc = _mm256_add_epi32(*acc, _mm256_load_si256((const __m256i *)(residual + i)));
    }
}

static inline void epilogue_residual(const epilogue_tile *t, const quernel_i_epilogue *f,
                                     const int32_t *residual) {
    float *tile = epilogue_floats(t);
    const bool is_float = f->r_type == QUERNEL_TYPE_F32 || f->r_type == QUERNEL_TYPE_BF16;
    const __m256i zero = _mm256_set1_epi32(is_float ? 0 : f->r_zero);
    EPILOGUE_EACH(t, i, r, c) {
        const __m256i bits = _mm256_load_si256((const __m256i *)(residual + i));
        const __m256 v =
            is_float ? _mm256_castsi256_ps(bits) : _mm256_cvtepi32_ps(_mm256_sub_epi32(bits, zero));
        const __m256 sum = _mm256_load_ps(tile + i);
        _mm256_store_ps(tile + i, f->r_scale
                                      ? _mm256_fmadd_ps(v, _mm256_loadu_ps(f->r_scale + c), sum)
                                      : _mm256_add_ps(sum, v));
    }
}

static inline __m256 epilogue_prelu(__m256 t, __m256 slope) {
    return _mm256_blendv_ps(_mm256_mul_ps(t, slope), t,
                            _mm256_cmp_ps(t, _mm256_setzero_ps(), _CMP_GE_OQ));
}

static inline void epilogue_act(const epilogue_tile *t, const quernel_i_epilogue *f) {
    float *tile = epilogue_floats(t);
    if (function_is(f->act)) {
        function_apply(f->act, tile, t->rows * EPILOGUE_NR, 8);
        return;
    }
    EPILOGUE_EACH(t, i, r, c) {
        __m256 v = _mm256_load_ps(tile + i);
        if (f->act == QUERNEL_I_ACT_RELU) v = _mm256_max_ps(v, _mm256_setzero_ps());
        else if (f->act == QUERNEL_I_ACT_CLAMP)
            v = epilogue_clamp(v, _mm256_loadu_ps(f->act_lo + c), _mm256_loadu_ps(f->act_hi + c));
        else if (f->act == QUERNEL_I_ACT_PRELU)
            v = epilogue_prelu(v, _mm256_loadu_ps(f->slope + c));
        _mm256_store_ps(tile + i, v);
    }
}

static inline void epilogue_out_scale(const epilogue_tile *t, const float *out_scale) {
    float *tile = epilogue_floats(t);
    EPILOGUE_EACH(t, i, r, c)
    _mm256_store_ps(tile + i,
                    _mm256_mul_ps(_mm256_load_ps(tile + i), _mm256_loadu_ps(out_scale + c)));
}

static inline void epilogue_quantize(const epilogue_tile *t, const quernel_i_epilogue *f) {
    const float *tile = epilogue_floats(t);
    const __m256 lo = _mm256_set1_ps(f->q_lo), hi = _mm256_set1_ps(f->q_hi);
    const __m256i zero = _mm256_set1_epi32(f->q_zero);
    for (uint32_t i = 0; i < t->rows * EPILOGUE_NR; i += 8) {
        const __m256 v = _mm256_load_ps(tile + i);
        const __m256i q = _mm256_cvtps_epi32(epilogue_zero_nan(epilogue_clamp(v, lo, hi), v));
        _mm256_store_si256((__m256i *)(t->acc + i), _mm256_add_epi32(q, zero));
    }
}

// quernel_i_bf16 by the same integers; the upper halves of the lanes stay 0.
static inline void epilogue_bf16(const epilogue_tile *t) {
    const __m256i one = _mm256_set1_epi32(1), bias = _mm256_set1_epi32(0x7fff),
                  nan = _mm256_set1_epi32(0x7fc0);
    for (uint32_t i = 0; i < t->rows * EPILOGUE_NR; i += 8) {
        const __m256i u = _mm256_load_si256((const __m256i *)(t->acc + i));
        const __m256 v = _mm256_castsi256_ps(u);
        const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), one);
        const __m256i rounded =
            _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(u, bias), odd), 16);
        const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
        _mm256_store_si256((__m256i *)(t->acc + i), _mm256_blendv_epi8(rounded, nan, is_nan));
    }
}

// The low bytes of `rows` <= 8 elements, side by side.
static inline __attribute__((always_inline)) void
epilogue_store_column(uint8_t *y, __m256 v, uint32_t rows, uint32_t element) {
    if (element == 4) {
        store_dwords(y, v, rows);
        return;
    }
    const __m256i low =
        _mm256_and_si256(_mm256_castps_si256(v), _mm256_set1_epi32(element == 1 ? 0xff : 0xffff));
    const __m128i words =
        _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
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

// One row of elements of 1, 2 or 4 bytes, `oc` of them, contiguous.
static inline void epilogue_store_row(const int32_t *row, uint32_t oc, uint8_t *y,
                                      uint32_t element) {
    const __m256i v0 = _mm256_load_si256((const __m256i *)row),
                  v1 = _mm256_load_si256((const __m256i *)row + 1);
    if (element == 4) {
        if (oc > 8) store_dwords(y + 32, _mm256_castsi256_ps(v1), oc - 8);
        store_dwords(y, _mm256_castsi256_ps(v0), oc < 8 ? oc : 8);
        return;
    }
    const __m256i mask = _mm256_set1_epi32(element == 1 ? 0xff : 0xffff);
    const __m256i mixed =
        _mm256_packus_epi32(_mm256_and_si256(v0, mask), _mm256_and_si256(v1, mask));
    __m256i packed = _mm256_permute4x64_epi64(mixed, 0xd8);
    if (element == 1) packed = _mm256_permute4x64_epi64(_mm256_packus_epi16(packed, packed), 0xd8);
    const uint32_t bytes = oc * element;
    store_bytes(y, _mm256_castsi256_si128(packed), bytes < 16 ? bytes : 16);
    if (bytes > 16) store_bytes(y + 16, _mm256_extracti128_si256(packed, 1), bytes - 16);
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
epilogue_store_columns(const epilogue_tile *t, const quernel_i_epilogue *f, uint8_t *y,
                       uint32_t element) {
    if (f->y_row == (ptrdiff_t)element) epilogue_store_transposed(t, y, f->y_col, element);
    else epilogue_store_apart(t, f, y, element);
}

static inline void epilogue_store(const epilogue_tile *t, const quernel_i_epilogue *f) {
    const uint32_t element = epilogue_is_int8(f) ? 1 : f->out == QUERNEL_TYPE_BF16 ? 2 : 4;
    uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + (ptrdiff_t)t->n * f->y_col;
    if (f->y_col == (ptrdiff_t)element) {
        for (uint32_t r = 0; r < t->rows; r++, y += f->y_row)
            epilogue_store_row(t->acc + r * EPILOGUE_NR, t->oc, y, element);
    } else if (element == 4) {
        epilogue_store_columns(t, f, y, 4);
    } else if (element == 2) {
        epilogue_store_columns(t, f, y, 2);
    } else {
        epilogue_store_columns(t, f, y, 1);
    }
}

// Any option, one pass for each that is asked for.
static inline void epilogue_passes(const epilogue_tile *t, const quernel_i_epilogue *f) {
    int32_t residual[EPILOGUE_ROWS_MAX * EPILOGUE_NR] __attribute__((aligned(32)));
    for (int i = 0; i < 2; i++)
        if (f->row_term[i]) epilogue_terms(t, f->row_term[i], f->col_term[i]);
    if (f->residual) epilogue_residual_load(t, f, residual);
    if (f->out == QUERNEL_TYPE_S32) {
        if (f->residual) epilogue_residual_s32(t, residual);
    } else {
        epilogue_scale(t, f);
        if (f->residual && !f->residual_last) epilogue_residual(t, f, residual);
        if (f->act != QUERNEL_I_ACT_NONE) epilogue_act(t, f);
        if (f->residual && f->residual_last) epilogue_residual(t, f, residual);
        if (f->out_scale) epilogue_out_scale(t, f->out_scale);
        if (f->out == QUERNEL_TYPE_BF16) epilogue_bf16(t);
        else if (f->out != QUERNEL_TYPE_F32) epilogue_quantize(t, f);
    }
    epilogue_store(t, f);
}

/// Whether epilogue_plain may take the call: f32, or contiguous int8, with only scale, bias and
/// none, ReLU or clamp.
static inline bool epilogue_is_plain(const quernel_i_epilogue *f) {
    return ((epilogue_is_int8(f) && f->y_col == 1) || f->out == QUERNEL_TYPE_F32) &&
           !f->row_term[0] && !f->row_term[1] && !f->row_scale && !f->residual && !f->out_scale &&
           function_is_clamp(f->act);
}

/// Floats of an output channel side by side, channels apart.
static inline bool epilogue_is_lines(const quernel_i_epilogue *f) {
    return f->out == QUERNEL_TYPE_F32 && f->y_row == 4 && f->y_col != 4;
}

/// Scale, bias and bounds of 8 output channels. One clamp does for activation and output type: a
/// clamp of a clamp is one.
typedef struct epilogue_columns {
    __m256 scale, bias, lo, hi;
} epilogue_columns;

static inline __attribute__((always_inline)) epilogue_columns
epilogue_columns_at(const quernel_i_epilogue *f, uint32_t n, int act, bool is_float) {
    epilogue_columns c = {_mm256_loadu_ps(f->scale + n), _mm256_loadu_ps(f->bias + n),
                          _mm256_setzero_ps(), _mm256_setzero_ps()};
    const __m256 q_lo = _mm256_set1_ps(f->q_lo), q_hi = _mm256_set1_ps(f->q_hi);
    if (act == QUERNEL_I_ACT_CLAMP)
        c.lo = _mm256_loadu_ps(f->act_lo + n), c.hi = _mm256_loadu_ps(f->act_hi + n);
    if (is_float) return c;
    c.lo = act == QUERNEL_I_ACT_NONE ? q_lo : epilogue_clamp(c.lo, q_lo, q_hi);
    c.hi = act == QUERNEL_I_ACT_CLAMP ? epilogue_clamp(c.hi, q_lo, q_hi) : q_hi;
    return c;
}

static inline __attribute__((always_inline)) __m256 epilogue_value(const int32_t *acc,
                                                                   const epilogue_columns *c) {
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_load_si256((const __m256i *)acc)), c->scale,
                           c->bias);
}

static inline __attribute__((always_inline)) __m256
epilogue_float(__m256i sum, const epilogue_columns *c, int act) {
    const __m256 v = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), c->scale, c->bias);
    if (act == QUERNEL_I_ACT_RELU) return _mm256_max_ps(v, _mm256_setzero_ps());
    return act == QUERNEL_I_ACT_CLAMP ? epilogue_clamp(v, c->lo, c->hi) : v;
}

// Without an activation a NaN passes the bounds and becomes INT32_MIN, INT16_MIN when packed, and 0
// there: values lie within ±255.
static inline __attribute__((always_inline)) __m256i
epilogue_code(const int32_t *acc, const epilogue_columns *c, int act) {
    const __m256 v = epilogue_value(acc, c);
    if (act != QUERNEL_I_ACT_NONE) return _mm256_cvtps_epi32(epilogue_clamp(v, c->lo, c->hi));
    return _mm256_cvtps_epi32(_mm256_min_ps(c->hi, _mm256_max_ps(c->lo, v)));
}

static inline __attribute__((always_inline)) void
epilogue_plain_codes(const epilogue_tile *t, const quernel_i_epilogue *f, int act) {
    const epilogue_columns c0 = epilogue_columns_at(f, t->n, act, false),
                           c1 = epilogue_columns_at(f, t->n + 8, act, false);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7),
                  nan = _mm256_set1_epi16(INT16_MIN);
    const __m256i zero = _mm256_set1_epi16((int16_t)f->q_zero), byte = _mm256_set1_epi16(0xff);
    uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + t->n;
    for (uint32_t r = 0; r < t->rows; r++, y += f->y_row) {
        const int32_t *acc = t->acc + r * EPILOGUE_NR;
        // 0-3, 8-11 | 4-7, 12-15
        __m256i words =
            _mm256_packs_epi32(epilogue_code(acc, &c0, act), epilogue_code(acc + 8, &c1, act));
        if (act == QUERNEL_I_ACT_NONE)
            words = _mm256_andnot_si256(_mm256_cmpeq_epi16(words, nan), words);
        words = _mm256_and_si256(_mm256_add_epi16(words, zero), byte);
        const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(words, words), order);
        store_bytes(y, _mm256_castsi256_si128(bytes), t->oc);
    }
}

// Those of output channels n … n + 3, twice.
static inline __attribute__((always_inline)) epilogue_columns
epilogue_columns_4(const quernel_i_epilogue *f, uint32_t n, int act) {
    epilogue_columns c = {_mm256_broadcast_ps((const __m128 *)(f->scale + n)),
                          _mm256_broadcast_ps((const __m128 *)(f->bias + n)), _mm256_setzero_ps(),
                          _mm256_setzero_ps()};
    if (act != QUERNEL_I_ACT_CLAMP) return c;
    c.lo = _mm256_broadcast_ps((const __m128 *)(f->act_lo + n)),
    c.hi = _mm256_broadcast_ps((const __m128 *)(f->act_hi + n));
    return c;
}

// Up to 8 rows of 4 output channels, whose sums begin at `acc`, `row` apart.
static inline __attribute__((always_inline)) void
epilogue_plain_8x4(const int32_t *acc, size_t row, const epilogue_columns *c, int act,
                   uint32_t rows, uint32_t oc, uint8_t *y, ptrdiff_t y_col) {
    __m256i sums[4];
    __m256 v[4];
    load_8x4(acc, row, rows, sums);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++) v[i] = epilogue_float(sums[i], c, act);
    transpose_8x4(v);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++)
        if (i < oc) store_dwords(y + (ptrdiff_t)i * y_col, v[i], rows);
}

// Rows contiguous, output channels apart; the sums' rows lie `row` apart.
static inline __attribute__((always_inline)) void
epilogue_plain_transposed(const epilogue_tile *t, size_t row, const quernel_i_epilogue *f,
                          int act) {
    uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + (ptrdiff_t)t->n * f->y_col;
    for (uint32_t c = 0; c < t->oc; c += 4, y += 4 * f->y_col) {
        const epilogue_columns at = epilogue_columns_4(f, t->n + c, act);
        const uint32_t oc = t->oc - c < 4 ? t->oc - c : 4;
        for (uint32_t r = 0; r < t->rows; r += 8) {
            const uint32_t rows = t->rows - r < 8 ? t->rows - r : 8;
            const int32_t *acc = t->acc + r * row + c;
            if (rows == 8 && oc == 4)
                epilogue_plain_8x4(acc, row, &at, act, 8, 4, y + r * 4, f->y_col);
            else epilogue_plain_8x4(acc, row, &at, act, rows, oc, y + r * 4, f->y_col);
        }
    }
}

static inline __attribute__((always_inline)) void
epilogue_plain_floats(const epilogue_tile *t, const quernel_i_epilogue *f, int act) {
    if (epilogue_is_lines(f)) {
        epilogue_plain_transposed(t, EPILOGUE_NR, f, act);
        return;
    }
    uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + (ptrdiff_t)t->n * f->y_col;
    const epilogue_columns c0 = epilogue_columns_at(f, t->n, act, true),
                           c1 = epilogue_columns_at(f, t->n + 8, act, true);
    float *tile = epilogue_floats(t);
    const bool apart = f->y_col != 4;
    for (uint32_t r = 0; r < t->rows; r++, tile += EPILOGUE_NR) {
        const int32_t *acc = t->acc + r * EPILOGUE_NR;
        const __m256i *sums = (const __m256i *)(const void *)acc;
        const __m256 v0 = epilogue_float(_mm256_load_si256(sums), &c0, act),
                     v1 = epilogue_float(_mm256_load_si256(sums + 1), &c1, act);
        if (apart) {
            _mm256_store_ps(tile, v0), _mm256_store_ps(tile + 8, v1);
        } else {
            store_dwords(y + (ptrdiff_t)r * f->y_row, v0, t->oc < 8 ? t->oc : 8);
            if (t->oc > 8) store_dwords(y + (ptrdiff_t)r * f->y_row + 32, v1, t->oc - 8);
        }
    }
    if (apart) epilogue_store_apart(t, f, y, 4);
}

static inline __attribute__((always_inline)) void
epilogue_plain(const epilogue_tile *t, const quernel_i_epilogue *f, int act) {
    if (f->out == QUERNEL_TYPE_F32) epilogue_plain_floats(t, f, act);
    else epilogue_plain_codes(t, f, act);
}

/// A plain epilogue of lines, of any number of output channels whose rows lie `row` apart.
static inline void epilogue_run_lines(const epilogue_tile *t, size_t row,
                                      const quernel_i_epilogue *f) {
    if (f->act == QUERNEL_I_ACT_RELU) epilogue_plain_transposed(t, row, f, QUERNEL_I_ACT_RELU);
    else if (f->act == QUERNEL_I_ACT_CLAMP)
        epilogue_plain_transposed(t, row, f, QUERNEL_I_ACT_CLAMP);
    else epilogue_plain_transposed(t, row, f, QUERNEL_I_ACT_NONE);
}

/// The epilogue of a tile. `plain` is epilogue_is_plain(f), asked once per call.
static inline void epilogue_run(const epilogue_tile *t, const quernel_i_epilogue *f, bool plain) {
    if (!plain) epilogue_passes(t, f);
    else if (f->act == QUERNEL_I_ACT_RELU) epilogue_plain(t, f, QUERNEL_I_ACT_RELU);
    else if (f->act == QUERNEL_I_ACT_CLAMP) epilogue_plain(t, f, QUERNEL_I_ACT_CLAMP);
    else epilogue_plain(t, f, QUERNEL_I_ACT_NONE);
}

#endif
