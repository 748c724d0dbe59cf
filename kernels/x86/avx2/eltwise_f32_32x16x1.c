// SPDX-License-Identifier: Apache-2.0
// Element by element for AVX2. Lines of codes, or of floats that become codes, take one pass
// (elements_codes.h). All else goes through a tile of 32 x 16 floats in L1: the operands' values,
// what is made of them, and what the epilogue makes of that.
#include "elements_codes.h"

enum { COLUMNS = EPILOGUE_NR, TABLES = 5 /* those of a call */ };
// elements of a row whose z is made values once, for all rows: 2 KiB
enum { SPAN = 512 };

static void combine(int32_t how, const float *z, uint32_t count, float *t) {
#define EACH(f)                                                                  \
    for (uint32_t i = 0; i < count; i += 8)                                      \
        _mm256_store_ps(t + i, f(_mm256_load_ps(t + i), _mm256_load_ps(z + i))); \
    break;
    switch (how) {
    case QUERNEL_I_COMBINE_ADD: EACH(_mm256_add_ps)
    case QUERNEL_I_COMBINE_SUB: EACH(_mm256_sub_ps)
    case QUERNEL_I_COMBINE_MUL: EACH(_mm256_mul_ps)
    default: EACH(_mm256_div_ps)
    }
#undef EACH
}

static void eltwise_tile(const epilogue_tile *t, const quernel_i_epilogue *f, int32_t how,
                         const elements *x, const elements *z) {
    float other[EPILOGUE_ROWS_MAX * COLUMNS] __attribute__((aligned(32)));
    elements_load(x, t->rows, t->oc, epilogue_floats(t));
    if (how != QUERNEL_I_COMBINE_COPY) {
        elements_load(z, t->rows, t->oc, other);
        combine(how, other, t->rows * COLUMNS, epilogue_floats(t));
    }
    epilogue_run_values(t, f);
}

static bool is_line(const quernel_i_elements *o) {
    return o->type != QUERNEL_TYPE_BF16 && o->col == elements_size(o->type);
}

static codes_source source_of(const quernel_i_elements *o) {
    return o->type == QUERNEL_TYPE_F32 ? CODES_FLOATS : CODES_BYTES;
}

// How lines read z: codes and floats of its own; else it becomes floats first, one for a row where
// all columns have the same, or a row of them for all rows.
static codes_source z_source(const quernel_i_eltwise *e) {
    if (e->combine == QUERNEL_I_COMBINE_COPY) return CODES_NONE;
    if (!e->z.col) return CODES_ONE;
    return e->rows > 1 && !e->z.row ? CODES_FLOATS : source_of(&e->z);
}

static bool is_shared(const quernel_i_eltwise *e) {
    return e->combine != QUERNEL_I_COMBINE_COPY && e->z.col && e->rows > 1 && !e->z.row;
}

static bool is_codes(const quernel_i_eltwise *e) {
    const quernel_i_epilogue *f = e->epilogue;
    if (!epilogue_is_int8(f) || f->y_col != 1 || !function_is_clamp(f->act) || !is_line(&e->x))
        return false;
    if (e->combine == QUERNEL_I_COMBINE_COPY) return true;
    const bool sum_or_product =
        e->combine == QUERNEL_I_COMBINE_ADD || e->combine == QUERNEL_I_COMBINE_MUL;
    if (!sum_or_product || (!e->z.col && e->z.scales && e->p_col)) return false;
    return !e->z.col || is_shared(e) || is_line(&e->z);
}

// A table of lines that begin at (m, n).
static codes_table table_at(const quernel_i_eltwise *e, const float *table, float otherwise,
                            uint32_t m, uint32_t n, float room[COLUMNS]) {
    if (table && e->p_col) return (codes_table){table + n, COLUMNS};
    const __m256 v = _mm256_set1_ps(table ? table[m * e->p_row] : otherwise);
    _mm256_store_ps(room, v), _mm256_store_ps(room + 8, v);
    return (codes_table){room, 0};
}

// Codes of s8 are read as u8.
static void set_codes(const quernel_i_elements *o, __m256i *flip, __m256i *zero) {
    const bool s8 = o->type == QUERNEL_TYPE_S8;
    *flip = _mm256_set1_epi8(s8 ? INT8_MIN : 0);
    *zero = _mm256_set1_epi32(o->zero + (s8 ? 128 : 0));
}

