// SPDX-License-Identifier: Apache-2.0
// Creation of pools.
#include "op/pool2d.h"

#include <stdio.h>

#include "base/desc.h"
#include "base/error.h"
#include "cpu/fpenv.h"
#include "exec/pool2d.h"
#include "op/operand.h"
#include "op/operator.h"
#include "op/result.h"
#include "op/validate.h"
#include "registry/registry.h"

#define WHERE "pool2d"
enum {
    COUNT_MAX = 1 << 23,      // a sum of so many codes, 255 at most each, fits int32
    TILE_BYTES = 16 << 10,    // half of the smallest L1
    STAGED_BYTES = 256 << 10, // half of the smallest L2
    TASKS_PER_THREAD = 4,     // threads that begin late, or are slower, take fewer
};

typedef struct pool2d {
    quernel_operator base;
    quernel_i_pool2d pool;
} pool2d;

static void run(const quernel_operator *op, const quernel_i_operator_call *call) {
    quernel_i_pool2d_run(&((const pool2d *)op)->pool, call->x, call->y, call->workspace,
                         call->parallel);
}

static size_t explain(const quernel_operator *op, char *text, size_t capacity) {
    const quernel_i_pool2d *p = &((const pool2d *)op)->pool;
    const int length = snprintf(text, capacity, "kernel=%s lines=%u pixels=%u%s%s%s", p->pool->name,
                                p->task_lines, p->tile_pixels, p->staged ? " staged" : "",
                                p->separable ? " separable" : "", p->direct ? " direct" : "");
    return length < 0 ? 0 : (size_t)length;
}

static const quernel_i_operator_kind kind = {run, explain, NULL, NULL};

int quernel_i_pool2d_read(const quernel_pool2d_desc *from, const char *where, const char *name,
                          quernel_pool2d_desc *ret_desc, quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_pool2d_desc, QUERNEL_POOL2D_DESC_MIN, where, name);
    *ret_desc = (quernel_pool2d_desc)QUERNEL_POOL2D_DESC_INIT;
    return quernel_i_desc_read(desc, ret_desc, from, error);
}

// A global average is one window over the whole image.
static void make_global(quernel_pool2d_desc *d) {
    if (d->kind != QUERNEL_POOL2D_GLOBAL) return;
    d->kind = QUERNEL_POOL2D_AVERAGE;
    d->kernel_h = d->x.tensor.h, d->kernel_w = d->x.tensor.w;
    d->stride_h = d->stride_w = d->dilation_h = d->dilation_w = 1;
    d->pad_top = d->pad_left = d->pad_bottom = d->pad_right = 0;
}

static int check_spans(const quernel_i_pool2d_axis *axis, uint32_t count, const char *name,
                       quernel_error *error) {
    for (uint32_t i = 0; i < count;) {
        const quernel_i_pool2d_span span = quernel_i_pool2d_span_at(axis, i, count, false);
        if (!span.taps)
            return quernel_i_error_set(error, QUERNEL_E_SHAPE, name, i,
                                       WHERE ": %s: the window of output %u holds no element of x",
                                       name, i);
        i += span.count;
    }
    return QUERNEL_OK;
}

static int check_sizes(const quernel_pool2d_desc *d, const quernel_i_pool2d *p,
                       quernel_error *error) {
    const quernel_tensor *y = &p->result.y;
    if (d->kind != QUERNEL_POOL2D_MAX && (uint64_t)d->kernel_h * d->kernel_w > COUNT_MAX)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "kernel_h", -1,
                                   WHERE ": kernel_h: %u x %u elements: an average is of 2^23 or "
                                         "less",
                                   d->kernel_h, d->kernel_w);
    if ((uint64_t)p->x.w * p->x.c > INT32_MAX || (uint64_t)y->n * y->h > INT32_MAX)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "x", -1,
                                   WHERE ": x: a line of %u x %u elements, or y's %u x %u lines, "
                                         "are more than 2^31 - 1",
                                   p->x.w, p->x.c, y->n, y->h);
    const int code = check_spans(&p->lines, y->h, "pad_top", error);
    return code ? code : check_spans(&p->pixels, y->w, "pad_left", error);
}

