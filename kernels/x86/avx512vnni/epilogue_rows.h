// SPDX-License-Identifier: Apache-2.0
// Any epilogue, for AVX-512: a row of 16 sums goes through registers once, with whatever options it
// has: branches that go the same way for all rows, but for the activation, which is a constant of
// the loop. A function is a long chain of operations for each vector, and has a pass of its own
// over the tile, where several chains run beside one another. Rows whose elements are not stored
// side by side wait in the tile.
#ifndef QUERNEL_AVX512VNNI_EPILOGUE_ROWS_H
#define QUERNEL_AVX512VNNI_EPILOGUE_ROWS_H

#include "epilogue_tile.h"
#include "kernels/x86/lines.h"

#include "kernels/template/functions.h" // over the vectors of vnni.h

/// What a row of 16 output channels needs: tables, and which options there are, so that no store of
/// the loop could change them.
typedef struct epilogue_tables {
    __m512 scale, bias, r_scale, lo, hi, slope, out_scale, q_lo, q_hi;
    __m512i r_zero, q_zero;
    __mmask16 lanes;
    // of the residual: its kind, and whether it comes before the activation or behind it (no bool:
    // gcc 12 tests two of them by one load of what it has just stored)
    uint32_t r_codes, r_scaled, first, last;
    const float *row_scale;
} epilogue_tables;

static inline __m512 epilogue_table(const float *table, uint32_t n) {
    return table ? _mm512_loadu_ps(table + n) : _mm512_setzero_ps();
}

static inline __attribute__((always_inline)) epilogue_tables
epilogue_tables_at(const epilogue_tile *t, const quernel_i_epilogue *f, int act) {
    const bool clamps = act == QUERNEL_I_ACT_CLAMP;
    return (epilogue_tables){
        .scale = _mm512_loadu_ps(f->scale + t->n),
        .bias = _mm512_loadu_ps(f->bias + t->n),
        .r_scale = epilogue_table(f->r_scale, t->n),
        .lo = epilogue_table(clamps ? f->act_lo : NULL, t->n),
        .hi = epilogue_table(clamps ? f->act_hi : NULL, t->n),
        .slope = epilogue_table(act == QUERNEL_I_ACT_PRELU ? f->slope : NULL, t->n),
        .out_scale = epilogue_table(f->out_scale, t->n),
        .q_lo = _mm512_set1_ps(f->q_lo),
        .q_hi = _mm512_set1_ps(f->q_hi),
        .r_zero = _mm512_set1_epi32(f->r_zero),
        .q_zero = _mm512_set1_epi32(f->q_zero),
        .lanes = lanes(t->oc),
        .r_codes = element_size(f->r_type) == 1,
        .r_scaled = f->r_scale != NULL,
        .first = f->residual && !f->residual_last,
        .last = f->residual && f->residual_last,
        .row_scale = f->row_scale ? f->row_scale + t->m : NULL,
    };
}

static inline __m512 epilogue_prelu(__m512 t, __m512 slope) {
    return _mm512_mask_mov_ps(_mm512_mul_ps(t, slope),
                              _mm512_cmp_ps_mask(t, _mm512_setzero_ps(), _CMP_GE_OQ), t);
}

// max and min give their second operand for NaN and for equal zeros: `t > lo ? t : lo`, `t < hi ? t
// : hi`.
static inline __attribute__((always_inline)) __m512 epilogue_act(__m512 v, const epilogue_tables *c,
                                                                 int act) {
    if (act == QUERNEL_I_ACT_RELU) return _mm512_max_ps(v, c->lo);
    if (act == QUERNEL_I_ACT_CLAMP) return _mm512_min_ps(_mm512_max_ps(v, c->lo), c->hi);
    return act == QUERNEL_I_ACT_PRELU ? epilogue_prelu(v, c->slope) : v;
}

