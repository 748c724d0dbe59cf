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
    uint32_t rows, oc;
} output;

/// Fills `o`; sums are expected to be of about this size, so that results use the range of their
/// type.
void output_make(output *o, rng *r, guard *g, uint32_t rows, uint32_t oc, float typical_sum);
/// The epilogue that writes to `expected`. Where the residual is y itself, it reads there too.
quernel_i_epilogue output_expected(const output *o);
/// NULL, or what differs.
const char *output_compare(const output *o);

#endif
