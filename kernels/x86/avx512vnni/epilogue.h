// SPDX-License-Identifier: Apache-2.0
// The epilogue for AVX-512: a tile of int32 sums of up to 16 rows x 32 output channels becomes
// output.
//
// The tile lies in L1. Any epilogue takes it once through registers (epilogue_rows.h). The
// commonest case, int8 out without terms, has no options in its loop: convert, fma, max, min,
// convert, and 7 instructions to pack 4 vectors = 3.4 cycles per 16 outputs on two vector ports; 5
// more for a residual of codes. The sums come from memory even there: their 28 stores and loads use
// other ports than the arithmetic, and one loop serves every height of a tile.
#ifndef QUERNEL_AVX512VNNI_EPILOGUE_H
#define QUERNEL_AVX512VNNI_EPILOGUE_H

#include "epilogue_rows.h"
#include "kernels/x86/hswish.h"

// Whether codes leave, contiguous, by nothing but scale, bias, activation and perhaps a residual.
static inline bool epilogue_is_codes(const quernel_i_epilogue *f) {
    return (f->out == QUERNEL_TYPE_S8 || f->out == QUERNEL_TYPE_U8) && f->y_col == 1 &&
           !f->row_term[0] && !f->row_term[1] && !f->row_scale &&
           (hswish_fits(f) || (!function_is(f->act) && !f->out_scale));
}

/// Whether epilogue_int8 may take the call without a residual of its rows.
static inline bool epilogue_is_plain(const quernel_i_epilogue *f) {
    return epilogue_is_codes(f) && (!f->residual || f->act == QUERNEL_I_ACT_HSWISH);
}

/// Whether it may with one: codes side by side, before no activation or ReLU.
static inline bool epilogue_adds(const quernel_i_epilogue *f) {
    const bool late = f->residual_last && f->act != QUERNEL_I_ACT_NONE;
    return f->residual && f->r_col == 1 && element_size(f->r_type) == 1 && !late &&
           f->act <= QUERNEL_I_ACT_RELU && epilogue_is_codes(f);
}

/// Codes of s8 are read as u8 ones with the upper bit flipped: that bit.
static inline int epilogue_r_flip(const quernel_i_epilogue *f) {
    return f->r_type == QUERNEL_TYPE_S8 ? 0x80 : 0;
}

/// A residual of codes.
typedef struct epilogue_codes {
    __m512 scale; // of 16 output channels
    __m512i zero;
    __m128i flip;
} epilogue_codes;

static inline __attribute__((always_inline)) __m512 epilogue_add_codes(__m512 t, __m128i codes,
                                                                       const epilogue_codes *r) {
    const __m512i value =
        _mm512_sub_epi32(_mm512_cvtepu8_epi32(_mm_xor_si128(codes, r->flip)), r->zero);
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(value), r->scale, t);
}

// What epilogue_int8 knows of 16 output channels. Clamping to the activation's bounds and then to
// the type's is one clamp.
typedef struct epilogue_columns {
    __m512 scale, bias, lo, hi, slope, shift, out_scale;
    epilogue_codes r;
    __mmask16 lanes;
} epilogue_columns;

static inline __attribute__((always_inline)) epilogue_columns
epilogue_columns_at(const quernel_i_epilogue *f, uint32_t n, uint32_t oc, int act, bool adds) {
    epilogue_columns c = {.scale = _mm512_loadu_ps(f->scale + n),
                          .bias = _mm512_loadu_ps(f->bias + n),
                          .lo = _mm512_set1_ps(f->q_lo),
                          .hi = _mm512_set1_ps(f->q_hi),
                          .lanes = lanes(oc)};
    if (adds)
        c.r = (epilogue_codes){_mm512_loadu_ps(f->r_scale + n),
                               _mm512_set1_epi32(f->r_zero + epilogue_r_flip(f)),
                               _mm_set1_epi8((char)epilogue_r_flip(f))};
    if (act == QUERNEL_I_ACT_PRELU) c.slope = _mm512_loadu_ps(f->slope + n);
    if (act == QUERNEL_I_ACT_HSWISH) {
        const float *shift = hswish_shift(f, n);
        c.shift = shift ? _mm512_maskz_loadu_ps(c.lanes, shift) : _mm512_setzero_ps();
        c.out_scale = _mm512_loadu_ps(f->out_scale + n);
    }
    if (act == QUERNEL_I_ACT_RELU) c.lo = _mm512_max_ps(c.slope, c.lo);
    if (act == QUERNEL_I_ACT_CLAMP) {
        const __m512 lo = c.lo, hi = c.hi;
        c.lo = _mm512_min_ps(_mm512_max_ps(_mm512_loadu_ps(f->act_lo + n), lo), hi);
        c.hi = _mm512_min_ps(_mm512_max_ps(_mm512_loadu_ps(f->act_hi + n), lo), hi);
    }
    return c;
}

// `r`: the residual's codes, or NULL, a constant. ReLU and clamp turn a NaN into their lower bound,
// the others leave it to round_clamped.
static inline __attribute__((always_inline)) __m512i
epilogue_code(const int32_t *acc, const uint8_t *r, const epilogue_columns *c, int act) {
    __m512 t = _mm512_fmadd_ps(_mm512_cvtepi32_ps(tile_load(acc)), c->scale, c->bias);
    if (r) t = epilogue_add_codes(t, _mm_maskz_loadu_epi8(c->lanes, r), &c->r);
    if (act == QUERNEL_I_ACT_RELU || act == QUERNEL_I_ACT_CLAMP)
        return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(t, c->lo), c->hi));
    if (act == QUERNEL_I_ACT_PRELU) t = epilogue_prelu(t, c->slope);
    if (act == QUERNEL_I_ACT_HSWISH)
        t = _mm512_mul_ps(_mm512_add_ps(function_hswish(t), c->shift), c->out_scale);
    return round_clamped(t, c->lo, c->hi);
}

