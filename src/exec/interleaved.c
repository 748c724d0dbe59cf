// SPDX-License-Identifier: Apache-2.0
// Interleaved phases: one product gives all sub-pixels of its patches, output channels
// [sub-pixel][channel]. They lie apart in y, so that results go through a tile.
#include <string.h>

#include "exec/n_block.h"

// `count` elements of 1, 2 or 4 bytes; steps in bytes.
static void copy_elements(uint8_t *to, ptrdiff_t to_step, const uint8_t *from, ptrdiff_t from_step,
                          uint32_t count, size_t size) {
    switch (size) {
    case 1:
        for (; count; count--, to += to_step, from += from_step) *to = *from;
        break;
    case 2:
        for (; count; count--, to += to_step, from += from_step) memcpy(to, from, 2);
        break;
    default:
        for (; count; count--, to += to_step, from += from_step) memcpy(to, from, 4);
    }
}

// Copies a chunk of a tensor laid out like y to its tile, or back: of each sub-pixel, the pixels
// that lie inside y.
static void copy_interleaved(const quernel_i_task *t, const quernel_tensor *y, uint8_t *data,
                             uint32_t line, uint32_t ox, uint32_t pixels, uint8_t *tile,
                             bool to_tile) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_weights_shape *s = &p->weights->shape;
    const size_t size = quernel_type_size((quernel_type)y->type);
    const ptrdiff_t tile_row = (ptrdiff_t)(s->oc * size),
                    y_row = (ptrdiff_t)(p->up_w * y->stride_w * (int64_t)size);
    for (uint32_t n = 0; n < s->oc; n++) {
        const uint32_t subpixel = n / s->out;
        uint32_t y0, y1, x0, x1;
        quernel_i_n_block_patches(y->h, p->up_h, p->crop_top, subpixel / p->up_w, &y0, &y1);
        quernel_i_n_block_patches(y->w, p->up_w, p->crop_left, subpixel % p->up_w, &x0, &x1);
        const uint32_t first = x0 > ox ? x0 : ox, end = x1 < ox + pixels ? x1 : ox + pixels;
        if (line < y0 || line >= y1 || first >= end) continue;
        uint8_t *at = data + quernel_i_epilogue_offset(t, y, line, first, n % s->out, subpixel);
        uint8_t *in = tile + (first - ox) * tile_row + n * size;
        if (to_tile) copy_elements(in, tile_row, at, y_row, end - first, size);
        else copy_elements(at, y_row, in, tile_row, end - first, size);
    }
}

void quernel_i_interleaved_collect(const quernel_i_task *t, uint32_t line, uint32_t ox,
                                   uint32_t pixels, quernel_i_epilogue *epilogue) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const uint32_t oc = p->weights->shape.oc;
    epilogue->y = t->slice + plan->workspace.slice.tile;
    epilogue->y_col = (ptrdiff_t)quernel_type_size((quernel_type)p->y.type),
    epilogue->y_row = (ptrdiff_t)oc * epilogue->y_col;
    if (!p->epilogue.residual) return;
    uint8_t *tile = t->slice + plan->workspace.slice.residual;
    copy_interleaved(t, &p->residual, (uint8_t *)t->call->residual, line, ox, pixels, tile, true);
    epilogue->residual = tile;
    epilogue->r_col = (ptrdiff_t)quernel_type_size((quernel_type)p->residual.type),
    epilogue->r_row = (ptrdiff_t)oc * epilogue->r_col;
}

void quernel_i_interleaved_spread(const quernel_i_task *t, uint32_t line, uint32_t ox,
                                  uint32_t pixels) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    copy_interleaved(t, &p->y, t->call->y, line, ox, pixels, t->slice + plan->workspace.slice.tile,
                     false);
}
