// SPDX-License-Identifier: Apache-2.0
// Cases of the element-wise kernels and of look-ups.
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "data.h"
#include "kcheck.h"
#include "output.h"

// One block of rows and columns, and which of them tables run over.
typedef struct block {
    uint32_t rows, columns, p_row, p_col, tables;
} block;

// Long rows, many rows, and both in small; columns around multiples of 16.
static block draw_block(rng *r, uint64_t number) {
    block b = {1 + (uint32_t)(number % 40), 1 + (uint32_t)((number * 7 + rng_next(r) % 3) % 80), 0,
               0, 1};
    if (rng_one_in(r, 4))
        b.rows = 1 + (uint32_t)(number % 3), b.columns = (uint32_t)rng_int(r, 1, 1300);
    const uint64_t over = rng_next(r) % 3;
    if (over == 0) b.p_col = 1, b.tables = b.columns;
    if (over == 1) b.p_row = 1, b.tables = b.rows;
    return b;
}

static void fill(rng *r, const quernel_i_elements *e, const block *b, data_kind kind, float step) {
    const uint32_t rows = e->row ? b->rows : 1, columns = e->col ? b->columns : 1;
    for (uint32_t m = 0; m < rows; m++)
        for (uint32_t n = 0; n < columns; n++) {
            uint8_t *at = (uint8_t *)e->at + m * e->row + n * e->col;
            float v;
            data_floats(r, &v, 1, step);
            const uint16_t half = quernel_i_bf16(v);
            if (e->type == QUERNEL_TYPE_F32) memcpy(at, &v, sizeof v);
            else if (e->type == QUERNEL_TYPE_BF16) memcpy(at, &half, sizeof half);
            else data_bytes(r, kind, at, 1, e->type == QUERNEL_TYPE_S8);
        }
}

// What its codes mean.
static void make_scale(rng *r, guard *g, quernel_i_elements *e, uint32_t tables) {
    e->zero = e->type == QUERNEL_TYPE_U8 ? rng_int(r, 0, 255) : rng_int(r, -128, 127);
    e->scale = rng_one_in(r, 8) ? data_factor(r) : rng_float(r, 0.01f, 2.0f);
    if (!rng_one_in(r, 3)) return;
    float *scales = guard_take(g, ((size_t)tables + 15) / 16 * 16 * sizeof *scales, 4, 0);
    for (uint32_t i = 0; i < tables; i++) scales[i] = rng_float(r, 0.01f, 2.0f);
    e->scales = scales;
}

static quernel_i_elements make_operand(rng *r, guard *g, const block *b, bool broadcast) {
    static const int32_t types[] = {QUERNEL_TYPE_F32, QUERNEL_TYPE_BF16, QUERNEL_TYPE_S8,
                                    QUERNEL_TYPE_U8,  QUERNEL_TYPE_U8,   QUERNEL_TYPE_S8};
    quernel_i_elements e = {.type = types[rng_next(r) % 6]};
    const size_t size = quernel_type_size((quernel_type)e.type);
    const uint64_t same = broadcast ? rng_next(r) % 8 : 0; // bit 0: of all rows, bit 1: of columns
    const uint32_t rows = same & 1 ? 1 : b->rows, columns = same & 2 ? 1 : b->columns;
    const size_t bytes = output_strides(r, rows, columns, size, &e.row, &e.col);
    if (rows == 1 && (same & 1)) e.row = 0;
    if (columns == 1 && (same & 2)) e.col = 0;
    e.at = guard_take(g, bytes, size, 0x77);
    fill(r, &e, b, (data_kind)(rng_next(r) % DATA_KINDS), rng_one_in(r, 3) ? 1.0f : 0.25f);
    make_scale(r, g, &e, b->tables);
    return e;
}

// Turns an operand to y itself, where that is possible.
static void put_in_place(quernel_i_elements *e, const output *o, rng *r, const block *b) {
    const quernel_i_epilogue *f = &o->epilogue;
    if (quernel_type_size((quernel_type)e->type) != quernel_type_size((quernel_type)f->out)) return;
    e->at = o->y, e->row = f->y_row, e->col = f->y_col;
    fill(r, e, b, DATA_RANDOM, 1.0f);
}