// The spans of the pixels, to `spans` where it is not NULL. Returns how many.
static uint32_t find_spans(const quernel_i_pool2d *p, quernel_i_pool2d_span *spans) {
    uint32_t count = 0;
    for (uint32_t x = 0; x < p->result.y.w; count++) {
        const quernel_i_pool2d_span span =
            quernel_i_pool2d_span_at(&p->pixels, x, p->result.y.w, p->padded);
        if (spans) spans[count] = span;
        x += span.count;
    }
    return count;
}

static uint32_t clamp(uint64_t value, uint32_t max) {
    return value < 1 ? 1 : value > max ? max : (uint32_t)value;
}

// Lines of x that `lines` lines of y read at most.
static uint64_t lines_read(const quernel_i_pool2d *p, uint32_t lines) {
    const uint64_t read = (lines - 1) * (uint64_t)p->lines.stride +
                          (p->lines.kernel - 1) * (uint64_t)p->lines.dilation + 1;
    return read < p->x.h ? read : p->x.h;
}

static size_t staged_element(const quernel_i_pool2d *p) {
    return quernel_i_validate_int8(p->x.type) ? 1 : sizeof(float);
}

static void cut_tasks(quernel_i_pool2d *p, uint32_t threads) {
    const quernel_tensor *y = &p->result.y;
    const uint64_t tasks = threads > 1 ? (uint64_t)threads * TASKS_PER_THREAD : 1;
    p->task_lines = clamp(y->h / ((tasks + y->n - 1) / y->n), y->h);
    const uint64_t line = (uint64_t)p->x.w * p->x.c * staged_element(p);
    while (p->staged && p->task_lines > 1 && lines_read(p, p->task_lines) * line > STAGED_BYTES)
        p->task_lines = (p->task_lines + 1) / 2;
    p->tile_pixels = clamp(TILE_BYTES / (y->c * (uint64_t)sizeof(float)), y->w);
}

static void lay_out(quernel_i_pool2d *p, quernel_i_layout *slice) {
    const size_t c = p->x.c, tile = p->tile_pixels * c;
    p->slice.staged = quernel_i_take_offset(
        slice, p->staged ? lines_read(p, p->task_lines) * p->x.w : 0, c * staged_element(p));
    p->slice.line = quernel_i_take_offset(slice, p->separable ? p->x.w : 0, c);
    p->slice.tile = quernel_i_take_offset(slice, p->direct ? 0 : tile, sizeof(float));
    p->slice.factors = quernel_i_take_offset(slice, p->tile_pixels, sizeof(float));
    p->slice.bytes = slice->used;
}

// Whether lines first, then pixels, takes fewer maxima. Of floats the order is fixed.
static bool is_separable(const quernel_pool2d_desc *d, const quernel_tensor *y) {
    const double kernel_h = d->kernel_h, kernel_w = d->kernel_w, w = y->w;
    return d->kind == QUERNEL_POOL2D_MAX && quernel_i_validate_int8(d->x.tensor.type) &&
           w * kernel_h * kernel_w > d->x.tensor.w * (kernel_h + 1) + w * kernel_w;
}

static void choose(const quernel_pool2d_desc *d, uint32_t usable, quernel_i_pool2d *p) {
    const bool max = d->kind == QUERNEL_POOL2D_MAX, codes = quernel_i_validate_int8(p->x.type);
    p->staged = p->x.stride_c != 1;
    p->direct = max && codes && p->result.y.stride_c == 1 &&
                quernel_i_result_keeps_elements(&d->x, &d->epilogue);
    p->padded = d->kind == QUERNEL_POOL2D_AVERAGE_PADDED;
    p->separable = is_separable(d, &p->result.y);
    p->tile_of = !max && codes ? QUERNEL_I_TILE_OF_SUMS : QUERNEL_I_TILE_OF_ELEMENTS;
    p->tile_type = !codes ? QUERNEL_TYPE_F32 : max ? p->x.type : QUERNEL_TYPE_S32;
    p->pool = quernel_i_registry_best(max ? QUERNEL_I_OP_POOLMAX : QUERNEL_I_OP_POOLSUM, usable,
                                      p->staged && !codes ? QUERNEL_TYPE_F32 : p->x.type);
    p->turn = quernel_i_turn_of(usable);
    p->zero = codes ? d->x.zero : 0;
}

