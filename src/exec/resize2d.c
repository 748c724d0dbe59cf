// SPDX-License-Identifier: Apache-2.0
// The loops of a resize.
#include "exec/resize2d.h"

#include <string.h>

#include "exec/border.h"
#include "exec/move.h"
#include "pack/stage.h"
#include "threads/parallel.h"

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }

// A task: output lines of an image.
typedef struct task {
    const quernel_i_resize2d *resize;
    uint8_t *slice;
    const void *x;
    void *y;
    uint32_t image, y0, y1;
    uint32_t *held; // [taps of lines] which lines are staged
} task;

static size_t staged_element(const quernel_i_resize2d *p) {
    const size_t size = quernel_type_size((quernel_type)p->x.type);
    return p->staged && size > 1 ? sizeof(float) : size;
}

static bool takes(const quernel_resize2d_axis *a, uint32_t y, uint32_t line) {
    for (uint32_t i = 0; i < a->taps; i++)
        if (a->index[(size_t)y * a->taps + i] == line) return true;
    return false;
}

// Where a line of x is staged, or may be: not where another one is that line y of the result takes.
static uint32_t place_of(const task *t, uint32_t y, uint32_t line) {
    const quernel_resize2d_axis *a = &t->resize->lines;
    uint32_t place = 0;
    for (uint32_t i = 0; i < a->taps; i++) {
        if (t->held[i] == line) return i;
        if (!takes(a, y, t->held[i])) place = i;
    }
    return place;
}

// A tap of line y of the result, with its channels contiguous: in x, or staged.
static const uint8_t *line_of_x(const task *t, uint32_t y, uint32_t tap) {
    const quernel_i_resize2d *p = t->resize;
    const uint32_t line = p->lines.index[(size_t)y * p->lines.taps + tap];
    const void *from = quernel_i_stage_pixel(&p->x, t->x, t->image, line, 0);
    if (!p->staged) return from;
    const size_t element = staged_element(p), pixel = element * p->x.c;
    const uint32_t place = place_of(t, y, line);
    uint8_t *to = t->slice + p->slice.staged + place * pixel * p->x.w;
    if (t->held[place] == line) return to;
    t->held[place] = line;
    if (element == 1) quernel_i_stage_bytes(&p->turn, &p->x, from, p->x.w, 0, to, (ptrdiff_t)pixel);
    else quernel_i_stage_strip(&p->turn, &p->x, from, p->x.w, (float *)(void *)to);
    return to;
}

// Lines of x become one of floats, channel by channel or all channels, which are dense then, at
// once.
static const uint8_t *blend_lines(const task *t, uint32_t y) {
    const quernel_i_resize2d *p = t->resize;
    const uint32_t taps = p->lines.taps;
    ptrdiff_t *at = (ptrdiff_t *)(void *)(t->slice + p->slice.at);
    float *line = (float *)(void *)(t->slice + p->slice.line);
    const uint8_t *x = line_of_x(t, y, 0);
    for (uint32_t i = 0; i < taps; i++) at[i] = line_of_x(t, y, i) - x;
    const uint32_t planes = p->planar ? p->x.c : 1, elements = p->x.w * (p->x.c / planes);
    for (uint32_t c = 0; c < planes; c++)
        p->blend_lines->run.blend(
            &(quernel_i_blend){.x = x + c * p->x.stride_c * (ptrdiff_t)sizeof(float),
                               .at = at,
                               .share = p->lines.weight + (size_t)y * taps,
                               .taps = taps,
                               .rows = 1,
                               .channels = elements,
                               .zero = p->zero,
                               .y = line + (size_t)c * elements});
    return (const uint8_t *)line;
}

// Pixels [x0, x1) of y from those of the line, `row` elements apart.
static void blend_pixels(const quernel_i_resize2d *p, const uint8_t *line, uint32_t x0, uint32_t x1,
                         float *to, ptrdiff_t row) {
    const size_t first = (size_t)x0 * p->pixels.taps;
    p->blend_pixels->run.blend(&(quernel_i_blend){.x = line,
                                                  .at = p->at + first,
                                                  .share = p->pixels.weight + first,
                                                  .taps = p->pixels.taps,
                                                  .rows = x1 - x0,
                                                  .channels = p->x.c,
                                                  .zero = p->blend_lines ? 0 : p->zero,
                                                  .y = to,
                                                  .y_row = row});
}

