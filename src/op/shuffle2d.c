// SPDX-License-Identifier: Apache-2.0
// Creation of shuffles.
#include "op/shuffle2d.h"

#include <stdio.h>

#include "base/desc.h"
#include "base/error.h"
#include "cpu/fpenv.h"
#include "exec/shuffle2d.h"
#include "op/operator.h"
#include "registry/registry.h"

#define WHERE "shuffle2d"
enum {
    TASKS_PER_THREAD = 4, // threads that begin late, or are slower, take fewer
    SHORT = 16            // bytes that the permuting kernels make at a time
};
static const uint32_t max_size = 1u << 30; // as of tensors

typedef struct shuffle2d {
    quernel_operator base;
    quernel_i_shuffle2d shuffle;
} shuffle2d;

static void run(const quernel_operator *op, const quernel_i_operator_call *call) {
    quernel_i_shuffle2d_run(&((const shuffle2d *)op)->shuffle, call->x, call->y, call->parallel);
}

static size_t explain(const quernel_operator *op, char *text, size_t capacity) {
    const quernel_i_shuffle2d *s = &((const shuffle2d *)op)->shuffle;
    const int length =
        snprintf(text, capacity, "kernel=%s lines=%u pieces=%u",
                 s->permute ? s->permute->name : "copy", s->task_lines, s->phases[s->y_h * s->y_w]);
    return length < 0 ? 0 : (size_t)length;
}

static const quernel_i_operator_kind kind = {run, explain, NULL, NULL};

int quernel_i_shuffle2d_read(const quernel_shuffle2d_desc *from, const char *where,
                             const char *name, quernel_shuffle2d_desc *ret_desc,
                             quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_shuffle2d_desc, QUERNEL_SHUFFLE2D_DESC_MIN, where, name);
    *ret_desc = (quernel_shuffle2d_desc)QUERNEL_SHUFFLE2D_DESC_INIT;
    return quernel_i_desc_read(desc, ret_desc, from, error);
}

static int infer(const quernel_shuffle2d_desc *d, uint32_t size, uint32_t block, const char *name,
                 uint32_t *ret_size, quernel_error *error) {
    if (d->gather && size % block)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, name, -1,
                                   WHERE ": %s: %u: must divide x's %u", name, block, size);
    const uint64_t inferred = d->gather ? size / block : (uint64_t)size * block;
    if (inferred > max_size)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, name, -1,
                                   WHERE ": %s: %u: times x's %u is more than 2^30", name, block,
                                   size);
    *ret_size = (uint32_t)inferred;
    return QUERNEL_OK;
}

int quernel_i_shuffle2d_output(const quernel_shuffle2d_desc *d, quernel_tensor *ret_inferred_y,
                               quernel_error *error) {
    const quernel_tensor *x = &d->x;
    int code = quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "gather", d->gather, 0, 1);
    if (!code)
        code = quernel_i_check_range(error, QUERNEL_E_SHAPE, WHERE, "block_h", d->block_h, 1,
                                     max_size);
    if (!code)
        code = quernel_i_check_range(error, QUERNEL_E_SHAPE, WHERE, "block_w", d->block_w, 1,
                                     max_size / d->block_h);
    if (code) return code;
    if (!x->n || !x->c || !x->h || !x->w || !d->y.c)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "x", -1,
                                   WHERE ": x: %u images of %u x %u x %u, y.c %u: must be 1 or "
                                         "more",
                                   x->n, x->c, x->h, x->w, d->y.c);
    *ret_inferred_y = (quernel_tensor){.n = x->n, .c = d->y.c};
    code = infer(d, x->h, d->block_h, "block_h", &ret_inferred_y->h, error);
    return code ? code : infer(d, x->w, d->block_w, "block_w", &ret_inferred_y->w, error);
}

static int check_types(const quernel_shuffle2d_desc *d, quernel_error *error) {
    if (!quernel_type_size((quernel_type)d->x.type))
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "x", -1, WHERE ": x.type: %d: unknown",
                                   d->x.type);
    if (d->y.type == d->x.type) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_VALUE, "y", -1,
                               WHERE ": y.type: %d: must be x's, %d", d->y.type, d->x.type);
}

static int check(const quernel_shuffle2d_desc *d, const quernel_tensor *y, quernel_error *error) {
    if (!d->from) return quernel_i_error_null(error, WHERE, "from");
    const uint64_t block = (uint64_t)d->block_h * d->block_w,
                   count = d->gather ? y->c : block * y->c,
                   indices = d->gather ? block * d->x.c : d->x.c;
    if (count > max_size || indices > max_size || (uint64_t)y->n * y->h > max_size)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "from", -1,
                                   WHERE ": from: %llu indices below %llu, of %u x %u lines: must "
                                         "be 2^30 or less",
                                   (unsigned long long)count, (unsigned long long)indices, y->n,
                                   y->h);
    for (uint32_t i = 0; i < count; i++)
        if (d->from[i] >= indices)
            return quernel_i_error_set(error, QUERNEL_E_VALUE, "from", i,
                                       WHERE ": from[%u]: %u: must be less than %llu", i,
                                       d->from[i], (unsigned long long)indices);
    return QUERNEL_OK;
}

// Where an index lies, in elements from the block's first.
static int64_t place(const quernel_i_shuffle2d *s, uint32_t index) {
    const uint32_t pixel = index / s->x.c;
    return pixel / s->x_w * s->x.stride_h + pixel % s->x_w * s->x.stride_w +
           index % s->x.c * s->x.stride_c;
}

