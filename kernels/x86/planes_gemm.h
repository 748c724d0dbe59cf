// SPDX-License-Identifier: Apache-2.0
// Products whose output are planes. A template; who includes it has included the epilogue and
// defines
//   NR          output channels of a register tile
//   PLANES_MR   its rows: GROUP is a multiple of them
//   multiply_tile(g, m, rows, n, acc)   acc[rows][EPILOGUE_NR] = sums of the rows from m on by NR
//                                       output channels from n on
#include "planes_group.h"

enum {
    GROUP_TILES = GROUP / PLANES_MR,
    GROUP_SHARE = (NR + GROUP_TILES - 1) / GROUP_TILES // planes
};

// The sums of a group. Beside each tile a share of the next group's planes is fetched.
static void group_multiply(const quernel_i_gemm *g, const group *now, const group *next, bool past,
                           int32_t *acc) {
    for (uint32_t r = 0, c = 0; r < now->rows; r += PLANES_MR) {
        for (uint32_t end = c + GROUP_SHARE; c < end && c < next->oc; c++)
            group_fetch(g->epilogue, next, c, past);
        multiply_tile(g, now->m + r, now->rows - r < PLANES_MR ? now->rows - r : PLANES_MR, now->n,
                      acc + r * EPILOGUE_NR);
    }
}

static void planes_gemm(const quernel_i_gemm *g) {
    int32_t acc[GROUP * EPILOGUE_NR] __attribute__((aligned(64)));
    const bool past = lines_past(g->epilogue);
    for (group now = group_at(g, 0, 0, NR), next; now.rows; now = next) {
        const bool last = now.n + NR >= g->oc;
        next = group_at(g, last ? now.m + now.rows : now.m, last ? 0 : now.n + NR, NR);
        group_multiply(g, &now, &next, past, acc);
        group_output(g->epilogue, &now, past, acc);
    }
    lines_end(past);
}
