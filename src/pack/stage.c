// SPDX-License-Identifier: Apache-2.0
// Stages pieces of an input line as rows.
#include "pack/stage.h"

#include <string.h>

#include "base/num.h"
#include "registry/registry.h"

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
                                                      q->lo, q->hi, q->zero, q->near});
}

// Codes are not changed, and so need no table; sums become what they are.
quernel_i_turn quernel_i_turn_of(uint32_t usable) {
    return (quernel_i_turn){quernel_i_registry_best(QUERNEL_I_OP_LOOKUP, usable, -1),
                            quernel_i_registry_best(QUERNEL_I_OP_EPILOGUE, usable, -1)};
}

static void flip_bytes(uint8_t *to, const uint8_t *from, size_t bytes, uint8_t flip) {
    if (!flip) {
        memcpy(to, from, bytes);
        return;
    }
    for (size_t i = 0; i < bytes; i++) to[i] = from[i] ^ flip;
}

static void turn_bytes(const quernel_i_kernel *kernel, const quernel_tensor *x, const void *piece,
                       uint32_t pixels, uint8_t flip, uint8_t *rows, ptrdiff_t row_bytes) {
    kernel->run.lookup(&(quernel_i_lookup){.x = piece,
                                           .x_row = x->stride_c,
                                           .x_col = 1,
                                           .y = rows,
                                           .y_row = 1,
                                           .y_col = row_bytes,
                                           .rows = x->c,
                                           .columns = pixels});
    for (uint32_t p = 0; flip && p < pixels; p++)
        flip_bytes(rows + p * row_bytes, rows + p * row_bytes, x->c, flip);
}

void quernel_i_stage_bytes(const quernel_i_turn *turn, const quernel_tensor *x, const void *piece,
                           uint32_t pixels, uint8_t flip, uint8_t *ret_rows, ptrdiff_t row_bytes) {
    if (x->layout != QUERNEL_LAYOUT_NHWC) {
        turn_bytes(turn->bytes, x, piece, pixels, flip, ret_rows, row_bytes);
        return;
    }
    const uint8_t *from = piece;
    if (x->stride_w == x->c && row_bytes == (ptrdiff_t)x->c) {
        flip_bytes(ret_rows, from, (size_t)pixels * x->c, flip);
        return;
    }
    for (uint32_t p = 0; p < pixels; p++)
        flip_bytes(ret_rows + p * row_bytes, from + p * x->stride_w, x->c, flip);
}

static void turn_floats(const quernel_i_kernel *kernel, const quernel_tensor *x, const void *piece,
                        uint32_t pixels, float *to) {
    const ptrdiff_t size = sizeof *to;
    const quernel_i_epilogue as_it_is = {
        .y = to, .y_row = size, .y_col = (ptrdiff_t)x->c * size, .out = QUERNEL_TYPE_S32};
    kernel->run.epilogue(piece, (size_t)x->stride_c, x->c, pixels, &as_it_is);
}

void quernel_i_stage_strip(const quernel_i_turn *turn, const quernel_tensor *x, const void *piece,
                           uint32_t pixels, float *ret_strip) {
    if (x->type == QUERNEL_TYPE_F32) {
        if (x->layout != QUERNEL_LAYOUT_NHWC)
            turn_floats(turn->floats, x, piece, pixels, ret_strip);
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
