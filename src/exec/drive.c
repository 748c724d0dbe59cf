// SPDX-License-Identifier: Apache-2.0
// The drive: a task is a strip of output pixels and a part of the columns.
#include "exec/drive.h"

#include <string.h>

#include "cpu/tiles.h"
#include "threads/parallel.h"

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t most(uint32_t a, uint32_t b) { return a > b ? a : b; }

// Columns [first, first + columns) of one job, or of joined phases that of one of them, and the part of the grid where they
// lie inside y.
typedef struct unit {
    uint32_t index, place; // place: among the joined
    uint32_t job, first, columns, bundle, phase;
    quernel_i_phase shape;
    uint32_t y0, y1, x0, x1;
} unit;

static unit unit_phase(const quernel_i_problem *p, const quernel_i_plan *plan, uint32_t index, uint32_t place) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    unit u = {index, place, .job = index / plan->n_blocks.per_subproblem * plan->n_blocks.fused + place,
              .first = index % plan->n_blocks.per_subproblem * plan->n_blocks.oc};
    u.columns = least(plan->n_blocks.oc, s->columns - u.first);
    u.bundle = u.job / s->phases, u.phase = u.job % s->phases;
    u.shape = quernel_i_weights_phase(s, u.phase);
    if (s->merged) { // each place is cut off when it is spread
        u.y1 = p->grid_h, u.x1 = p->grid_w;
        return u;
    }
    quernel_i_patches_inside(p->y.h, p->up_h, p->crop_top, u.phase / p->up_w, &u.y0, &u.y1);
    quernel_i_patches_inside(p->y.w, p->up_w, p->crop_left, u.phase % p->up_w, &u.x0, &u.x1);
    return u;
}

static unit unit_at(const quernel_i_problem *p, const quernel_i_plan *plan, uint32_t index) {
    unit u = unit_phase(p, plan, index, 0);
    if (plan->n_blocks.fused > 1) u.x0 = 0, u.x1 = p->grid_w; // pixels outside of y are left out when the line is finished
    return u;
}

static ptrdiff_t line_bytes(const quernel_tensor *y) {
    return (ptrdiff_t)(y->stride_h * (int64_t)quernel_type_size((quernel_type)y->type));
}

// The first bytes of a slice remember which unit's weights stand prepared in its block.
static uint32_t *prepared_unit(const quernel_i_task *t) { return (uint32_t *)t->slice; }
enum { NO_UNIT = UINT32_MAX };

static quernel_i_window window_of(const quernel_i_problem *p) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    return (quernel_i_window){p->kernel_h, p->kernel_w, p->stride_h, p->stride_w, s->job_in, s->bundle, s->group_out};
}

static const int8_t *packed_panels(const quernel_i_problem *p, const unit *u) {
    const quernel_i_phase *phase = &u->shape;
    return p->weights->packed + u->bundle * p->weights->shape.bundle_bytes + phase->offset + u->first / 16 * phase->panel_bytes;
}

static uint8_t *prepared_panels(const quernel_i_task *t, const unit *u) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const size_t phase = plan->n_blocks.oc / 16 * quernel_i_panel_bytes(plan->kernels.main, p->weights->shape.k_groups);
    return t->slice + plan->workspace.slice.block + u->place * phase;
}

static void prepare_phase(const quernel_i_task *t, const unit *u) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_window window = window_of(p);
    const int8_t *panel = packed_panels(p, u);
    uint8_t *to = prepared_panels(t, u);
    for (uint32_t n = 0; n < u->columns; n += 16, panel += u->shape.panel_bytes) {
        if (quernel_i_plan_conv(plan)) plan->kernels.main->b_prepare.conv(panel, &window, to);
        else plan->kernels.main->b_prepare.gemm(panel, u->shape.k_groups, to);
        to += quernel_i_panel_bytes(plan->kernels.main, u->shape.k_groups);
    }
}

// Makes the unit's columns ready to be multiplied with.
static void unit_prepare(const quernel_i_task *t, uint32_t index) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    if (!plan->kernels.main->b_prepare.any || *prepared_unit(t) == index) return;
    for (uint32_t i = 0; i < plan->n_blocks.fused; i++) {
        const unit phase = unit_phase(p, plan, index, i);
        prepare_phase(t, &phase);
    }
    *prepared_unit(t) = index;
}

static const void *unit_weights(const quernel_i_task *t, const unit *u, size_t *ret_panel) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const bool own = plan->kernels.main->b_prepare.any;
    *ret_panel = own ? quernel_i_panel_bytes(plan->kernels.main, u->shape.k_groups) : u->shape.panel_bytes;
    return own ? (const void *)prepared_panels(t, u) : packed_panels(p, u);
}