// Zero points: a pass of its own over the sums of a sub-panel.
static inline void epilogue_terms(const epilogue_tile *t, uint32_t n, const int32_t *row_term,
                                  const int32_t *col_term) {
    const __m512i column = _mm512_loadu_si512(col_term + t->n + n);
    for (uint32_t r = 0; r < t->rows; r++) {
        int32_t *at = t->acc + r * EPILOGUE_NR + n;
        const __m512i row = _mm512_set1_epi32(row_term[t->m + r]);
        tile_keep(at, _mm512_add_epi32(tile_load(at), _mm512_mullo_epi32(column, row)));
    }
}

static inline __attribute__((always_inline)) __m512
epilogue_add(__m512 v, const epilogue_residual *x, uint32_t r, const epilogue_tables *c) {
    const __m512i e = load_lanes(x->at + (ptrdiff_t)r * x->row, c->lanes, x->type);
    const __m512 value =
        c->r_codes ? _mm512_cvtepi32_ps(_mm512_sub_epi32(e, c->r_zero)) : _mm512_castsi512_ps(e);
    return c->r_scaled ? _mm512_fmadd_ps(value, c->r_scale, v) : _mm512_add_ps(v, value);
}

// The value of a row's sums, with the residual where it comes before the activation.
static inline __attribute__((always_inline)) __m512 epilogue_value(const int32_t *at, uint32_t r,
                                                                   const epilogue_residual *x,
                                                                   const epilogue_tables *c,
                                                                   bool any) {
    const __m512 sum = _mm512_cvtepi32_ps(tile_load(at));
    if (!any) return _mm512_fmadd_ps(sum, c->scale, c->bias);
    const __m512 scale =
        c->row_scale ? _mm512_mul_ps(c->scale, _mm512_set1_ps(c->row_scale[r])) : c->scale;
    const __m512 v = _mm512_fmadd_ps(sum, scale, c->bias);
    return c->first ? epilogue_add(v, x, r, c) : v;
}

// quernel_i_bf16 by the same integers.
static inline __m512i epilogue_bf16(__m512 v) {
    const __m512i u = _mm512_castps_si512(v), half = _mm512_set1_epi32(0x7fff);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(u, half), odd), 16);
    return _mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q),
                                 _mm512_set1_epi32(0x7fc0));
}

// A NaN becomes 0x80000000, whose low byte is that of 0.
static inline __attribute__((always_inline)) __m512i
epilogue_element(__m512 v, const epilogue_tables *c, int32_t out) {
    if (out == QUERNEL_TYPE_F32) return _mm512_castps_si512(v);
    if (out == QUERNEL_TYPE_BF16) return epilogue_bf16(v);
    return _mm512_add_epi32(round_clamped(v, c->q_lo, c->q_hi), c->q_zero);
}

/// What a loop is made for.
typedef enum epilogue_kind {
    EPILOGUE_ANY,
    EPILOGUE_F32,  // floats side by side, with only scale, bias and activation
    EPILOGUE_CODES // codes side by side, and their factor too
} epilogue_kind;

static inline epilogue_kind epilogue_kind_of(const quernel_i_epilogue *f) {
    const bool codes = element_size(f->out) == 1;
    if (f->residual || f->row_scale || f->y_col != element_size(f->out)) return EPILOGUE_ANY;
    if (codes && f->out_scale) return EPILOGUE_CODES;
    return f->out == QUERNEL_TYPE_F32 && !f->out_scale ? EPILOGUE_F32 : EPILOGUE_ANY;
}

// `values`, rows of floats that lie `pitch` apart, or NULL for the tile's sums. Whether it is NULL,
// `act`, and `kind` are constants where this is called.
static inline __attribute__((always_inline)) void
epilogue_loop(const epilogue_tile *t, const quernel_i_epilogue *f, const epilogue_residual *x,
              int act, const float *values, uint32_t pitch, epilogue_kind kind) {
    const epilogue_tables c = epilogue_tables_at(t, f, act);
    const uint32_t rows = t->rows; // which no store of the loop could change
    int32_t *at = t->acc;
    const bool any = kind == EPILOGUE_ANY, apart = any && f->y_col != element_size(f->out);
    const bool scaled = any ? f->out_scale != NULL : kind == EPILOGUE_CODES;
    const int32_t out = any ? f->out : kind == EPILOGUE_F32 ? QUERNEL_TYPE_F32 : QUERNEL_TYPE_U8;
    const ptrdiff_t element = element_size(out), y_row = f->y_row;
    uint8_t *y = epilogue_y(t, f);
    for (uint32_t r = 0; r < rows; r++, y += y_row, at += EPILOGUE_NR) {
        __m512 v = values ? _mm512_load_ps(values + r * pitch) : epilogue_value(at, r, x, &c, any);
        v = epilogue_act(v, &c, act);
        if (any && c.last) v = epilogue_add(v, x, r, &c);
        if (scaled) v = _mm512_mul_ps(v, c.out_scale);
        const __m512i e = epilogue_element(v, &c, out);
        if (apart) tile_keep(at, e);
        else store_lanes(y, e, c.lanes, element);
    }
    if (apart) epilogue_store(t, f);
}

