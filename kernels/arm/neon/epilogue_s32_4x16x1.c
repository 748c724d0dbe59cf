// SPDX-License-Identifier: Apache-2.0
// The epilogue alone, for NEON: sums are copied to a tile in L1, piece by piece, with the epilogue
// there.
//
// 16 sums to int8 are 31 vector operations; the 8 conversions, which have one pipe and take it
// twice each, make 16 cycles on Neoverse N1, 8 on V1, the bound. Speed is a model here: no Arm
// processor was timed.
#include "epilogue.h"

void quernel_uk_epilogue_s32_4x16x1_neon(const int32_t *acc, size_t acc_row, uint32_t rows,
                                         uint32_t oc, const quernel_i_epilogue *f);
void quernel_uk_epilogue_s32_4x16x1_neon(const int32_t *acc, size_t acc_row, uint32_t rows,
                                         uint32_t oc, const quernel_i_epilogue *f) {
    int32_t tile[EPILOGUE_ROWS_MAX * EPILOGUE_NR] __attribute__((aligned(64))) = {0};
    const bool plain = epilogue_is_plain(f);
    for (uint32_t m = 0; m < rows; m += EPILOGUE_ROWS_MAX)
        for (uint32_t n = 0; n < oc; n += EPILOGUE_NR) {
            const epilogue_tile t = {tile,
                                     rows - m < EPILOGUE_ROWS_MAX ? rows - m : EPILOGUE_ROWS_MAX,
                                     oc - n < EPILOGUE_NR ? oc - n : EPILOGUE_NR, m, n};
            for (uint32_t r = 0; r < t.rows; r++)
                memcpy(tile + r * EPILOGUE_NR, acc + (m + r) * acc_row + n, t.oc * sizeof *tile);
            epilogue_run(&t, f, plain);
        }
}
