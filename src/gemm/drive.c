// SPDX-License-Identifier: Apache-2.0
// The drive: a task is a strip of output pixels and a part of the columns.
#include "gemm/drive.h"

#include <string.h>

#include "cpu/fpenv.h"
#include "cpu/tiles.h"

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

static unit unit_phase(const quernel_i_layer *l, uint32_t index, uint32_t place) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    unit u = {index, place, .job = index / l->units_per_job * l->joined + place,
              .first = index % l->units_per_job * l->columns_block};
    u.columns = least(l->columns_block, s->columns - u.first);
    u.bundle = u.job / s->phases, u.phase = u.job % s->phases;
    u.shape = quernel_i_weights_phase(s, u.phase);
    if (s->merged) { // each place is cut off when it is spread
        u.y1 = l->grid_h, u.x1 = l->grid_w;
        return u;
    }
    quernel_i_patches_inside(l->y.h, l->up_h, l->crop_top, u.phase / l->up_w, &u.y0, &u.y1);
    quernel_i_patches_inside(l->y.w, l->up_w, l->crop_left, u.phase % l->up_w, &u.x0, &u.x1);
    return u;
}

static unit unit_at(const quernel_i_layer *l, uint32_t index) {
    unit u = unit_phase(l, index, 0);
    if (l->joined > 1) u.x0 = 0, u.x1 = l->grid_w; // pixels outside of y are left out when the line is finished
    return u;
}

static ptrdiff_t line_bytes(const quernel_tensor *y) {
    return (ptrdiff_t)(y->stride_h * (int64_t)quernel_type_size((quernel_type)y->type));
}

// The first bytes of a slice remember which unit's weights stand prepared in its block.
static uint32_t *prepared_unit(const quernel_i_task *t) { return (uint32_t *)t->slice; }
enum { NO_UNIT = UINT32_MAX };

static quernel_i_window window_of(const quernel_i_layer *l) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    return (quernel_i_window){l->kernel_h, l->kernel_w, l->stride_h, l->stride_w, s->job_in, s->bundle, s->group_out};
}

static const int8_t *packed_panels(const quernel_i_layer *l, const unit *u) {
    const quernel_i_phase *p = &u->shape;
    return l->weights->packed + u->bundle * l->weights->shape.bundle_bytes + p->offset + u->first / 16 * p->panel_bytes;
}

static uint8_t *prepared_panels(const quernel_i_task *t, const unit *u) {
    const quernel_i_layer *l = t->call->layer;
    const size_t phase = l->columns_block / 16 * quernel_i_panel_bytes(l->gemm, l->weights->shape.k_groups);
    return t->slice + l->slice.block + u->place * phase;
}

static void prepare_phase(const quernel_i_task *t, const unit *u) {
    const quernel_i_layer *l = t->call->layer;
    const quernel_i_window window = window_of(l);
    const int8_t *panel = packed_panels(l, u);
    uint8_t *to = prepared_panels(t, u);
    for (uint32_t n = 0; n < u->columns; n += 16, panel += u->shape.panel_bytes) {
        if (quernel_i_layer_conv(l)) l->gemm->b_prepare.conv(panel, &window, to);
        else l->gemm->b_prepare.gemm(panel, u->shape.k_groups, to);
        to += quernel_i_panel_bytes(l->gemm, u->shape.k_groups);
    }
}

// Makes the unit's columns ready to be multiplied with.
static void unit_prepare(const quernel_i_task *t, uint32_t index) {
    const quernel_i_layer *l = t->call->layer;
    if (!l->gemm->b_prepare.any || *prepared_unit(t) == index) return;
    for (uint32_t i = 0; i < l->joined; i++) {
        const unit phase = unit_phase(l, index, i);
        prepare_phase(t, &phase);
    }
    *prepared_unit(t) = index;
}

static const void *unit_weights(const quernel_i_task *t, const unit *u, size_t *ret_panel) {
    const quernel_i_layer *l = t->call->layer;
    const bool own = l->gemm->b_prepare.any;
    *ret_panel = own ? quernel_i_panel_bytes(l->gemm, u->shape.k_groups) : u->shape.panel_bytes;
    return own ? (const void *)prepared_panels(t, u) : packed_panels(l, u);
}

// Start values: those of create, or where the zero point was found for the image, this task's own.
static const int32_t *unit_init(const quernel_i_task *t, size_t j) {
    const quernel_i_layer *l = t->call->layer;
    if (l->quant.mode != QUERNEL_QUANT_DYNAMIC_CALL) return l->init + j;
    return (const int32_t *)(t->slice + l->slice.init) + j;
}

