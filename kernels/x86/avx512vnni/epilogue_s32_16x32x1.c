// SPDX-License-Identifier: Apache-2.0
// The epilogue alone for AVX-512: an int32 matrix, a tile of 16 rows x 32 output channels at a
// time; lines of floats (deconvolutions in NCHW) without the copy, where output channels go by 4.
// Bound by its loads and stores.
#include "epilogue.h"

void quernel_uk_epilogue_s32_16x32x1_avx512vnni(const int32_t *acc, size_t acc_row, uint32_t rows,
                                                uint32_t oc, const quernel_i_epilogue *f);
void quernel_uk_epilogue_s32_16x32x1_avx512vnni(const int32_t *acc, size_t acc_row, uint32_t rows,
                                                uint32_t oc, const quernel_i_epilogue *f) {
    int32_t tile[EPILOGUE_MR * EPILOGUE_NR] __attribute__((aligned(64)));
    if (oc % 4 == 0 && lines_fit(f)) {
        lines_call(acc, acc_row, rows, oc, f);
        return;
    }
    const bool plain = epilogue_is_plain(f);
    for (uint32_t m = 0; m < rows; m += EPILOGUE_MR)
        for (uint32_t n = 0; n < oc; n += EPILOGUE_NR) {
            const uint32_t height = rows - m < EPILOGUE_MR ? rows - m : EPILOGUE_MR;
            const uint32_t width = oc - n < EPILOGUE_NR ? oc - n : EPILOGUE_NR;
            const __mmask16 low = lanes(width), high = width > LANES ? lanes(width - LANES) : 0;
            for (uint32_t r = 0; r < height; r++) {
                const int32_t *from = acc + (m + r) * acc_row + n;
                tile_keep(tile + r * EPILOGUE_NR, _mm512_maskz_loadu_epi32(low, from));
                tile_keep(tile + r * EPILOGUE_NR + LANES,
                          _mm512_maskz_loadu_epi32(high, from + LANES));
            }
            epilogue_run(&(epilogue_tile){tile, height, width, m, n}, f, plain);
        }
}
