// SPDX-License-Identifier: Apache-2.0
// The epilogue for AVX-512: a tile of int32 sums of up to 16 rows x 32 output channels becomes
// output.
//
// The tile lies in L1. Any epilogue takes it once through registers (epilogue_rows.h). The
// commonest case, int8 out without terms or residuals, has no options in its loop: convert, fma,
// max, min, convert, and 7 instructions to pack 4 vectors = 3.4 cycles per 16 outputs on two vector
// ports. The sums come from memory even there: their 28 stores and loads use other ports than the
// arithmetic, and one loop serves every height of a tile.
#ifndef QUERNEL_AVX512VNNI_EPILOGUE_H
#define QUERNEL_AVX512VNNI_EPILOGUE_H

#include "epilogue_rows.h"

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
    if (!plain) epilogue_options(t, f);
    else if (f->act == QUERNEL_I_ACT_RELU) epilogue_int8(t, f, QUERNEL_I_ACT_RELU);
    else if (f->act == QUERNEL_I_ACT_CLAMP) epilogue_int8(t, f, QUERNEL_I_ACT_CLAMP);
    else if (f->act == QUERNEL_I_ACT_PRELU) epilogue_int8(t, f, QUERNEL_I_ACT_PRELU);
    else epilogue_int8(t, f, QUERNEL_I_ACT_NONE);
}

#endif
