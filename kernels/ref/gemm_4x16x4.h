// SPDX-License-Identifier: Apache-2.0
// Matrix product in plain C, included once for each type of the rows: define GEMM, GEMV and
// ROW_TYPE.
#include "kernels/ref/epilogue.h"

static void REF_NAME(tile)(const quernel_i_gemm *g, uint32_t m, uint32_t panel, uint32_t acc[16]) {
    const uint8_t *row = (const uint8_t *)g->a + m * g->a_row;
    const int8_t *b = (const int8_t *)g->b + panel * g->b_panel;
    for (uint32_t j = 0; j < 16; j++) acc[j] = (uint32_t)g->init[16 * panel + j];
    for (uint32_t r = 0; r < g->n_k_runs; r++) {
        const ROW_TYPE *a = (const ROW_TYPE *)(row + g->k_runs[r].offset);
        for (uint32_t k = 0; k < g->k_runs[r].k_quads; k++, a += 4, b += 64)
            for (uint32_t j = 0; j < 16; j++)
                for (uint32_t i = 0; i < 4; i++) acc[j] += (uint32_t)(a[i] * b[4 * j + i]);
    }
}

static void REF_NAME(product)(const quernel_i_gemm *g) {
    for (uint32_t m = 0; m < g->rows; m++)
        for (uint32_t n = 0; n < g->oc; n += 16) {
            uint32_t acc[16];
            REF_NAME(tile)(g, m, n / 16, acc);
            for (uint32_t j = 0; j < 16 && n + j < g->oc; j++)
                ref_epilogue_one(g->epilogue, m, n + j, (int32_t)acc[j]);
        }
}

void GEMM(const quernel_i_gemm *g) { REF_NAME(product)(g); }
void GEMV(const quernel_i_gemm *g) { REF_NAME(product)(g); }
