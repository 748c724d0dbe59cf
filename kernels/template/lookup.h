// SPDX-License-Identifier: Apache-2.0
// Look-ups byte by byte, for what vectors do not take: elements apart, a table for each column. For
// any instruction set.
#ifndef QUERNEL_TEMPLATE_LOOKUP_H
#define QUERNEL_TEMPLATE_LOOKUP_H

#include "kernels/ukr.h"

/// Row m.
static inline void lookup_row(const quernel_i_lookup *l, uint32_t m) {
    const uint8_t *x = l->x + (ptrdiff_t)m * l->x_row, *table = l->table;
    uint8_t *y = l->y + (ptrdiff_t)m * l->y_row;
    if (table) table += (ptrdiff_t)m * l->table_row;
    for (uint32_t n = 0; n < l->columns; n++, x += l->x_col, y += l->y_col) {
        *y = table ? table[*x] : *x;
        if (table) table += l->table_col;
    }
}

#endif