// Start values: those of create, or where the zero point was found for the image, this task's own.
static const int32_t *unit_init(const quernel_i_task *t, size_t j) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    if (!quernel_i_problem_by_image(p)) return params->init + j;
    return (const int32_t *)(t->slice + plan->workspace.slice.init) + j;
}

// First of the tables' entries for a unit's columns.
static size_t first_entry(const quernel_i_problem *p, const unit *u) {
    return (size_t)u->job * p->weights->shape.columns16 + u->first;
}

static void fill_finish(const quernel_i_task *t, uint32_t line, uint32_t column, const unit *u, quernel_i_finish *finish) {
    const quernel_i_problem *p = t->call->problem;
    quernel_i_finish_fill(t, line, column, first_entry(p, u), u->bundle * p->weights->shape.columns + u->first, u->phase, finish);
}

// The product of pixels whose rows lie at `a`.
static void multiply(const quernel_i_task *t, const uint8_t *a, uint32_t pixels, const unit *u, const quernel_i_finish *finish) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    const quernel_i_phase *phase = &u->shape;
    const bool packed = plan->rows.path == QUERNEL_I_PATH_PACKED, whole = plan->rows.whole;
    const ptrdiff_t a_row = packed ? plan->rows.pixel : (ptrdiff_t)p->stride_w * plan->rows.pixel;
    size_t b_panel;
    const void *b = unit_weights(t, u, &b_panel);
    const quernel_i_gemm call = {a, a_row, pixels, u->columns, params->runs + (size_t)u->phase * plan->rows.n_runs,
                                 phase->rows * (whole ? 1 : phase->row_taps), phase->k_groups, b, b_panel,
                                 unit_init(t, first_entry(p, u)), finish, t->slice + plan->workspace.slice.scratch,
                                 (int32_t)plan->streams.operand, plan->streams.prefetch, plan->streams.l1_resident};
    if (params->w_zeros) quernel_i_chunk_sum(t, &call, whole ? phase->run_length : p->weights->shape.job_in);
    plan->kernels.main->run.gemm(&call);
}

static void run_joined(const quernel_i_task *t, uint32_t line, uint32_t column, uint32_t pixels, const unit *u, const uint8_t *a) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    quernel_i_finish finish;
    for (uint32_t i = 0; i < plan->n_blocks.fused; i++) {
        const unit phase = unit_phase(p, plan, u->index, i);
        fill_finish(t, line, column, &phase, &finish);
        quernel_i_joined_collect(t, i, &finish);
        multiply(t, a, pixels, &phase, &finish);
    }
    fill_finish(t, line, column, u, &finish);
    quernel_i_joined_finish(t, column, pixels, u->columns, &finish);
}

// Pixels of one line, whose rows lie at `a`.
static void run_line(const quernel_i_task *t, uint32_t line, uint32_t column, uint32_t pixels, const unit *u, const uint8_t *a) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    if (plan->n_blocks.fused > 1) {
        run_joined(t, line, column, pixels, u, a);
        return;
    }
    quernel_i_finish finish;
    fill_finish(t, line, column, u, &finish);
    if (p->weights->shape.merged) quernel_i_merged_collect(t, line, column, pixels, &finish);
    multiply(t, a, pixels, u, &finish);
    if (p->weights->shape.merged) quernel_i_merged_spread(t, line, column, pixels);
}

// The results of pixels whose rows equal that of the pixel before `column`, which lies inside y in every phase.
static void copy_line(const quernel_i_task *t, uint32_t line, uint32_t column, uint32_t pixels, const unit *u) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    for (uint32_t i = 0; i < plan->n_blocks.fused; i++) {
        const unit phase = unit_phase(p, plan, u->index, i);
        const uint32_t end = least(column + pixels, most(column, phase.x1));
        quernel_i_finish finish;
        fill_finish(t, line, column - 1, &phase, &finish);
        quernel_i_equal_copy(&finish, end - column, u->columns);
    }
}

// Pixels [x0, x1) of a line. Some phases lack the first one where y is cropped.
static void run_pixels(const quernel_i_task *t, uint32_t line, uint32_t x0, uint32_t x1, const unit *u) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const uint32_t step = plan->chunk, first = most(x0, plan->n_blocks.fused > 1 && p->crop_left);
    for (uint32_t x = x0, end; x < x1; x = end) {
        const bool equal = quernel_i_equal_span(t, line, x, &end) && x > first;
        end = least(end, equal || x1 - x < step ? x1 : x + step);
        if (equal) copy_line(t, line, x, end - x, u);
        else run_line(t, line, x, end - x, u, quernel_i_strip_row(t, line, x, u->bundle));
    }
}

