// SPDX-License-Identifier: Apache-2.0
// The commonest element-wise operators in one pass, a span of 16 elements at a time: x is codes or
// floats, z is codes, floats, or none, y is floats, or codes after none, ReLU or clamp. A template
// for any instruction set of x86: who includes this has defined
//     vfloat, v_set, v_add, v_mul, v_max, v_min: template/functions.h
//     vint: as many integers
//     span_values: SPAN floats
//     span_load(at, v), span_store(to, v): floats anywhere
//     span_flip(bits): span_bits, that many of each code, for
//     span_codes(at, flip, zero, v): u8 codes, their bits flipped, less the zero, as floats
//     span_zero(z): a zero point for
//     span_pack(v, zero, nan): codes of values within bounds; `nan`: there may be some, which
//         become the zero point
#ifndef QUERNEL_X86_ELTWISE_SPANS_H
#define QUERNEL_X86_ELTWISE_SPANS_H

#include <immintrin.h>

#include "kernels/template/elements.h"

enum {
    SPAN = 16,
    SHARED = 512, // elements of a row whose z is made values once, for all rows: 2 KiB
    TABLES = 5,   // of a call
};

#define SPAN_INLINE static inline __attribute__((always_inline))

/// A table that runs along a line, or 16 times the same: `mask` of the index.
typedef struct span_table {
    const float *at;
    size_t mask;
} span_table;

typedef struct span_tables {
    span_table x_scale, z_scale, out_scale, act_lo, act_hi;
} span_tables;

/// Lines of contiguous elements, some bytes apart. Codes are u8: those of s8 are flipped, and 128
/// is added to their zero.
typedef struct span_lines {
    const uint8_t *x, *z;
    uint8_t *y;
    ptrdiff_t x_row, z_row, y_row;
    size_t rows, count;
    span_tables tables;
    span_bits x_flip, z_flip;
    vint x_zero, z_zero, q_zero;
    vfloat q_lo, q_hi;
} span_lines;

/// Where a line's values come from: nowhere, codes, floats, or one float for the line.
typedef enum span_source { SPAN_NONE, SPAN_CODES, SPAN_FLOATS, SPAN_ONE } span_source;

/// Constants of a loop.
typedef struct span_kind {
    span_source x, z;
    int32_t combine; // COPY without a z, else ADD or MUL
    bool clamps;     // ReLU of codes is a bound of theirs: the factor is positive, a NaN becomes 0
    bool floats;     // y
} span_kind;

// Bytes from an element to the next.
SPAN_INLINE size_t span_step(span_source source) {
    return source == SPAN_FLOATS ? sizeof(float) : source == SPAN_CODES;
}

SPAN_INLINE void span_entries(const span_table *t, size_t i, span_values *v) {
    span_load(t->at + (i & t->mask), v);
}

SPAN_INLINE void span_scale(span_values *v, const span_table *scale, size_t i) {
    span_values by;
    span_entries(scale, i, &by);
    for (uint32_t h = 0; h < SPAN_VECTORS; h++) v->at[h] = v_mul(v->at[h], by.at[h]);
}

SPAN_INLINE void span_operand(span_source source, const uint8_t *at, span_bits flip, vint zero,
                              const span_table *scale, size_t i, span_values *v) {
    const float *floats = (const float *)(const void *)at;
    if (source == SPAN_ONE)
        for (uint32_t h = 0; h < SPAN_VECTORS; h++) v->at[h] = v_set(*floats);
    if (source == SPAN_FLOATS) span_load(floats, v);
    if (source != SPAN_CODES) return;
    span_codes(at, flip, zero, v);
    span_scale(v, scale, i);
}

SPAN_INLINE vfloat span_combine(int32_t how, vfloat x, vfloat z) {
    return how == QUERNEL_I_COMBINE_ADD   ? v_add(x, z)
           : how == QUERNEL_I_COMBINE_MUL ? v_mul(x, z)
                                          : x;
}

