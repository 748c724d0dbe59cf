// SPDX-License-Identifier: Apache-2.0
// Products whose output are planes. A template; who includes it has included the epilogue and
// defines
//   MR, NR   rows and output channels of a register tile
//   multiply_tile(g, m, rows, n, acc)   acc[rows][EPILOGUE_NR] = sums of the rows from m on by NR
//                                       output channels from n on
//
// Rows by output channels are output in groups. Those that go past the caches end where cache lines
// do. AVX2's kernels, which take all rows of a few output channels before the next ones, write few
// planes at a time, which the hardware prefetches.
#include "kernels/template/planes.h"
#include "kernels/x86/lines.h"

enum {
    GROUP_LINES = 48,      // rows: three cache lines of floats
    GROUP = 56,            // at most: whole register tiles of 14 or 6 rows
    GROUP_BYTES = 32 << 10 // of rows, where lines are not written as a whole
};

/// Rows and output channels of the call, from (m, n) on.
typedef struct group {
    uint32_t m, rows, n, oc;
} group;

// Rows whose end is that of a cache line of floats, whole register tiles or nearly so.
static inline uint32_t group_lines(const quernel_i_epilogue *f, uint32_t m, uint32_t left) {
    const uintptr_t at = (uintptr_t)f->y / sizeof(float) + m;
    const uint32_t rows = GROUP_LINES - (uint32_t)(at % 16);
    return rows < left ? rows : left;
}

// Rows of as few register tiles of `mr` as there may be, in groups as even as they may be.
static inline uint32_t group_even(uint32_t left, uint32_t mr, uint32_t most) {
    const uint32_t count = (left + mr - 1) / mr;
    if (!count) return 0;
    const uint32_t groups = (count + most - 1) / most, some = (count + groups - 1) / groups;
    return (uint32_t)(((uint64_t)left * some + count - 1) / count);
}

// Register tiles of a group whose rows L1 keeps from one block of output channels to the next.
static inline uint32_t group_kept(const quernel_i_gemm *g, uint32_t mr) {
    const uint32_t kept = GROUP_BYTES / (mr * 4 * g->k_quads), most = GROUP / mr;
    return kept < 1 ? 1 : kept < most ? kept : most;
}

/// `past` is lines_past(f).
static inline group group_at(const quernel_i_gemm *g, uint32_t m, uint32_t n, uint32_t mr,
                             uint32_t nr, bool past) {
    const uint32_t left = g->rows - m;
    return (group){
        m, past ? group_lines(g->epilogue, m, left) : group_even(left, mr, group_kept(g, mr)), n,
        g->oc - n < nr ? g->oc - n : nr};
}

/// Output channels whose lines are worth being fetched: looking for them took 2 to 5 % of images of
/// 14 and 7 pixels, whose lines are groups of their own.
static inline uint32_t group_fetched(const group *now) { return now->rows < 16 ? 0 : now->oc; }

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

// The sums of a group, whose rows are split evenly among tiles. Beside each of them a share of the
// next group's planes is fetched.
static void group_multiply(const quernel_i_gemm *g, const group *now, const group *next, bool past,
                           int32_t *acc) {
    const uint32_t count = (now->rows + MR - 1) / MR, fetched = group_fetched(next);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t r = now->rows * i / count, end = now->rows * (i + 1) / count;
        for (uint32_t c = fetched * i / count; c < fetched * (i + 1) / count; c++)
            group_fetch(g->epilogue, next, c, past);
        multiply_tile(g, now->m + r, end - r, now->n, acc + r * EPILOGUE_NR);
    }
}

static void planes_gemm(const quernel_i_gemm *g) {
    int32_t acc[GROUP * EPILOGUE_NR] __attribute__((aligned(64)));
    const bool past = lines_past(g->epilogue);
    for (group now = group_at(g, 0, 0, MR, NR, past), next; now.rows; now = next) {
        const bool last = now.n + NR >= g->oc;
        next = group_at(g, last ? now.m + now.rows : now.m, last ? 0 : now.n + NR, MR, NR, past);
        group_multiply(g, &now, &next, past, acc);
        group_output(g->epilogue, &now, past, acc);
    }
    lines_end(past);
}
