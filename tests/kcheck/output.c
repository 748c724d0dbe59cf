// SPDX-License-Identifier: Apache-2.0
// A seeded epilogue with its tables.
#include "output.h"

#include <math.h>
#include <string.h>

#include "data.h"

static size_t round16(uint32_t count) { return ((size_t)count + 15) / 16 * 16; }

static float *table(rng *r, guard *g, uint32_t oc, float lo, float hi) {
    float *t = guard_take(g, round16(oc) * sizeof *t, 4, 0);
    for (size_t i = 0; i < oc; i++) t[i] = rng_float(r, lo, hi);
    return t;
}

// Zeros of both signs, where maxima, minima and products may lose one.
static void add_zeros(rng *r, float *t, uint32_t oc) {
    for (uint32_t n = 0; n < oc; n++)
        if (rng_one_in(r, 6)) t[n] = rng_one_in(r, 2) ? 0.0f : -0.0f;
}

size_t output_strides(rng *r, uint32_t rows, uint32_t oc, size_t size, ptrdiff_t *row,
                      ptrdiff_t *col) {
    const uint32_t kind = (uint32_t)(rng_next(r) % 5), gap = (uint32_t)(rng_next(r) % 3);
    if (kind == 4) {
        *col = (ptrdiff_t)((1 + gap) * size);
        *row = (ptrdiff_t)(((size_t)oc * (1 + gap) + gap) * size);
    } else if (kind >= 2) {
        *row = (ptrdiff_t)size;
        *col = (ptrdiff_t)((rows + gap * 5) * size);
        if (kind == 3) *col = (*col + 63) / 64 * 64; // planes begin their cache lines alike
    } else {
        *col = (ptrdiff_t)size;
        *row = (ptrdiff_t)((oc + gap * 7) * size);
    }
    return (size_t)(rows - 1) * (size_t)*row + (size_t)(oc - 1) * (size_t)*col + size;
}

static void make_scales(output *o, rng *r, guard *g, float typical_sum) {
    quernel_i_epilogue *f = &o->epilogue;
    // Usually results spread over the output's range; sometimes they are huge, subnormal, or exact
    // ties.
    const float usual = (f->out == QUERNEL_TYPE_S8 || f->out == QUERNEL_TYPE_U8 ? 100.0f : 10.0f) /
                        (typical_sum + 1.0f);
    const float factor = rng_one_in(r, 3) ? data_factor(r) : usual;
    const bool ties = rng_one_in(r, 6);
    float *scale = table(r, g, o->oc, 0.5f * factor, 2.0f * factor);
    float *bias = table(r, g, o->oc, -20.0f, 20.0f);
    for (uint32_t n = 0; ties && n < o->oc; n++) {
        scale[n] = n & 1 ? 0.5f : 0x1p-8f;
        bias[n] = (float)rng_int(r, -40, 40) * 0.5f;
    }
    f->scale = scale, f->bias = bias;
    if (rng_one_in(r, 4)) {
        float *row = guard_take(g, o->rows * sizeof *row, 4, 0);
        for (uint32_t m = 0; m < o->rows; m++)
            row[m] = rng_one_in(r, 8) ? data_factor(r) : rng_float(r, 0.25f, 4.0f);
        f->row_scale = row;
    }
    add_zeros(r, bias, o->oc);
    // functions end in one; huge ones carry values beyond int32 only here
    const float most = rng_one_in(r, 4) ? data_factor(r) : 3.0f;
    if (rng_one_in(r, f->act >= QUERNEL_I_ACT_FUNCTIONS ? 2 : 4))
        f->out_scale = table(r, g, o->oc, most / 30.0f, most);
}

static void make_terms(output *o, rng *r, guard *g) {
    for (int i = 0; i < 2; i++) {
        if (!rng_one_in(r, 4)) continue;
        int32_t *row = guard_take(g, o->rows * sizeof *row, 4, 0);
        int32_t *col = guard_take(g, round16(o->oc) * sizeof *col, 4, 0);
        for (uint32_t m = 0; m < o->rows; m++) row[m] = rng_int(r, -255, 255);
        for (uint32_t n = 0; n < o->oc; n++)
            col[n] = rng_one_in(r, 9) ? INT32_MIN : rng_int(r, -70000, 70000);
        o->epilogue.row_term[i] = row, o->epilogue.col_term[i] = col;
    }
}

