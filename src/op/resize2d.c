// SPDX-License-Identifier: Apache-2.0
// Creation of resizes.
#include "op/resize2d.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/desc.h"
#include "base/error.h"
#include "cpu/fpenv.h"
#include "exec/resize2d.h"
#include "op/operand.h"
#include "op/operator.h"
#include "op/result.h"
#include "op/validate.h"
#include "registry/registry.h"

#define WHERE "resize2d"
enum {
    TILE_BYTES = 16 << 10, // half of the smallest L1
    TASKS_PER_THREAD = 4,  // threads that begin late, or are slower, take fewer
};

typedef struct resize2d {
    quernel_operator base;
    quernel_i_resize2d resize;
} resize2d;

static void run(const quernel_operator *op, const quernel_i_operator_call *call) {
    quernel_i_resize2d_run(&((const resize2d *)op)->resize, call->x, call->y, call->workspace,
                           call->parallel);
}

static size_t explain(const quernel_operator *op, char *text, size_t capacity) {
    const quernel_i_resize2d *p = &((const resize2d *)op)->resize;
    const quernel_i_kernel *kernel = p->sample         ? p->sample
                                     : p->blend_pixels ? p->blend_pixels
                                                       : p->blend_lines;
    const int length =
        snprintf(text, capacity, "kernel=%s lines=%u pixels=%u%s", kernel ? kernel->name : "copy",
                 p->task_lines, p->tile_pixels, p->staged ? " staged" : "");
    return length < 0 ? 0 : (size_t)length;
}

static const quernel_i_operator_kind kind = {run, explain, NULL, NULL};

int quernel_i_resize2d_read(const quernel_resize2d_desc *from, const char *where, const char *name,
                            quernel_resize2d_desc *ret_desc, quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_resize2d_desc, QUERNEL_RESIZE2D_DESC_MIN, where, name);
    *ret_desc = (quernel_resize2d_desc)QUERNEL_RESIZE2D_DESC_INIT;
    return quernel_i_desc_read(desc, ret_desc, from, error);
}

// An axis with its names: of y's `count` positions and x's `size`.
typedef struct direction {
    const quernel_resize2d_axis *axis;
    const char *taps, *index, *weight;
    uint32_t count, size;
} direction;

static int check_tap(const direction *d, uint32_t i, quernel_error *error) {
    const uint32_t index = d->axis->index[i];
    if (index >= d->size)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, d->index, i,
                                   WHERE ": %s[%u]: %u: must be less than x's %u", d->index, i,
                                   index, d->size);
    const float weight = d->axis->weight ? d->axis->weight[i] : 1.0f;
    if (isfinite(weight)) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_VALUE, d->weight, i,
                               WHERE ": %s[%u]: %g: must be finite", d->weight, i, (double)weight);
}

static int check_axis(const direction *d, quernel_error *error) {
    const quernel_resize2d_axis *a = d->axis;
    if (!a->index) return quernel_i_error_null(error, WHERE, d->index);
    if (!a->taps || (uint64_t)a->taps * d->count > INT32_MAX)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, d->taps, -1,
                                   WHERE ": %s: %u: must be 1 or more, and less than 2^31 with y's "
                                         "%u positions",
                                   d->taps, a->taps, d->count);
    if (a->taps > 1 && !a->weight) return quernel_i_error_null(error, WHERE, d->weight);
    int code = QUERNEL_OK;
    for (uint32_t i = 0; i < d->count * a->taps && !code; i++)
        if (a->index[i - i % a->taps] != QUERNEL_RESIZE2D_PAD) code = check_tap(d, i, error);
    return code;
}

