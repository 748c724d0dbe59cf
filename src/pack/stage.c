// SPDX-License-Identifier: Apache-2.0
// Stages pieces of an input line as rows.
#include "pack/stage.h"

#include <string.h>

#include "base/num.h"

const void *quernel_i_stage_pixel(const quernel_tensor *x, const void *data, uint32_t image,
                                  int64_t line, int64_t oc) {
    const int64_t element = (int64_t)image * x->stride_n + line * x->stride_h + oc * x->stride_w;
    return (const uint8_t *)data + element * (int64_t)quernel_type_size((quernel_type)x->type);
}

quernel_i_view quernel_i_view_floats(const quernel_tensor *x, const void *piece, uint32_t pixels,
                                     float *floats) {
    if (x->type == QUERNEL_TYPE_F32) return (quernel_i_view){piece, x->stride_w, x->stride_c};
    const uint16_t *from = piece;
    const bool nhwc = x->layout == QUERNEL_LAYOUT_NHWC;
    const uint32_t outer = nhwc ? pixels : x->c, inner = nhwc ? x->c : pixels;
    const int64_t step = nhwc ? x->stride_w : x->stride_c;
    for (uint32_t i = 0; i < outer; i++)
        for (uint32_t j = 0; j < inner; j++)
            floats[(size_t)i * inner + j] = quernel_i_from_bf16(from[i * step + j]);
    return (quernel_i_view){floats, nhwc ? (ptrdiff_t)inner : 1, nhwc ? 1 : (ptrdiff_t)inner};
}

void quernel_i_stage_floats(const quernel_i_kernel *quantize, const quernel_tensor *x,
                            const void *piece, uint32_t pixels, const quernel_i_quantizer *q,
                            float *floats, uint8_t *ret_rows, ptrdiff_t row_bytes) {
    const quernel_i_view view = quernel_i_view_floats(x, piece, pixels, floats);
    quantize->run.quantize(&(quernel_i_quantize_args){view.data, view.pixel, view.channel, pixels,
                                                      x->c, ret_rows, row_bytes, q->mult, q->g,
                                                      q->lo, q->hi, q->zero});
}

static void flip_bytes(uint8_t *to, const uint8_t *from, size_t bytes, uint8_t flip) {
    if (!flip) {
        memcpy(to, from, bytes);
        return;
    }
    for (size_t i = 0; i < bytes; i++) to[i] = from[i] ^ flip;
}

void quernel_i_stage_bytes(const quernel_tensor *x, const void *piece, uint32_t pixels,
                           uint8_t flip, uint8_t *ret_rows, ptrdiff_t row_bytes) {
    const uint8_t *from = piece;
    if (x->layout == QUERNEL_LAYOUT_NHWC) {
        if (x->stride_w == x->c && row_bytes == (ptrdiff_t)x->c) {
            flip_bytes(ret_rows, from, (size_t)pixels * x->c, flip);
            return;
        }
        for (uint32_t p = 0; p < pixels; p++)
            flip_bytes(ret_rows + p * row_bytes, from + p * x->stride_w, x->c, flip);
        return;
    }
    for (uint32_t c = 0; c < x->c; c++)
        for (uint32_t p = 0; p < pixels; p++)
            ret_rows[p * row_bytes + c] = from[c * x->stride_c + p] ^ flip;
}

// Blocks of 16 pixels keep both sides of the transposition within few cache lines.
static void transpose(float *to, const float *from, uint32_t pixels, uint32_t channels,
                      ptrdiff_t channel) {
    for (uint32_t p0 = 0; p0 < pixels; p0 += 16) {
        const uint32_t end = p0 + 16 < pixels ? p0 + 16 : pixels;
        for (uint32_t c = 0; c < channels; c++)
            for (uint32_t p = p0; p < end; p++)
                to[(size_t)p * channels + c] = from[c * channel + p];
    }
}

void quernel_i_stage_strip(const quernel_tensor *x, const void *piece, uint32_t pixels,
                           float *ret_strip) {
    const bool nhwc = x->layout == QUERNEL_LAYOUT_NHWC;
    if (x->type == QUERNEL_TYPE_F32) {
        if (!nhwc) transpose(ret_strip, piece, pixels, x->c, x->stride_c);
        else
            for (uint32_t p = 0; p < pixels; p++)
                memcpy(ret_strip + (size_t)p * x->c, (const float *)piece + p * x->stride_w,
                       x->c * sizeof(float));
        return;
    }
    const uint16_t *from = piece;
    for (uint32_t p = 0; p < pixels; p++)
        for (uint32_t c = 0; c < x->c; c++)
            ret_strip[(size_t)p * x->c + c] =
                quernel_i_from_bf16(from[p * x->stride_w + c * x->stride_c]);
}
