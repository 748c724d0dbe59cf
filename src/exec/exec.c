// SPDX-License-Identifier: Apache-2.0
// A run: what each task works on, and which loops run it.
#include "exec/exec.h"

#include <string.h>

#include "cpu/tiles.h"
#include "exec/n_block.h"
#include "exec/strip.h"
#include "threads/parallel.h"

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }

enum { PLANES_LATTICE = 8 }; // pixels of a lattice's line

// What a depthwise kernel reads of x in place, its border included; of a strip all.
static void depthwise_input(const quernel_i_task *t, uint32_t y, uint32_t x,
                            quernel_i_depthwise *d) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_tensor *in = &p->x;
    const quernel_i_plan *plan = t->call->plan;
    const int64_t above = in->border_h, before = in->border_w;
    if (plan->rows.path != QUERNEL_I_PATH_INPLACE) {
        d->a = quernel_i_strip_row(t, y, x, 0), d->top = d->left = 0;
        d->height = (ptrdiff_t)quernel_i_problem_lines(p, t->y1 - y) * plan->strip.line;
        d->width = (ptrdiff_t)quernel_i_problem_pixels(p, t->x1 - x) * plan->rows.pixel;
        return;
    }
    d->a = quernel_i_stage_pixel(in, t->call->x, t->image, -above, -before);
    d->top = -(ptrdiff_t)((quernel_i_strip_input_line(p, y) + above) * in->stride_h);
    d->left = -(ptrdiff_t)((quernel_i_strip_input_x(p, x) + before) * in->stride_w);
    d->height = (ptrdiff_t)((in->h + 2 * above) * in->stride_h);
    d->width = (ptrdiff_t)((in->w + 2 * before) * in->stride_w);
}

// Every lines-th line from y on, and of each every pixels-th pixel from x on.
static void run_depthwise_lattice(const quernel_i_task *t, uint32_t y, uint32_t x, uint32_t lines,
                                  uint32_t pixels) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_weights_shape *s = &p->weights->shape;
    quernel_i_epilogue epilogue;
    quernel_i_epilogue_fill(t, y, x, 0, 0, 0, &epilogue);
    epilogue.y_row *= pixels, epilogue.r_row *= pixels;
    quernel_i_depthwise d = {.a_line = (ptrdiff_t)p->stride_h * plan->strip.line * lines,
                             .a_row = (ptrdiff_t)p->stride_w * plan->rows.pixel * pixels,
                             .tap_line = (ptrdiff_t)p->dilation_h * plan->strip.line,
                             .tap_pixel = (ptrdiff_t)p->dilation_w * plan->rows.pixel,
                             .outside = t->zero_byte,
                             .kernel_h = p->kernel_h,
                             .kernel_w = p->kernel_w,
                             .lines = quernel_i_exec_every(t->y1 - y, lines),
                             .rows = quernel_i_exec_every(t->x1 - x, pixels),
                             .oc = s->oc,
                             .w = p->weights->packed,
                             .w_tap = s->oc16,
                             .init = quernel_i_n_block_init(t, 0),
                             .epilogue = &epilogue,
                             .y_line = quernel_i_exec_line_bytes(&p->y) * lines,
                             .r_line = quernel_i_exec_line_bytes(&p->residual) * lines,
                             .scratch = t->slice + plan->workspace.slice.scratch};
    depthwise_input(t, y, x, &d);
    plan->kernels.main->run.depthwise(&d);
}

// A dilation without a stride is lattices (exec/conv.c), whose taps are neighbours: what kernels
// are fast with. Planes they write pixel by pixel, which does not pay where lines are short.
static void run_depthwise(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const bool pays =
        !quernel_i_problem_planes(p) || t->x1 - t->x0 >= PLANES_LATTICE * p->dilation_w;
    const uint32_t lines = pays && p->stride_h == 1 ? p->dilation_h : 1,
                   pixels = pays && p->stride_w == 1 ? p->dilation_w : 1;
    for (uint32_t y = t->y0; y < min(t->y0 + lines, t->y1); y++)
        for (uint32_t x = t->x0; x < min(t->x0 + pixels, t->x1); x++)
            run_depthwise_lattice(t, y, x, lines, pixels);
}

