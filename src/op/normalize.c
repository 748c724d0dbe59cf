// SPDX-License-Identifier: Apache-2.0
// Creation of normalizations.
#include "op/normalize.h"

#include <stdio.h>

#include "base/desc.h"
#include "base/error.h"
#include "cpu/fpenv.h"
#include "exec/normalize.h"
#include "op/operand.h"
#include "op/operator.h"
#include "op/result.h"
#include "op/validate.h"
#include "registry/registry.h"

#define WHERE "normalize"
enum {
    TILE_BYTES = 16 << 10, // half of the smallest L1
    TASKS_PER_THREAD = 4,  // threads that begin late, or are slower, take fewer
    PADDED = 16            // as ukr.h says
};

_Static_assert((int)QUERNEL_NORMALIZE_SOFTMAX == (int)QUERNEL_I_NORMALIZE_SOFTMAX &&
                   (int)QUERNEL_NORMALIZE_LAYER == (int)QUERNEL_I_NORMALIZE_LAYER &&
                   (int)QUERNEL_NORMALIZE_RMS == (int)QUERNEL_I_NORMALIZE_RMS,
               "kinds are handed to kernels");

typedef struct normalize {
    quernel_operator base;
    quernel_i_normalize_work work;
} normalize;

static void run(const quernel_operator *op, const quernel_i_operator_call *call) {
    quernel_i_normalize_run(&((const normalize *)op)->work, call->x, call->y, call->workspace,
                            call->parallel);
}

static size_t explain(const quernel_operator *op, char *text, size_t capacity) {
    const quernel_i_normalize_work *w = &((const normalize *)op)->work;
    const int length =
        snprintf(text, capacity, "kernel=%s pixels=%u%s%s", w->kernel->name, w->tile_pixels,
                 w->staged ? " staged" : "", w->direct ? " direct" : "");
    return length < 0 ? 0 : (size_t)length;
}

static const quernel_i_operator_kind kind = {run, explain, NULL, NULL};

int quernel_i_normalize_read(const quernel_normalize_desc *from, const char *where,
                             const char *name, quernel_normalize_desc *ret_desc,
                             quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_normalize_desc, QUERNEL_NORMALIZE_DESC_MIN, where, name);
    *ret_desc = (quernel_normalize_desc)QUERNEL_NORMALIZE_DESC_INIT;
    return quernel_i_desc_read(desc, ret_desc, from, error);
}

static int check(const quernel_normalize_desc *d, uint32_t channels, quernel_error *error) {
    if (d->kind == QUERNEL_NORMALIZE_SOFTMAX) return QUERNEL_OK;
    int code = quernel_i_check_float(error, WHERE, "epsilon", d->epsilon, 0);
    if (!code && d->epsilon < 0.0f)
        code = quernel_i_validate_refuse(error, WHERE, "epsilon", "must be 0 or more");
    if (!code && d->gamma)
        code = quernel_i_check_floats(error, WHERE, "gamma", d->gamma, channels, 0);
    if (!code && d->beta) code = quernel_i_check_floats(error, WHERE, "beta", d->beta, channels, 0);
    return code;
}

static int check_sizes(const quernel_tensor *x, quernel_error *error) {
    if ((uint64_t)x->w * x->c <= INT32_MAX && (uint64_t)x->n * x->h * x->w <= INT32_MAX)
        return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "x", -1,
                               WHERE ": x: a line of %u x %u elements, or %u x %u lines of it, are "
                                     "more than 2^31 - 1",
                               x->w, x->c, x->n, x->h);
}

// Whether lines `step` apart follow one another like the pixels of one.
static bool follows(const quernel_tensor *t, int64_t step, uint32_t pixels) {
    return !t->border_h && !t->border_w && step == t->stride_w * (int64_t)pixels;
}

// Pixels have nothing to do with each other: lines and images that lie like one line are one.
static void merge(quernel_tensor *x, quernel_tensor *y) {
    if (!follows(x, x->stride_h, x->w) || !follows(y, y->stride_h, x->w)) return;
    x->w = y->w = x->w * x->h, x->h = y->h = 1;
    if (!follows(x, x->stride_n, x->w) || !follows(y, y->stride_n, x->w)) return;
    x->w = y->w = x->w * x->n, x->n = y->n = 1;
}

static uint32_t clamp(uint64_t value, uint32_t max) {
    return value < 1 ? 1 : value > max ? max : (uint32_t)value;
}

static void choose(const quernel_normalize_desc *d, const quernel_tensor *y, uint32_t usable,
                   quernel_i_normalize_work *w) {
    const quernel_tensor *x = &w->x;
    const size_t size = quernel_type_size((quernel_type)x->type);
    w->kernel = quernel_i_registry_best(QUERNEL_I_OP_NORMALIZE, usable, -1);
    w->turn = quernel_i_turn_of(usable);
    w->staged = x->stride_c != 1;
    w->direct = y->type == QUERNEL_TYPE_F32 && y->stride_c == 1 && !d->epilogue.activation;
    w->call = (quernel_i_normalize){.kind = d->kind, .channels = x->c, .epsilon = d->epsilon};
    w->call.x.type = w->staged && size > 1 ? QUERNEL_TYPE_F32 : x->type;
    w->call.x.row = w->staged ? (ptrdiff_t)(x->c * (size > 1 ? sizeof(float) : 1))
                              : (ptrdiff_t)(x->stride_w * (int64_t)size);
    w->call.x.zero = d->x.zero;
}