// First of the tables' entries for a unit's columns.
static size_t first_entry(const quernel_i_layer *l, const unit *u) {
    return (size_t)u->job * l->weights->shape.columns16 + u->first;
}

static void fill_finish(const quernel_i_task *t, uint32_t line, uint32_t column, const unit *u, quernel_i_finish *finish) {
    const quernel_i_layer *l = t->call->layer;
    quernel_i_finish_fill(t, line, column, first_entry(l, u), u->bundle * l->weights->shape.columns + u->first, u->phase, finish);
}

// The product of pixels whose rows lie at `a`.
static void multiply(const quernel_i_task *t, const uint8_t *a, uint32_t pixels, const unit *u, const quernel_i_finish *finish) {
    const quernel_i_layer *l = t->call->layer;
    const quernel_i_phase *p = &u->shape;
    const bool packed = l->path == QUERNEL_I_PATH_PACKED, whole = quernel_i_layer_whole_rows(l);
    const ptrdiff_t a_row = packed ? l->a_pixel : (ptrdiff_t)l->stride_w * l->a_pixel;
    size_t b_panel;
    const void *b = unit_weights(t, u, &b_panel);
    const quernel_i_gemm call = {a, a_row, pixels, u->columns, l->runs + (size_t)u->phase * l->n_runs,
                                 p->rows * (whole ? 1 : p->row_taps), p->k_groups, b, b_panel,
                                 unit_init(t, first_entry(l, u)), finish, t->slice + l->slice.scratch, (int32_t)l->stream,
                                 l->prefetch, l->stay};
    if (l->w_zeros) quernel_i_chunk_sum(t, &call, whole ? p->run_length : l->weights->shape.job_in);
    l->gemm->run.gemm(&call);
}

static void run_joined(const quernel_i_task *t, uint32_t line, uint32_t column, uint32_t pixels, const unit *u, const uint8_t *a) {
    const quernel_i_layer *l = t->call->layer;
    quernel_i_finish finish;
    for (uint32_t i = 0; i < l->joined; i++) {
        const unit phase = unit_phase(l, u->index, i);
        fill_finish(t, line, column, &phase, &finish);
        quernel_i_joined_collect(t, i, &finish);
        multiply(t, a, pixels, &phase, &finish);
    }
    fill_finish(t, line, column, u, &finish);
    quernel_i_joined_finish(t, column, pixels, u->columns, &finish);
}

// Pixels of one line, whose rows lie at `a`.
static void run_line(const quernel_i_task *t, uint32_t line, uint32_t column, uint32_t pixels, const unit *u, const uint8_t *a) {
    const quernel_i_layer *l = t->call->layer;
    if (l->joined > 1) {
        run_joined(t, line, column, pixels, u, a);
        return;
    }
    quernel_i_finish finish;
    fill_finish(t, line, column, u, &finish);
    if (l->weights->shape.merged) quernel_i_merged_collect(t, line, column, pixels, &finish);
    multiply(t, a, pixels, u, &finish);
    if (l->weights->shape.merged) quernel_i_merged_spread(t, line, column, pixels);
}

// The results of pixels whose rows equal that of the pixel before `column`, which lies inside y in every phase.
static void copy_line(const quernel_i_task *t, uint32_t line, uint32_t column, uint32_t pixels, const unit *u) {
    const quernel_i_layer *l = t->call->layer;
    for (uint32_t i = 0; i < l->joined; i++) {
        const unit phase = unit_phase(l, u->index, i);
        const uint32_t end = least(column + pixels, most(column, phase.x1));
        quernel_i_finish finish;
        fill_finish(t, line, column - 1, &phase, &finish);
        quernel_i_equal_copy(&finish, end - column, u->columns);
    }
}

// Pixels [x0, x1) of a line. Some phases lack the first one where y is cropped.
static void run_pixels(const quernel_i_task *t, uint32_t line, uint32_t x0, uint32_t x1, const unit *u) {
    const quernel_i_layer *l = t->call->layer;
    const uint32_t step = l->chunk, first = most(x0, l->joined > 1 && l->crop_left);
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
    const quernel_i_layer *l = t->call->layer;
    return (t->y1 - t->y0 - 1) * (uint32_t)(l->a_line / l->a_pixel) + l->grid_w;
}