// The strip's lines from y0 to y1 as one: pixel m lies at a + m·pixel and at y + m·pixel, whatever line it belongs to. The
// pixels between two lines become numbers of no meaning in y's border, which is filled behind us.
static uint32_t flat_pixels(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    return (t->y1 - t->y0 - 1) * (uint32_t)(plan->strip.line / plan->rows.pixel) + p->grid_w;
}

static void run_staged(const quernel_i_task *t) {
    const bool flat = t->call->plan->flat;
    quernel_i_equal_find(t);
    for (uint32_t index = t->unit0; index < t->unit1; index++) {
        const unit u = unit_at(t->call->problem, t->call->plan, index);
        unit_prepare(t, index);
        const uint32_t y0 = most(t->y0, u.y0), y1 = flat ? y0 + 1 : least(t->y1, u.y1);
        const uint32_t end = flat ? flat_pixels(t) : least(t->x1, u.x1);
        for (uint32_t line = y0; line < y1; line++) run_pixels(t, line, most(t->x0, u.x0), end, &u);
    }
}

// The rows of a chunk serve all units of a bundle before the next chunk is packed.
static void run_chunk(const quernel_i_task *t, uint32_t line, uint32_t x, uint32_t pixels) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    for (uint32_t index = t->unit0, bundle = UINT32_MAX; index < t->unit1; index++) {
        const unit u = unit_at(p, plan, index);
        if (u.bundle != bundle) quernel_i_chunk_pack(t, line, x, pixels, bundle = u.bundle);
        const uint32_t first = most(x, u.x0), end = least(x + pixels, u.x1);
        if (line < u.y0 || line >= u.y1 || first >= end) continue;
        unit_prepare(t, index);
        run_line(t, line, first, end - first, &u, t->slice + plan->workspace.slice.packed + (ptrdiff_t)(first - x) * plan->rows.pixel);
    }
}

static void run_packed(const quernel_i_task *t) {
    const uint32_t step = t->call->plan->chunk;
    for (uint32_t line = t->y0; line < t->y1; line++)
        for (uint32_t x = t->x0; x < t->x1; x += step) run_chunk(t, line, x, least(step, t->x1 - x));
}

static uint32_t every(uint32_t count, uint32_t step) { return (count + step - 1) / step; }

// A rectangle of pixels. With a dilation d it is d·d lattices of every d-th pixel, which never meet: a layer without dilation each.
static void run_lattices(const quernel_i_task *t, uint32_t line, uint32_t x, uint32_t lines, uint32_t pixels, const unit *u) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const uint32_t dh = p->dilation_h, dw = p->dilation_w;
    size_t b_panel;
    const void *b = unit_weights(t, u, &b_panel);
    for (uint32_t i = 0; i < dh && i < lines; i++)
        for (uint32_t j = 0; j < dw && j < pixels; j++) {
            quernel_i_finish finish;
            fill_finish(t, line + i, x + j, u, &finish);
            finish.y_row *= dw, finish.r_row *= dw;
            plan->kernels.main->run.conv(&(quernel_i_conv){
                quernel_i_strip_row(t, line + i, x + j, u->bundle), plan->strip.line * dh, plan->rows.pixel * dw, window_of(p),
                every(lines - i, dh), every(pixels - j, dw), u->columns, plan->kernels.conv_parts, b, b_panel,
                unit_init(t, first_entry(p, u)), &finish,
                line_bytes(&p->y) * dh, line_bytes(&p->residual) * dh, t->slice + plan->workspace.slice.scratch});
        }
}

// Lines of a strip: at once, or a rectangle for each stretch between equal pixels.
static void run_tiles(const quernel_i_task *t, uint32_t line, uint32_t lines, const unit *u) {
    for (uint32_t x = t->x0, end; x < t->x1; x = end) {
        if (quernel_i_equal_span(t, line, x, &end)) {
            for (uint32_t i = 0; i < lines; i++) copy_line(t, line + i, x, end - x, u);
        } else {
            run_lattices(t, line, x, lines, end - x, u);
        }
    }
}

static void run_conv(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const uint32_t step = plan->dedup ? plan->strip.step : t->y1 - t->y0;
    quernel_i_equal_find(t);
    for (uint32_t index = t->unit0; index < t->unit1; index++) {
        const unit u = unit_at(p, plan, index);
        unit_prepare(t, index);
        for (uint32_t line = t->y0; line < t->y1; line += step) run_tiles(t, line, least(step, t->y1 - line), &u);
    }
}