static void make_activation(output *o, rng *r, guard *g) {
    quernel_i_epilogue *f = &o->epilogue;
    // the commonest oftener
    f->act =
        (int32_t)(rng_next(r) % (rng_one_in(r, 2) ? QUERNEL_I_ACT_HSWISH : QUERNEL_I_ACT_COUNT));
    if (f->act == QUERNEL_I_ACT_PRELU) {
        f->slope = table(r, g, o->tables, -1.5f, 1.5f);
        add_zeros(r, (float *)f->slope, o->tables);
    }
    if (f->act != QUERNEL_I_ACT_CLAMP) return;
    f->act_lo = table(r, g, o->tables, -30.0f, 0.0f);
    f->act_hi = table(r, g, o->tables, 0.0f, 60.0f);
    if (rng_one_in(r, 5)) ((float *)f->act_hi)[0] = INFINITY;
    const bool alike = rng_one_in(r, 2); // as of a layer whose output has one scale
    for (uint32_t n = 1; alike && n < o->tables; n++) {
        ((float *)f->act_lo)[n] = f->act_lo[0];
        ((float *)f->act_hi)[n] = f->act_hi[0];
    }
    add_zeros(r, (float *)f->act_lo, o->tables);
    add_zeros(r, (float *)f->act_hi, o->tables);
}

static size_t type_size(int32_t type) { return quernel_type_size((quernel_type)type); }

static void make_residual(output *o, rng *r, guard *g) {
    quernel_i_epilogue *f = &o->epilogue;
    if (rng_one_in(r, 2)) return;
    static const int32_t types[] = {QUERNEL_TYPE_S8, QUERNEL_TYPE_U8, QUERNEL_TYPE_F32,
                                    QUERNEL_TYPE_BF16};
    f->r_type = f->out == QUERNEL_TYPE_S32 ? QUERNEL_TYPE_S32 : types[rng_next(r) % 4];
    const size_t size = type_size(f->r_type);
    const bool itself = size == type_size(f->out) && rng_one_in(r, 4);
    if (itself) {
        f->residual = o->y, f->r_row = f->y_row, f->r_col = f->y_col;
    } else {
        const size_t bytes = output_strides(r, o->rows, o->oc, size, &f->r_row, &f->r_col);
        f->residual = guard_take(g, bytes, size, 0x77);
    }
    if (f->r_type == QUERNEL_TYPE_F32) {
        for (uint32_t m = 0; m < o->rows; m++)
            for (uint32_t n = 0; n < o->oc; n++)
                data_floats(r, (float *)((uint8_t *)f->residual + m * f->r_row + n * f->r_col), 1,
                            0.25f);
    } else if (!itself) {
        for (uint32_t m = 0; m < o->rows; m++)
            for (uint32_t n = 0; n < o->oc; n++)
                data_bytes(r, DATA_RANDOM, (uint8_t *)f->residual + m * f->r_row + n * f->r_col,
                           size, false);
    }
    f->r_zero = f->r_type == QUERNEL_TYPE_U8   ? rng_int(r, 0, 255)
                : f->r_type == QUERNEL_TYPE_S8 ? rng_int(r, -128, 127)
                                               : 0;
    const bool is_float = f->r_type == QUERNEL_TYPE_F32 || f->r_type == QUERNEL_TYPE_BF16;
    if (!is_float || rng_one_in(r, 2)) f->r_scale = table(r, g, o->oc, 0.01f, 2.0f);
    f->residual_last = rng_one_in(r, 3);
    o->spread = !itself && rng_one_in(r, 3);
    if (!o->spread) return;
    o->r_line = rng_one_in(r, 2) ? f->r_row : 0;
    f->r_row = 0;
}

// The output alone: type, place, bounds of the codes.
static void make_place(output *o, rng *r, guard *g) {
    quernel_i_epilogue *f = &o->epilogue;
    const size_t size = type_size(f->out);
    o->bytes = output_strides(r, o->rows, o->oc, size, &f->y_row, &f->y_col);
    o->y = guard_take(g, o->bytes, size, 0xa5);
    o->expected = guard_take(g, o->bytes, size, 0xa5);
    f->y = o->y;
    f->past_caches = rng_one_in(r, 2);
    const bool u8 = f->out == QUERNEL_TYPE_U8;
    f->q_zero = u8 ? rng_int(r, 0, 255) : rng_int(r, -127, 127);
    if (rng_one_in(r, 2)) f->q_zero = 0;
    f->q_lo = (float)((u8 ? 0 : rng_one_in(r, 2) ? -127 : -128) - f->q_zero);
    f->q_hi = (float)((u8 ? 255 : 127) - f->q_zero);
}

