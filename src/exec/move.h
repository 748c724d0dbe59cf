// SPDX-License-Identifier: Apache-2.0
// Moves elements of 1, 2 or 4 bytes between places that strides give.
#ifndef QUERNEL_EXEC_MOVE_H
#define QUERNEL_EXEC_MOVE_H

#include <stdint.h>

/// Rows of elements; strides are in elements.
typedef struct quernel_i_move {
    uint32_t size; // bytes of an element
    uint32_t rows, columns;
    int64_t from_row, from_column, to_row, to_column;
} quernel_i_move;

/// Element (row, column) of `from` becomes that of `to`.
void quernel_i_move_grid(const quernel_i_move *move, const void *from, void *to);

/// Row index[i] of `from` becomes row i of `to`.
void quernel_i_move_rows(const quernel_i_move *move, const void *from, const uint32_t *index,
                         void *to);

#endif