// Values of elements i … i + 15 of a line, whose operands begin at x and z, behind the activation.
SPAN_INLINE void span_make(const span_lines *l, const span_kind k, size_t i, const uint8_t *x,
                           const uint8_t *z, span_values *v) {
    const span_tables *t = &l->tables;
    span_values other, lo, hi;
    span_operand(k.x, x, l->x_flip, l->x_zero, &t->x_scale, i, v);
    if (k.z != SPAN_NONE) span_operand(k.z, z, l->z_flip, l->z_zero, &t->z_scale, i, &other);
    else other = *v;
    if (k.clamps) span_entries(&t->act_lo, i, &lo), span_entries(&t->act_hi, i, &hi);
    for (uint32_t h = 0; h < SPAN_VECTORS; h++) {
        v->at[h] = span_combine(k.combine, v->at[h], other.at[h]);
        // of x86's maximum and minimum the second operand wins where one is a NaN
        if (k.clamps) v->at[h] = v_min(v_max(v->at[h], lo.at[h]), hi.at[h]);
    }
}

SPAN_INLINE __m128i span_round(const span_lines *l, const span_kind k, size_t i, span_values v) {
    // of two finite codes there is no NaN
    const bool nan = !k.clamps && (k.x == SPAN_FLOATS || k.z == SPAN_FLOATS || k.z == SPAN_ONE);
    span_scale(&v, &l->tables.out_scale, i);
    for (uint32_t h = 0; h < SPAN_VECTORS; h++) v.at[h] = v_min(l->q_hi, v_max(l->q_lo, v.at[h]));
    return span_pack(&v, l->q_zero, nan);
}

SPAN_INLINE void span_put(const span_lines *l, const span_kind k, size_t i, const span_values *v,
                          uint8_t *y) {
    if (k.floats) span_store((float *)(void *)y, v);
    else _mm_storeu_si128((__m128i *)y, span_round(l, k, i, *v));
}

// The last span may overlap the one before it: its values are made before anything is stored, since
// x or z may be y.
SPAN_INLINE void span_line(const span_lines *l, const span_kind k) {
    const size_t x_step = span_step(k.x), y_step = k.floats ? sizeof(float) : 1,
                 z_step = span_step(k.z), last = l->count - SPAN;
    span_values end, v;
    span_make(l, k, last, l->x + last * x_step, l->z + last * z_step, &end);
    for (size_t i = 0; i < last; i += SPAN) {
        span_make(l, k, i, l->x + i * x_step, l->z + i * z_step, &v);
        span_put(l, k, i, &v, l->y + i * y_step);
    }
    span_put(l, k, last, &end, l->y + last * y_step);
}

// Over a copy: its members stay in registers, whatever is stored.
SPAN_INLINE void span_loop(const span_lines *lines, const span_kind k) {
    span_lines l = *lines;
    for (size_t m = 0; m < l.rows; m++, l.x += l.x_row, l.y += l.y_row) {
        span_line(&l, k);
        if (k.z != SPAN_NONE) l.z += l.z_row;
    }
}

// Each level makes a constant of one member.
SPAN_INLINE void span_y(const span_lines *l, span_kind k, const span_kind *given) {
    k.floats = true;
    if (given->floats) span_loop(l, k);
    k.floats = false, k.clamps = true;
    if (given->clamps) span_loop(l, k);
    k.clamps = false;
    if (!given->floats && !given->clamps) span_loop(l, k);
}

SPAN_INLINE void span_how(const span_lines *l, span_kind k, const span_kind *given) {
    k.combine = QUERNEL_I_COMBINE_ADD;
    if (given->combine == QUERNEL_I_COMBINE_ADD) span_y(l, k, given);
    k.combine = QUERNEL_I_COMBINE_MUL;
    if (given->combine == QUERNEL_I_COMBINE_MUL) span_y(l, k, given);
}