static void set_axes(const quernel_pool2d_desc *d, quernel_i_pool2d *p) {
    p->lines = (quernel_i_pool2d_axis){d->kernel_h, d->stride_h,   d->dilation_h,
                                       d->pad_top,  d->pad_bottom, d->x.tensor.h};
    p->pixels = (quernel_i_pool2d_axis){d->kernel_w, d->stride_w,  d->dilation_w,
                                        d->pad_left, d->pad_right, d->x.tensor.w};
}

// One block holds the operator and its tables.
static int allocate(const quernel_pool2d_desc *d, uint32_t usable, pool2d *made,
                    quernel_operator **ret_op, quernel_error *error) {
    const quernel_i_request request = {d->isa, NULL, d->allocator};
    quernel_i_pool2d *p = &made->pool;
    quernel_i_layout block = {0}, slice = {0};
    quernel_i_take(&block, 1, sizeof *made);
    quernel_i_result_make(&d->x, &d->epilogue, &made->base.y, usable, &block);
    p->n_spans = find_spans(p, NULL);
    quernel_i_take(&block, p->n_spans, sizeof *p->spans);
    lay_out(p, &slice);
    if (block.overflow || slice.overflow ||
        !quernel_i_mul(p->slice.bytes, made->base.threads, &made->base.workspace))
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "x", -1,
                                   WHERE ": x: the workspace's size overflows");
    const int code =
        quernel_i_operator_allocate(&made->base, sizeof *made, &request, &block, ret_op, error);
    if (code) return code;
    p = &((pool2d *)*ret_op)->pool;
    p->result = quernel_i_result_make(&d->x, &d->epilogue, &made->base.y, usable, &block);
    quernel_i_pool2d_span *spans = quernel_i_take(&block, p->n_spans, sizeof *spans);
    find_spans(p, spans);
    p->spans = spans;
    return QUERNEL_OK;
}

static int create(quernel_pool2d_desc *d, quernel_operator **ret_op, quernel_error *error) {
    pool2d made = {.base = {.kind = &kind, .where = WHERE, .threads = d->threads}};
    const quernel_i_request request = {d->isa, NULL, d->allocator};
    const uint32_t usable = quernel_i_operator_usable(d->isa);
    quernel_operator *op = &made.base;
    quernel_tensor inferred_y;
    int code = quernel_i_operator_check_request(&request, WHERE, d->threads, error);
    if (!code) code = quernel_i_pool2d_output(d, &inferred_y, error);
    op->x = d->x.tensor, op->y = d->y, op->y.type = d->epilogue.y_type;
    if (!code) code = quernel_i_operator_fill_sizes(&op->y, &inferred_y, WHERE, "y", error);
    if (!code) code = quernel_i_operator_complete(op, error);
    if (!code) code = quernel_i_operand_check(&d->x, WHERE, "x", error);
    if (!code) code = quernel_i_operand_check_epilogue(&d->epilogue, WHERE, op->x.c, error);
    if (code) return code;
    make_global(d);
    made.pool.x = op->x, made.pool.result.y = op->y;
    set_axes(d, &made.pool);
    if ((code = check_sizes(d, &made.pool, error))) return code;
    choose(d, usable, &made.pool);
    cut_tasks(&made.pool, op->threads);
    return allocate(d, usable, &made, ret_op, error);
}

int quernel_pool2d_create(const quernel_pool2d_desc *desc, quernel_operator **ret_op,
                          quernel_error *error) {
    if (!desc) return quernel_i_error_null(error, WHERE, "desc");
    if (!ret_op) return quernel_i_error_null(error, WHERE, "ret_op");
    quernel_pool2d_desc d;
    int code = quernel_i_pool2d_read(desc, WHERE, "size", &d, error);
    if (code) return code;
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    code = create(&d, ret_op, error);
    quernel_i_fpenv_leave(caller);
    return code;
}