// The commonest epilogue is nothing but scale, bias and activation, a function's with a factor, and
// has ways of its own; all terms at once are left out too rarely to see it.
static void leave_plain(quernel_i_epilogue *f) {
    f->row_term[0] = f->row_term[1] = f->col_term[0] = f->col_term[1] = NULL;
    f->row_scale = NULL;
    f->residual = NULL;
    if (f->act < QUERNEL_I_ACT_FUNCTIONS) f->out_scale = NULL;
}

// Hard-swish, then a constant of each output channel and a factor, which networks for text learn,
// have ways of their own too. The constants may be a line's.
static void make_shift(output *o, rng *r, guard *g) {
    quernel_i_epilogue *f = &o->epilogue;
    leave_plain(f);
    f->act = QUERNEL_I_ACT_HSWISH;
    if (!f->out_scale) f->out_scale = table(r, g, o->oc, 0.1f, 3.0f);
    const size_t line = o->oc * sizeof(float), lines = rng_one_in(r, 2) ? o->rows : 1;
    float *residual = guard_take(g, lines * line, sizeof(float), 0);
    data_floats(r, residual, lines * o->oc, 4.0f);
    f->residual = residual, f->r_type = QUERNEL_TYPE_F32, f->r_scale = NULL;
    f->residual_last = !rng_one_in(r, 8);
    o->spread = true, o->r_line = lines > 1 ? (ptrdiff_t)line : 0;
    f->r_row = 0, f->r_col = sizeof(float);
}

void output_make(output *o, rng *r, guard *g, uint32_t rows, uint32_t oc, float typical_sum) {
    *o = (output){.rows = rows, .oc = oc, .tables = oc, .epilogue.out = (int32_t)(rng_next(r) % 5)};
    make_place(o, r, g);
    make_terms(o, r, g);
    if (o->epilogue.out != QUERNEL_TYPE_S32) {
        make_activation(o, r, g);
        make_scales(o, r, g, typical_sum);
    }
    make_residual(o, r, g);
    if (rng_one_in(r, 3)) leave_plain(&o->epilogue);
    if (o->epilogue.out != QUERNEL_TYPE_S32 && rng_one_in(r, 6)) make_shift(o, r, g);
    memcpy(o->expected, o->y, o->bytes); // where y is its own residual, both begin alike
    guard_seal(g);
    guard_open(g, o->y);
    guard_open(g, o->expected);
}

void output_make_values(output *o, rng *r, guard *g, uint32_t rows, uint32_t columns,
                        uint32_t tables) {
    static const int32_t types[] = {QUERNEL_TYPE_F32, QUERNEL_TYPE_BF16, QUERNEL_TYPE_S8,
                                    QUERNEL_TYPE_U8};
    *o = (output){
        .rows = rows, .oc = columns, .tables = tables, .epilogue.out = types[rng_next(r) % 4]};
    make_place(o, r, g);
    make_activation(o, r, g);
    if (rng_one_in(r, 2)) o->epilogue.out_scale = table(r, g, tables, 0.1f, 3.0f);
}

quernel_i_epilogue output_expected(const output *o) {
    quernel_i_epilogue f = o->epilogue;
    f.y = o->expected;
    if (f.residual == o->y) f.residual = o->expected;
    return f;
}

static bool both_nan(const output *o, size_t at) {
    float a, b;
    if (o->epilogue.out != QUERNEL_TYPE_F32) return false;
    memcpy(&a, o->y + at, sizeof a), memcpy(&b, o->expected + at, sizeof b);
    return isnan(a) && isnan(b);
}

const char *output_compare(const output *o) {
    const size_t size = type_size(o->epilogue.out);
    for (uint32_t m = 0; m < o->rows; m++)
        for (uint32_t n = 0; n < o->oc; n++) {
            const size_t at = m * (size_t)o->epilogue.y_row + n * (size_t)o->epilogue.y_col;
            if (!memcmp(o->y + at, o->expected + at, size)) continue;
            if (!both_nan(o, at)) return "a result differs from ref";
            memcpy(o->y + at, o->expected + at, size); // the gaps are compared below
        }
    return memcmp(o->y, o->expected, o->bytes) ? "a gap between results was written" : NULL;
}
