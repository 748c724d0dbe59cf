// SPDX-License-Identifier: Apache-2.0
// The epilogue for AVX-512: a tile of int32 sums of up to 16 rows x 32 output channels becomes
// output.
//
// The tile lies in L1, and every option of quernel_i_epilogue is one short pass over it, columns
// outside so that the tables are read once per tile: no combination needs code of its own. The
// commonest case, int8 out without terms or residuals, is one pass in registers: convert, fma, max,
// min, convert, and 7 instructions to pack 4 vectors = 3.4 cycles per 16 outputs on two vector
// ports. The sums come from memory even there: their 28 stores and loads use other ports than the
// arithmetic, and one loop serves every height of a tile.
#ifndef QUERNEL_AVX512VNNI_EPILOGUE_H
#define QUERNEL_AVX512VNNI_EPILOGUE_H

#include "kernels/ukr.h"
#include "vnni.h"

#include "kernels/template/functions.h" // over the vectors of those above

enum {
    EPILOGUE_MR = 16,
    EPILOGUE_NR = 32, // also the pitch of a tile
};

/// Rows of sums, and where they lie in the call's output.
typedef struct epilogue_tile {
    // [rows][EPILOGUE_NR], 64-byte aligned; passes turn it into floats, then into codes, in place
    int32_t *acc;
    uint32_t rows, oc; // oc <= EPILOGUE_NR; lanes beyond them hold values that nobody reads
    uint32_t m, n;     // first row and output channel within the call
} epilogue_tile;

// Runs over the tile's sub-panels: `n` is the output channel within the call; then over a
// sub-panel's rows: `at` its 16 lanes.
#define EPILOGUE_PANELS(t, p, n) \
    for (uint32_t p = 0, n = (t)->n; p < (t)->oc; p += LANES, n += LANES)
#define EPILOGUE_ROWS(t, p, at)                                                                \
    for (int32_t *at = (t)->acc + p, *at##_end = at + (t)->rows * EPILOGUE_NR; at != at##_end; \
         at += EPILOGUE_NR)

static inline __m512i tile_load(const int32_t *at) { return _mm512_load_si512(at); }
static inline __m512 tile_float(const int32_t *at) { return _mm512_castsi512_ps(tile_load(at)); }
static inline void tile_keep(int32_t *at, __m512i v) { _mm512_store_si512(at, v); }
static inline void tile_keep_float(int32_t *at, __m512 v) { tile_keep(at, _mm512_castps_si512(v)); }

static inline void epilogue_terms(const epilogue_tile *t, const int32_t *row_term,
                                  const int32_t *col_term) {
    EPILOGUE_PANELS(t, p, n) {
        const __m512i column = _mm512_loadu_si512(col_term + n);
        const int32_t *row = row_term + t->m;
        EPILOGUE_ROWS(t, p, at)
        tile_keep(at, _mm512_add_epi32(tile_load(at),
                                       _mm512_mullo_epi32(column, _mm512_set1_epi32(*row++))));
    }
}

static inline void epilogue_scale(const epilogue_tile *t, const quernel_i_epilogue *f) {
    EPILOGUE_PANELS(t, p, n) {
        const __m512 scale = _mm512_loadu_ps(f->scale + n), bias = _mm512_loadu_ps(f->bias + n);
        if (!f->row_scale) {
            EPILOGUE_ROWS(t, p, at)
            tile_keep_float(at, _mm512_fmadd_ps(_mm512_cvtepi32_ps(tile_load(at)), scale, bias));
            continue;
        }
        const float *row = f->row_scale + t->m;
        EPILOGUE_ROWS(t, p, at) {
            const __m512 both = _mm512_mul_ps(scale, _mm512_set1_ps(*row++));
            tile_keep_float(at, _mm512_fmadd_ps(_mm512_cvtepi32_ps(tile_load(at)), both, bias));
        }
    }
}

// n <= 16 elements side by side as 4-byte lanes: integers for S8, U8 and S32, bits of floats for
// F32 and BF16.
static inline __m512i residual_lanes(const uint8_t *at, uint32_t n, int32_t type) {
    if (type == QUERNEL_TYPE_S8) return _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(lanes(n), at));
    if (type == QUERNEL_TYPE_U8) return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(lanes(n), at));
    if (type == QUERNEL_TYPE_BF16)
        return _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes(n), at)), 16);
    return _mm512_maskz_loadu_epi32(lanes(n), at);
}