static int check(const quernel_resize2d_desc *d, const quernel_operator *op, quernel_error *error) {
    if (d->pad != d->pad)
        return quernel_i_validate_refuse(error, WHERE, "pad", "NaN: must be a number");
    const quernel_tensor *x = &op->x, *y = &op->y;
    if ((uint64_t)x->w * x->c > INT32_MAX || (uint64_t)y->w * y->c > INT32_MAX ||
        (uint64_t)y->n * y->h > INT32_MAX)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "x", -1,
                                   WHERE ": x: a line of %u or %u times %u elements, or y's %u x "
                                         "%u lines, are more than 2^31 - 1",
                                   x->w, y->w, x->c, y->n, y->h);
    const direction lines = {&d->lines, "lines.taps", "lines.index", "lines.weight", y->h, x->h},
                    pixels = {&d->pixels,      "pixels.taps", "pixels.index",
                              "pixels.weight", y->w,          x->w};
    const int code = check_axis(&lines, error);
    return code ? code : check_axis(&pixels, error);
}

static void choose(const quernel_resize2d_desc *d, uint32_t usable, quernel_i_resize2d *p) {
    const bool codes = quernel_i_validate_int8(p->x.type),
               blends = d->lines.weight || d->pixels.weight;
    p->copies = !blends && quernel_i_result_keeps_elements(&d->x, &d->epilogue);
    const bool dense = p->x.stride_c == 1 && p->x.stride_w == p->x.c;
    p->staged = !p->copies && (d->lines.weight ? !dense : p->x.stride_c != 1);
    p->turn = quernel_i_turn_of(usable);
    p->zero = codes ? d->x.zero : 0;
    const int32_t type = p->staged && !codes ? QUERNEL_TYPE_F32 : p->x.type;
    p->tile_of = blends && codes ? QUERNEL_I_TILE_OF_STEPS : QUERNEL_I_TILE_OF_ELEMENTS;
    p->tile_type = blends ? QUERNEL_TYPE_F32 : type;
    if (d->lines.weight) p->blend_lines = quernel_i_registry_best(QUERNEL_I_OP_BLEND, usable, type);
    if (d->pixels.weight)
        p->blend_pixels = quernel_i_registry_best(QUERNEL_I_OP_BLEND, usable,
                                                  d->lines.weight ? QUERNEL_TYPE_F32 : type);
}

// Floats that are blended may be y's already.
static bool is_direct(const quernel_resize2d_desc *d, const quernel_i_resize2d *p,
                      const quernel_i_kernel *sample) {
    const quernel_tensor *y = &p->result.y;
    const bool planes = y->c < sample->nr && y->stride_w == 1;
    return d->pixels.weight && p->x.type == QUERNEL_TYPE_F32 && (y->stride_c == 1 || planes) &&
           quernel_i_result_keeps_elements(&d->x, &d->epilogue);
}

// Fewer channels than the kernel takes elements fill no vector: the elements of y are sampled from
// anywhere in the line instead, also from planes.
static void choose_sample(const quernel_resize2d_desc *d, const quernel_i_kernel *sample,
                          quernel_i_resize2d *p) {
    const quernel_tensor *x = &p->x, *y = &p->result.y;
    const bool planes = p->direct && y->stride_w == 1 && y->stride_c != 1,
               dense = !p->direct || (y->stride_c == 1 && y->stride_w == y->c),
               floats = p->blend_lines || x->type == QUERNEL_TYPE_F32;
    if (!d->pixels.weight || !floats || y->c >= sample->nr || !(dense || planes) ||
        (uint64_t)x->w * (uint64_t)x->stride_w + x->c * (uint64_t)x->stride_c > INT32_MAX)
        return;
    p->sample = sample;
    p->sample_channels = planes ? 1 : y->c;
    p->planar = x->type == QUERNEL_TYPE_F32 && x->stride_c != 1 && x->stride_w == 1;
    p->staged = p->staged && !p->planar;
    p->channel_step = !p->planar ? 1 : p->blend_lines ? x->w : (size_t)x->stride_c;
}

static uint32_t clamp(uint64_t value, uint32_t max) {
    return value < 1 ? 1 : value > max ? max : (uint32_t)value;
}

static void cut_tasks(quernel_i_resize2d *p, uint32_t threads) {
    const quernel_tensor *y = &p->result.y;
    const uint64_t tasks = threads > 1 ? (uint64_t)threads * TASKS_PER_THREAD : 1;
    p->task_lines = clamp(y->h / ((tasks + y->n - 1) / y->n), y->h);
    p->tile_pixels = clamp(TILE_BYTES / (y->c * (uint64_t)sizeof(float)), y->w);
}

