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

// The first `count` bytes of x, 1 … 16, and no others; what lies behind them means nothing.
static inline __attribute__((always_inline)) __m128i load_some(const uint8_t *x, uint32_t count) {
    uint64_t low, high;
    uint32_t first, last;
    if (count == TILE) return _mm_loadu_si128((const __m128i *)x);
    if (count >= sizeof low) {
        memcpy(&low, x, sizeof low), memcpy(&high, x + count - sizeof high, sizeof high);
        return _mm_set_epi64x((int64_t)(high >> (8 * (TILE - count) & 63 /* 8: any */)),
                              (int64_t)low);
    }
    if (count >= sizeof first) {
        memcpy(&first, x, sizeof first), memcpy(&last, x + count - sizeof last, sizeof last);
        return _mm_set_epi64x(0, first | (int64_t)last << 8 * (count - sizeof last));
    }
    const uint32_t half = count / 2, end = count - 1;
    return _mm_cvtsi32_si128(x[0] | x[half] << 8 * half | x[end] << 8 * end);
}

static inline __attribute__((always_inline)) void store_some(uint8_t *y, __m128i v,
                                                             uint32_t count) {
    if (count == TILE) {
        _mm_storeu_si128((__m128i *)y, v);
        return;
    }
    uint8_t all[TILE];
    _mm_storeu_si128((__m128i *)all, v);
    for (uint32_t i = 0; i < count; i++) y[i] = all[i];
}

// Up to 16 x 16 bytes from (m, n) on; columns of x and rows of y lie side by side.
static inline __attribute__((always_inline)) void turn_tile(const quernel_i_lookup *l,
                                                            const codes *d, uint32_t m, uint32_t n,
                                                            uint32_t rows, uint32_t columns) {
    const uint8_t *x = l->x + (ptrdiff_t)m * l->x_row + n;
    uint8_t *y = l->y + m + (ptrdiff_t)n * l->y_col;
    __m128i v[TILE];
    for (uint32_t i = 0; i < TILE; i++) {
        v[i] = load_some(x, columns);
        if (i + 1 < rows) x += l->x_row; // else the last row again
    }
    if (l->table) look_up_16(d, v);
    turn_16x16(v);
    for (uint32_t i = 0; i < columns; i++, y += l->y_col) store_some(y, v[i], rows);
}

// Where the tile from `at` on begins: the last one ends where the lines end, and makes some bytes
// a second time.
static inline uint32_t begin_of(uint32_t at, uint32_t size) {
    return at + TILE <= size || size < TILE ? at : size - TILE;
}

static void run_turned(const quernel_i_lookup *l) {
    const codes d = l->table ? codes_of(l->table) : (codes){0};
    const uint32_t rows = l->rows < TILE ? l->rows : TILE,
                   columns = l->columns < TILE ? l->columns : TILE;
    for (uint32_t m = 0; m < l->rows; m += TILE)
        for (uint32_t n = 0; n < l->columns; n += TILE) {
            const uint32_t at_m = begin_of(m, l->rows), at_n = begin_of(n, l->columns);
            if (rows == TILE && columns == TILE) turn_tile(l, &d, at_m, at_n, TILE, TILE);
            else turn_tile(l, &d, at_m, at_n, rows, columns);
        }
}

static void lookup(const quernel_i_lookup *l) {
    const bool one = !l->table_row && !l->table_col; // table for all
    const quernel_i_lookup other = {l->x,     l->x_col,     l->x_row,    l->y,
                                    l->y_col, l->y_row,     l->columns,  l->rows,
                                    l->table, l->table_col, l->table_row};
    if (l->x_col == 1 && l->y_col == 1) run_lines(l);
    else if (l->x_row == 1 && l->y_row == 1) run_lines(&other);
    else if (one && l->x_col == 1 && l->y_row == 1) run_turned(l);
    else if (one && l->x_row == 1 && l->y_col == 1) run_turned(&other);
    else
        for (uint32_t m = 0; m < l->rows; m++) lookup_row(l, m);
}

#endif
