// SPDX-License-Identifier: Apache-2.0
// CSV of layers and products.
#include "tune/workload/shapes.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tune/workload/csv.h"

const char *const shape_op_names[] = {"gemm", "conv", "deconv", "depthwise", NULL};

typedef struct column {
    const char *name;
    size_t offset;
    uint32_t otherwise; // where the column is absent or empty; 0 with `needed` has none
    int needed;         // 1: for layers, 2: for products
} column;

static const column columns[] = {
    {"c_in", offsetof(shape, c_in), 0, 1},
    {"h", offsetof(shape, h), 0, 1},
    {"w", offsetof(shape, w), 0, 1},
    {"c_out", offsetof(shape, c_out), 0, 1},
    {"kernel", offsetof(shape, kernel), 0, 1},
    {"stride", offsetof(shape, stride), 0, 1},
    {"pad", offsetof(shape, pad), 0, 1},
    {"m", offsetof(shape, m), 0, 2},
    {"n", offsetof(shape, n), 0, 2},
    {"k", offsetof(shape, k), 0, 2},
    {"batch", offsetof(shape, batch), 1, 0},
    {"groups", offsetof(shape, groups), 1, 0},
    {"dilation", offsetof(shape, dilation), 1, 0},
    {"out_pad", offsetof(shape, out_pad), 0, 0},
    {"repeat", offsetof(shape, repeat), 1, 0},
    {"residual", offsetof(shape, residual), 0, 0},
    {"kernel_w", offsetof(shape, kernel_w), 0, 0},
    {"stride_w", offsetof(shape, stride_w), 0, 0},
    {"pad_w", offsetof(shape, pad_w), UINT32_MAX, 0},
    {"input", offsetof(shape, input), 0, 0},
    {"slice", offsetof(shape, slice), UINT32_MAX, 0},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int read_op(const char *text, shape *s) {
    for (int i = SHAPE_CONV; shape_op_names[i]; i++)
        if (text && !strcmp(text, shape_op_names[i])) {
            s->op = (enum shape_op)i;
            return 1;
        }
    return 0;
}

static bool refuse(csv *list, const char *name, const char *text) {
    return lines_refuse(&list->lines, name, text ? text : "(missing)");
}

static bool read_number(csv *list, const column *c, int gemm, shape *s) {
    const char *text = csv_field(list, c->name);
    char *end = NULL;
    const unsigned long value = text ? strtoul(text, &end, 10) : c->otherwise;
    const bool missing = !text && c->needed == (gemm ? 2 : 1);
    if (missing || (text && (*text < '0' || *text > '9' || *end || value > INT32_MAX)))
        return refuse(list, c->name, text);
    *(uint32_t *)((char *)s + c->offset) = (uint32_t)value;
    return true;
}

static bool read_name(csv *list, const char *name, const char *otherwise, char *to,
                      size_t capacity) {
    const char *text = csv_field(list, name);
    if (!text) text = otherwise;
    if (strlen(text) >= capacity) {
        char said[48];
        snprintf(said, sizeof said, "is longer than %zu bytes", capacity - 1);
        return refuse(list, name, said);
    }
    strcpy(to, text);
    return true;
}

static bool read_names(csv *list, int gemm, shape *s) {
    return read_name(list, gemm ? "kind" : "layer", "", s->layer, sizeof s->layer) &&
           read_name(list, "model", "", s->model, sizeof s->model) &&
           read_name(list, "activation", "none", s->activation, sizeof s->activation);
}

static bool read_row(csv *list, int gemm, shape *s) {
    *s = (shape){.op = SHAPE_GEMM};
    const char *op = csv_field(list, "op");
    if (!gemm && !read_op(op, s)) return refuse(list, "op", op);
    for (int i = 0; i < COLUMNS; i++)
        if (!read_number(list, &columns[i], gemm, s)) return false;
    if (!read_names(list, gemm, s)) return false;
    if (!s->kernel_w) s->kernel_w = s->kernel;
    if (!s->stride_w) s->stride_w = s->stride;
    if (s->pad_w == UINT32_MAX) s->pad_w = s->pad;
    return shape_complete(s) || refuse(list, "sizes", "do not fit one another");
}

// Pixels from the first to one behind the last that a window's taps meet.
static int64_t window(uint32_t kernel, uint32_t dilation) {
    return (int64_t)dilation * (kernel - 1) + 1;
}

static int64_t deconv_size(uint32_t size, uint32_t stride, int64_t window, uint32_t out_pad,
                           uint32_t pad) {
    return (int64_t)(size - 1) * stride + window + out_pad - 2 * (int64_t)pad;
}

// 0 or less where the window does not fit.
static int64_t conv_size(uint32_t size, uint32_t stride, int64_t window, uint32_t pad) {
    const int64_t room = (int64_t)size + 2 * pad - window;
    return room < 0 ? 0 : room / stride + 1;
}

// The product; 0 where it is no size.
static uint32_t product(uint64_t a, uint64_t b) {
    return !a || b > INT32_MAX / a ? 0 : (uint32_t)(a * b);
}

static int complete_layer(shape *s) {
    const int64_t tall = window(s->kernel, s->dilation), wide = window(s->kernel_w, s->dilation);
    const bool deconv = s->op == SHAPE_DECONV;
    const int64_t h = deconv ? deconv_size(s->h, s->stride, tall, s->out_pad, s->pad)
                             : conv_size(s->h, s->stride, tall, s->pad);
    const int64_t w = deconv ? deconv_size(s->w, s->stride_w, wide, s->out_pad, s->pad_w)
                             : conv_size(s->w, s->stride_w, wide, s->pad_w);
    if (h < 1 || w < 1 || h > INT32_MAX || w > INT32_MAX) return 0;
    const uint32_t taps = product(s->kernel, s->kernel_w);
    s->h_out = (uint32_t)h, s->w_out = (uint32_t)w;
    s->m = product(s->batch, deconv ? product(s->h, s->w) : product(s->h_out, s->w_out));
    s->n = product(s->c_out / s->groups, deconv ? taps : 1);
    s->k = product(s->c_in / s->groups, deconv ? 1 : taps);
    return 1;
}

static bool are_sizes(const shape *s) {
    const uint32_t sizes[] = {s->batch,    s->c_in,   s->h,        s->w,      s->c_out,   s->kernel,
                              s->kernel_w, s->stride, s->stride_w, s->groups, s->dilation};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!sizes[i] || sizes[i] > INT32_MAX) return false;
    return s->pad <= INT32_MAX && s->pad_w <= INT32_MAX && s->out_pad <= INT32_MAX &&
           !(s->c_in % s->groups) && !(s->c_out % s->groups);
}

