// SPDX-License-Identifier: Apache-2.0
// Element by element: blocks of rows and columns, and the borders of images.
#include "exec/eltwise.h"

#include "exec/border.h"
#include "threads/parallel.h"

enum {
    EXIT_ROWS = 48, // with EXIT_COLUMNS 6 KiB of sums: they stay in L1 beside codes and floats
    EXIT_COLUMNS = 32,
    FLOATS_OF_LINE = 64 / sizeof(float)
};

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }

typedef struct run {
    const quernel_i_eltwise_work *work;
    const quernel_i_eltwise_buffers *buffers;
} run;

static const float *behind(const float *table, ptrdiff_t entries) {
    return table ? table + entries : NULL;
}

// Addresses and strides of a block.
static quernel_i_elements elements_of(const quernel_i_elements *known, const void *data,
                                      const quernel_i_nest *nest, const quernel_i_nest_block *b,
                                      int thing) {
    quernel_i_elements e = *known;
    e.at = (const uint8_t *)data + b->offset[thing];
    e.row = nest->dims[2].step[thing], e.col = nest->dims[3].step[thing];
    e.scales = behind(e.scales, b->offset[QUERNEL_I_NEST_TABLES]);
    return e;
}

static quernel_i_epilogue epilogue_of(const run *r, const quernel_i_nest_block *b) {
    quernel_i_epilogue f = r->work->epilogue;
    const quernel_i_nest *nest = &r->work->nest;
    const ptrdiff_t p = b->offset[QUERNEL_I_NEST_TABLES];
    f.y = (uint8_t *)r->buffers->y + b->offset[QUERNEL_I_NEST_Y];
    f.y_row = nest->dims[2].step[QUERNEL_I_NEST_Y], f.y_col = nest->dims[3].step[QUERNEL_I_NEST_Y];
    f.scale = behind(f.scale, p), f.bias = behind(f.bias, p);
    f.slope = behind(f.slope, p), f.out_scale = behind(f.out_scale, p);
    f.act_lo = behind(f.act_lo, p), f.act_hi = behind(f.act_hi, p);
    return f;
}

static void combine(const run *r, const quernel_i_nest_block *b) {
    const quernel_i_eltwise_work *w = r->work;
    const quernel_i_nest_dim *dims = w->nest.dims;
    const quernel_i_epilogue f = epilogue_of(r, b);
    const bool two = w->combine != QUERNEL_I_COMBINE_COPY;
    const quernel_i_eltwise call = {
        .combine = w->combine,
        .rows = b->rows,
        .columns = b->columns,
        .p_row = (uint32_t)dims[2].step[QUERNEL_I_NEST_TABLES],
        .p_col = (uint32_t)dims[3].step[QUERNEL_I_NEST_TABLES],
        .x = elements_of(&w->x, r->buffers->x, &w->nest, b, QUERNEL_I_NEST_X),
        .z = two ? elements_of(&w->z, r->buffers->z, &w->nest, b, QUERNEL_I_NEST_Z)
                 : (quernel_i_elements){0},
        .epilogue = &f};
    const quernel_i_kernel *k = w->lines && quernel_i_eltwise_lines(&call) ? w->lines : w->kernel;
    k->run.eltwise(&call);
}

static void look_up(const run *r, const quernel_i_nest_block *b) {
    const quernel_i_eltwise_work *w = r->work;
    const quernel_i_nest_dim *row = &w->nest.dims[2], *column = &w->nest.dims[3];
    const ptrdiff_t bytes = QUERNEL_I_ELTWISE_TABLE;
    w->kernel->run.lookup(&(quernel_i_lookup){
        .x = (const uint8_t *)r->buffers->x + b->offset[QUERNEL_I_NEST_X],
        .x_row = row->step[QUERNEL_I_NEST_X],
        .x_col = column->step[QUERNEL_I_NEST_X],
        .y = (uint8_t *)r->buffers->y + b->offset[QUERNEL_I_NEST_Y],
        .y_row = row->step[QUERNEL_I_NEST_Y],
        .y_col = column->step[QUERNEL_I_NEST_Y],
        .rows = b->rows,
        .columns = b->columns,
        .table = w->table ? w->table + b->offset[QUERNEL_I_NEST_TABLES] * bytes : NULL,
        .table_row = row->step[QUERNEL_I_NEST_TABLES] * bytes,
        .table_col = column->step[QUERNEL_I_NEST_TABLES] * bytes});
}

