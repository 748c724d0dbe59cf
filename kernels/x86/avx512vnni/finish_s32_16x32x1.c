// SPDX-License-Identifier: Apache-2.0
// The finish alone for AVX-512: an int32 matrix, a tile of 16 rows x 32 columns at a time. Bound by its loads and stores.
#include "finish.h"

void quernel_uk_finish_s32_16x32x1_avx512vnni(const int32_t *acc, size_t acc_row, uint32_t rows, uint32_t columns,
                                              const quernel_i_finish *f);
void quernel_uk_finish_s32_16x32x1_avx512vnni(const int32_t *acc, size_t acc_row, uint32_t rows, uint32_t columns,
                                              const quernel_i_finish *f) {
    int32_t tile[FINISH_MR * FINISH_NR] __attribute__((aligned(64)));
    const bool plain = finish_is_plain(f);
    for (uint32_t m = 0; m < rows; m += FINISH_MR)
        for (uint32_t n = 0; n < columns; n += FINISH_NR) {
            const uint32_t height = rows - m < FINISH_MR ? rows - m : FINISH_MR;
            const uint32_t width = columns - n < FINISH_NR ? columns - n : FINISH_NR;
            const __mmask16 low = lanes(width), high = width > LANES ? lanes(width - LANES) : 0;
            for (uint32_t r = 0; r < height; r++) {
                const int32_t *from = acc + (m + r) * acc_row + n;
                tile_keep(tile + r * FINISH_NR, _mm512_maskz_loadu_epi32(low, from));
                tile_keep(tile + r * FINISH_NR + LANES, _mm512_maskz_loadu_epi32(high, from + LANES));
            }
            finish_run(&(finish_tile){tile, height, width, m, n}, f, plain);
        }
}