static inline ptrdiff_t residual_size(int32_t type) {
    if (type == QUERNEL_TYPE_BF16) return 2;
    return type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8 ? 1 : 4;
}

static inline int32_t residual_one(const uint8_t *at, int32_t type) {
    int32_t x = 0;
    if (type == QUERNEL_TYPE_S8) return (int8_t)*at;
    if (type == QUERNEL_TYPE_U8) return *at;
    if (type == QUERNEL_TYPE_BF16) memcpy((uint8_t *)&x + 2, at, 2); // little-endian
    else memcpy(&x, at, sizeof x);
    return x;
}

// Copies the residual of one sub-panel into `to` [rows][16].
static inline void residual_load(const epilogue_tile *t, const quernel_i_epilogue *f, uint32_t p,
                                 int32_t *to) {
    const uint8_t *base = (const uint8_t *)f->residual + (ptrdiff_t)t->m * f->r_row +
                          (ptrdiff_t)(t->n + p) * f->r_col;
    const ptrdiff_t size = residual_size(f->r_type);
    const uint32_t oc = t->oc - p < LANES ? t->oc - p : LANES;
    if (f->r_col == size) {
        for (uint32_t r = 0; r < t->rows; r++, base += f->r_row)
            tile_keep(to + r * LANES, residual_lanes(base, oc, f->r_type));
    } else if (f->r_row == size) {
        __m512i v[LANES];
        for (uint32_t c = 0; c < LANES; c++)
            v[c] = c < oc ? residual_lanes(base + (ptrdiff_t)c * f->r_col, t->rows, f->r_type)
                          : _mm512_setzero_si512();
        transpose_16x16(v);
        for (uint32_t r = 0; r < t->rows; r++) tile_keep(to + r * LANES, v[r]);
    } else {
        for (uint32_t r = 0; r < t->rows; r++)
            for (uint32_t c = 0; c < oc; c++)
                to[r * LANES + c] = residual_one(
                    base + (ptrdiff_t)r * f->r_row + (ptrdiff_t)c * f->r_col, f->r_type);
    }
}

static inline void epilogue_residual(const epilogue_tile *t, const quernel_i_epilogue *f) {
    int32_t residual[EPILOGUE_MR * LANES] __attribute__((aligned(64)));
    const __m512i zero = _mm512_set1_epi32(f->r_zero);
    const bool is_float = f->r_type == QUERNEL_TYPE_F32 || f->r_type == QUERNEL_TYPE_BF16;
    EPILOGUE_PANELS(t, p, n) {
        const int32_t *r = residual;
        residual_load(t, f, p, residual);
        if (f->r_type == QUERNEL_TYPE_S32) {
            EPILOGUE_ROWS(t, p, at)
            tile_keep(at, _mm512_add_epi32(tile_load(at), tile_load(r))), r += LANES;
        } else if (!f->r_scale) {
            EPILOGUE_ROWS(t, p, at)
            tile_keep_float(at, _mm512_add_ps(tile_float(at), tile_float(r))), r += LANES;
        } else {
            const __m512 scale = _mm512_loadu_ps(f->r_scale + n);
            EPILOGUE_ROWS(t, p, at) {
                const __m512 x = is_float
                                     ? tile_float(r)
                                     : _mm512_cvtepi32_ps(_mm512_sub_epi32(tile_load(r), zero));
                tile_keep_float(at, _mm512_fmadd_ps(x, scale, tile_float(at)));
                r += LANES;
            }
        }
    }
}

static inline __m512 epilogue_prelu(__m512 t, __m512 slope) {
    return _mm512_mask_mov_ps(_mm512_mul_ps(t, slope),
                              _mm512_cmp_ps_mask(t, _mm512_setzero_ps(), _CMP_GE_OQ), t);
}