// The residual of a row r of the tile and its output channel n, or NULL where there is none.
static inline __attribute__((always_inline)) const uint8_t *
epilogue_r_at(const epilogue_tile *t, const quernel_i_epilogue *f, uint32_t r, uint32_t n,
              bool adds) {
    return adds ? (const uint8_t *)f->residual + (ptrdiff_t)(t->m + r) * f->r_row + t->n + n : NULL;
}

// Two sub-panels: two rows of 32 bytes at a time; the last row of an odd number goes twice.
static inline __attribute__((always_inline)) void
epilogue_int8_wide(const epilogue_tile *t, const quernel_i_epilogue *f, int act, bool adds) {
    const epilogue_columns c0 = epilogue_columns_at(f, t->n, LANES, act, adds),
                           c1 = epilogue_columns_at(f, t->n + LANES, t->oc - LANES, act, adds);
    const __m512i zero = _mm512_set1_epi8((char)f->q_zero);
    const __mmask32 mask = (__mmask32)((1ull << t->oc) - 1);
    uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + t->n;
    for (uint32_t r = 0; r < t->rows; r += 2, y += 2 * f->y_row) {
        const uint32_t next = r + 1 < t->rows ? r + 1 : r;
        const int32_t *a0 = t->acc + r * EPILOGUE_NR, *a1 = t->acc + next * EPILOGUE_NR;
        const uint8_t *r0 = epilogue_r_at(t, f, r, 0, adds),
                      *r1 = epilogue_r_at(t, f, next, 0, adds),
                      *s0 = epilogue_r_at(t, f, r, LANES, adds),
                      *s1 = epilogue_r_at(t, f, next, LANES, adds);
        const __m512i rows =
            _mm512_add_epi8(zero, pack_low_bytes(epilogue_code(a0, r0, &c0, act),
                                                 epilogue_code(a0 + LANES, s0, &c1, act),
                                                 epilogue_code(a1, r1, &c0, act),
                                                 epilogue_code(a1 + LANES, s1, &c1, act)));
        const __m256i row0 = _mm512_castsi512_si256(rows),
                      row1 = _mm512_extracti64x4_epi64(rows, 1);
        uint8_t *y1 = next > r ? y + f->y_row : y;
        if (t->oc == EPILOGUE_NR) {
            _mm256_storeu_si256((__m256i *)y, row0);
            _mm256_storeu_si256((__m256i *)y1, row1);
        } else {
            _mm256_mask_storeu_epi8(y, mask, row0);
            _mm256_mask_storeu_epi8(y1, mask, row1);
        }
    }
}

// One sub-panel: up to four rows of 16 bytes at a time.
static inline __attribute__((always_inline)) void
epilogue_int8_narrow(const epilogue_tile *t, const quernel_i_epilogue *f, int act, bool adds) {
    const epilogue_columns c = epilogue_columns_at(f, t->n, t->oc, act, adds);
    const __m512i zero = _mm512_set1_epi8((char)f->q_zero);
    uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + t->n;
    for (uint32_t r = 0; r < t->rows; r += 4) {
        const uint32_t left = t->rows - r;
        __m512i v[4];
#pragma GCC unroll 4
        for (uint32_t i = 0; i < 4; i++) {
            const uint32_t row = r + (i < left ? i : 0);
            v[i] = epilogue_code(t->acc + row * EPILOGUE_NR, epilogue_r_at(t, f, row, 0, adds), &c,
                                 act);
        }
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
epilogue_int8(const epilogue_tile *t, const quernel_i_epilogue *f, int act, bool adds) {
    if (t->oc > LANES) epilogue_int8_wide(t, f, act, adds);
    else epilogue_int8_narrow(t, f, act, adds);
}

// Not inline, as epilogue_options.
static __attribute__((noinline)) void epilogue_sum(const epilogue_tile *t,
                                                   const quernel_i_epilogue *f) {
    residual_fetch(t, f);
    if (f->act == QUERNEL_I_ACT_RELU) epilogue_int8(t, f, QUERNEL_I_ACT_RELU, true);
    else epilogue_int8(t, f, QUERNEL_I_ACT_NONE, true);
}

/// The epilogue of a tile. `plain` is epilogue_is_plain(f), asked once per call.
static inline void epilogue_run(const epilogue_tile *t, const quernel_i_epilogue *f, bool plain) {
    if (!plain && epilogue_adds(f)) epilogue_sum(t, f);
    else if (!plain) epilogue_options(t, f);
    else if (f->act == QUERNEL_I_ACT_RELU) epilogue_int8(t, f, QUERNEL_I_ACT_RELU, false);
    else if (f->act == QUERNEL_I_ACT_CLAMP) epilogue_int8(t, f, QUERNEL_I_ACT_CLAMP, false);
    else if (f->act == QUERNEL_I_ACT_PRELU) epilogue_int8(t, f, QUERNEL_I_ACT_PRELU, false);
    else if (f->act == QUERNEL_I_ACT_HSWISH) epilogue_int8(t, f, QUERNEL_I_ACT_HSWISH, false);
    else epilogue_int8(t, f, QUERNEL_I_ACT_NONE, false);
}

#endif