static inline __attribute__((always_inline)) void epilogue_pass(const epilogue_tile *t,
                                                                const quernel_i_epilogue *f,
                                                                const epilogue_residual *x,
                                                                int act) {
    if (epilogue_kind_of(f) == EPILOGUE_F32) epilogue_loop(t, f, x, act, NULL, 0, EPILOGUE_F32);
    else epilogue_loop(t, f, x, act, NULL, 0, EPILOGUE_ANY);
}

// What follows a function.
static inline void epilogue_end(const epilogue_tile *t, const quernel_i_epilogue *f,
                                const epilogue_residual *x, const float *values, uint32_t pitch) {
    const int act = QUERNEL_I_ACT_NONE;
    switch (epilogue_kind_of(f)) {
    case EPILOGUE_F32: epilogue_loop(t, f, x, act, values, pitch, EPILOGUE_F32); break;
    case EPILOGUE_CODES: epilogue_loop(t, f, x, act, values, pitch, EPILOGUE_CODES); break;
    default: epilogue_loop(t, f, x, act, values, pitch, EPILOGUE_ANY);
    }
}

// Sums are the output.
static inline void epilogue_sums(const epilogue_tile *t, const quernel_i_epilogue *f,
                                 const epilogue_residual *x) {
    const __mmask16 some = lanes(t->oc);
    uint8_t *y = epilogue_y(t, f);
    for (uint32_t r = 0; r < t->rows; r++, y += f->y_row) {
        int32_t *at = t->acc + r * EPILOGUE_NR;
        __m512i sum = tile_load(at);
        if (x->at)
            sum = _mm512_add_epi32(sum, load_lanes(x->at + (ptrdiff_t)r * x->row, some, x->type));
        if (f->y_col == 4) store_lanes(y, sum, some, 4);
        else tile_keep(at, sum);
    }
    if (f->y_col != 4) epilogue_store(t, f);
}

/// A sub-panel of a tile, and its residual.
typedef struct epilogue_panel {
    epilogue_tile t;
    epilogue_residual x;
    int32_t gathered[EPILOGUE_MR * LANES] __attribute__((aligned(64)));
} epilogue_panel;

static inline void epilogue_panel_at(const epilogue_tile *t, const quernel_i_epilogue *f,
                                     uint32_t p, bool residual, epilogue_panel *ret) {
    ret->t =
        (epilogue_tile){t->acc + p, t->rows, t->oc - p < LANES ? t->oc - p : LANES, t->m, t->n + p};
    ret->x = (epilogue_residual){NULL, 0, 0};
    if (residual) ret->x = epilogue_residual_of(&ret->t, f, ret->gathered);
}

static inline void epilogue_options_panel(const epilogue_panel *p, const quernel_i_epilogue *f) {
    if (f->out == QUERNEL_TYPE_S32) epilogue_sums(&p->t, f, &p->x);
    else if (f->act == QUERNEL_I_ACT_RELU) epilogue_pass(&p->t, f, &p->x, QUERNEL_I_ACT_RELU);
    else if (f->act == QUERNEL_I_ACT_CLAMP) epilogue_pass(&p->t, f, &p->x, QUERNEL_I_ACT_CLAMP);
    else if (f->act == QUERNEL_I_ACT_PRELU) epilogue_pass(&p->t, f, &p->x, QUERNEL_I_ACT_PRELU);
    else epilogue_pass(&p->t, f, &p->x, QUERNEL_I_ACT_NONE);
}