// max and min give their second operand for NaN and for equal zeros: `t > lo ? t : lo`, `t < hi ? t
// : hi`.
static inline void epilogue_act(const epilogue_tile *t, const quernel_i_epilogue *f) {
    if (function_is(f->act)) {
        function_apply(f->act, (float *)(void *)t->acc, t->rows * EPILOGUE_NR, LANES);
        return;
    }
    EPILOGUE_PANELS(t, p, n) {
        if (f->act == QUERNEL_I_ACT_RELU) {
            EPILOGUE_ROWS(t, p, at)
            tile_keep_float(at, _mm512_max_ps(tile_float(at), _mm512_setzero_ps()));
        } else if (f->act == QUERNEL_I_ACT_CLAMP) {
            const __m512 lo = _mm512_loadu_ps(f->act_lo + n), hi = _mm512_loadu_ps(f->act_hi + n);
            EPILOGUE_ROWS(t, p, at)
            tile_keep_float(at, _mm512_min_ps(_mm512_max_ps(tile_float(at), lo), hi));
        } else if (f->act == QUERNEL_I_ACT_PRELU) {
            const __m512 slope = _mm512_loadu_ps(f->slope + n);
            EPILOGUE_ROWS(t, p, at) tile_keep_float(at, epilogue_prelu(tile_float(at), slope));
        }
    }
}

static inline void epilogue_out_scale(const epilogue_tile *t, const float *out_scale) {
    EPILOGUE_PANELS(t, p, n) {
        const __m512 scale = _mm512_loadu_ps(out_scale + n);
        EPILOGUE_ROWS(t, p, at) tile_keep_float(at, _mm512_mul_ps(tile_float(at), scale));
    }
}

// A NaN becomes 0x80000000, whose low byte is that of 0.
static inline void epilogue_quantize(const epilogue_tile *t, const quernel_i_epilogue *f) {
    const __m512 lo = _mm512_set1_ps(f->q_lo), hi = _mm512_set1_ps(f->q_hi);
    const __m512i zero = _mm512_set1_epi32(f->q_zero);
    EPILOGUE_PANELS(t, p, n)
    EPILOGUE_ROWS(t, p, at)
    tile_keep(at, _mm512_add_epi32(round_clamped(tile_float(at), lo, hi), zero));
}

// quernel_i_bf16 by the same integers.
static inline void epilogue_bf16(const epilogue_tile *t) {
    const __m512i one = _mm512_set1_epi32(1), half = _mm512_set1_epi32(0x7fff),
                  nan = _mm512_set1_epi32(0x7fc0);
    EPILOGUE_PANELS(t, p, n)
    EPILOGUE_ROWS(t, p, at) {
        const __m512i u = tile_load(at), odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), one);
        const __m512i rounded =
            _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(u, half), odd), 16);
        const __mmask16 is_nan = _mm512_cmp_ps_mask(tile_float(at), tile_float(at), _CMP_UNORD_Q);
        tile_keep(at, _mm512_mask_mov_epi32(rounded, is_nan, nan));
    }
}

// The first n lanes as elements of 1, 2 or 4 bytes, side by side.
static inline void store_lanes(uint8_t *y, __m512i v, uint32_t n, uint32_t element) {
    if (element == 4) _mm512_mask_storeu_epi32(y, lanes(n), v);
    else if (element == 2) _mm256_mask_storeu_epi16(y, lanes(n), _mm512_cvtepi32_epi16(v));
    else _mm_mask_storeu_epi8(y, lanes(n), _mm512_cvtepi32_epi8(v));
}

// Channel after channel, each with the tile's rows side by side: NCHW.
static inline void epilogue_store_transposed(const epilogue_tile *t, uint8_t *y, ptrdiff_t y_col,
                                             uint32_t element) {
    EPILOGUE_PANELS(t, p, n) {
        __m512i v[LANES];
        for (uint32_t r = 0; r < LANES; r++)
            v[r] = tile_load(t->acc + (r < t->rows ? r : 0) * EPILOGUE_NR + p);
        transpose_16x16(v);
        for (uint32_t c = 0; c < LANES && p + c < t->oc; c++, y += y_col)
            store_lanes(y, v[c], t->rows, element);
    }
}

// Elements apart in both directions, for instance one kernel position of a deconvolution in NCHW:
// channel after channel, so that neighbouring rows meet in one cache line. `element` is a constant
// where this is called.
static inline __attribute__((always_inline)) void epilogue_store_apart(const epilogue_tile *t,
                                                                       const quernel_i_epilogue *f,
                                                                       uint8_t *y,
                                                                       uint32_t element) {
    for (uint32_t c = 0; c < t->oc; c++, y += f->y_col)
        for (uint32_t r = 0; r < t->rows; r++) // little-endian: the low bytes come first
            memcpy(y + (ptrdiff_t)r * f->y_row, t->acc + r * EPILOGUE_NR + c, element);
}

