// SPDX-License-Identifier: Apache-2.0
// Lines of floats: sums whose rows become neighbours within the plane of their output channel
// (NCHW), in registers from sum to output. For every instruction set of x86: 256-bit operations,
// of which more ports take shuffles and stores.
//
// 4 output channels x 8 rows at a time: 4 loads, 4 loads into upper halves, convert, fma, bounds, 8
// shuffles, 4 stores. Output channels outside and rows inside, so that whole cache lines of a
// few planes are written, even where planes meet in one set of L1. Past the caches go only whole
// lines, both halves of each together: a line that is written in pieces costs several writes.
#ifndef QUERNEL_X86_LINES_H
#define QUERNEL_X86_LINES_H

#include <immintrin.h>

#include "kernels/ukr.h"
#include "turn_8x4.h"

/// Sums whose rows lie `row` apart; 4 output channels may be read of the last ones.
typedef struct lines_tile {
    const int32_t *acc;
    size_t row;
    uint32_t rows, oc;
    uint32_t m, n; // first row and output channel within the call
} lines_tile;

/// Floats of an output channel side by side, channels apart.
static inline bool lines_are(const quernel_i_epilogue *f) {
    return f->out == QUERNEL_TYPE_F32 && f->y_row == 4 && f->y_col != 4;
}

/// Whether lines_run may take the call: only scale, bias and an activation that is no function.
static inline bool lines_fit(const quernel_i_epilogue *f) {
    return lines_are(f) && !f->row_term[0] && !f->row_term[1] && !f->row_scale && !f->residual &&
           !f->out_scale && f->act < QUERNEL_I_ACT_FUNCTIONS;
}

/// Whether their whole cache lines may go past the caches: where all planes begin them alike.
static inline bool lines_past(const quernel_i_epilogue *f) {
    return f->past_caches && lines_fit(f) && f->y_col % 64 == 0;
}

/// What went past the caches is there for other threads before anything that comes behind it.
static inline void lines_end(bool past) {
    if (past) _mm_sfence();
}

/// Tables of 4 output channels, twice.
typedef struct lines_columns {
    __m256 scale, bias, lo, hi, slope;
} lines_columns;

static inline __m256 lines_table(const float *table, uint32_t n) {
    return _mm256_broadcast_ps((const __m128 *)(table + n));
}

static inline __attribute__((always_inline)) lines_columns
lines_columns_at(const quernel_i_epilogue *f, uint32_t n, int act) {
    const __m256 zero = _mm256_setzero_ps();
    lines_columns c = {lines_table(f->scale, n), lines_table(f->bias, n), zero, zero, zero};
    if (act == QUERNEL_I_ACT_CLAMP)
        c.lo = lines_table(f->act_lo, n), c.hi = lines_table(f->act_hi, n);
    if (act == QUERNEL_I_ACT_PRELU) c.slope = lines_table(f->slope, n);
    return c;
}

// The maximum and minimum of x86 return their second operand for NaN and for equal zeros: `t > lo ?
// t : lo`.
static inline __attribute__((always_inline)) __m256 lines_value(__m256i sum, const lines_columns *c,
                                                                int act) {
    const __m256 t = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), c->scale, c->bias);
    if (act == QUERNEL_I_ACT_RELU) return _mm256_max_ps(t, c->lo);
    if (act == QUERNEL_I_ACT_CLAMP) return _mm256_min_ps(_mm256_max_ps(t, c->lo), c->hi);
    if (act != QUERNEL_I_ACT_PRELU) return t;
    return _mm256_blendv_ps(_mm256_mul_ps(t, c->slope), t,
                            _mm256_cmp_ps(t, _mm256_setzero_ps(), _CMP_GE_OQ));
}