static size_t element_of(const quernel_i_resize2d *p) {
    const size_t size = quernel_type_size((quernel_type)p->x.type);
    return p->staged && size > 1 ? sizeof(float) : size;
}

static void lay_out(quernel_i_resize2d *p, size_t taps, quernel_i_layout *slice) {
    const size_t line = (size_t)p->x.w * p->x.c, tile = (size_t)p->tile_pixels * p->x.c;
    p->slice.staged = quernel_i_take_offset(slice, p->staged ? taps * line : 0, element_of(p));
    p->slice.held = quernel_i_take_offset(slice, taps, sizeof(uint32_t));
    p->slice.line = quernel_i_take_offset(slice, p->blend_lines ? line : 0, sizeof(float));
    p->slice.at = quernel_i_take_offset(slice, taps, sizeof(ptrdiff_t));
    p->slice.tile = quernel_i_take_offset(slice, p->copies ? 0 : tile, sizeof(float));
    p->slice.bytes = slice->used;
}

static const void *copy(quernel_i_layout *block, const void *from, size_t count) {
    _Static_assert(sizeof(float) == sizeof(uint32_t), "one size for indices and weights");
    if (!from) return NULL;
    void *to = quernel_i_take(block, count, sizeof(uint32_t));
    if (to) memcpy(to, from, count * sizeof(uint32_t));
    return to;
}

static quernel_resize2d_axis copy_axis(quernel_i_layout *block, const quernel_resize2d_axis *a,
                                       uint32_t positions) {
    const size_t count = (size_t)positions * a->taps;
    return (quernel_resize2d_axis){a->taps, copy(block, a->index, count),
                                   copy(block, a->weight, count)};
}

// Indices as bytes from the first pixel of the line that pixels are taken from.
static const ptrdiff_t *offsets(quernel_i_layout *block, const quernel_i_resize2d *p,
                                const quernel_resize2d_axis *pixels) {
    if (p->copies) return NULL;
    const size_t count = (size_t)p->result.y.w * pixels->taps, floats = p->x.c * sizeof(float),
                 pixel = p->planar ? sizeof(float)
                         : p->blend_lines
                             ? floats
                             : element_of(p) * (p->staged ? p->x.c : (size_t)p->x.stride_w);
    ptrdiff_t *to = quernel_i_take(block, count, sizeof *to);
    for (size_t i = 0; to && i < count; i++) to[i] = (ptrdiff_t)(pixels->index[i] * pixel);
    return to;
}

// Where the elements of a row of samples come from, tap by tap, and with which weights.
static void make_samples(quernel_i_layout *block, const quernel_resize2d_axis *pixels,
                         quernel_i_resize2d *p) {
    if (!p->sample) return;
    const uint32_t taps = pixels->taps, channels = p->sample_channels;
    const size_t count = (size_t)p->result.y.w * channels;
    int32_t *at = quernel_i_take(block, count * taps, sizeof *at);
    float *share = quernel_i_take(block, count * taps, sizeof *share);
    for (size_t i = 0; share && i < count * taps; i++) {
        const size_t from = i % count / channels * taps + i / count;
        const bool padded = pixels->index[from - from % taps] == QUERNEL_RESIZE2D_PAD;
        const size_t element = (size_t)p->at[from] / sizeof(float) + i % channels * p->channel_step;
        at[i] = padded ? 0 : (int32_t)element;
        share[i] = padded ? 0.0f : pixels->weight[from];
    }
    p->sample_at = at, p->sample_share = share;
}

// The pad value as an element of y, for each channel.
static const void *pad_pixel(const quernel_resize2d_desc *d, const quernel_i_result *r,
                             quernel_i_layout *block) {
    const uint32_t c = r->y.c;
    float *values = quernel_i_take(block, c, sizeof *values);
    void *elements = quernel_i_take(block, c, quernel_type_size((quernel_type)r->y.type));
    if (!block->base) return NULL;
    for (uint32_t n = 0; n < c; n++) values[n] = d->pad;
    quernel_i_result one = *r;
    one.y = (quernel_tensor){.type = r->y.type, .n = 1, .c = c, .h = 1, .w = 1, .stride_c = 1};
    quernel_i_result_store(
        &one, &(quernel_i_tile){.type = QUERNEL_TYPE_F32, .data = values, .pixels = 1}, elements);
    return elements;
}

