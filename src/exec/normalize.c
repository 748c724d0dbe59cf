// SPDX-License-Identifier: Apache-2.0
// The loops of a normalization.
#include "exec/normalize.h"

#include "exec/border.h"
#include "threads/parallel.h"

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }

// Arguments of all tasks.
typedef struct run {
    const quernel_i_normalize_work *work;
    const void *x;
    void *y;
    uint8_t *workspace;
} run;

// Pixels [first, first + pixels) of a line.
typedef struct piece {
    uint32_t image, line, first, pixels;
} piece;

// Where the kernel finds them.
static quernel_i_elements source(const run *r, const piece *p, uint8_t *slice) {
    const quernel_i_normalize_work *w = r->work;
    const void *from = quernel_i_stage_pixel(&w->x, r->x, p->image, p->line, p->first);
    quernel_i_elements x = w->call.x;
    x.at = from;
    if (!w->staged) return x;
    uint8_t *to = slice + w->slice.staged;
    x.at = to;
    if (quernel_type_size((quernel_type)x.type) == 1)
        quernel_i_stage_bytes(&w->turn, &w->x, from, p->pixels, 0, to, x.row);
    else quernel_i_stage_strip(&w->turn, &w->x, from, p->pixels, (float *)(void *)to);
    return x;
}

static void run_piece(const run *r, const piece *p, uint8_t *slice) {
    const quernel_i_normalize_work *w = r->work;
    quernel_i_normalize call = w->call;
    float *tile = (float *)(void *)(slice + w->slice.tile);
    call.x = source(r, p, slice);
    call.rows = p->pixels;
    call.line = (float *)(void *)(slice + w->slice.line);
    call.y = tile, call.y_row = (ptrdiff_t)w->x.c;
    if (w->direct) {
        uint8_t *y = quernel_i_result_pixel(&w->result, r->y, p->image, p->line, p->first);
        call.y = (float *)(void *)y, call.y_row = (ptrdiff_t)w->result.y.stride_w;
    }
    w->kernel->run.normalize(&call);
    if (w->direct) return;
    quernel_i_result_store(&w->result,
                           &(quernel_i_tile){.of = QUERNEL_I_TILE_OF_ELEMENTS,
                                             .type = QUERNEL_TYPE_F32,
                                             .data = tile,
                                             .image = p->image,
                                             .line = p->line,
                                             .first = p->first,
                                             .pixels = p->pixels},
                           r->y);
}

// Tasks of a line.
static uint32_t tasks_of(const quernel_i_normalize_work *w) {
    return (w->x.w + w->task_pixels - 1) / w->task_pixels;
}

static void run_task(void *arg, uint32_t index, uint32_t worker) {
    const run *r = arg;
    const quernel_i_normalize_work *w = r->work;
    const uint32_t line = index / tasks_of(w), first = index % tasks_of(w) * w->task_pixels,
                   end = min(w->x.w, first + w->task_pixels);
    piece p = {.image = line / w->x.h, .line = line % w->x.h, .first = first};
    for (; p.first < end; p.first += p.pixels) {
        p.pixels = min(w->tile_pixels, end - p.first);
        run_piece(r, &p, r->workspace + worker * w->slice.bytes);
    }
    const quernel_i_border_part part = {p.image, p.line, p.line + 1, first, end};
    quernel_i_border_write(&w->result.y, r->y, w->result.output.q_zero, &part);
}

void quernel_i_normalize_run(const quernel_i_normalize_work *work, const void *x, void *y,
                             uint8_t *workspace, const quernel_parallel *parallel) {
    run r = {work, x, y, workspace};
    quernel_i_parallel(parallel, work->x.n * work->x.h * tasks_of(work), run_task, &r);
}