static inline void epilogue_store(const epilogue_tile *t, const quernel_i_epilogue *f) {
    const bool bytes = f->out == QUERNEL_TYPE_S8 || f->out == QUERNEL_TYPE_U8;
    const uint32_t element = bytes ? 1 : f->out == QUERNEL_TYPE_BF16 ? 2 : 4;
    uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + (ptrdiff_t)t->n * f->y_col;
    if (f->y_col == (ptrdiff_t)element) {
        EPILOGUE_PANELS(t, p, n) {
            uint8_t *row = y + (size_t)p * element;
            EPILOGUE_ROWS(t, p, at)
            store_lanes(row, tile_load(at), t->oc - p, element), row += f->y_row;
        }
    } else if (f->y_row == (ptrdiff_t)element) {
        epilogue_store_transposed(t, y, f->y_col, element);
    } else if (element == 4) {
        epilogue_store_apart(t, f, y, 4);
    } else if (element == 2) {
        epilogue_store_apart(t, f, y, 2);
    } else {
        epilogue_store_apart(t, f, y, 1);
    }
}

// Any option, one pass for each that is asked for.
static inline void epilogue_passes(const epilogue_tile *t, const quernel_i_epilogue *f) {
    for (int i = 0; i < 2; i++)
        if (f->row_term[i]) epilogue_terms(t, f->row_term[i], f->col_term[i]);
    if (f->out == QUERNEL_TYPE_S32) {
        if (f->residual) epilogue_residual(t, f);
    } else {
        epilogue_scale(t, f);
        if (f->residual && !f->residual_last) epilogue_residual(t, f);
        epilogue_act(t, f);
        if (f->residual && f->residual_last) epilogue_residual(t, f);
        if (f->out_scale) epilogue_out_scale(t, f->out_scale);
        if (f->out == QUERNEL_TYPE_BF16) epilogue_bf16(t);
        else if (f->out != QUERNEL_TYPE_F32) epilogue_quantize(t, f);
    }
    epilogue_store(t, f);
}

/// Whether epilogue_int8 may take the call: int8 out, contiguous, nothing but scale, bias and
/// activation.
static inline bool epilogue_is_plain(const quernel_i_epilogue *f) {
    return (f->out == QUERNEL_TYPE_S8 || f->out == QUERNEL_TYPE_U8) && f->y_col == 1 &&
           !f->row_term[0] && !f->row_term[1] && !f->row_scale && !f->residual && !f->out_scale &&
           !function_is(f->act);
}

// What epilogue_int8 knows of 16 output channels. Clamping to the activation's bounds and then to
// the type's is one clamp.
typedef struct epilogue_columns {
    __m512 scale, bias, lo, hi, slope;
} epilogue_columns;

static inline __attribute__((always_inline)) epilogue_columns
epilogue_columns_at(const quernel_i_epilogue *f, uint32_t n, int act) {
    epilogue_columns c = {_mm512_loadu_ps(f->scale + n), _mm512_loadu_ps(f->bias + n),
                          _mm512_set1_ps(f->q_lo), _mm512_set1_ps(f->q_hi), _mm512_setzero_ps()};
    if (act == QUERNEL_I_ACT_PRELU) c.slope = _mm512_loadu_ps(f->slope + n);
    if (act == QUERNEL_I_ACT_RELU) c.lo = _mm512_max_ps(c.slope, c.lo);
    if (act == QUERNEL_I_ACT_CLAMP) {
        const __m512 lo = c.lo, hi = c.hi;
        c.lo = _mm512_min_ps(_mm512_max_ps(_mm512_loadu_ps(f->act_lo + n), lo), hi);
        c.hi = _mm512_min_ps(_mm512_max_ps(_mm512_loadu_ps(f->act_hi + n), lo), hi);
    }
    return c;
}

// ReLU and clamp turn a NaN into their lower bound, the others leave it to round_clamped.
static inline __attribute__((always_inline)) __m512i
epilogue_code(const int32_t *acc, const epilogue_columns *c, int act) {
    __m512 t = _mm512_fmadd_ps(_mm512_cvtepi32_ps(tile_load(acc)), c->scale, c->bias);
    if (act == QUERNEL_I_ACT_RELU || act == QUERNEL_I_ACT_CLAMP)
        return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(t, c->lo), c->hi));
    if (act == QUERNEL_I_ACT_PRELU) t = epilogue_prelu(t, c->slope);
    return round_clamped(t, c->lo, c->hi);
}

