// SPDX-License-Identifier: Apache-2.0
// Products whose output are planes. A template; who includes it has included the epilogue and
// defines
//   MR, NR   rows and output channels of a register tile
//   multiply_tile(g, m, rows, n, acc)   acc[rows][EPILOGUE_NR] = sums of the rows from m on by NR
//                                       output channels from n on
#include "planes_group.h"

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
