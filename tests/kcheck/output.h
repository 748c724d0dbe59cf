// SPDX-License-Identifier: Apache-2.0
// A seeded epilogue with its tables, and its output twice: for the kernel and for the oracle.
#ifndef QUERNEL_KCHECK_OUTPUT_H
#define QUERNEL_KCHECK_OUTPUT_H

#include "../op/rng.h"
#include "guard.h"
#include "kernels/ukr.h"

typedef struct output {
    quernel_i_epilogue epilogue; // its y is the kernel's
    uint8_t *y, *expected;       // of the same size and poison
    size_t bytes;
    uint32_t rows, oc, tables; // tables: entries of those of activation and out_scale
    bool spread;               // the residual is the same for all pixels of a line
    ptrdiff_t r_line;          // then: bytes from line to line, perhaps 0
} output;

/// Fills `o`; sums are expected to be of about this size, so that results use the range of their
/// type.
void output_make(output *o, rng *r, guard *g, uint32_t rows, uint32_t oc, float typical_sum);
/// The same for values: no sums, so that only what comes behind the residual is filled.
void output_make_values(output *o, rng *r, guard *g, uint32_t rows, uint32_t columns,
                        uint32_t tables);
/// Row-major, transposed, or any strides of elements; returns the bytes from the first element to
/// behind the last.
size_t output_strides(rng *r, uint32_t rows, uint32_t oc, size_t size, ptrdiff_t *row,
                      ptrdiff_t *col);
/// The epilogue that writes to `expected`. Where the residual is y itself, it reads there too.
quernel_i_epilogue output_expected(const output *o);
/// Bytes from line to line of the residual, of so many pixels each.
static inline ptrdiff_t output_residual_line(const output *o, uint32_t pixels) {
    return o->spread ? o->r_line : (ptrdiff_t)pixels * o->epilogue.r_row;
}
/// NULL, or what differs.
const char *output_compare(const output *o);

#endif