SPAN_INLINE void span_z(const span_lines *l, span_kind k, const span_kind *given) {
    k.z = SPAN_NONE, k.combine = QUERNEL_I_COMBINE_COPY;
    if (given->z == SPAN_NONE) span_y(l, k, given);
    k.z = SPAN_FLOATS;
    if (given->z == SPAN_FLOATS) span_how(l, k, given);
    k.z = SPAN_ONE;
    if (given->z == SPAN_ONE) span_how(l, k, given);
    k.z = SPAN_CODES;
    if (k.x == SPAN_CODES && given->z == SPAN_CODES) span_how(l, k, given);
}

static void span_run(const span_lines *l, const span_kind *given) {
    if (given->x == SPAN_CODES) span_z(l, (span_kind){.x = SPAN_CODES}, given);
    else span_z(l, (span_kind){.x = SPAN_FLOATS}, given);
}

// Lines shorter than a span: each is copied, so that there is one of 16 elements.
static void span_run_few(const span_lines *l, const span_kind *k) {
    const size_t x_step = span_step(k->x), z_step = span_step(k->z), y_step = k->floats ? 4 : 1;
    uint8_t x[SPAN * sizeof(float)] = {0}, z[sizeof x] = {0}, y[sizeof x];
    span_lines one = *l;
    one.x = x, one.z = z, one.y = y, one.rows = 1, one.count = SPAN;
    for (size_t m = 0; m < l->rows; m++) {
        const ptrdiff_t row = (ptrdiff_t)m;
        memcpy(x, l->x + row * l->x_row, l->count * x_step);
        if (k->z != SPAN_NONE)
            memcpy(z, l->z + row * l->z_row, k->z == SPAN_ONE ? sizeof(float) : l->count * z_step);
        span_run(&one, k);
        memcpy(l->y + row * l->y_row, y, l->count * y_step);
    }
}

static void span_run_any(const span_lines *l, const span_kind *k) {
    if (l->count < SPAN) span_run_few(l, k);
    else span_run(l, k);
}

static span_source span_source_of(const quernel_i_elements *o) {
    return o->type == QUERNEL_TYPE_F32 ? SPAN_FLOATS : SPAN_CODES;
}

static bool span_is_shared(const quernel_i_eltwise *e) {
    return e->combine != QUERNEL_I_COMBINE_COPY && e->z.col && e->rows > 1 && !e->z.row;
}

// How lines read z: codes and floats of its own; else it becomes floats first, one for a row where
// all columns have the same, or a row of them for all rows.
static span_source span_z_source(const quernel_i_eltwise *e) {
    if (e->combine == QUERNEL_I_COMBINE_COPY) return SPAN_NONE;
    if (!e->z.col) return SPAN_ONE;
    return span_is_shared(e) ? SPAN_FLOATS : span_source_of(&e->z);
}

// A table of lines that begin at (m, n).
static span_table span_table_at(const quernel_i_eltwise *e, const float *table, float otherwise,
                                uint32_t m, uint32_t n, float room[SPAN]) {
    if (table && e->p_col) return (span_table){table + n, SIZE_MAX};
    for (int i = 0; i < SPAN; i++) room[i] = table ? table[m * e->p_row] : otherwise;
    return (span_table){room, 0};
}