// `rows` lines of `count` elements from (m, n) on. z is none, or its own elements.
static codes_lines lines_at(const quernel_i_eltwise *e, uint32_t m, uint32_t n, uint32_t rows,
                            uint32_t count, float room[TABLES][COLUMNS]) {
    const quernel_i_epilogue *f = e->epilogue;
    codes_lines l = {.x_row = e->x.row, .z_row = e->z.row, .y_row = f->y_row};
    l.rows = rows, l.count = count;
    l.x = (const uint8_t *)e->x.at + (ptrdiff_t)m * e->x.row + (ptrdiff_t)n * e->x.col;
    if (e->combine != QUERNEL_I_COMBINE_COPY)
        l.z = (const uint8_t *)e->z.at + (ptrdiff_t)m * e->z.row + (ptrdiff_t)n * e->z.col;
    l.y = (uint8_t *)f->y + (ptrdiff_t)m * f->y_row + n;
    l.tables.x_scale = table_at(e, e->x.scales, e->x.scale, m, n, room[0]);
    l.tables.z_scale = table_at(e, e->z.scales, e->z.scale, m, n, room[1]);
    l.tables.out_scale = table_at(e, f->out_scale, 1.0f, m, n, room[2]);
    l.tables.act_lo = table_at(e, f->act_lo, 0.0f, m, n, room[3]);
    l.tables.act_hi = table_at(e, f->act_hi, 0.0f, m, n, room[4]);
    set_codes(&e->x, &l.x_flip, &l.x_zero), set_codes(&e->z, &l.z_flip, &l.z_zero);
    l.q_lo = _mm256_set1_ps(f->act == QUERNEL_I_ACT_RELU && f->q_lo < 0.0f ? 0.0f : f->q_lo);
    l.q_hi = _mm256_set1_ps(f->q_hi);
    l.q_zero = _mm256_set1_epi16((int16_t)f->q_zero);
    return l;
}

// Values of a shared z, from (m, n) on.
static void load_shared(const quernel_i_eltwise *e, uint32_t m, uint32_t n, uint32_t count,
                        float to[SPAN]) {
    for (uint32_t i = 0; i < count; i += COLUMNS) {
        elements z;
        elements_find(e, &e->z, m, n + i, &z);
        elements_load(&z, 1, count - i < COLUMNS ? count - i : COLUMNS, to + i);
    }
}

static void run_shared(const quernel_i_eltwise *e) {
    float values[SPAN] __attribute__((aligned(32))),
        room[TABLES][COLUMNS] __attribute__((aligned(32)));
    const quernel_i_epilogue *f = e->epilogue;
    const uint32_t rows = e->p_row ? 1 : e->rows; // that are alike
    for (uint32_t n = 0; n < e->columns; n += SPAN)
        for (uint32_t m = 0; m < e->rows; m += rows) {
            const uint32_t count = e->columns - n < SPAN ? e->columns - n : SPAN;
            codes_lines l = lines_at(e, m, n, rows, count, room);
            load_shared(e, m, n, count, values);
            l.z = (const uint8_t *)values, l.z_row = 0;
            codes_run(&l, source_of(&e->x), CODES_FLOATS, e->combine,
                      f->act == QUERNEL_I_ACT_CLAMP);
        }
}

// The value of a row's only z.
static float one_at(const quernel_i_eltwise *e, uint32_t m) {
    const quernel_i_elements *z = &e->z;
    const uint8_t *at = (const uint8_t *)z->at + (ptrdiff_t)m * z->row;
    const float v = elements_one(at, z->type, z->zero);
    if (!elements_is_codes(z->type)) return v;
    return v * (z->scales ? z->scales[m * e->p_row] : z->scale);
}

static void run_lines(const quernel_i_eltwise *e) {
    float room[TABLES][COLUMNS] __attribute__((aligned(32))), ones[SPAN];
    const codes_source z = z_source(e);
    const uint32_t most = e->p_row ? 1 : z == CODES_ONE ? SPAN : e->rows;
    for (uint32_t m = 0; m < e->rows; m += most) {
        const uint32_t rows = e->rows - m < most ? e->rows - m : most;
        codes_lines l = lines_at(e, m, 0, rows, e->columns, room);
        for (uint32_t i = 0; z == CODES_ONE && i < rows; i++) ones[i] = one_at(e, m + i);
        if (z == CODES_ONE) l.z = (const uint8_t *)ones, l.z_row = sizeof *ones;
        codes_run(&l, source_of(&e->x), z, e->combine, e->epilogue->act == QUERNEL_I_ACT_CLAMP);
    }
}

void quernel_uk_eltwise_f32_32x16x1_avx2(const quernel_i_eltwise *e);
void quernel_uk_eltwise_f32_32x16x1_avx2(const quernel_i_eltwise *e) {
    if (!is_codes(e)) eltwise_tiles(e);
    else if (is_shared(e)) run_shared(e);
    else run_lines(e);
}