// Dynamic over the image: scales times its d, start values less its zero point's share.
static void fill_image_tables(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    const size_t oc = (size_t)p->weights->shape.subproblems * p->weights->shape.oc16;
    int32_t *init = (int32_t *)(t->slice + plan->workspace.slice.init);
    float *scale = (float *)(t->slice + plan->workspace.slice.scale);
    const uint32_t z = (uint32_t)(t->image_quant.z + plan->kernels.a_offset);
    for (size_t j = 0; j < oc; j++)
        init[j] = (int32_t)((uint32_t)params->init[j] - z * (uint32_t)params->zp_comp[j]);
    if (params->scale)
        for (size_t j = 0; j < oc; j++) scale[j] = params->scale[j] * t->image_quant.d;
}

// Share `part` of `parts` equal ones begins here.
static uint32_t share(uint32_t count, uint32_t part, uint32_t parts) {
    return (uint32_t)((uint64_t)count * part / parts);
}

static uint8_t *slice_of(const quernel_i_call *call, uint32_t worker) {
    const quernel_i_plan_workspace *w = &call->plan->workspace;
    return call->workspace + w->shared + worker * w->slice.bytes;
}

static uint32_t tasks_of(const quernel_i_call *call) {
    const quernel_i_plan *plan = call->plan;
    return call->problem->x.n * plan->strip.count_h * plan->strip.count_w * plan->n_blocks.n_split;
}

// Tasks are numbered [image][strip line][strip of it][share of the n-blocks], so that neighbours in
// time read the same strip.
static quernel_i_task task_at(const quernel_i_call *call, uint32_t index, uint32_t worker) {
    const quernel_i_problem *p = call->problem;
    const quernel_i_plan_strip *s = &call->plan->strip;
    const quernel_i_plan_n_blocks *n = &call->plan->n_blocks;
    const uint32_t part = index % n->n_split, strip = index / n->n_split;
    quernel_i_task t = {.call = call,
                        .slice = slice_of(call, worker),
                        .last = index + call->plan->workers >= tasks_of(call)};
    t.image = strip / s->count_w / s->count_h;
    t.y0 = strip / s->count_w % s->count_h * s->h, t.y1 = min(t.y0 + s->h, p->grid_h);
    t.x0 = strip % s->count_w * s->w, t.x1 = min(t.x0 + s->w, p->grid_w);
    t.n_block0 = share(n->count, part, n->n_split);
    t.n_block1 = share(n->count, part + 1, n->n_split);
    t.image_quant = (quernel_i_image_quant){1.0f, 1.0f, p->quant.zero};
    if (quernel_i_problem_by_image(p)) t.image_quant = quernel_i_call_image_quants(call)[t.image];
    t.zero_byte = (uint8_t)(t.image_quant.z + call->plan->kernels.a_offset);
    return t;
}

// Tile registers are state of the thread: the caller's are put aside for the time of a task.
static void run_task(void *arg, uint32_t index, uint32_t worker) {
    const quernel_i_call *call = arg;
    const quernel_i_problem *p = call->problem;
    const quernel_i_plan *plan = call->plan;
    quernel_i_tiles caller;
    if (plan->kernels.main->tiles) quernel_i_tiles_enter(&caller);
    const quernel_i_task t = task_at(call, index, worker);
    if (quernel_i_problem_by_image(p)) fill_image_tables(&t);
    quernel_i_strip_stage(&t);
    if (quernel_i_problem_depthwise(p)) run_depthwise(&t);
    else if (quernel_i_plan_conv(plan)) quernel_i_conv_run(&t);
    else if (plan->rows.path == QUERNEL_I_PATH_IM2COL) quernel_i_product_run_im2col(&t);
    else quernel_i_product_run_staged(&t);
    quernel_i_lookup_run(&t);
    if (index % plan->n_blocks.n_split == 0) quernel_i_border_fill(&t); // once per strip
    if (plan->kernels.main->tiles) quernel_i_tiles_leave(&caller);
}

void quernel_i_exec_run(const quernel_i_call *call, const quernel_parallel *parallel) {
    const quernel_i_plan *plan = call->plan;
    if (plan->threads == 1) parallel = NULL;
    if (plan->range_tasks) quernel_i_ranges_find(call, parallel);
    for (uint32_t i = 0; i < plan->workers; i++) {
        const uint32_t none = QUERNEL_I_NO_N_BLOCK;
        memcpy(slice_of(call, i), &none, sizeof none);
    }
    quernel_i_parallel(parallel, tasks_of(call), run_task, (void *)call);
}