// `rows` lines of `count` elements from (m, n) on. z is none, or its own elements.
static span_lines span_lines_at(const quernel_i_eltwise *e, uint32_t m, uint32_t n, uint32_t rows,
                                uint32_t count, float room[TABLES][SPAN]) {
    const quernel_i_epilogue *f = e->epilogue;
    const int32_t x_flip = e->x.type == QUERNEL_TYPE_S8 ? 128 : 0,
                  z_flip = e->z.type == QUERNEL_TYPE_S8 ? 128 : 0;
    const bool relu = f->act == QUERNEL_I_ACT_RELU;
    span_lines l = {.x_row = e->x.row, .z_row = e->z.row, .y_row = f->y_row};
    l.rows = rows, l.count = count;
    l.x = (const uint8_t *)e->x.at + (ptrdiff_t)m * e->x.row + (ptrdiff_t)n * e->x.col;
    l.z = l.x; // which is not read where there is none
    if (e->combine != QUERNEL_I_COMBINE_COPY)
        l.z = (const uint8_t *)e->z.at + (ptrdiff_t)m * e->z.row + (ptrdiff_t)n * e->z.col;
    l.y = (uint8_t *)f->y + (ptrdiff_t)m * f->y_row + (ptrdiff_t)n * f->y_col;
    l.tables.x_scale = span_table_at(e, e->x.scales, e->x.scale, m, n, room[0]);
    l.tables.z_scale = span_table_at(e, e->z.scales, e->z.scale, m, n, room[1]);
    l.tables.out_scale = span_table_at(e, f->out_scale, 1.0f, m, n, room[2]);
    l.tables.act_lo = span_table_at(e, f->act_lo, 0.0f, m, n, room[3]);
    l.tables.act_hi = span_table_at(e, f->act_hi, 0.0f, m, n, room[4]);
    l.x_flip = span_flip(x_flip), l.z_flip = span_flip(z_flip);
    l.x_zero = v_int(e->x.zero + x_flip), l.z_zero = v_int(e->z.zero + z_flip);
    l.q_lo = v_set(relu && f->q_lo < 0.0f ? 0.0f : f->q_lo), l.q_hi = v_set(f->q_hi);
    l.q_zero = span_zero(f->q_zero);
    return l;
}

static span_kind span_kind_of(const quernel_i_eltwise *e) {
    const quernel_i_epilogue *f = e->epilogue;
    const bool floats = f->out == QUERNEL_TYPE_F32;
    return (span_kind){span_source_of(&e->x), span_z_source(e), e->combine,
                       f->act == QUERNEL_I_ACT_CLAMP, floats};
}

// One z for all rows.
static void span_run_shared(const quernel_i_eltwise *e) {
    float values[SHARED], room[TABLES][SPAN];
    const span_kind k = span_kind_of(e);
    const uint32_t rows = e->p_row ? 1 : e->rows; // that are alike
    for (uint32_t n = 0; n < e->columns; n += SHARED)
        for (uint32_t m = 0; m < e->rows; m += rows) {
            const uint32_t count = e->columns - n < SHARED ? e->columns - n : SHARED;
            span_lines l = span_lines_at(e, m, n, rows, count, room);
            for (uint32_t i = 0; i < count; i++)
                values[i] = elements_value(&e->z, m, n + i, m * e->p_row + (n + i) * e->p_col);
            l.z = (const uint8_t *)values, l.z_row = 0;
            span_run_any(&l, &k);
        }
}

static void span_run_lines(const quernel_i_eltwise *e) {
    float room[TABLES][SPAN], ones[SHARED];
    const span_kind k = span_kind_of(e);
    const uint32_t most = e->p_row ? 1 : k.z == SPAN_ONE ? SHARED : e->rows;
    for (uint32_t m = 0; m < e->rows; m += most) {
        const uint32_t rows = e->rows - m < most ? e->rows - m : most;
        span_lines l = span_lines_at(e, m, 0, rows, e->columns, room);
        for (uint32_t i = 0; k.z == SPAN_ONE && i < rows; i++)
            ones[i] = elements_value(&e->z, m + i, 0, (size_t)(m + i) * e->p_row);
        if (k.z == SPAN_ONE) l.z = (const uint8_t *)ones, l.z_row = sizeof *ones;
        span_run_any(&l, &k);
    }
}

// Floats and codes are codes and floats.
static void span_eltwise(const quernel_i_eltwise *given) {
    quernel_i_eltwise e = *given;
    if (span_is_shared(&e)) {
        span_run_shared(&e);
        return;
    }
    if (span_source_of(&e.x) == SPAN_FLOATS && span_z_source(&e) == SPAN_CODES)
        e.x = given->z, e.z = given->x;
    span_run_lines(&e);
}

#endif
