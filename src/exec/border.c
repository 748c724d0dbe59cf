// SPDX-License-Identifier: Apache-2.0
// The border of a chain tensor: the next layer reads its padding there.
#include <string.h>

#include "exec/border.h"
#include "exec/exec.h"

// Where the pixels of an image are that borders are written around.
typedef struct image {
    const quernel_tensor *y;
    uint8_t *at;
    uint8_t zero;
} image;

// Pixels [first, first + count) of one line of y, counted from the first real pixel.
static void fill_pixels(const image *i, int64_t line, int64_t first, int64_t count) {
    const quernel_tensor *y = i->y;
    uint8_t *to = i->at + line * y->stride_h + first * y->stride_w;
    if (y->stride_w == y->c) {
        memset(to, i->zero, (size_t)count * y->c);
        return;
    }
    for (int64_t k = 0; k < count; k++) memset(to + k * y->stride_w, i->zero, y->c);
}

void quernel_i_border_fill_image(const quernel_tensor *y, void *data, uint32_t index,
                                 uint8_t zero) {
    const image i = {y, (uint8_t *)data + index * y->stride_n, zero};
    const int64_t side = y->border_w, whole = (int64_t)y->w + 2 * side;
    for (int64_t k = 1; k <= y->border_h; k++) {
        fill_pixels(&i, -k, -side, whole);
        fill_pixels(&i, (int64_t)y->h - 1 + k, -side, whole);
    }
    for (int64_t line = 0; side && line < y->h; line++) {
        fill_pixels(&i, line, -side, side);
        fill_pixels(&i, line, y->w, side);
    }
}

void quernel_i_border_fill(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_tensor *y = &p->y;
    const int64_t left = y->border_w, above = y->border_h;
    if (!left && !above) return;
    const image whole = {y, (uint8_t *)t->call->y + t->image * y->stride_n,
                         (uint8_t)p->epilogue.y_zero};
    const bool first = t->x0 == 0, last = t->x1 == p->grid_w;
    const int64_t from = first ? -left : (int64_t)t->x0 * p->up_w - p->crop_left;
    const int64_t to = last ? (int64_t)y->w + left : (int64_t)t->x1 * p->up_w - p->crop_left;
    const int64_t top = t->y0 == 0 ? 0 : (int64_t)t->y0 * p->up_h - p->crop_top;
    const int64_t bottom =
        t->y1 == p->grid_h ? (int64_t)y->h : (int64_t)t->y1 * p->up_h - p->crop_top;
    for (int64_t i = 1; t->y0 == 0 && i <= above; i++) fill_pixels(&whole, -i, from, to - from);
    for (int64_t i = 0; t->y1 == p->grid_h && i < above; i++)
        fill_pixels(&whole, (int64_t)y->h + i, from, to - from);
    for (int64_t line = top; line < bottom; line++) {
        if (first) fill_pixels(&whole, line, -left, left);
        if (last) fill_pixels(&whole, line, y->w, left);
    }
}