// The same of few channels: all of them side by side, or planes of y.
static void sample_pixels(const quernel_i_resize2d *p, const uint8_t *line, uint32_t x0,
                          uint32_t x1, float *to) {
    const quernel_tensor *y = &p->result.y;
    const uint32_t channels = p->sample_channels;
    const float *x = (const float *)(const void *)line;
    const size_t first = (size_t)x0 * channels;
    for (uint32_t c = 0; c < y->c; c += channels)
        p->sample->run.sample(&(quernel_i_sample){.x = x + c * p->channel_step,
                                                  .at = p->sample_at + first,
                                                  .share = p->sample_share + first,
                                                  .step = (size_t)y->w * channels,
                                                  .taps = p->pixels.taps,
                                                  .count = (x1 - x0) * channels,
                                                  .y = to + c * y->stride_c});
}

static void make_pixels(const quernel_i_resize2d *p, const uint8_t *line, uint32_t x0, uint32_t x1,
                        float *to, ptrdiff_t row) {
    if (p->sample) sample_pixels(p, line, x0, x1, to);
    else blend_pixels(p, line, x0, x1, to, row);
}

static void gather(const task *t, const uint8_t *line, uint32_t x0, uint32_t x1) {
    const quernel_i_resize2d *p = t->resize;
    uint8_t *to = t->slice + p->slice.tile;
    if (p->blend_pixels) {
        make_pixels(p, line, x0, x1, (float *)(void *)to, (ptrdiff_t)p->x.c);
        return;
    }
    const size_t bytes = p->x.c * (p->blend_lines ? sizeof(float) : staged_element(p));
    for (uint32_t i = x0; i < x1; i++, to += bytes) memcpy(to, line + p->at[i], bytes);
}

// Pixels [x0, x1) of y hold the pad value.
static void pad(const task *t, uint32_t line, uint32_t x0, uint32_t x1) {
    const quernel_i_resize2d *p = t->resize;
    quernel_i_move_grid(
        &(quernel_i_move){.size = (uint32_t)quernel_type_size((quernel_type)p->result.y.type),
                          .rows = x1 - x0,
                          .columns = p->x.c,
                          .from_column = 1,
                          .to_row = p->result.y.stride_w,
                          .to_column = p->result.y.stride_c},
        p->pad, quernel_i_result_pixel(&p->result, t->y, t->image, line, x0));
}

static void store_direct(const task *t, const uint8_t *from, uint32_t line, uint32_t x0,
                         uint32_t x1) {
    const quernel_i_resize2d *p = t->resize;
    void *to = quernel_i_result_pixel(&p->result, t->y, t->image, line, x0);
    make_pixels(p, from, x0, x1, to, p->result.y.stride_w);
}

static void store_values(const task *t, const uint8_t *from, uint32_t line, uint32_t x0,
                         uint32_t x1) {
    const quernel_i_resize2d *p = t->resize;
    for (uint32_t x = x0; x < x1; x += p->tile_pixels) {
        const uint32_t end = min(x1, x + p->tile_pixels);
        gather(t, from, x, end);
        quernel_i_result_store(&p->result,
                               &(quernel_i_tile){.of = p->tile_of,
                                                 .type = p->tile_type,
                                                 .data = t->slice + p->slice.tile,
                                                 .image = t->image,
                                                 .line = line,
                                                 .first = x,
                                                 .pixels = end - x},
                               t->y);
    }
}

static void copy_pixels(const task *t, const uint8_t *from, uint32_t line, uint32_t x0,
                        uint32_t x1) {
    const quernel_i_resize2d *p = t->resize;
    quernel_i_move_rows(
        &(quernel_i_move){.size = (uint32_t)quernel_type_size((quernel_type)p->x.type),
                          .rows = x1 - x0,
                          .columns = p->x.c,
                          .from_row = p->x.stride_w,
                          .from_column = p->x.stride_c,
                          .to_row = p->result.y.stride_w,
                          .to_column = p->result.y.stride_c},
        from, p->pixels.index + x0, quernel_i_result_pixel(&p->result, t->y, t->image, line, x0));
}