static inline __attribute__((always_inline)) void
epilogue_values(const epilogue_tile *t, const quernel_i_epilogue *f, const epilogue_residual *x,
                float *values, uint32_t pitch, bool any) {
    const epilogue_tables c = epilogue_tables_at(t, f, QUERNEL_I_ACT_NONE);
    const uint32_t rows = t->rows;
    const int32_t *at = t->acc;
    for (uint32_t r = 0; r < rows; r++, at += EPILOGUE_NR)
        _mm512_store_ps(values + r * pitch, epilogue_value(at, r, x, &c, any));
}

// The lanes between the rows of a single sub-panel may hold values that take assists of microcode.
static inline void epilogue_apply(int32_t act, float *values, const epilogue_tile *t,
                                  uint32_t pitch) {
    const uint32_t width = t->oc > LANES ? EPILOGUE_NR : LANES;
    if (width == pitch) function_apply(act, values, t->rows * pitch, LANES);
    else
        for (uint32_t r = 0; r < t->rows; r++)
            function_apply(act, values + r * pitch, LANES, LANES);
}

// Values, then the function of all of them, then what follows. Those of a single sub-panel move
// together, unless their rows wait in the tile.
static inline void epilogue_function(const epilogue_tile *t, const quernel_i_epilogue *f) {
    epilogue_panel p;
    float *const values = (float *)(void *)t->acc;
    const bool apart = f->y_col != element_size(f->out);
    const bool late = f->residual && f->residual_last;
    const bool done = apart && f->out == QUERNEL_TYPE_F32 && !late && !f->out_scale;
    const uint32_t pitch = t->oc > LANES || apart ? EPILOGUE_NR : LANES;
    for (uint32_t n = 0; n < t->oc; n += LANES) {
        epilogue_panel_at(t, f, n, f->residual && !f->residual_last, &p);
        if (p.x.at || f->row_scale) epilogue_values(&p.t, f, &p.x, values + n, pitch, true);
        else epilogue_values(&p.t, f, &p.x, values + n, pitch, false);
    }
    epilogue_apply(f->act, values, t, pitch);
    for (uint32_t n = 0; n < t->oc; n += LANES) {
        epilogue_panel_at(t, f, n, late, &p);
        if (done) epilogue_store(&p.t, f);
        else epilogue_end(&p.t, f, &p.x, values + n, pitch);
    }
}

// A row's work is too long for the next ones' residuals to be asked for in time.
static inline void residual_fetch(const epilogue_tile *t, const quernel_i_epilogue *f) {
    const uint8_t *at =
        (const uint8_t *)f->residual + (ptrdiff_t)t->m * f->r_row + (ptrdiff_t)t->n * f->r_col;
    for (uint32_t r = 0; f->residual && r < t->rows; r++, at += f->r_row) __builtin_prefetch(at);
}

// Whatever is not plain, a sub-panel at a time. Not inline: what it needs of the stack and the
// registers would cost plain epilogues.
static __attribute__((noinline)) void epilogue_options(const epilogue_tile *t,
                                                       const quernel_i_epilogue *f) {
    if (lines_fit(f)) {
        const lines_tile lines = {t->acc, EPILOGUE_NR, t->rows, t->oc, t->m, t->n};
        lines_run(&lines, f, false);
        return;
    }
    residual_fetch(t, f);
    for (uint32_t n = 0; n < t->oc; n += LANES)
        for (int i = 0; i < 2; i++)
            if (f->row_term[i]) epilogue_terms(t, n, f->row_term[i], f->col_term[i]);
    if (f->out != QUERNEL_TYPE_S32 && function_is(f->act)) {
        epilogue_function(t, f);
        return;
    }
    for (uint32_t n = 0; n < t->oc; n += LANES) {
        epilogue_panel p;
        epilogue_panel_at(t, f, n, f->residual, &p);
        epilogue_options_panel(&p, f);
    }
}

#endif
