// SPDX-License-Identifier: Apache-2.0
// The loops of a pool.
#include "exec/pool2d.h"

#include <string.h>

#include "exec/border.h"
#include "pack/stage.h"
#include "threads/parallel.h"

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }

// How many multiples of `step` from `from` on lie below `end`.
static uint32_t below(int64_t from, int64_t end, uint32_t step) {
    return from >= end ? 0 : (uint32_t)((end - from + step - 1) / step);
}

// Taps of the position at `start` that lie before `end`; *count is shortened to the positions from
// there on for which they are as many.
static uint32_t taps_before(const quernel_i_pool2d_axis *axis, int64_t start, int64_t end,
                            uint64_t *count) {
    const uint32_t taps = min(axis->kernel, below(start, end, axis->dilation));
    if (!taps) return 0;
    const int64_t last = end - 1 - (taps - 1) * (int64_t)axis->dilation;
    const uint64_t same = (uint64_t)(last - start) / axis->stride + 1;
    if (same < *count) *count = same;
    return taps;
}

quernel_i_pool2d_span quernel_i_pool2d_span_at(const quernel_i_pool2d_axis *axis, uint32_t i,
                                               uint32_t end, bool padded) {
    const int64_t start = (int64_t)i * axis->stride - axis->before, size = axis->size;
    uint64_t count = end - i;
    const uint32_t skipped = taps_before(axis, start, 0, &count),
                   inside = taps_before(axis, start, size, &count),
                   all = padded ? taps_before(axis, start, size + axis->after, &count) : 0,
                   taps = inside - skipped;
    return (quernel_i_pool2d_span){
        .first = i,
        .count = (uint32_t)count,
        .at = taps ? (uint32_t)(start + skipped * (int64_t)axis->dilation) : 0,
        .taps = taps,
        .counted = padded ? all : taps};
}

// A task: output lines [y0, y1) of an image. Where its input lines are: in x, or staged from line
// `base` on.
typedef struct task {
    const quernel_i_pool2d *pool;
    uint8_t *slice;
    void *y;
    uint32_t image, y0, y1;
    const uint8_t *x; // element (line `base`, pixel 0)
    uint32_t base;
    ptrdiff_t line, pixel; // bytes
    uint32_t element;
} task;

// What a kernel call reads of a line of outputs.
typedef struct source {
    const uint8_t *a;      // the first tap of pixel 0
    ptrdiff_t line, pixel; // from tap line to tap line, from pixel to pixel
    quernel_i_pool2d_span lines;
} source;

// The lines of x that the task reads: [*ret_first, return). Dilated windows may begin in any order.
static uint32_t lines_of(const task *t, uint32_t *ret_first) {
    const quernel_i_pool2d *p = t->pool;
    uint32_t end = 0;
    *ret_first = p->x.h;
    for (uint32_t line = t->y0; line < t->y1; line++) {
        const quernel_i_pool2d_span s = quernel_i_pool2d_span_at(&p->lines, line, line + 1, false);
        const uint32_t last = s.at + (s.taps - 1) * p->lines.dilation;
        *ret_first = min(*ret_first, s.at);
        end = last >= end ? last + 1 : end;
    }
    return end;
}

static void stage_lines(task *t, const void *x) {
    const quernel_i_pool2d *p = t->pool;
    const uint32_t end = lines_of(t, &t->base);
    uint8_t *to = t->slice + p->slice.staged;
    t->x = to;
    if (t->element > 1) t->element = sizeof(float);
    t->pixel = (ptrdiff_t)t->element * p->x.c, t->line = t->pixel * p->x.w;
    for (uint32_t line = t->base; line < end; line++, to += t->line) {
        const void *from = quernel_i_stage_pixel(&p->x, x, t->image, line, 0);
        if (t->element == 1) quernel_i_stage_bytes(&p->turn, &p->x, from, p->x.w, 0, to, t->pixel);
        else quernel_i_stage_strip(&p->turn, &p->x, from, p->x.w, (float *)(void *)to);
    }
}

// The maxima of the window's lines, for each pixel of x.
static source reduce_lines(const task *t, source s) {
    const quernel_i_pool2d *p = t->pool;
    uint8_t *to = t->slice + p->slice.line;
    const bool dense = s.pixel == (ptrdiff_t)p->x.c;
    p->pool->run.pool(&(quernel_i_pool){.a = s.a,
                                        .a_row = s.pixel,
                                        .tap_line = s.line,
                                        .kernel_h = s.lines.taps,
                                        .kernel_w = 1,
                                        .rows = dense ? 1 : p->x.w,
                                        .channels = dense ? p->x.c * p->x.w : p->x.c,
                                        .y = to,
                                        .y_row = (ptrdiff_t)p->x.c});
    s.lines.taps = 1;
    return (source){to, 0, (ptrdiff_t)p->x.c, s.lines};
}