static void make_tables(const quernel_resize2d_desc *d, uint32_t usable, quernel_i_layout *block,
                        quernel_i_resize2d *p) {
    const quernel_tensor y = p->result.y;
    p->result = quernel_i_result_make(&d->x, &d->epilogue, &y, usable, block);
    p->lines = copy_axis(block, &d->lines, y.h);
    p->pixels = copy_axis(block, &d->pixels, y.w);
    p->at = offsets(block, p, &d->pixels);
    make_samples(block, &d->pixels, p);
    p->pad = pad_pixel(d, &p->result, block);
}

static int allocate(const quernel_resize2d_desc *d, uint32_t usable, resize2d *made,
                    quernel_operator **ret_op, quernel_error *error) {
    const quernel_i_request request = {d->isa, NULL, d->allocator};
    quernel_i_layout block = {0}, slice = {0};
    quernel_i_take(&block, 1, sizeof *made);
    quernel_i_resize2d sized = made->resize;
    make_tables(d, usable, &block, &sized);
    lay_out(&made->resize, d->lines.taps, &slice);
    if (block.overflow || slice.overflow ||
        !quernel_i_mul(made->resize.slice.bytes, made->base.threads, &made->base.workspace))
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "x", -1,
                                   WHERE ": x: the workspace's size overflows");
    const int code =
        quernel_i_operator_allocate(&made->base, sizeof *made, &request, &block, ret_op, error);
    if (!code) make_tables(d, usable, &block, &((resize2d *)*ret_op)->resize);
    return code;
}

static int create(const quernel_resize2d_desc *d, quernel_operator **ret_op, quernel_error *error) {
    resize2d made = {.base = {.kind = &kind, .where = WHERE, .threads = d->threads}};
    const quernel_i_request request = {d->isa, NULL, d->allocator};
    const uint32_t usable = quernel_i_operator_usable(d->isa);
    quernel_operator *op = &made.base;
    op->x = d->x.tensor, op->y = d->y, op->y.type = d->epilogue.y_type;
    const quernel_tensor want = {.n = op->x.n, .c = op->x.c, .h = op->y.h, .w = op->y.w};
    int code = quernel_i_operator_check_request(&request, WHERE, d->threads, error);
    if (!code) code = quernel_i_operator_fill_sizes(&op->y, &want, WHERE, "y", error);
    if (!code) code = quernel_i_operator_complete(op, error);
    if (!code) code = quernel_i_operand_check(&d->x, WHERE, "x", error);
    if (!code) code = quernel_i_operand_check_epilogue(&d->epilogue, WHERE, op->x.c, error);
    if (!code) code = check(d, op, error);
    if (code) return code;
    made.resize.x = op->x, made.resize.result.y = op->y;
    choose(d, usable, &made.resize);
    const quernel_i_kernel *sample = quernel_i_registry_best(QUERNEL_I_OP_SAMPLE, usable, -1);
    made.resize.direct = is_direct(d, &made.resize, sample);
    choose_sample(d, sample, &made.resize);
    cut_tasks(&made.resize, op->threads);
    return allocate(d, usable, &made, ret_op, error);
}

int quernel_resize2d_create(const quernel_resize2d_desc *desc, quernel_operator **ret_op,
                            quernel_error *error) {
    if (!desc) return quernel_i_error_null(error, WHERE, "desc");
    if (!ret_op) return quernel_i_error_null(error, WHERE, "ret_op");
    quernel_resize2d_desc d;
    int code = quernel_i_resize2d_read(desc, WHERE, "size", &d, error);
    if (code) return code;
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    code = create(&d, ret_op, error);
    quernel_i_fpenv_leave(caller);
    return code;
}
