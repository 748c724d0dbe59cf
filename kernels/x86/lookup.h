// SPDX-License-Identifier: Apache-2.0
// Look-ups for x86: which lines, in which order. A template; who includes it has included
// template/lookup.h and turn.h, and defines
//   codes           256 codes in vectors; a structure
//   codes_of        of a table
//   look_up_line    count bytes side by side
//   look_up_16      16 vectors of 16 bytes, in place
//   PAYS            bytes of a line of its own table from which on making codes pays
// Rows to columns: 16 x 16 bytes in registers (turn.h).
#ifndef QUERNEL_X86_LOOKUP_H
#define QUERNEL_X86_LOOKUP_H

enum { TILE = TURN_LINES };

// A table for all columns of a row.
static void run_tables(const quernel_i_lookup *l) {
    codes d = codes_of(l->table);
    for (uint32_t m = 0; m < l->rows; m++) {
        if (m && l->table_row) d = codes_of(l->table + (ptrdiff_t)m * l->table_row);
        look_up_line(&d, l->x + (ptrdiff_t)m * l->x_row, l->y + (ptrdiff_t)m * l->y_row,
                     l->columns);
    }
}

static void run_lines(const quernel_i_lookup *l) {
    if (l->table && !l->table_col && (!l->table_row || l->columns >= PAYS)) {
        run_tables(l);
        return;
    }
    for (uint32_t m = 0; m < l->rows; m++)
        if (l->table) lookup_row(l, m);
        else memmove(l->y + (ptrdiff_t)m * l->y_row, l->x + (ptrdiff_t)m * l->x_row, l->columns);
}

// 16 x 16 bytes from (m, n) on; columns of x and rows of y lie side by side.
static void turn_tile(const quernel_i_lookup *l, const codes *d, uint32_t m, uint32_t n) {
    const uint8_t *x = l->x + (ptrdiff_t)m * l->x_row + n;
    uint8_t *y = l->y + m + (ptrdiff_t)n * l->y_col;
    __m128i v[TILE];
    for (int i = 0; i < TILE; i++, x += l->x_row) v[i] = _mm_loadu_si128((const __m128i *)x);
    if (l->table) look_up_16(d, v);
    turn_16x16(v);
    for (int i = 0; i < TILE; i++, y += l->y_col) _mm_storeu_si128((__m128i *)y, v[i]);
}

// What is left of the whole tiles: rows from `m` on, of the columns from `n` on.
static void rest(const quernel_i_lookup *l, uint32_t m, uint32_t n) {
    quernel_i_lookup part = *l;
    part.x += (ptrdiff_t)m * l->x_row + n * l->x_col;
    part.y += (ptrdiff_t)m * l->y_row + (ptrdiff_t)n * l->y_col;
    part.columns -= n;
    for (uint32_t i = 0; i < l->rows - m; i++) lookup_row(&part, i);
}

static void run_turned(const quernel_i_lookup *l) {
    const codes d = l->table ? codes_of(l->table) : (codes){0};
    const uint32_t columns = l->columns / TILE * TILE;
    uint32_t m = 0;
    for (; m + TILE <= l->rows; m += TILE) {
        for (uint32_t n = 0; n < columns; n += TILE) turn_tile(l, &d, m, n);
        quernel_i_lookup lines = *l;
        lines.rows = m + TILE;
        if (columns < l->columns) rest(&lines, m, columns);
    }
    rest(l, m, 0);
}

static void lookup(const quernel_i_lookup *l) {
    const bool one = !l->table_row && !l->table_col; // table for all
    if (l->x_col == 1 && l->y_col == 1) {
        run_lines(l);
    } else if (one && l->x_col == 1 && l->y_row == 1) {
        run_turned(l);
    } else if (one && l->x_row == 1 && l->y_col == 1) {
        const quernel_i_lookup other = {l->x,       l->x_col, l->x_row, l->y, l->y_col, l->y_row,
                                        l->columns, l->rows,  l->table, 0,    0};
        run_turned(&other);
    } else {
        rest(l, 0, 0);
    }
}

#endif
