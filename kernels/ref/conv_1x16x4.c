// SPDX-License-Identifier: Apache-2.0
// Convolution in plain C, tap by tap: the same for all the ways in which other kernels make it
// faster.
#include "kernels/ref/epilogue.h"

// The sums of one pixel, 16 output channels of a sub-panel.
static void sum_pixel(const quernel_i_conv *c, const uint8_t *a, uint32_t panel, bool is_signed,
                      uint32_t acc[16]) {
    const quernel_i_window *w = &c->window;
    const size_t line = ((size_t)w->kernel_w * w->channels + 3) / 4 * 64;
    const int8_t *b = (const int8_t *)c->b + panel * c->b_panel;
    for (uint32_t j = 0; j < 16; j++) acc[j] = (uint32_t)c->init[16 * panel + j];
    for (uint32_t i = 0; i < w->kernel_h; i++, a += c->a_line, b += line)
        for (uint32_t k = 0; k < w->kernel_w * w->channels; k++) {
            const uint8_t byte = a[k / w->channels * c->a_pixel + k % w->channels];
            const int32_t x = is_signed ? (int8_t)byte : byte;
            for (uint32_t j = 0; j < 16; j++)
                acc[j] += (uint32_t)(x * b[k / 4 * 64 + 4 * j + k % 4]);
        }
}

static void convolve(const quernel_i_conv *c, bool is_signed) {
    const ptrdiff_t line = c->window.stride_h * c->a_line, pixel = c->window.stride_w * c->a_pixel;
    for (uint32_t y = 0; y < c->lines; y++) {
        quernel_i_epilogue epilogue = *c->epilogue;
        epilogue.y = (uint8_t *)epilogue.y + y * c->y_line;
        if (epilogue.residual)
            epilogue.residual = (const uint8_t *)epilogue.residual + y * c->r_line;
        for (uint32_t x = 0; x < c->pixels; x++)
            for (uint32_t n = 0; n < c->oc; n += 16) {
                uint32_t acc[16];
                sum_pixel(c, (const uint8_t *)c->a + y * line + x * pixel, n / 16, is_signed, acc);
                for (uint32_t j = 0; j < 16 && n + j < c->oc; j++)
                    ref_epilogue_one(&epilogue, x, n + j, (int32_t)acc[j]);
            }
    }
}

void quernel_uk_conv3x3_u8s8_1x16x4_ref(const quernel_i_conv *c) { convolve(c, false); }
void quernel_uk_conv3x3_s8s8_1x16x4_ref(const quernel_i_conv *c) { convolve(c, true); }
void quernel_uk_conv3x3s2_u8s8_1x16x4_ref(const quernel_i_conv *c) { convolve(c, false); }
void quernel_uk_conv3x3s2_s8s8_1x16x4_ref(const quernel_i_conv *c) { convolve(c, true); }
void quernel_uk_convlines_u8s8_1x16x4_ref(const quernel_i_conv *c) { convolve(c, false); }
void quernel_uk_convlines_s8s8_1x16x4_ref(const quernel_i_conv *c) { convolve(c, true); }
void quernel_uk_convgroups_u8s8_1x16x4_ref(const quernel_i_conv *c) { convolve(c, false); }
void quernel_uk_convgroups_s8s8_1x16x4_ref(const quernel_i_conv *c) { convolve(c, true); }