static void run_depthwise(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_weights_shape *s = &p->weights->shape;
    quernel_i_finish finish;
    quernel_i_finish_fill(t, t->y0, t->x0, 0, 0, 0, &finish);
    plan->kernels.main->run.depthwise(&(quernel_i_depthwise){
        .a = quernel_i_strip_row(t, t->y0, t->x0, 0),
        .a_line = (ptrdiff_t)p->stride_h * plan->strip.line,
        .a_row = (ptrdiff_t)p->stride_w * plan->rows.pixel,
        .tap_line = (ptrdiff_t)p->dilation_h * plan->strip.line,
        .tap_pixel = (ptrdiff_t)p->dilation_w * plan->rows.pixel,
        .kernel_h = p->kernel_h,
        .kernel_w = p->kernel_w,
        .lines = t->y1 - t->y0,
        .rows = t->x1 - t->x0,
        .columns = s->columns,
        .w = p->weights->packed,
        .w_tap = s->columns16,
        .init = unit_init(t, 0),
        .finish = &finish,
        .y_line = line_bytes(&p->y),
        .r_line = line_bytes(&p->residual),
        .scratch = t->slice + plan->workspace.slice.scratch});
}

// Dynamic over the image: scales times its d, start values less its zero point's share.
static void fill_image_tables(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    const size_t columns = (size_t)p->weights->shape.jobs * p->weights->shape.columns16;
    int32_t *init = (int32_t *)(t->slice + plan->workspace.slice.init);
    float *scale = (float *)(t->slice + plan->workspace.slice.scale);
    const uint32_t z = (uint32_t)(t->image_quant.z + plan->kernels.a_offset);
    for (size_t j = 0; j < columns; j++) init[j] = (int32_t)((uint32_t)params->init[j] - z * (uint32_t)params->z_columns[j]);
    if (params->scale)
        for (size_t j = 0; j < columns; j++) scale[j] = params->scale[j] * t->image_quant.d;
}

static void run_strip(void *arg, uint32_t index, uint32_t worker) {
    const quernel_i_call *call = arg;
    const quernel_i_problem *p = call->problem;
    const quernel_i_plan *plan = call->plan;
    quernel_i_task t = {.call = call, .slice = call->workspace + plan->workspace.shared + worker * plan->workspace.slice.bytes};
    const uint32_t part = index % plan->n_blocks.parts, strip = index / plan->n_blocks.parts;
    const uint32_t strip_x = strip % plan->strip.count_w, strip_y = strip / plan->strip.count_w % plan->strip.count_h;
    t.image = strip / plan->strip.count_w / plan->strip.count_h;
    t.y0 = strip_y * plan->strip.h, t.y1 = least(t.y0 + plan->strip.h, p->grid_h);
    t.x0 = strip_x * plan->strip.w, t.x1 = least(t.x0 + plan->strip.w, p->grid_w);
    t.unit0 = (uint32_t)((uint64_t)plan->n_blocks.count * part / plan->n_blocks.parts);
    t.unit1 = (uint32_t)((uint64_t)plan->n_blocks.count * (part + 1) / plan->n_blocks.parts);
    t.image_quant = (quernel_i_image_quant){1.0f, 1.0f, p->quant.zero};
    if (quernel_i_problem_by_image(p)) {
        t.image_quant = quernel_i_images(call)[t.image];
        fill_image_tables(&t);
    }
    t.zero_byte = (uint8_t)(t.image_quant.z + plan->kernels.a_offset);
    quernel_i_strip_stage(&t);
    if (quernel_i_problem_depthwise(p)) run_depthwise(&t);
    else if (quernel_i_plan_conv(plan)) run_conv(&t);
    else if (plan->rows.path == QUERNEL_I_PATH_PACKED) run_packed(&t);
    else run_staged(&t);
    if (part == 0) quernel_i_border_fill(&t);
}

static void run_task(void *arg, uint32_t index, uint32_t worker) {
    const quernel_i_call *call = arg;
    quernel_i_tiles caller;
    const bool tiles = call->plan->kernels.main->isa == QUERNEL_ISA_AMXINT8;
    if (tiles) quernel_i_tiles_enter(&caller);
    run_strip(arg, index, worker);
    if (tiles) quernel_i_tiles_leave(&caller);
}

void quernel_i_drive(const quernel_i_call *call, const quernel_parallel *parallel) {
    const quernel_i_problem *p = call->problem;
    const quernel_i_plan *plan = call->plan;
    if (plan->range_tasks) quernel_i_ranges_find(call, parallel);
    for (uint32_t i = 0; i < p->threads; i++) {
        const uint32_t none = NO_UNIT;
        memcpy(call->workspace + plan->workspace.shared + i * plan->workspace.slice.bytes, &none, sizeof none);
    }
    quernel_i_parallel(parallel, p->x.n * plan->strip.count_h * plan->strip.count_w * plan->n_blocks.parts, run_task, (void *)call);
}