static quernel_i_elements expected_operand(const quernel_i_elements *e, const output *o) {
    quernel_i_elements other = *e;
    if (e->at == o->y) other.at = o->expected;
    return other;
}

const char *kcheck_eltwise(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                           uint64_t seed, uint64_t number) {
    rng r = rng_make(seed, number);
    const block b = draw_block(&r, number);
    output o;
    output_make_values(&o, &r, g, b.rows, b.columns, b.tables);
    quernel_i_eltwise call = {.combine = (int32_t)(rng_next(&r) % QUERNEL_I_COMBINE_COUNT),
                              .rows = b.rows,
                              .columns = b.columns,
                              .p_row = b.p_row,
                              .p_col = b.p_col,
                              .x = make_operand(&r, g, &b, false),
                              .z = make_operand(&r, g, &b, true),
                              .epilogue = &o.epilogue};
    if (rng_one_in(&r, 6)) put_in_place(&call.x, &o, &r, &b);
    if (rng_one_in(&r, 6)) put_in_place(&call.z, &o, &r, &b);
    memcpy(o.expected, o.y, o.bytes);
    if (call.combine == QUERNEL_I_COMBINE_COPY) call.z = (quernel_i_elements){0};
    guard_seal(g);
    guard_open(g, o.y), guard_open(g, o.expected);
    if (k->lines && !quernel_i_eltwise_lines(&call)) return NULL; // it is not called so
    const char *conduct = kcheck_conduct(guard_call(k->run.any, &call, 0, 0, 0, NULL));
    if (conduct) return conduct;
    quernel_i_eltwise twin = call;
    const quernel_i_epilogue epilogue = output_expected(&o);
    twin.x = expected_operand(&call.x, &o), twin.z = expected_operand(&call.z, &o);
    twin.epilogue = &epilogue;
    oracle->run.eltwise(&twin);
    const char *wrong = output_compare(&o);
    if (wrong) return wrong;
    return kcheck_unchanged(g);
}

const char *kcheck_lookup(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                          uint64_t seed, uint64_t number) {
    rng r = rng_make(seed, number);
    const block b = draw_block(&r, number);
    quernel_i_lookup call = {.rows = b.rows, .columns = b.columns};
    const size_t x_bytes = output_strides(&r, b.rows, b.columns, 1, &call.x_row, &call.x_col);
    size_t y_bytes = output_strides(&r, b.rows, b.columns, 1, &call.y_row, &call.y_col);
    uint8_t *x = guard_take(g, x_bytes, 1, 0x77);
    data_bytes(&r, (data_kind)(rng_next(&r) % DATA_KINDS), x, x_bytes, false);
    const bool in_place = rng_one_in(&r, 5);
    if (in_place) y_bytes = x_bytes, call.y_row = call.x_row, call.y_col = call.x_col;
    uint8_t *y = guard_take(g, y_bytes, 1, 0xa5), *expected = guard_take(g, y_bytes, 1, 0xa5);
    if (in_place) memcpy(y, x, x_bytes), memcpy(expected, x, x_bytes);
    if (!rng_one_in(&r, 4)) {
        uint8_t *table = guard_take(g, (size_t)b.tables * 256, 1, 0);
        data_bytes(&r, DATA_RANDOM, table, (size_t)b.tables * 256, false);
        call.table = table, call.table_row = b.p_row * 256, call.table_col = b.p_col * 256;
    }
    guard_seal(g);
    guard_open(g, y), guard_open(g, expected);
    call.x = in_place ? y : x, call.y = y;
    const char *conduct = kcheck_conduct(guard_call(k->run.any, &call, 0, 0, 0, NULL));
    if (conduct) return conduct;
    call.x = in_place ? expected : x, call.y = expected;
    oracle->run.lookup(&call);
    if (memcmp(y, expected, y_bytes)) return "a result differs from ref, or a gap was written";
    return kcheck_unchanged(g);
}