static bool padded(const quernel_resize2d_axis *axis, uint32_t i) {
    return axis->index[(size_t)i * axis->taps] == QUERNEL_RESIZE2D_PAD;
}

// Stretches of pixels that are padded, or that are not.
static void make_line(const task *t, uint32_t line) {
    const quernel_i_resize2d *p = t->resize;
    const uint32_t w = p->result.y.w;
    if (padded(&p->lines, line)) {
        pad(t, line, 0, w);
        return;
    }
    const uint8_t *from = p->blend_lines ? blend_lines(t, line) : line_of_x(t, line, 0);
    for (uint32_t x0 = 0, x1 = 0; x0 < w; x0 = x1) {
        for (x1 = x0 + 1; x1 < w && padded(&p->pixels, x1) == padded(&p->pixels, x0);) x1++;
        if (padded(&p->pixels, x0)) pad(t, line, x0, x1);
        else if (p->copies) copy_pixels(t, from, line, x0, x1);
        else if (p->direct) store_direct(t, from, line, x0, x1);
        else store_values(t, from, line, x0, x1);
    }
}

// Whether a line of y is the one above it, and lies in one piece.
static bool repeats(const quernel_i_resize2d *p, uint32_t line) {
    const quernel_resize2d_axis *a = &p->lines;
    const size_t row = (size_t)line * a->taps, above = row - a->taps;
    return p->result.y.stride_c == 1 && p->result.y.stride_w == p->result.y.c &&
           !memcmp(a->index + row, a->index + above, a->taps * sizeof *a->index) &&
           (!a->weight || !memcmp(a->weight + row, a->weight + above, a->taps * sizeof *a->weight));
}

static void repeat_line(const task *t, uint32_t line) {
    const quernel_i_result *r = &t->resize->result;
    memcpy(quernel_i_result_pixel(r, t->y, t->image, line, 0),
           quernel_i_result_pixel(r, t->y, t->image, (int64_t)line - 1, 0),
           (size_t)r->y.w * r->y.c * quernel_type_size((quernel_type)r->y.type));
}

// Tasks of an image.
static uint32_t tasks_of(const quernel_i_resize2d *p) {
    return (p->result.y.h + p->task_lines - 1) / p->task_lines;
}

// Arguments of all tasks.
typedef struct run {
    const quernel_i_resize2d *resize;
    const void *x;
    void *y;
    uint8_t *workspace;
} run;

static void run_task(void *arg, uint32_t index, uint32_t worker) {
    const run *r = arg;
    const quernel_i_resize2d *p = r->resize;
    const quernel_tensor *y = &p->result.y;
    const uint32_t y0 = index % tasks_of(p) * p->task_lines;
    uint8_t *slice = r->workspace + worker * p->slice.bytes;
    task t = {.resize = p,
              .slice = slice,
              .x = r->x,
              .y = r->y,
              .image = index / tasks_of(p),
              .y0 = y0,
              .y1 = min(y->h, y0 + p->task_lines),
              .held = (uint32_t *)(void *)(slice + p->slice.held)};
    for (uint32_t i = 0; i < p->lines.taps; i++) t.held[i] = QUERNEL_RESIZE2D_PAD; // none
    for (uint32_t line = t.y0; line < t.y1; line++) {
        if (line > t.y0 && repeats(p, line)) repeat_line(&t, line);
        else make_line(&t, line);
    }
    quernel_i_border_write(y, r->y, p->result.output.q_zero,
                           &(quernel_i_border_part){t.image, t.y0, t.y1, 0, y->w});
}

void quernel_i_resize2d_run(const quernel_i_resize2d *resize, const void *x, void *y,
                            uint8_t *workspace, const quernel_parallel *parallel) {
    run r = {resize, x, y, workspace};
    quernel_i_parallel(parallel, resize->result.y.n * tasks_of(resize), run_task, &r);
}
