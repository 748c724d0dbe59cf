// SPDX-License-Identifier: Apache-2.0
// Look-ups in plain C: the oracle.
#include "kernels/ukr.h"

void quernel_uk_lookup_u8_1x1x1_ref(const quernel_i_lookup *l) {
    for (uint32_t m = 0; m < l->rows; m++)
        for (uint32_t n = 0; n < l->columns; n++) {
            const uint8_t x = l->x[m * l->x_row + n * l->x_col];
            l->y[m * l->y_row + n * l->y_col] =
                l->table ? l->table[m * l->table_row + n * l->table_col + x] : x;
        }
}
