// SPDX-License-Identifier: Apache-2.0
// The loops of products of two tensors.
#include "exec/matmul.h"

#include "exec/border.h"
#include "pack/panel.h"
#include "pack/stage.h"
#include "threads/parallel.h"

enum { OC = 16 }; // output channels of a sub-panel

// One matrix: its place in the tensors, and the slice that it is packed in.
typedef struct matrix {
    const quernel_i_matmul *matmul;
    const uint8_t *x, *z;
    uint8_t *y;
    uint8_t *slice;
} matrix;

typedef struct run {
    const quernel_i_matmul *matmul;
    const quernel_i_matmul_buffers *buffers;
} run;

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }

static matrix matrix_at(const run *r, uint32_t index, uint32_t slice) {
    const quernel_i_matmul *m = r->matmul;
    const quernel_i_matmul_buffers *b = r->buffers;
    const uint32_t image = index / m->x.h, line = index % m->x.h;
    const void *y = quernel_i_stage_pixel(&m->y, b->y, image, line, 0);
    return (matrix){
        m, quernel_i_stage_pixel(&m->x, b->x, image, line, 0),
        quernel_i_stage_pixel(&m->z, b->z, min(image, m->z.n - 1), min(line, m->z.h - 1), 0),
        (uint8_t *)b->y + ((const uint8_t *)y - (const uint8_t *)b->y),
        b->workspace + slice * m->slice.bytes};
}

// The weights of a matrix: those of the problem, with the tables that come from z's codes.
static quernel_weights weights_of(const matrix *t) {
    const quernel_weights *known = t->matmul->problem.weights;
    const quernel_i_matmul_slice *at = &t->matmul->slice;
    return (quernel_weights){.shape = known->shape,
                             .has_zero = known->has_zero,
                             .packed = (int8_t *)(t->slice + at->packed),
                             .sum = (int32_t *)(void *)(t->slice + at->sum),
                             .abs_sum = (uint64_t *)(void *)(t->slice + at->abs_sum),
                             .scale = known->scale,
                             .zero = known->zero};
}

// Start values: what the zero point of x takes from the sums.
static void fill_init(const matrix *t, const quernel_weights *w, uint32_t first, uint32_t oc) {
    const quernel_i_matmul *m = t->matmul;
    int32_t *init = (int32_t *)(void *)(t->slice + m->slice.init);
    const uint32_t z = (uint32_t)(m->problem.quant.zero + m->plan.kernels.a_offset);
    for (uint32_t n = first; n < first + OC; n++) {
        const uint32_t sum =
            n < first + oc ? (uint32_t)w->sum[n] - w->shape.in * (uint32_t)w->zero[n] : 0;
        init[n] = (int32_t) - (z * sum);
    }
}

// Sub-panel `index` of the matrix.
static void pack_panel(void *arg, uint32_t index, uint32_t worker) {
    (void)worker;
    const matrix *t = arg;
    const quernel_i_matmul *m = t->matmul;
    quernel_weights w = weights_of(t);
    const quernel_i_phase phase = quernel_i_weights_phase(&w.shape, 0);
    const uint32_t first = index * OC, oc = min(OC, w.shape.out - first);
    const ptrdiff_t row = (ptrdiff_t)m->z.stride_w;
    const quernel_i_panel_source from = {t->z + (ptrdiff_t)first * (m->transposed ? row : 1), row,
                                         oc, w.shape.in, m->flip};
    uint8_t *panel = (uint8_t *)quernel_i_weights_panel(&w, 0, &phase, first);
    (m->transposed ? quernel_i_panel_of_channels : quernel_i_panel_of_k)(&from, panel);
    quernel_i_weights_sum_panel(&w, 0, &phase, first);
    fill_init(t, &w, first, oc);
}

static void multiply(const matrix *t, const quernel_parallel *parallel) {
    const quernel_i_matmul *m = t->matmul;
    quernel_weights w = weights_of(t);
    quernel_i_problem problem = m->problem;
    quernel_i_params params = m->params;
    problem.weights = &w;
    params.init = (const int32_t *)(const void *)(t->slice + m->slice.init);
    quernel_i_exec_run(&(quernel_i_call){&problem, &m->plan, &params, t->x, NULL, t->y,
                                         t->slice + m->slice.product, NULL},
                       parallel);
}

static uint32_t panels_of(const quernel_i_matmul *m) { return (m->y.c + OC - 1) / OC; }

static void run_whole(void *arg, uint32_t index, uint32_t worker) {
    matrix t = matrix_at(arg, index, worker);
    for (uint32_t i = 0; i < panels_of(t.matmul); i++) pack_panel(&t, i, worker);
    multiply(&t, NULL);
}

static void run_shared(const run *r, uint32_t index, const quernel_parallel *parallel) {
    matrix t = matrix_at(r, index, 0);
    quernel_i_parallel(r->matmul->plan.threads > 1 ? parallel : NULL, panels_of(r->matmul),
                       pack_panel, &t);
    multiply(&t, parallel);
}

void quernel_i_matmul_run(const quernel_i_matmul *m, const quernel_i_matmul_buffers *buffers,
                          const quernel_parallel *parallel) {
    run r = {m, buffers};
    const uint32_t count = m->x.n * m->x.h;
    if (m->by_matrix) quernel_i_parallel(parallel, count, run_whole, &r);
    else
        for (uint32_t i = 0; i < count; i++) run_shared(&r, i, parallel);
    for (uint32_t i = 0; i < m->y.n; i++)
        quernel_i_border_write(&m->y, buffers->y, m->params.border,
                               &(quernel_i_border_part){i, 0, m->y.h, 0, m->y.w});
}
