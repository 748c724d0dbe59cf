// SPDX-License-Identifier: Apache-2.0
// 3x3 convolution with stride 1 or 2 in plain C: nine runs of channels.
#include "kernels/ref/finish.h"

// The sums of one pixel, 16 columns of a sub-panel.
static void sum_pixel(const quernel_i_conv3x3 *c, const uint8_t *a, uint32_t panel, uint32_t acc[16]) {
    const int8_t *b = (const int8_t *)c->b + panel * c->b_panel;
    for (uint32_t j = 0; j < 16; j++) acc[j] = (uint32_t)c->init[16 * panel + j];
    for (uint32_t t = 0; t < 9; t++) {
        const uint8_t *tap = a + t / 3 * c->a_line + t % 3 * c->a_pixel;
        for (uint32_t q = 0; q < c->quads; q++, tap += 4, b += 64)
            for (uint32_t j = 0; j < 16; j++)
                for (uint32_t i = 0; i < 4; i++) acc[j] += (uint32_t)(tap[i] * b[4 * j + i]);
    }
}

static void convolve(const quernel_i_conv3x3 *c, uint32_t stride) {
    for (uint32_t y = 0; y < c->lines; y++) {
        quernel_i_finish finish = *c->finish;
        finish.y = (uint8_t *)finish.y + y * c->y_line;
        if (finish.residual) finish.residual = (const uint8_t *)finish.residual + y * c->r_line;
        for (uint32_t x = 0; x < c->pixels; x++)
            for (uint32_t n = 0; n < c->columns; n += 16) {
                uint32_t acc[16];
                sum_pixel(c, (const uint8_t *)c->a + stride * (y * c->a_line + x * c->a_pixel), n / 16, acc);
                for (uint32_t j = 0; j < 16 && n + j < c->columns; j++) ref_finish_one(&finish, x, n + j, (int32_t)acc[j]);
            }
    }
}

void quernel_uk_conv3x3_u8s8_1x16x4_ref(const quernel_i_conv3x3 *c) { convolve(c, 1); }
void quernel_uk_conv3x3s2_u8s8_1x16x4_ref(const quernel_i_conv3x3 *c) { convolve(c, 2); }