// The piece that begins at channel `to`: as long as its elements lie one step apart.
static quernel_i_shuffle2d_piece piece_at(const quernel_i_shuffle2d *s, const uint32_t *from,
                                          uint32_t to) {
    quernel_i_shuffle2d_piece p = {to, 1, place(s, from[to]), 1};
    if (to + 1 < s->y.c) p.step = place(s, from[to + 1]) - p.from;
    while (to + p.count < s->y.c && place(s, from[to + p.count]) == p.from + p.count * p.step)
        p.count++;
    return p;
}

// Whether bytes are permuted: what lies side by side in both is shorter than what a kernel takes at
// a time.
static bool permutes(const quernel_i_shuffle2d *s, uint32_t stretches) {
    const size_t bytes =
        (size_t)s->y_h * s->y_w * s->y.c * quernel_type_size((quernel_type)s->x.type);
    const bool in_one = s->y.stride_c == 1 && (s->y_w == 1 || s->y.stride_w == s->y.c);
    return s->x_h * s->x_w == 1 && s->x.stride_c == 1 && in_one &&
           bytes < stretches * (size_t)SHORT && bytes < UINT32_MAX;
}

static const uint32_t *take_bytes(const quernel_shuffle2d_desc *d, const quernel_i_shuffle2d *s,
                                  quernel_i_layout *block) {
    const uint32_t size = (uint32_t)quernel_type_size((quernel_type)s->x.type),
                   count = s->y_h * s->y_w * s->y.c * size;
    uint32_t *bytes = quernel_i_take(block, count, sizeof *bytes);
    for (uint32_t i = 0; bytes && i < count; i++) bytes[i] = d->from[i / size] * size + i % size;
    return bytes;
}

// Takes the tables, and fills them where `block` has a base.
static void make_tables(const quernel_shuffle2d_desc *d, quernel_i_layout *block,
                        quernel_i_shuffle2d *s) {
    const uint32_t phases = s->y_h * s->y_w;
    uint32_t *begins = quernel_i_take(block, (size_t)phases + 1, sizeof *begins), count = 0,
             stretches = 0;
    quernel_i_shuffle2d_piece *pieces =
        block->base ? (quernel_i_shuffle2d_piece *)(void *)(block->base + block->used) : NULL;
    for (uint32_t phase = 0; phase < phases; phase++) {
        if (begins) begins[phase] = count;
        for (uint32_t to = 0; to < s->y.c; count++) {
            const quernel_i_shuffle2d_piece p = piece_at(s, d->from + (size_t)phase * s->y.c, to);
            if (pieces) pieces[count] = p;
            to += p.count, stretches += p.step == 1 ? 1 : p.count;
        }
    }
    if (begins) begins[phases] = count;
    quernel_i_take(block, count, sizeof *pieces);
    s->phases = begins, s->pieces = pieces;
    if (!permutes(s, stretches)) return;
    s->permute = quernel_i_registry_best(QUERNEL_I_OP_PERMUTE, quernel_i_operator_usable(-1), -1);
    s->bytes = take_bytes(d, s, block);
}

static void set_geometry(const quernel_shuffle2d_desc *d, const quernel_operator *op,
                         quernel_i_shuffle2d *s) {
    const uint64_t tasks = op->threads > 1 ? (uint64_t)op->threads * TASKS_PER_THREAD : 1,
                   per_image = (tasks + op->y.n - 1) / op->y.n;
    s->x = op->x, s->y = op->y, s->border = d->border;
    s->x_h = d->gather ? d->block_h : 1, s->x_w = d->gather ? d->block_w : 1;
    s->y_h = d->gather ? 1 : d->block_h, s->y_w = d->gather ? 1 : d->block_w;
    s->task_lines = per_image < op->y.h ? (uint32_t)(op->y.h / per_image) : 1;
}

static int allocate(const quernel_shuffle2d_desc *d, shuffle2d *made, quernel_operator **ret_op,
                    quernel_error *error) {
    const quernel_i_request request = {-1, NULL, d->allocator};
    quernel_i_layout block = {0};
    quernel_i_take(&block, 1, sizeof *made);
    make_tables(d, &block, &made->shuffle);
    if (block.overflow)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "from", -1,
                                   WHERE ": from: the tables' size overflows");
    const int code =
        quernel_i_operator_allocate(&made->base, sizeof *made, &request, &block, ret_op, error);
    if (!code) make_tables(d, &block, &((shuffle2d *)*ret_op)->shuffle);
    return code;
}

static int create(const quernel_shuffle2d_desc *d, quernel_operator **ret_op,
                  quernel_error *error) {
    shuffle2d made = {.base = {.kind = &kind, .where = WHERE, .threads = d->threads}};
    const quernel_i_request request = {-1, NULL, d->allocator};
    quernel_operator *op = &made.base;
    quernel_tensor inferred_y;
    op->x = d->x, op->y = d->y;
    int code = quernel_i_operator_check_request(&request, WHERE, d->threads, error);
    if (!code) code = quernel_i_shuffle2d_output(d, &inferred_y, error);
    if (!code) code = check_types(d, error);
    if (!code) code = quernel_i_operator_fill_sizes(&op->y, &inferred_y, WHERE, "y", error);
    if (!code) code = quernel_i_operator_complete(op, error);
    if (!code) code = check(d, &op->y, error);
    if (code) return code;
    set_geometry(d, op, &made.shuffle);
    return allocate(d, &made, ret_op, error);
}

int quernel_shuffle2d_create(const quernel_shuffle2d_desc *desc, quernel_operator **ret_op,
                             quernel_error *error) {
    if (!desc) return quernel_i_error_null(error, WHERE, "desc");
    if (!ret_op) return quernel_i_error_null(error, WHERE, "ret_op");
    quernel_shuffle2d_desc d;
    const int code = quernel_i_shuffle2d_read(desc, WHERE, "size", &d, error);
    return code ? code : create(&d, ret_op, error);
}
