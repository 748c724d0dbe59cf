// SPDX-License-Identifier: Apache-2.0
// Blends in plain C.
#include "base/num.h"
#include "kernels/ukr.h"

typedef float load_value(const quernel_i_blend *b, ptrdiff_t at, uint32_t c);

static const uint8_t *byte_at(const quernel_i_blend *b, ptrdiff_t at, size_t of) {
    return (const uint8_t *)b->x + at + of;
}

static float load_u8(const quernel_i_blend *b, ptrdiff_t at, uint32_t c) {
    return (float)(*byte_at(b, at, c) - b->zero);
}
static float load_s8(const quernel_i_blend *b, ptrdiff_t at, uint32_t c) {
    return (float)((int8_t)*byte_at(b, at, c) - b->zero);
}
static float load_f32(const quernel_i_blend *b, ptrdiff_t at, uint32_t c) {
    float x;
    memcpy(&x, byte_at(b, at, c * sizeof x), sizeof x);
    return x;
}
static float load_bf16(const quernel_i_blend *b, ptrdiff_t at, uint32_t c) {
    uint16_t x;
    memcpy(&x, byte_at(b, at, c * sizeof x), sizeof x);
    return quernel_i_from_bf16(x);
}

static void blend(const quernel_i_blend *b, load_value *load) {
    const ptrdiff_t *at = b->at;
    const float *share = b->share;
    for (uint32_t m = 0; m < b->rows; m++, at += b->taps, share += b->taps)
        for (uint32_t c = 0; c < b->channels; c++) {
            float t = share[0] * load(b, at[0], c);
            for (uint32_t i = 1; i < b->taps; i++) t = fmaf(share[i], load(b, at[i], c), t);
            b->y[m * b->y_row + c] = t;
        }
}

void quernel_uk_blend_u8_1x1x1_ref(const quernel_i_blend *b) { blend(b, load_u8); }
void quernel_uk_blend_s8_1x1x1_ref(const quernel_i_blend *b) { blend(b, load_s8); }
void quernel_uk_blend_f32_1x1x1_ref(const quernel_i_blend *b) { blend(b, load_f32); }
void quernel_uk_blend_bf16_1x1x1_ref(const quernel_i_blend *b) { blend(b, load_bf16); }