static void run_staged(const quernel_i_task *t) {
    const bool flat = t->call->layer->flat;
    quernel_i_equal_find(t);
    for (uint32_t index = t->unit0; index < t->unit1; index++) {
        const unit u = unit_at(t->call->layer, index);
        unit_prepare(t, index);
        const uint32_t y0 = most(t->y0, u.y0), y1 = flat ? y0 + 1 : least(t->y1, u.y1);
        const uint32_t end = flat ? flat_pixels(t) : least(t->x1, u.x1);
        for (uint32_t line = y0; line < y1; line++) run_pixels(t, line, most(t->x0, u.x0), end, &u);
    }
}

// The rows of a chunk serve all units of a bundle before the next chunk is packed.
static void run_chunk(const quernel_i_task *t, uint32_t line, uint32_t x, uint32_t pixels) {
    const quernel_i_layer *l = t->call->layer;
    for (uint32_t index = t->unit0, bundle = UINT32_MAX; index < t->unit1; index++) {
        const unit u = unit_at(l, index);
        if (u.bundle != bundle) quernel_i_chunk_pack(t, line, x, pixels, bundle = u.bundle);
        const uint32_t first = most(x, u.x0), end = least(x + pixels, u.x1);
        if (line < u.y0 || line >= u.y1 || first >= end) continue;
        unit_prepare(t, index);
        run_line(t, line, first, end - first, &u, t->slice + l->slice.packed + (ptrdiff_t)(first - x) * l->a_pixel);
    }
}

static void run_packed(const quernel_i_task *t) {
    const uint32_t step = t->call->layer->chunk;
    for (uint32_t line = t->y0; line < t->y1; line++)
        for (uint32_t x = t->x0; x < t->x1; x += step) run_chunk(t, line, x, least(step, t->x1 - x));
}

static uint32_t every(uint32_t count, uint32_t step) { return (count + step - 1) / step; }

