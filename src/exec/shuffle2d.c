// SPDX-License-Identifier: Apache-2.0
// The loops of a shuffle.
#include "exec/shuffle2d.h"

#include "exec/border.h"
#include "exec/move.h"
#include "threads/parallel.h"

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }

// A line of blocks: where a phase's first pixel begins in both, and the steps to the next one.
typedef struct line {
    const uint8_t *from;
    uint8_t *to;
    int64_t from_pixel, to_pixel; // elements
    uint32_t pixels;
} line;

static void move_piece(const quernel_i_shuffle2d *s, const line *l,
                       const quernel_i_shuffle2d_piece *p, uint32_t size) {
    quernel_i_move_grid(&(quernel_i_move){.size = size,
                                          .rows = l->pixels,
                                          .columns = p->count,
                                          .from_row = l->from_pixel,
                                          .from_column = p->step,
                                          .to_row = l->to_pixel,
                                          .to_column = s->y.stride_c},
                        l->from + p->from * size, l->to + p->to * s->y.stride_c * size);
}

// A stretch of y's line for each pixel of x's.
static void permute_line(const quernel_i_shuffle2d *s, const uint8_t *x, uint8_t *y, uint32_t phase,
                         uint32_t size) {
    const uint32_t count = s->y_w * s->y.c * size;
    s->permute->run.permute(&(quernel_i_permute){
        .x = x,
        .y = y,
        .x_row = (ptrdiff_t)s->x.stride_w * (ptrdiff_t)size,
        .y_row = (ptrdiff_t)s->y_w * (ptrdiff_t)s->y.stride_w * (ptrdiff_t)size,
        .index = s->bytes + (size_t)phase * count,
        .rows = s->x.w,
        .count = count,
        .source = s->x.c * size});
}

static void move_line(const quernel_i_shuffle2d *s, const uint8_t *x, uint8_t *y, uint32_t image,
                      uint32_t h) {
    const uint32_t size = (uint32_t)quernel_type_size((quernel_type)s->x.type);
    const int64_t from = image * s->x.stride_n + (int64_t)(h / s->y_h * s->x_h) * s->x.stride_h,
                  to = image * s->y.stride_n + h * s->y.stride_h;
    if (s->permute) {
        permute_line(s, x + from * size, y + to * size, h % s->y_h, size);
        return;
    }
    for (uint32_t j = 0; j < s->y_w; j++) {
        const line l = {x + from * size, y + (to + j * s->y.stride_w) * size,
                        s->x_w * s->x.stride_w, s->y_w * s->y.stride_w, s->y.w / s->y_w};
        const uint32_t phase = h % s->y_h * s->y_w + j;
        for (uint32_t i = s->phases[phase]; i < s->phases[phase + 1]; i++)
            move_piece(s, &l, &s->pieces[i], size);
    }
}

// Tasks of an image.
static uint32_t tasks_of(const quernel_i_shuffle2d *s) {
    return (s->y.h + s->task_lines - 1) / s->task_lines;
}

// Arguments of all tasks.
typedef struct run {
    const quernel_i_shuffle2d *shuffle;
    const void *x;
    void *y;
} run;

static void run_task(void *arg, uint32_t index, uint32_t worker) {
    (void)worker;
    const run *r = arg;
    const quernel_i_shuffle2d *s = r->shuffle;
    const uint32_t image = index / tasks_of(s), y0 = index % tasks_of(s) * s->task_lines,
                   y1 = min(s->y.h, y0 + s->task_lines);
    for (uint32_t h = y0; h < y1; h++) move_line(s, r->x, r->y, image, h);
    quernel_i_border_write(&s->y, r->y, s->border,
                           &(quernel_i_border_part){image, y0, y1, 0, s->y.w});
}

void quernel_i_shuffle2d_run(const quernel_i_shuffle2d *shuffle, const void *x, void *y,
                             const quernel_parallel *parallel) {
    run r = {shuffle, x, y};
    quernel_i_parallel(parallel, shuffle->y.n * tasks_of(shuffle), run_task, &r);
}