// Pixels [first, first + count), all of one span, to `to`.
static void reduce_pixels(const task *t, const source *s, const quernel_i_pool2d_span *span,
                          uint32_t first, uint32_t count, uint8_t *to, ptrdiff_t to_row) {
    const quernel_i_pool2d *p = t->pool;
    const ptrdiff_t at = span->at + (ptrdiff_t)(first - span->first) * p->pixels.stride;
    const uint32_t taps = s->lines.taps * span->taps;
    p->pool->run.pool(
        &(quernel_i_pool){.a = s->a + at * s->pixel,
                          .a_row = (ptrdiff_t)p->pixels.stride * s->pixel,
                          .tap_line = s->line,
                          .tap_pixel = (ptrdiff_t)p->pixels.dilation * s->pixel,
                          .kernel_h = s->lines.taps,
                          .kernel_w = span->taps,
                          .rows = count,
                          .channels = p->x.c,
                          .y = to,
                          .y_row = to_row,
                          .init = (int32_t) - ((uint32_t)p->zero * taps),
                          .factor = 1.0f / (float)(s->lines.counted * span->counted)});
}

// Where the pool kernel writes pixel (line, x) of the output, and pixels behind it.
static uint8_t *target(const task *t, uint32_t line, uint32_t x, ptrdiff_t *ret_row) {
    const quernel_i_pool2d *p = t->pool;
    if (p->direct) {
        *ret_row = (ptrdiff_t)p->result.y.stride_w;
        return quernel_i_result_pixel(&p->result, t->y, t->image, line, x);
    }
    *ret_row = (ptrdiff_t)(p->x.c * quernel_type_size((quernel_type)p->tile_type));
    return t->slice + p->slice.tile;
}

// Output pixels [x0, x1) of a line; `span` is that of x0. Returns that of x1.
static const quernel_i_pool2d_span *pool_pixels(const task *t, const source *s, uint32_t line,
                                                const quernel_i_pool2d_span *span, uint32_t x0,
                                                uint32_t x1) {
    const quernel_i_pool2d *p = t->pool;
    const bool sums = p->tile_of == QUERNEL_I_TILE_OF_SUMS;
    float *factors = (float *)(void *)(t->slice + p->slice.factors);
    ptrdiff_t row;
    uint8_t *to = target(t, line, x0, &row);
    for (uint32_t x = x0; x < x1;) {
        const uint32_t end = span->first + span->count, count = min(end, x1) - x;
        reduce_pixels(t, s, span, x, count, to, row);
        for (uint32_t i = 0; sums && i < count; i++)
            factors[x - x0 + i] = 1.0f / (float)(s->lines.counted * span->counted);
        x += count, to += (ptrdiff_t)count * row;
        if (x == end) span++;
    }
    if (p->direct) return span;
    quernel_i_result_store(&p->result,
                           &(quernel_i_tile){.of = p->tile_of,
                                             .type = p->tile_type,
                                             .data = t->slice + p->slice.tile,
                                             .factors = factors,
                                             .image = t->image,
                                             .line = line,
                                             .first = x0,
                                             .pixels = x1 - x0},
                           t->y);
    return span;
}

static void pool_line(const task *t, uint32_t line) {
    const quernel_i_pool2d *p = t->pool;
    source s = {.line = (ptrdiff_t)p->lines.dilation * t->line,
                .pixel = t->pixel,
                .lines = quernel_i_pool2d_span_at(&p->lines, line, line + 1, p->padded)};
    s.a = t->x + (ptrdiff_t)(s.lines.at - t->base) * t->line;
    if (p->separable) s = reduce_lines(t, s);
    const quernel_i_pool2d_span *span = p->spans;
    const uint32_t w = p->result.y.w, step = p->direct ? w : p->tile_pixels;
    for (uint32_t x = 0; x < w; x += step)
        span = pool_pixels(t, &s, line, span, x, min(w, x + step));
}

// Tasks of an image.
static uint32_t tasks_of(const quernel_i_pool2d *p) {
    return (p->result.y.h + p->task_lines - 1) / p->task_lines;
}

// Arguments of all tasks.
typedef struct run {
    const quernel_i_pool2d *pool;
    const void *x;
    void *y;
    uint8_t *workspace;
} run;

static void run_task(void *arg, uint32_t index, uint32_t worker) {
    const run *r = arg;
    const quernel_i_pool2d *p = r->pool;
    const quernel_tensor *y = &p->result.y;
    const uint32_t per_image = tasks_of(p), y0 = index % per_image * p->task_lines;
    const size_t size = quernel_type_size((quernel_type)p->x.type);
    task t = {.pool = p,
              .slice = r->workspace + worker * p->slice.bytes,
              .y = r->y,
              .image = index / per_image,
              .y0 = y0,
              .y1 = min(y->h, y0 + p->task_lines),
              .element = (uint32_t)size,
              .line = (ptrdiff_t)(p->x.stride_h * (int64_t)size),
              .pixel = (ptrdiff_t)(p->x.stride_w * (int64_t)size)};
    t.x = quernel_i_stage_pixel(&p->x, r->x, t.image, 0, 0);
    if (p->staged) stage_lines(&t, r->x);
    for (uint32_t line = t.y0; line < t.y1; line++) pool_line(&t, line);
    quernel_i_border_write(y, r->y, p->result.output.q_zero,
                           &(quernel_i_border_part){t.image, t.y0, t.y1, 0, y->w});
}

void quernel_i_pool2d_run(const quernel_i_pool2d *pool, const void *x, void *y, uint8_t *workspace,
                          const quernel_parallel *parallel) {
    run r = {pool, x, y, workspace};
    quernel_i_parallel(parallel, pool->result.y.n * tasks_of(pool), run_task, &r);
}
