// SPDX-License-Identifier: Apache-2.0
// Rows by output channels of planes that are output at once: rows fill cache lines. A template over
// the instruction set's epilogue.h.
#ifndef QUERNEL_X86_PLANES_GROUP_H
#define QUERNEL_X86_PLANES_GROUP_H

#include "kernels/template/planes.h"
#include "kernels/x86/lines.h"

enum { GROUP = 48 }; // rows: three lines of floats, and four or eight register tiles

/// Rows and output channels of the call, from (m, n) on.
typedef struct group {
    uint32_t m, rows, n, oc;
} group;

static inline group group_at(const quernel_i_gemm *g, uint32_t m, uint32_t n, uint32_t nr) {
    return (group){m, planes_rows(g->epilogue, m, g->rows - m, GROUP), n,
                   g->oc - n < nr ? g->oc - n : nr};
}

/// Fetches the lines of its c-th output channel, also of a residual in planes.
static inline void group_fetch(const quernel_i_epilogue *f, const group *now, uint32_t c,
                               bool past) {
    const ptrdiff_t n = now->n + c, m = now->m, rows = now->rows;
    planes_fetch((const uint8_t *)f->y + m * f->y_row + n * f->y_col, rows * f->y_row, past);
    if (f->residual && f->r_row >= 1 && f->r_row <= 4)
        planes_fetch((const uint8_t *)f->residual + m * f->r_row + n * f->r_col, rows * f->r_row,
                     false);
}

/// `past` is lines_past(f), and lines_end ends the call.
static inline void group_output(const quernel_i_epilogue *f, const group *now, bool past,
                                int32_t *acc) {
    if (lines_fit(f)) {
        const lines_tile t = {acc, EPILOGUE_NR, now->rows, now->oc, now->m, now->n};
        lines_run(&t, f, past);
        return;
    }
    for (uint32_t r = 0; r < now->rows; r += EPILOGUE_ROWS_MAX) {
        const uint32_t left = now->rows - r;
        const epilogue_tile t = {acc + r * EPILOGUE_NR,
                                 left < EPILOGUE_ROWS_MAX ? left : EPILOGUE_ROWS_MAX, now->oc,
                                 now->m + r, now->n};
        epilogue_run(&t, f, false);
    }
}

#endif
