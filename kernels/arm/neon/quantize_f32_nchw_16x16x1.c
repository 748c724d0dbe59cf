// SPDX-License-Identifier: Apache-2.0
// Float NCHW to rows, for NEON: 16 channels of 16 pixels at a time, a cache line of each channel.
//
// 4 channels meet in the lanes of a vector by shift-and-insert, a lane for each pixel; then 4 such
// vectors are transposed, which gives 16 channels of each of 4 pixels. For 16 codes: 24 operations
// as in NHWC, 3 inserts, 2 of the transposition. Speed is a model here (llvm-mca 19, no Arm
// processor was timed): the codes take 16.5 cycles for 16 on Neoverse N1, 8.0 on V1, where the
// conversion's single pipe holds N1 to 8 of them; the transposition adds about 2.
#include "quantize.h"

enum { BLOCK = 16 };

// Codes of up to 4 channels and 4 pixels: byte c of lane p.
NEON_INLINE uint32x4_t codes_4x4(const float *x, ptrdiff_t x_channel, const float *mult,
                                 uint32_t channels, uint32_t pixels, const quantizer *q) {
    int32x4_t v[4];
    // What lies beyond the last channel is not stored: any channel will do.
#define CHANNEL(c) ((c) < channels ? (c) : 0)
#define BODY(c)                                                      \
    v[c] = quantize_4(load_part(x + CHANNEL(c) * x_channel, pixels), \
                      vdupq_n_f32(mult[CHANNEL(c)]), q);
    EACH_4(BODY)
#undef BODY
#undef CHANNEL
    return vreinterpretq_u32_s32(
        vsliq_n_s32(vsliq_n_s32(vsliq_n_s32(v[0], v[1], 8), v[2], 16), v[3], 24));
}

// Up to 16 channels of up to 16 pixels.
static void rows_block(const quernel_i_quantize_args *r, const quantizer *q, uint32_t p,
                       uint32_t c) {
    const uint32_t pixels = r->pixels - p < BLOCK ? r->pixels - p : BLOCK;
    const uint32_t channels = r->channels - c < BLOCK ? r->channels - c : BLOCK;
    uint32_t codes[4][BLOCK] = {{0}}; // [quad of channels][pixel]
    for (uint32_t quad = 0; 4 * quad < channels; quad++) {
        const float *x = r->x + (ptrdiff_t)(c + 4 * quad) * r->x_channel + p,
                    *mult = r->mult + c + 4 * quad;
        const uint32_t n = lanes_of(channels, 4 * quad);
        uint32_t i = 0;
        if (n == 4)
            for (; i + 4 <= pixels; i += 4)
                vst1q_u32(codes[quad] + i, codes_4x4(x + i, r->x_channel, mult, 4, 4, q));
        for (; i < pixels; i += 4)
            vst1q_u32(codes[quad] + i,
                      codes_4x4(x + i, r->x_channel, mult, n, lanes_of(pixels, i), q));
    }
    uint8_t *y = r->y + (ptrdiff_t)p * r->y_pixel + c;
    for (uint32_t i = 0; i < pixels; i += 4) {
        int32x4_t v[4];
#define BODY(quad) v[quad] = vreinterpretq_s32_u32(vld1q_u32(codes[quad] + i));
        EACH_4(BODY)
#undef BODY
        transpose_4x4(v);
        for (uint32_t j = 0; j < 4 && i + j < pixels; j++, y += r->y_pixel)
            store_bytes(y, vreinterpretq_u8_s32(v[j]), channels);
    }
}

void quernel_uk_quantize_f32_nchw_16x16x1_neon(const quernel_i_quantize_args *r);
void quernel_uk_quantize_f32_nchw_16x16x1_neon(const quernel_i_quantize_args *r) {
    const quantizer q = quantizer_of(r);
    for (uint32_t c = 0; c < r->channels; c += BLOCK)
        for (uint32_t p = 0; p < r->pixels; p += BLOCK) rows_block(r, &q, p, c);
}
