// SPDX-License-Identifier: Apache-2.0
// The border of a chain tensor: the next layer reads its padding there.
#include <string.h>

#include "exec/exec.h"

// Pixels [first, first + count) of one line of y, counted from the first real pixel.
static void fill_pixels(const quernel_i_task *t, int64_t line, int64_t first, int64_t count) {
    const quernel_tensor *y = &t->call->problem->y;
    uint8_t *to =
        (uint8_t *)t->call->y + t->image * y->stride_n + line * y->stride_h + first * y->stride_w;
    const int zero = (uint8_t)t->call->problem->epilogue.y_zero;
    if (y->stride_w == y->c) {
        memset(to, zero, (size_t)count * y->c);
        return;
    }
    for (int64_t i = 0; i < count; i++) memset(to + i * y->stride_w, zero, y->c);
}

void quernel_i_border_fill(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_tensor *y = &p->y;
    const int64_t left = y->border_w, above = y->border_h;
    if (!left && !above) return;
    const bool first = t->x0 == 0, last = t->x1 == p->grid_w;
    const int64_t from = first ? -left : (int64_t)t->x0 * p->up_w - p->crop_left;
    const int64_t to = last ? (int64_t)y->w + left : (int64_t)t->x1 * p->up_w - p->crop_left;
    const int64_t top = t->y0 == 0 ? 0 : (int64_t)t->y0 * p->up_h - p->crop_top;
    const int64_t bottom =
        t->y1 == p->grid_h ? (int64_t)y->h : (int64_t)t->y1 * p->up_h - p->crop_top;
    for (int64_t i = 1; t->y0 == 0 && i <= above; i++) fill_pixels(t, -i, from, to - from);
    for (int64_t i = 0; t->y1 == p->grid_h && i < above; i++)
        fill_pixels(t, (int64_t)y->h + i, from, to - from);
    for (int64_t line = top; line < bottom; line++) {
        if (first) fill_pixels(t, line, -left, left);
        if (last) fill_pixels(t, line, y->w, left);
    }
}