// Two sub-panels: two rows of 32 bytes at a time; the last row of an odd number goes twice.
static inline __attribute__((always_inline)) void
epilogue_int8_wide(const epilogue_tile *t, const quernel_i_epilogue *f, int act) {
    const epilogue_columns c0 = epilogue_columns_at(f, t->n, act),
                           c1 = epilogue_columns_at(f, t->n + LANES, act);
    const __m512i zero = _mm512_set1_epi8((char)f->q_zero);
    const __mmask32 mask = (__mmask32)((1ull << t->oc) - 1);
    uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + t->n;
    const int32_t *acc = t->acc;
    for (uint32_t left = t->rows; left;) {
        const bool two = left > 1;
        const int32_t *next = two ? acc + EPILOGUE_NR : acc;
        const __m512i rows = _mm512_add_epi8(
            zero,
            pack_low_bytes(epilogue_code(acc, &c0, act), epilogue_code(acc + LANES, &c1, act),
                           epilogue_code(next, &c0, act), epilogue_code(next + LANES, &c1, act)));
        const __m256i row0 = _mm512_castsi512_si256(rows),
                      row1 = _mm512_extracti64x4_epi64(rows, 1);
        uint8_t *y1 = two ? y + f->y_row : y;
        if (t->oc == EPILOGUE_NR) {
            _mm256_storeu_si256((__m256i *)y, row0);
            _mm256_storeu_si256((__m256i *)y1, row1);
        } else {
            _mm256_mask_storeu_epi8(y, mask, row0);
            _mm256_mask_storeu_epi8(y1, mask, row1);
        }
        left -= two ? 2 : 1;
        acc += 2 * EPILOGUE_NR;
        y += 2 * f->y_row;
    }
}

// One sub-panel: up to four rows of 16 bytes at a time.
static inline __attribute__((always_inline)) void
epilogue_int8_narrow(const epilogue_tile *t, const quernel_i_epilogue *f, int act) {
    const epilogue_columns c = epilogue_columns_at(f, t->n, act);
    const __m512i zero = _mm512_set1_epi8((char)f->q_zero);
    uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + t->n;
    for (uint32_t r = 0; r < t->rows; r += 4) {
        const uint32_t left = t->rows - r;
        __m512i v[4];
#pragma GCC unroll 4
        for (uint32_t i = 0; i < 4; i++)
            v[i] = epilogue_code(t->acc + (r + (i < left ? i : 0)) * EPILOGUE_NR, &c, act);
        const __m512i rows = _mm512_add_epi8(zero, pack_low_bytes(v[0], v[1], v[2], v[3]));
        const __m128i row[4] = {
            _mm512_extracti32x4_epi32(rows, 0), _mm512_extracti32x4_epi32(rows, 1),
            _mm512_extracti32x4_epi32(rows, 2), _mm512_extracti32x4_epi32(rows, 3)};
#pragma GCC unroll 4
        for (uint32_t i = 0; i < 4; i++)
            if (i < left)
                _mm_mask_storeu_epi8(y + (ptrdiff_t)(r + i) * f->y_row, lanes(t->oc), row[i]);
    }
}

static inline __attribute__((always_inline)) void
epilogue_int8(const epilogue_tile *t, const quernel_i_epilogue *f, int act) {
    if (t->oc > LANES) epilogue_int8_wide(t, f, act);
    else epilogue_int8_narrow(t, f, act);
}

/// The epilogue of a tile. `plain` is epilogue_is_plain(f), asked once per call.
static inline void epilogue_run(const epilogue_tile *t, const quernel_i_epilogue *f, bool plain) {
    if (!plain) epilogue_passes(t, f);
    else if (f->act == QUERNEL_I_ACT_RELU) epilogue_int8(t, f, QUERNEL_I_ACT_RELU);
    else if (f->act == QUERNEL_I_ACT_CLAMP) epilogue_int8(t, f, QUERNEL_I_ACT_CLAMP);
    else if (f->act == QUERNEL_I_ACT_PRELU) epilogue_int8(t, f, QUERNEL_I_ACT_PRELU);
    else epilogue_int8(t, f, QUERNEL_I_ACT_NONE);
}

#endif
