// SPDX-License-Identifier: Apache-2.0
// Element by element, in tiles of floats. A template for any instruction set: who includes this has
// included its epilogue.h (quernel_i_epilogue, epilogue_tile of rows of 16) and defines
// eltwise_tile, which makes a tile's output of its operands.
//
// Where tables run along columns, a tile is rows and 16 columns. Else it is a piece of one row, 16
// elements to each of the tile's rows, and tables hold 16 times the row's entry.
#ifndef QUERNEL_TEMPLATE_ELTWISE_H
#define QUERNEL_TEMPLATE_ELTWISE_H

#include "kernels/template/elements.h"

enum { ELTWISE_COLUMNS = 16 /* of a tile, as those of the epilogue */ };

/// An operand's elements of a tile: rows of up to 16, `row` bytes apart, elements `col`.
typedef struct elements {
    const uint8_t *at;
    ptrdiff_t row, col;
    int32_t type, zero;
    const float *scale; // of 16 columns
    float same[ELTWISE_COLUMNS];
} elements;

/// Those of an operand from (m, n) on.
static inline void elements_find(const quernel_i_eltwise *e, const quernel_i_elements *o,
                                 uint32_t m, uint32_t n, elements *ret) {
    ret->at = (const uint8_t *)o->at + (ptrdiff_t)m * o->row + (ptrdiff_t)n * o->col;
    ret->row = o->row, ret->col = o->col, ret->type = o->type, ret->zero = o->zero;
    ret->scale = ret->same;
    if (o->scales && e->p_col) {
        ret->scale = o->scales + n;
        return;
    }
    const float scale = o->scales ? o->scales[m * e->p_row] : o->scale;
    for (int i = 0; i < ELTWISE_COLUMNS; i++) ret->same[i] = scale;
}

/// Makes the tile's output: `how` is a quernel_i_combine.
static void eltwise_tile(const epilogue_tile *t, const quernel_i_epilogue *f, int32_t how,
                         const elements *x, const elements *z);

static void eltwise_columns(const quernel_i_eltwise *e, int32_t *acc) {
    elements x, z = {0};
    for (uint32_t n = 0; n < e->columns; n += ELTWISE_COLUMNS)
        for (uint32_t m = 0; m < e->rows; m += EPILOGUE_ROWS_MAX) {
            const uint32_t rows = e->rows - m, oc = e->columns - n;
            const epilogue_tile t = {acc, rows < EPILOGUE_ROWS_MAX ? rows : EPILOGUE_ROWS_MAX,
                                     oc < ELTWISE_COLUMNS ? oc : ELTWISE_COLUMNS, m, n};
            elements_find(e, &e->x, m, n, &x);
            if (e->combine != QUERNEL_I_COMBINE_COPY) elements_find(e, &e->z, m, n, &z);
            eltwise_tile(&t, e->epilogue, e->combine, &x, &z);
        }
}

// 16 times the entry of a row's table.
static const float *eltwise_same(const float *table, size_t p, float to[ELTWISE_COLUMNS]) {
    for (int i = 0; table && i < ELTWISE_COLUMNS; i++) to[i] = table[p];
    return table ? to : NULL;
}

static void eltwise_row(const quernel_i_eltwise *e, uint32_t m, int32_t *acc) {
    float tables[4][ELTWISE_COLUMNS];
    elements x, z = {0};
    quernel_i_epilogue f = *e->epilogue;
    const size_t p = (size_t)m * e->p_row;
    f.out_scale = eltwise_same(f.out_scale, p, tables[0]);
    f.slope = eltwise_same(f.slope, p, tables[1]);
    f.act_lo = eltwise_same(f.act_lo, p, tables[2]);
    f.act_hi = eltwise_same(f.act_hi, p, tables[3]);
    f.y = (uint8_t *)f.y + (ptrdiff_t)m * f.y_row;
    f.y_row = ELTWISE_COLUMNS * f.y_col;
    uint32_t rows;
    for (uint32_t n = 0; n < e->columns; n += rows * ELTWISE_COLUMNS) {
        const uint32_t left = e->columns - n, whole = left / ELTWISE_COLUMNS;
        rows = whole > EPILOGUE_ROWS_MAX ? EPILOGUE_ROWS_MAX : whole ? whole : 1;
        const epilogue_tile t = {acc, rows, whole ? ELTWISE_COLUMNS : left, n / ELTWISE_COLUMNS, 0};
        elements_find(e, &e->x, m, n, &x), x.row = ELTWISE_COLUMNS * x.col;
        if (e->combine != QUERNEL_I_COMBINE_COPY)
            elements_find(e, &e->z, m, n, &z), z.row = ELTWISE_COLUMNS * z.col;
        eltwise_tile(&t, &f, e->combine, &x, &z);
    }
}

/// The whole call.
static inline void eltwise_tiles(const quernel_i_eltwise *e) {
    int32_t acc[EPILOGUE_ROWS_MAX * ELTWISE_COLUMNS] __attribute__((aligned(64)));
    if (e->p_col) eltwise_columns(e, acc);
    else
        for (uint32_t m = 0; m < e->rows; m++) eltwise_row(e, m, acc);
}

#endif