int shape_complete(shape *s) {
    const bool gemm = s->op == SHAPE_GEMM;
    uint64_t macs;
    if (!gemm && (!are_sizes(s) || !complete_layer(s))) return 0;
    return s->m && s->n && s->k && !__builtin_mul_overflow((uint64_t)s->m * s->n, s->k, &macs) &&
           !__builtin_mul_overflow(macs, gemm ? 1 : s->groups, &s->macs);
}

static bool add_row(csv *list, int gemm, shape **shapes, int count) {
    shape *more = realloc(*shapes, sizeof **shapes * (size_t)(count + 1));
    if (!more) return refuse(list, "memory", "none left");
    *shapes = more;
    return read_row(list, gemm, &more[count]);
}

int shapes_read(const char *path, int gemm, shape **ret_shapes) {
    csv list;
    shape *shapes = NULL;
    int count = 0;
    if (csv_open(&list, path))
        while (csv_next(&list) && add_row(&list, gemm, &shapes, count)) count++;
    if (lines_close(&list.lines)) return *ret_shapes = shapes, count;
    free(shapes);
    return -1;
}

void shape_name(const shape *s, char *text, size_t capacity) {
    if (s->op == SHAPE_GEMM)
        snprintf(text, capacity, "%s%sgemm_%ux%ux%u", s->layer, *s->layer ? "_" : "", s->m, s->n,
                 s->k);
    else
        snprintf(text, capacity, "%s%s%s_%ux%ux%u_%u_k%us%u", s->model, *s->model ? "_" : "",
                 *s->layer ? s->layer : "layer", s->c_in, s->h, s->w, s->c_out, s->kernel,
                 s->stride);
    for (char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c)) *c = '-';
}