// Columns are channels; floats of a channel lie side by side.
static void quantize(const run *r, const quernel_i_nest_block *b) {
    const quernel_i_eltwise_work *w = r->work;
    const quernel_i_nest_dim *row = &w->nest.dims[2], *column = &w->nest.dims[3];
    const quernel_i_epilogue *f = &w->epilogue;
    const ptrdiff_t size = sizeof(float);
    w->kernel->run.quantize(&(quernel_i_quantize_args){
        .x = (const float *)(const void *)((const uint8_t *)r->buffers->x +
                                           b->offset[QUERNEL_I_NEST_X]),
        .x_pixel = row->step[QUERNEL_I_NEST_X] / size,
        .x_channel = column->step[QUERNEL_I_NEST_X] / size,
        .pixels = b->rows,
        .channels = b->columns,
        .y = (uint8_t *)r->buffers->y + b->offset[QUERNEL_I_NEST_Y],
        .y_pixel = row->step[QUERNEL_I_NEST_Y],
        .mult = f->out_scale + b->offset[QUERNEL_I_NEST_TABLES],
        .g = 1.0f,
        .lo = f->q_lo,
        .hi = f->q_hi,
        .zero = f->q_zero});
}

// Steps of codes from the zero point as sums: what a product would leave.
static void steps_of(const quernel_i_elements *x, const uint8_t *at, uint32_t rows,
                     uint32_t columns, int32_t *to) {
    const int32_t flip = x->type == QUERNEL_TYPE_S8 ? 128 : 0, zero = x->zero + flip;
    for (uint32_t m = 0; m < rows; m++, at += x->row, to += EXIT_COLUMNS)
        for (uint32_t n = 0; n < columns; n++) to[n] = (at[n] ^ flip) - zero;
}

// Columns are channels, side by side in x; floats of a channel lie side by side in y. Tiles end
// where cache lines of the floats do.
static void dequantize(const run *r, const quernel_i_nest_block *b) {
    const quernel_i_eltwise_work *w = r->work;
    const quernel_i_elements x = elements_of(&w->x, r->buffers->x, &w->nest, b, QUERNEL_I_NEST_X);
    const quernel_i_epilogue f = epilogue_of(r, b);
    int32_t steps[EXIT_ROWS * EXIT_COLUMNS];
    const uint32_t before = (uint32_t)((uintptr_t)f.y / sizeof(float) % FLOATS_OF_LINE);
    for (uint32_t m = 0, rows; m < b->rows; m += rows) {
        rows = min(b->rows - m, m ? EXIT_ROWS : EXIT_ROWS - before);
        for (uint32_t n = 0; n < b->columns; n += EXIT_COLUMNS) {
            const uint32_t columns = min(b->columns - n, EXIT_COLUMNS);
            quernel_i_epilogue part = f;
            part.y = (uint8_t *)f.y + m * f.y_row + n * f.y_col;
            part.scale += n, part.bias += n;
            steps_of(&x, (const uint8_t *)x.at + m * x.row + n, rows, columns, steps);
            w->kernel->run.epilogue(steps, EXIT_COLUMNS, rows, columns, &part);
        }
    }
}

// Behind the tasks of elements comes one for the border of each image.
static void run_task(void *arg, uint32_t index, uint32_t worker) {
    (void)worker;
    const run *r = arg;
    const quernel_i_nest *nest = &r->work->nest;
    if (index >= nest->tasks) {
        const quernel_tensor *y = &r->work->y;
        const quernel_i_border_part image = {index - nest->tasks, 0, y->h, 0, y->w};
        quernel_i_border_write(y, r->buffers->y, r->work->border, &image);
        return;
    }
    const uint32_t first = index * nest->blocks_of_task, left = nest->blocks - first;
    const uint32_t count = left < nest->blocks_of_task ? left : nest->blocks_of_task;
    for (uint32_t i = 0; i < count; i++) {
        const quernel_i_nest_block b = quernel_i_nest_at(nest, first + i);
        switch (r->work->kernel->call) {
        case QUERNEL_I_CALL_LOOKUP: look_up(r, &b); break;
        case QUERNEL_I_CALL_QUANTIZE: quantize(r, &b); break;
        case QUERNEL_I_CALL_EPILOGUE: dequantize(r, &b); break;
        default: combine(r, &b); break;
        }
    }
}

void quernel_i_eltwise_run(const quernel_i_eltwise_work *w, const quernel_i_eltwise_buffers *b,
                           const quernel_parallel *parallel) {
    run r = {w, b};
    const uint32_t borders = w->y.border_h || w->y.border_w ? w->y.n : 0;
    quernel_i_parallel(parallel, w->nest.tasks + borders, run_task, &r);
}