static void cut_tasks(quernel_i_normalize_work *w, uint32_t threads) {
    const quernel_tensor *x = &w->x;
    const uint64_t lines = (uint64_t)x->n * x->h,
                   tasks = threads > 1 ? (uint64_t)threads * TASKS_PER_THREAD : 1,
                   of_line = (tasks + lines - 1) / lines;
    w->task_pixels = clamp((x->w + of_line - 1) / of_line, x->w);
    w->tile_pixels = clamp(TILE_BYTES / (x->c * (uint64_t)sizeof(float)), w->task_pixels);
}

static void lay_out(quernel_i_normalize_work *w, quernel_i_layout *slice) {
    const size_t tile = (size_t)w->tile_pixels * w->x.c;
    w->slice.staged = quernel_i_take_offset(slice, w->staged ? tile : 0, sizeof(float));
    w->slice.line = quernel_i_take_offset(slice, quernel_i_round_up(w->x.c, PADDED), sizeof(float));
    w->slice.tile = quernel_i_take_offset(slice, w->direct ? 0 : tile, sizeof(float));
    w->slice.bytes = slice->used;
}

static const float *take_table(const float *from, float otherwise, uint32_t channels,
                               quernel_i_layout *block) {
    float *table = quernel_i_take(block, quernel_i_round_up(channels, PADDED), sizeof *table);
    for (uint32_t c = 0; table && c < channels; c++) table[c] = from ? from[c] : otherwise;
    return table;
}

static void take_tables(const quernel_normalize_desc *d, const quernel_tensor *y, uint32_t usable,
                        quernel_i_normalize_work *w, quernel_i_layout *block) {
    const bool scaled = d->kind != QUERNEL_NORMALIZE_SOFTMAX;
    w->result = quernel_i_result_make(&d->x, &d->epilogue, y, usable, block);
    w->call.x.scales = w->result.scales;
    w->call.factor = scaled ? take_table(d->gamma, 1.0f, y->c, block) : NULL;
    w->call.shift = scaled ? take_table(d->beta, 0.0f, y->c, block) : NULL;
}

// One block holds the operator and its tables.
static int allocate(const quernel_normalize_desc *d, const quernel_tensor *y, uint32_t usable,
                    normalize *made, quernel_operator **ret_op, quernel_error *error) {
    const quernel_i_request request = {d->isa, NULL, d->allocator};
    quernel_i_normalize_work *w = &made->work;
    quernel_i_layout block = {0}, slice = {0};
    quernel_i_take(&block, 1, sizeof *made);
    take_tables(d, y, usable, w, &block);
    lay_out(w, &slice);
    if (block.overflow || slice.overflow ||
        !quernel_i_mul(w->slice.bytes, made->base.threads, &made->base.workspace))
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "x", -1,
                                   WHERE ": x: the workspace's size overflows");
    const int code =
        quernel_i_operator_allocate(&made->base, sizeof *made, &request, &block, ret_op, error);
    if (!code) take_tables(d, y, usable, &((normalize *)*ret_op)->work, &block);
    return code;
}

static int create(const quernel_normalize_desc *d, quernel_operator **ret_op,
                  quernel_error *error) {
    normalize made = {.base = {.kind = &kind, .where = WHERE, .threads = d->threads}};
    const quernel_i_request request = {d->isa, NULL, d->allocator};
    const uint32_t usable = quernel_i_operator_usable(d->isa);
    quernel_operator *op = &made.base;
    int code = quernel_i_operator_check_request(&request, WHERE, d->threads, error);
    if (!code)
        code = quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "kind", d->kind, 0,
                                     QUERNEL_NORMALIZE_RMS);
    op->x = d->x.tensor, op->y = d->y, op->y.type = d->epilogue.y_type, op->x_in_place = true;
    if (!code) code = quernel_i_operator_fill_sizes(&op->y, &op->x, WHERE, "y", error);
    if (!code) code = quernel_i_operator_complete(op, error);
    if (!code) code = quernel_i_operand_check(&d->x, WHERE, "x", error);
    if (!code) code = quernel_i_operand_check_epilogue(&d->epilogue, WHERE, op->x.c, error);
    if (!code) code = check(d, op->x.c, error);
    if (!code) code = check_sizes(&op->x, error);
    if (code) return code;
    quernel_tensor y = op->y;
    made.work.x = op->x;
    merge(&made.work.x, &y);
    choose(d, &y, usable, &made.work);
    cut_tasks(&made.work, op->threads);
    return allocate(d, &y, usable, &made, ret_op, error);
}

int quernel_normalize_create(const quernel_normalize_desc *desc, quernel_operator **ret_op,
                             quernel_error *error) {
    if (!desc) return quernel_i_error_null(error, WHERE, "desc");
    if (!ret_op) return quernel_i_error_null(error, WHERE, "ret_op");
    quernel_normalize_desc d;
    int code = quernel_i_normalize_read(desc, WHERE, "size", &d, error);
    if (code) return code;
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    code = create(&d, ret_op, error);
    quernel_i_fpenv_leave(caller);
    return code;
}
