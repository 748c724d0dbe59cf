// SPDX-License-Identifier: Apache-2.0
// The epilogue alone, for AVX2: sums are copied to a tile in L1, piece by piece, with the epilogue
// there. Lines of floats, the commonest case (deconvolutions in NCHW), are made without the copy
// where oc go by 4. Non-temporal stores of their whole cache lines gave nothing: 1.00
// [0.995, 1.006] for 27 MB of output beyond 8 MB of L3 (Zen 1).
#include "epilogue.h"

void quernel_uk_epilogue_s32_1x16x1_avx2(const int32_t *acc, size_t acc_row, uint32_t rows,
                                         uint32_t oc, const quernel_i_epilogue *f);
void quernel_uk_epilogue_s32_1x16x1_avx2(const int32_t *acc, size_t acc_row, uint32_t rows,
                                         uint32_t oc, const quernel_i_epilogue *f) {
    int32_t tile[EPILOGUE_ROWS_MAX * EPILOGUE_NR] __attribute__((aligned(64)));
    const bool plain = epilogue_is_plain(f);
    if (oc % 4 == 0 && lines_fit(f)) {
        lines_call(acc, acc_row, rows, oc, f);
        return;
    }
    for (uint32_t m = 0; m < rows; m += EPILOGUE_ROWS_MAX)
        for (uint32_t n = 0; n < oc; n += EPILOGUE_NR) {
            const epilogue_tile t = {tile,
                                     rows - m < EPILOGUE_ROWS_MAX ? rows - m : EPILOGUE_ROWS_MAX,
                                     oc - n < EPILOGUE_NR ? oc - n : EPILOGUE_NR, m, n};
            const __m256i mask0 = lanes_mask(t.oc), mask1 = lanes_mask(t.oc < 8 ? 0 : t.oc - 8);
            for (uint32_t r = 0; r < t.rows; r++) {
                const int32_t *from = acc + (m + r) * acc_row + n;
                __m256i *to = (__m256i *)(tile + r * EPILOGUE_NR);
                to[0] = _mm256_maskload_epi32(from, mask0);
                to[1] = _mm256_maskload_epi32(from + 8, mask1);
            }
            epilogue_run(&t, f, plain);
        }
}