// A rectangle of pixels. With a dilation d it is d·d lattices of every d-th pixel, which never meet: a layer without dilation each.
static void run_lattices(const quernel_i_task *t, uint32_t line, uint32_t x, uint32_t lines, uint32_t pixels, const unit *u) {
    const quernel_i_layer *l = t->call->layer;
    const uint32_t dh = l->dilation_h, dw = l->dilation_w;
    size_t b_panel;
    const void *b = unit_weights(t, u, &b_panel);
    for (uint32_t i = 0; i < dh && i < lines; i++)
        for (uint32_t j = 0; j < dw && j < pixels; j++) {
            quernel_i_finish finish;
            fill_finish(t, line + i, x + j, u, &finish);
            finish.y_row *= dw, finish.r_row *= dw;
            l->gemm->run.conv(&(quernel_i_conv){
                quernel_i_strip_row(t, line + i, x + j, u->bundle), l->a_line * dh, l->a_pixel * dw, window_of(l),
                every(lines - i, dh), every(pixels - j, dw), u->columns, l->conv_parts, b, b_panel, unit_init(t, first_entry(l, u)), &finish,
                line_bytes(&l->y) * dh, line_bytes(&l->residual) * dh, t->slice + l->slice.scratch});
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
    const quernel_i_layer *l = t->call->layer;
    const uint32_t step = l->equal ? quernel_i_layer_line_step(l) : t->y1 - t->y0;
    quernel_i_equal_find(t);
    for (uint32_t index = t->unit0; index < t->unit1; index++) {
        const unit u = unit_at(l, index);
        unit_prepare(t, index);
        for (uint32_t line = t->y0; line < t->y1; line += step) run_tiles(t, line, least(step, t->y1 - line), &u);
    }
}

static void run_depthwise(const quernel_i_task *t) {
    const quernel_i_layer *l = t->call->layer;
    const quernel_i_weights_shape *s = &l->weights->shape;
    quernel_i_finish finish;
    quernel_i_finish_fill(t, t->y0, t->x0, 0, 0, 0, &finish);
    l->depthwise->run.depthwise(&(quernel_i_depthwise){
        .a = quernel_i_strip_row(t, t->y0, t->x0, 0),
        .a_line = (ptrdiff_t)l->stride_h * l->a_line,
        .a_row = (ptrdiff_t)l->stride_w * l->a_pixel,
        .tap_line = (ptrdiff_t)l->dilation_h * l->a_line,
        .tap_pixel = (ptrdiff_t)l->dilation_w * l->a_pixel,
        .kernel_h = l->kernel_h,
        .kernel_w = l->kernel_w,
        .lines = t->y1 - t->y0,
        .rows = t->x1 - t->x0,
        .columns = s->columns,
        .w = l->weights->packed,
        .w_tap = s->columns16,
        .init = unit_init(t, 0),
        .finish = &finish,
        .y_line = line_bytes(&l->y),
        .r_line = line_bytes(&l->residual),
        .scratch = t->slice + l->slice.scratch});
}

// Dynamic over the image: scales times its d, start values less its zero point's share.
static void fill_image_tables(const quernel_i_task *t) {
    const quernel_i_layer *l = t->call->layer;
    const size_t columns = (size_t)l->weights->shape.jobs * l->weights->shape.columns16;
    int32_t *init = (int32_t *)(t->slice + l->slice.init);
    float *scale = (float *)(t->slice + l->slice.scale);
    const uint32_t z = (uint32_t)(t->found.z + l->encode);
    for (size_t j = 0; j < columns; j++) init[j] = (int32_t)((uint32_t)l->init[j] - z * (uint32_t)l->z_columns[j]);
    if (l->scale)
        for (size_t j = 0; j < columns; j++) scale[j] = l->scale[j] * t->found.d;
}

static void run_strip(void *arg, uint32_t index, uint32_t worker) {
    const quernel_i_call *call = arg;
    const quernel_i_layer *l = call->layer;
    quernel_i_task t = {.call = call, .slice = call->workspace + l->shared_bytes + worker * l->slice.bytes};
    const uint32_t part = index % l->parts, strip = index / l->parts;
    const uint32_t strip_x = strip % l->strips_w, strip_y = strip / l->strips_w % l->strips_h;
    t.image = strip / l->strips_w / l->strips_h;
    t.y0 = strip_y * l->strip_h, t.y1 = least(t.y0 + l->strip_h, l->grid_h);
    t.x0 = strip_x * l->strip_w, t.x1 = least(t.x0 + l->strip_w, l->grid_w);
    t.unit0 = (uint32_t)((uint64_t)l->units * part / l->parts);
    t.unit1 = (uint32_t)((uint64_t)l->units * (part + 1) / l->parts);
    t.found = (quernel_i_image){1.0f, 1.0f, l->quant.zero};
    if (l->quant.mode == QUERNEL_QUANT_DYNAMIC_CALL) {
        t.found = quernel_i_images(call)[t.image];
        fill_image_tables(&t);
    }
    t.zero_byte = (uint8_t)(t.found.z + l->encode);
    quernel_i_strip_stage(&t);
    if (quernel_i_layer_depthwise(l)) run_depthwise(&t);
    else if (quernel_i_layer_conv(l)) run_conv(&t);
    else if (l->path == QUERNEL_I_PATH_PACKED) run_packed(&t);
    else run_staged(&t);
    if (part == 0) quernel_i_border_fill(&t);
}

static void run_task(void *arg, uint32_t index, uint32_t worker) {
    const quernel_i_call *call = arg;
    quernel_i_tiles caller;
    const bool tiles = quernel_i_layer_tiles(call->layer);
    if (tiles) quernel_i_tiles_enter(&caller);
    run_strip(arg, index, worker);
    if (tiles) quernel_i_tiles_leave(&caller);
}

void quernel_i_drive(const quernel_i_call *call, const quernel_parallel *parallel) {
    const quernel_i_layer *l = call->layer;
    if (l->range_tasks) quernel_i_ranges_find(call, parallel);
    for (uint32_t i = 0; i < l->threads; i++) {
        const uint32_t none = NO_UNIT;
        memcpy(call->workspace + l->shared_bytes + i * l->slice.bytes, &none, sizeof none);
    }
    quernel_i_parallel(parallel, l->x.n * l->strips_h * l->strips_w * l->parts, run_task, (void *)call);
}

// The caller's function and ours: each task is wrapped so that the floating-point environment is the law's.
typedef struct wrapped {
    void (*run)(void *arg, uint32_t task, uint32_t worker);
    void *arg;
} wrapped;

static void run_wrapped(void *arg, uint32_t task, uint32_t worker) {
    const wrapped *w = arg;
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    w->run(w->arg, task, worker);
    quernel_i_fpenv_leave(caller);
}

void quernel_i_parallel(const quernel_parallel *parallel, uint32_t tasks,
                        void (*run)(void *arg, uint32_t task, uint32_t worker), void *arg) {
    wrapped w = {run, arg};
    if (parallel && parallel->run) {
        parallel->run(parallel->user, tasks, run_wrapped, &w);
        return;
    }
    for (uint32_t i = 0; i < tasks; i++) run_wrapped(&w, i, 0);
}
