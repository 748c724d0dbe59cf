// SPDX-License-Identifier: Apache-2.0
// The finish alone, for AVX2: sums are copied to a tile in L1, piece by piece, and finished there. Lines of floats, the
// commonest case (deconvolutions in NCHW), are made without the copy where columns go by 4.
// Non-temporal stores of their whole cache lines gave nothing: 1.00 [0.995, 1.006] for 27 MB of output beyond 8 MB of L3 (Zen 1).
#include "finish.h"

void quernel_uk_finish_s32_1x16x1_avx2(const int32_t *acc, size_t acc_row, uint32_t rows, uint32_t columns,
                                       const quernel_i_finish *f);
void quernel_uk_finish_s32_1x16x1_avx2(const int32_t *acc, size_t acc_row, uint32_t rows, uint32_t columns,
                                       const quernel_i_finish *f) {
    int32_t tile[FINISH_ROWS_MAX * FINISH_NR] __attribute__((aligned(64)));
    const bool plain = finish_is_plain(f);
    if (plain && columns % 4 == 0 && finish_is_lines(f)) {
        finish_run_lines(&(finish_tile){(int32_t *)acc, rows, columns, 0, 0}, acc_row, f);
        return;
    }
    for (uint32_t m = 0; m < rows; m += FINISH_ROWS_MAX)
        for (uint32_t n = 0; n < columns; n += FINISH_NR) {
            const finish_tile t = {tile, rows - m < FINISH_ROWS_MAX ? rows - m : FINISH_ROWS_MAX,
                                   columns - n < FINISH_NR ? columns - n : FINISH_NR, m, n};
            const __m256i mask0 = lanes_mask(t.columns), mask1 = lanes_mask(t.columns < 8 ? 0 : t.columns - 8);
            for (uint32_t r = 0; r < t.rows; r++) {
                const int32_t *from = acc + (m + r) * acc_row + n;
                __m256i *to = (__m256i *)(tile + r * FINISH_NR);
                to[0] = _mm256_maskload_epi32(from, mask0);
                to[1] = _mm256_maskload_epi32(from + 8, mask1);
            }
            finish_run(&t, f, plain);
        }
}
