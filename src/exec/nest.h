// SPDX-License-Identifier: Apache-2.0
// Loops over the elements of tensors of one shape, each with its own strides: as few dimensions as
// they allow, the last two of which are the rows and columns that kernels take, cut into tasks.
#ifndef QUERNEL_EXEC_NEST_H
#define QUERNEL_EXEC_NEST_H

#include <stdbool.h>
#include <stddef.h>

#include "quernel/tensor.h"

/// What runs along with the elements: y, the operands, and tables of channels.
enum {
    QUERNEL_I_NEST_Y,
    QUERNEL_I_NEST_X,
    QUERNEL_I_NEST_Z,
    QUERNEL_I_NEST_TABLES,
    QUERNEL_I_NEST_THINGS,
    QUERNEL_I_NEST_DIMS = 4
};

/// A dimension, and what a step along it is to each: bytes; of tables entries.
typedef struct quernel_i_nest_dim {
    uint32_t size;
    ptrdiff_t step[QUERNEL_I_NEST_THINGS];
} quernel_i_nest_dim;

typedef struct quernel_i_nest {
    quernel_i_nest_dim dims[QUERNEL_I_NEST_DIMS]; // outermost first
    uint32_t rows, columns;                       // of a block
    uint32_t blocks, blocks_of_task, tasks;
} quernel_i_nest;

/// Rows and columns, and what lies before them of each.
typedef struct quernel_i_nest_block {
    uint32_t rows, columns;
    ptrdiff_t offset[QUERNEL_I_NEST_THINGS];
} quernel_i_nest_block;

/// The loops over the elements of y. `x` and `z` (or NULL) have y's sizes, or 1 where an element is
/// the same for all. `planes`: channels outside of lines and pixels; else innermost. `by_channel`:
/// tables
/// have an entry for each channel, else one for all. `blocks` is 0 where there are too many.
quernel_i_nest quernel_i_nest_make(const quernel_tensor *y, const quernel_tensor *x,
                                   const quernel_tensor *z, bool planes, bool by_channel);

/// Block `index` of `blocks`.
quernel_i_nest_block quernel_i_nest_at(const quernel_i_nest *nest, uint32_t index);

#endif
