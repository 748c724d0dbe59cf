// SPDX-License-Identifier: Apache-2.0
// The finish alone, for NEON: sums are copied to a tile in L1, piece by piece, and finished there.
//
// 16 sums to int8 are 31 vector operations; the 8 conversions, which have one pipe and take it twice each, make 16
// cycles on Neoverse N1, 8 on V1, the bound. Speed is a model here: no Arm processor was timed.
#include "finish.h"

void quernel_uk_finish_s32_4x16x1_neon(const int32_t *acc, size_t acc_row, uint32_t rows, uint32_t columns,
                                       const quernel_i_finish *f);
void quernel_uk_finish_s32_4x16x1_neon(const int32_t *acc, size_t acc_row, uint32_t rows, uint32_t columns,
                                       const quernel_i_finish *f) {
    int32_t tile[FINISH_ROWS_MAX * FINISH_NR] __attribute__((aligned(64))) = {0};
    const bool plain = finish_is_plain(f);
    for (uint32_t m = 0; m < rows; m += FINISH_ROWS_MAX)
        for (uint32_t n = 0; n < columns; n += FINISH_NR) {
            const finish_tile t = {tile, rows - m < FINISH_ROWS_MAX ? rows - m : FINISH_ROWS_MAX,
                                   columns - n < FINISH_NR ? columns - n : FINISH_NR, m, n};
            for (uint32_t r = 0; r < t.rows; r++)
                memcpy(tile + r * FINISH_NR, acc + (m + r) * acc_row + n, t.columns * sizeof *tile);
            finish_run(&t, f, plain);
        }
}
