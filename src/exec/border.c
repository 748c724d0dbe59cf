// SPDX-License-Identifier: Apache-2.0
// The border of a chain tensor.
#include "exec/border.h"

#include <string.h>

#include "exec/exec.h"

// Pixels [first, first + count) of one line, counted from the first real pixel, which is at
// `image`.
static void fill_pixels(const quernel_tensor *y, uint8_t *image, int zero, int64_t line,
                        int64_t first, int64_t count) {
    uint8_t *to = image + line * y->stride_h + first * y->stride_w;
    if (y->stride_w == y->c) {
        memset(to, zero, (size_t)count * y->c);
        return;
    }
    for (int64_t i = 0; i < count; i++) memset(to + i * y->stride_w, zero, y->c);
}

void quernel_i_border_write(const quernel_tensor *y, void *data, int32_t zero,
                            const quernel_i_border_part *part) {
    const int64_t left = y->border_w, above = y->border_h;
    if (!left && !above) return;
    uint8_t *image = (uint8_t *)data + part->image * y->stride_n;
    const int byte = (uint8_t)zero;
    const bool first = part->x0 == 0, last = part->x1 == y->w;
    const int64_t from = first ? -left : part->x0, to = last ? part->x1 + left : part->x1;
    for (int64_t i = 1; part->y0 == 0 && i <= above; i++)
        fill_pixels(y, image, byte, -i, from, to - from);
    for (int64_t i = 0; part->y1 == y->h && i < above; i++)
        fill_pixels(y, image, byte, (int64_t)y->h + i, from, to - from);
    for (int64_t line = part->y0; line < part->y1; line++) {
        if (first) fill_pixels(y, image, byte, line, -left, left);
        if (last) fill_pixels(y, image, byte, line, y->w, left);
    }
}

// The positions of y that grid positions from `grid` on write, the first and the last of the grid
// with all of y's.
static int64_t position(uint32_t grid, uint32_t grid_size, uint32_t size, uint32_t up,
                        uint32_t crop) {
    if (grid == 0) return 0;
    return grid == grid_size ? (int64_t)size : (int64_t)grid * up - crop;
}

void quernel_i_border_fill(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    quernel_i_border_write(
        &p->y, t->call->y, t->call->params->border,
        &(quernel_i_border_part){t->image, position(t->y0, p->grid_h, p->y.h, p->up_h, p->crop_top),
                                 position(t->y1, p->grid_h, p->y.h, p->up_h, p->crop_top),
                                 position(t->x0, p->grid_w, p->y.w, p->up_w, p->crop_left),
                                 position(t->x1, p->grid_w, p->y.w, p->up_w, p->crop_left)});
}
