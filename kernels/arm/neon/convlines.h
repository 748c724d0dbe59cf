// SPDX-License-Identifier: Apache-2.0
// kernels/template/convlines.h for NEON; who includes it defines
//   WIDEN(bytes)   8 bytes of the rows, s8 or u8, as 16-bit values
#ifndef QUERNEL_NEON_CONVLINES_H
#define QUERNEL_NEON_CONVLINES_H

#include "epilogue.h"
#include "points.h"

#include "kernels/template/winograd_lines.h"

enum {
    MR = 24, // rows of a call, for which the terms of its weights are computed once
    // half of an L2 of 512 KiB, which small cores may share
    INPUTS_MAX = 160 << 10,
    STEP_K = 4,
    READ_AHEAD = 8, // the next quad of the row
    // of the last quad, each of which meets another value: a sum of both may not leave 16 bits
    PADDING = STEP_K - 1,
};

static void multiply_tile(const uint8_t *a, size_t row, uint32_t rows, const uint8_t *b,
                          uint32_t steps, int32_t *acc) {
    int32x4_t terms[MR];
    inner_row_terms((const int16_t *)a, row / 2, rows, steps, terms);
    inner_rows((const int16_t *)a, row / 2, rows, (const int16_t *)b, steps, terms, acc);
}

#include "kernels/template/convlines.h"

#endif
