// SPDX-License-Identifier: Apache-2.0
// Depthwise in plain C: blocks of 64 channels, so that compilers vectorize the inner loop.
#include "kernels/ref/epilogue.h"

enum { BLOCK = 64 };

static void add_tap_u8(uint32_t *acc, const uint8_t *a, const int8_t *w, uint32_t count) {
    for (uint32_t c = 0; c < count; c++) acc[c] += (uint32_t)(a[c] * w[c]);
}

static void add_tap_s8(uint32_t *acc, const uint8_t *a, const int8_t *w, uint32_t count) {
    for (uint32_t c = 0; c < count; c++) acc[c] += (uint32_t)((int8_t)a[c] * w[c]);
}

typedef void add_tap(uint32_t *acc, const uint8_t *a, const int8_t *w, uint32_t count);

// Tap t of the output whose first tap is at byte `line` + `pixel`; what lies outside is `outside`.
static const uint8_t *tap_of(const quernel_i_depthwise *d, ptrdiff_t line, ptrdiff_t pixel,
                             uint32_t t, const uint8_t *outside) {
    const ptrdiff_t l = line + t / d->kernel_w * d->tap_line,
                    p = pixel + t % d->kernel_w * d->tap_pixel;
    const bool inside = l >= 0 && l < d->height && p >= 0 && p < d->width;
    return inside ? (const uint8_t *)d->a + l + p : outside;
}

static void depthwise_pixel(const quernel_i_depthwise *d, uint32_t line, uint32_t m,
                            const quernel_i_epilogue *epilogue, add_tap *add) {
    const ptrdiff_t l = (ptrdiff_t)line * d->a_line - d->top, p = (ptrdiff_t)m * d->a_row - d->left;
    uint8_t outside[BLOCK];
    memset(outside, d->outside, BLOCK);
    for (uint32_t c = 0; c < d->oc; c += BLOCK) {
        const uint32_t count = d->oc - c < BLOCK ? d->oc - c : BLOCK;
        uint32_t acc[BLOCK];
        memcpy(acc, d->init + c, count * sizeof *acc);
        for (uint32_t t = 0; t < d->kernel_h * d->kernel_w; t++) {
            const uint8_t *tap = tap_of(d, l, p, t, outside);
            add(acc, tap == outside ? tap : tap + c, d->w + t * d->w_tap + c, count);
        }
        for (uint32_t j = 0; j < count; j++) ref_epilogue_one(epilogue, m, c + j, (int32_t)acc[j]);
    }
}

static void depthwise(const quernel_i_depthwise *d, add_tap *add) {
    quernel_i_epilogue epilogue = *d->epilogue;
    for (uint32_t line = 0; line < d->lines; line++) {
        for (uint32_t m = 0; m < d->rows; m++) depthwise_pixel(d, line, m, &epilogue, add);
        epilogue.y = (uint8_t *)epilogue.y + d->y_line;
        if (epilogue.residual) epilogue.residual = (const uint8_t *)epilogue.residual + d->r_line;
    }
}

void quernel_uk_depthwise_u8s8_1x16x1_ref(const quernel_i_depthwise *d) {
    depthwise(d, add_tap_u8);
}
void quernel_uk_depthwise_s8s8_1x16x1_ref(const quernel_i_depthwise *d) {
    depthwise(d, add_tap_s8);
}
