// SPDX-License-Identifier: Apache-2.0
// Look-ups for NEON: 256 codes in 16 vectors. A look-up in four of them gives 0, or leaves what is
// there, for an index beyond 63: four of them with the index less 0, 64, 128 and 192 make one
// result.
//
// For 16 codes: 3 subtractions and look-ups of four registers, 8 cycles on Neoverse N1, 4 on V1 (a
// model; no Arm processor was timed).
#include "kernels/template/lookup.h"
#include "vector.h"

enum { QUARTER = 64 /* codes of four vectors */ };

typedef struct codes {
    uint8x16x4_t quarter[4];
} codes;

NEON_INLINE codes codes_of(const uint8_t *table) {
    codes c;
#define BODY(i) c.quarter[i] = vld1q_u8_x4(table + i * QUARTER);
    EACH_4(BODY)
#undef BODY
    return c;
}

NEON_INLINE uint8x16_t look_up(const codes *c, uint8x16_t x) {
    uint8x16_t y = vqtbl4q_u8(c->quarter[0], x);
    y = vqtbx4q_u8(y, c->quarter[1], vsubq_u8(x, vdupq_n_u8(QUARTER)));
    y = vqtbx4q_u8(y, c->quarter[2], vsubq_u8(x, vdupq_n_u8(2 * QUARTER)));
    return vqtbx4q_u8(y, c->quarter[3], vsubq_u8(x, vdupq_n_u8(3 * QUARTER)));
}

static void line(const codes *c, const uint8_t *x, uint8_t *y, uint32_t count) {
    uint32_t i = 0;
    for (; i + 16 <= count; i += 16) vst1q_u8(y + i, look_up(c, vld1q_u8(x + i)));
    if (i == count) return;
    uint8_t part[16] = {0};
    memcpy(part, x + i, count - i);
    store_bytes(y + i, look_up(c, vld1q_u8(part)), count - i);
}

void quernel_uk_lookup_u8_1x16x1_neon(const quernel_i_lookup *l);
void quernel_uk_lookup_u8_1x16x1_neon(const quernel_i_lookup *l) {
    const int lines = l->x_col == 1 && l->y_col == 1 && !l->table_col;
    for (uint32_t m = 0; m < l->rows; m++) {
        const uint8_t *x = l->x + (ptrdiff_t)m * l->x_row;
        uint8_t *y = l->y + (ptrdiff_t)m * l->y_row;
        if (lines && l->table) {
            const codes c = codes_of(l->table + (ptrdiff_t)m * l->table_row);
            line(&c, x, y, l->columns);
        } else if (lines) {
            memmove(y, x, l->columns);
        } else {
            lookup_row(l, m);
        }
    }
}