// Up to 8 rows of 4 output channels as 4 lines.
static inline __attribute__((always_inline)) void lines_turned(const int32_t *acc, size_t row,
                                                               const lines_columns *c, int act,
                                                               uint32_t rows, __m256 v[4]) {
    __m256i sums[4];
    load_8x4(acc, row, rows, sums);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++) v[i] = lines_value(sums[i], c, act);
    transpose_8x4(v);
}

static inline __attribute__((always_inline)) void lines_8x4(const int32_t *acc, size_t row,
                                                            const lines_columns *c, int act,
                                                            uint32_t rows, uint32_t oc, uint8_t *y,
                                                            ptrdiff_t y_col) {
    __m256 v[4];
    lines_turned(acc, row, c, act, rows, v);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++)
        if (i < oc) store_dwords(y + (ptrdiff_t)i * y_col, v[i], rows);
}

// 4 cache lines, past the caches.
static inline __attribute__((always_inline)) void lines_16x4(const int32_t *acc, size_t row,
                                                             const lines_columns *c, int act,
                                                             uint8_t *y, ptrdiff_t y_col) {
    __m256 v[4], w[4];
    lines_turned(acc, row, c, act, 8, v);
    lines_turned(acc + 8 * row, row, c, act, 8, w);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++, y += y_col) {
        _mm256_stream_ps((float *)(void *)y, v[i]);
        _mm256_stream_ps((float *)(void *)(y + 32), w[i]);
    }
}

// Output channels [n, n + 4) of the tile, or what is left of them.
static inline __attribute__((always_inline)) void
lines_run_4(const lines_tile *t, const quernel_i_epilogue *f, uint32_t n, int act, bool past) {
    const lines_columns c = lines_columns_at(f, t->n + n, act);
    const uint32_t oc = t->oc - n < 4 ? t->oc - n : 4;
    uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)t->m * 4 + (ptrdiff_t)(t->n + n) * f->y_col;
    for (uint32_t r = 0, rows; r < t->rows; r += rows) {
        const int32_t *acc = t->acc + r * t->row + n;
        uint8_t *to = y + r * 4;
        const uint32_t left = t->rows - r,
                       to_line = past ? 16 - (uint32_t)((uintptr_t)to % 64 / 4) : 8;
        const bool whole = to_line == 16 && left >= 16 && oc == 4;
        rows = whole ? 16 : to_line < 8 ? to_line : 8;
        if (rows > left) rows = left;
        if (whole) lines_16x4(acc, t->row, &c, act, to, f->y_col);
        else if (rows == 8 && oc == 4) lines_8x4(acc, t->row, &c, act, 8, 4, to, f->y_col);
        else lines_8x4(acc, t->row, &c, act, rows, oc, to, f->y_col);
    }
}

// `act` is a constant where this is called.
static inline __attribute__((always_inline)) void
lines_run_act(const lines_tile *t, const quernel_i_epilogue *f, int act, bool past) {
    for (uint32_t n = 0; n < t->oc; n += 4) lines_run_4(t, f, n, act, past);
}

/// Makes output of them. `past`: whole cache lines go past the caches, and lines_end ends the call.
static inline void lines_run(const lines_tile *t, const quernel_i_epilogue *f, bool past) {
    if (f->act == QUERNEL_I_ACT_RELU) lines_run_act(t, f, QUERNEL_I_ACT_RELU, past);
    else if (f->act == QUERNEL_I_ACT_CLAMP) lines_run_act(t, f, QUERNEL_I_ACT_CLAMP, past);
    else if (f->act == QUERNEL_I_ACT_PRELU) lines_run_act(t, f, QUERNEL_I_ACT_PRELU, past);
    else lines_run_act(t, f, QUERNEL_I_ACT_NONE, past);
}

/// A whole call of an epilogue kernel.
static inline void lines_call(const int32_t *acc, size_t row, uint32_t rows, uint32_t oc,
                              const quernel_i_epilogue *f) {
    const bool past = lines_past(f);
    lines_run(&(lines_tile){acc, row, rows, oc, 0, 0}, f, past);
    lines_end(past);
}

#endif
