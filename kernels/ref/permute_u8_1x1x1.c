// SPDX-License-Identifier: Apache-2.0
// Permutations in plain C.
#include "kernels/ukr.h"

void quernel_uk_permute_u8_1x1x1_ref(const quernel_i_permute *p) {
    for (uint32_t m = 0; m < p->rows; m++)
        for (uint32_t k = 0; k < p->count; k++)
            p->y[m * p->y_row + k] = p->x[m * p->x_row + p->index[k]];
}
