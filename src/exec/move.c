// SPDX-License-Identifier: Apache-2.0
// Elements change places.
#include "exec/move.h"

#include <stdbool.h>
#include <string.h>

// Bytes of a row that are copied in pieces here: a call of memcpy takes longer.
enum { FEW = 128 };

static void copy(uint8_t *to, const uint8_t *from, size_t bytes) {
    if (bytes > FEW) {
        memcpy(to, from, bytes);
    } else if (bytes >= 16) { // the last piece again covers what is left
        for (size_t i = 0; i + 16 < bytes; i += 16) memcpy(to + i, from + i, 16);
        memcpy(to + bytes - 16, from + bytes - 16, 16);
    } else if (bytes >= 4) {
        for (size_t i = 0; i + 4 < bytes; i += 4) memcpy(to + i, from + i, 4);
        memcpy(to + bytes - 4, from + bytes - 4, 4);
    } else {
        for (size_t i = 0; i < bytes; i++) to[i] = from[i];
    }
}

// Rows in their order, or those that `index` names, one after another.
static const uint8_t *row_at(const quernel_i_move *m, const uint8_t *from, const uint32_t *index,
                             uint32_t row) {
    return from + (index ? index[row] : row) * m->from_row * m->size;
}

static void move_rows(const quernel_i_move *m, const uint8_t *from, const uint32_t *index,
                      uint8_t *to) {
    const size_t bytes = (size_t)m->columns * m->size;
    for (uint32_t row = 0; row < m->rows; row++, to += m->to_row * m->size)
        copy(to, row_at(m, from, index, row), bytes);
}

// Elements of `size` bytes lie apart, in all: the direction in which those of `to` are closer is
// the inner one.
static inline __attribute__((always_inline)) void move_sized(const quernel_i_move *m,
                                                             const uint8_t *from,
                                                             const uint32_t *index, uint8_t *to,
                                                             int64_t size) {
    const bool by_row = m->to_column <= m->to_row;
    const int64_t from_column = m->from_column * size, to_column = m->to_column * size;
    const int64_t from_row = m->from_row * size, to_row = m->to_row * size;
    for (uint32_t row = 0; by_row && row < m->rows; row++) {
        const uint8_t *f = from + (index ? index[row] : row) * from_row;
        uint8_t *t = to + row * to_row;
        for (uint32_t i = 0; i < m->columns; i++, f += from_column, t += to_column)
            memcpy(t, f, (size_t)size);
    }
    for (uint32_t column = 0; !by_row && column < m->columns; column++) {
        const uint8_t *f = from + column * from_column;
        uint8_t *t = to + column * to_column;
        for (uint32_t i = 0; i < m->rows; i++, t += to_row)
            memcpy(t, f + (index ? index[i] : i) * from_row, (size_t)size);
    }
}

static void move_elements(const quernel_i_move *m, const uint8_t *from, const uint32_t *index,
                          uint8_t *to) {
    switch (m->size) {
    case 1: move_sized(m, from, index, to, 1); break;
    case 2: move_sized(m, from, index, to, 2); break;
    default: move_sized(m, from, index, to, 4); break;
    }
}

static void move(const quernel_i_move *m, const void *from, const uint32_t *index, void *to) {
    if (m->from_column == 1 && m->to_column == 1) move_rows(m, from, index, to);
    else move_elements(m, from, index, to);
}

void quernel_i_move_grid(const quernel_i_move *m, const void *from, void *to) {
    const quernel_i_move turned = {m->size,     m->columns,   m->rows,  m->from_column,
                                   m->from_row, m->to_column, m->to_row};
    move(m->from_row == 1 && m->to_row == 1 ? &turned : m, from, NULL, to);
}

// How many rows from the first one on are neighbours.
static uint32_t run_of(const uint32_t *index, uint32_t rows) {
    uint32_t count = 1;
    while (count < rows && index[count] == index[count - 1] + 1) count++;
    return count;
}

// Stretches of neighbours, where they are long, are grids.
void quernel_i_move_rows(const quernel_i_move *m, const void *from, const uint32_t *index,
                         void *to) {
    const uint32_t whole = run_of(index, m->rows);
    if (whole < m->rows && whole < 4) {
        move(m, from, index, to);
        return;
    }
    quernel_i_move stretch = *m;
    for (uint32_t row = 0; row < m->rows; row += stretch.rows) {
        stretch.rows = run_of(index + row, m->rows - row);
        quernel_i_move_grid(&stretch, row_at(m, from, index, row),
                            (uint8_t *)to + row * m->to_row * m->size);
    }
}
