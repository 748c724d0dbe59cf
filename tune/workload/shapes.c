// SPDX-License-Identifier: Apache-2.0
// CSV of layers and products.
#include "tune/workload/shapes.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 1024, COLUMNS_MOST = 40, UNSET = -1 };

typedef struct column {
    const char *name;
    size_t offset;
    uint32_t otherwise; // where the column is absent or empty; 0 with `needed` has none
    int needed;         // 1: for layers, 2: for products
} column;

static const column columns[] = {
    {"c_in", offsetof(shape, c_in), 0, 1},     {"h", offsetof(shape, h), 0, 1},
    {"w", offsetof(shape, w), 0, 1},           {"c_out", offsetof(shape, c_out), 0, 1},
    {"kernel", offsetof(shape, kernel), 0, 1}, {"stride", offsetof(shape, stride), 0, 1},
    {"pad", offsetof(shape, pad), 0, 1},       {"m", offsetof(shape, m), 0, 2},
    {"n", offsetof(shape, n), 0, 2},           {"k", offsetof(shape, k), 0, 2},
    {"batch", offsetof(shape, batch), 1, 0},   {"groups", offsetof(shape, groups), 1, 0},
    {"dilation", offsetof(shape, dilation), 1, 0}, {"out_pad", offsetof(shape, out_pad), 0, 0},
    {"repeat", offsetof(shape, repeat), 1, 0}, {"residual", offsetof(shape, residual), 0, 0},
    {"kernel_w", offsetof(shape, kernel_w), 0, 0}, {"stride_w", offsetof(shape, stride_w), 0, 0},
    {"pad_w", offsetof(shape, pad_w), UINT32_MAX, 0}, {"input", offsetof(shape, input), 0, 0},
    {"slice", offsetof(shape, slice), UINT32_MAX, 0},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int fail(const char *path, int line, const char *what, const char *value) {
    fprintf(stderr, "quernel: %s:%d: %s: %s\n", path, line, what, value);
    return -1;
}

static int split(char *line, char **fields) {
    line[strcspn(line, "\r\n")] = 0;
    int count = 0;
    while (count < COLUMNS_MOST) {
        fields[count++] = line;
        char *comma = strchr(line, ',');
        if (!comma) break;
        *comma = 0;
        line = comma + 1;
    }
    return count;
}

static int find(char **header, int count, const char *name) {
    for (int i = 0; i < count; i++)
        if (!strcmp(header[i], name)) return i;
    return UNSET;
}

static const char *field(char **header, int headers, char **fields, int count, const char *name) {
    const int at = find(header, headers, name);
    return at == UNSET || at >= count || !*fields[at] ? NULL : fields[at];
}

static int read_op(const char *text, shape *s) {
    static const char *const names[] = {"gemm", "conv", "deconv", "depthwise"};
    for (int i = 1; i < 4; i++)
        if (text && !strcmp(text, names[i])) {
            s->op = (enum shape_op)i;
            return 1;
        }
    return 0;
}

static int read_row(const char *path, int line, char **header, int headers, char **fields, int count, int gemm,
                    shape *s) {
    memset(s, 0, sizeof *s);
    s->op = SHAPE_GEMM;
    const char *text = field(header, headers, fields, count, "op");
    if (!gemm && !read_op(text, s)) return fail(path, line, "op", text ? text : "(missing)");
    for (int i = 0; i < COLUMNS; i++) {
        uint32_t *to = (uint32_t *)((char *)s + columns[i].offset);
        text = field(header, headers, fields, count, columns[i].name);
        char *end = NULL;
        const unsigned long value = text ? strtoul(text, &end, 10) : columns[i].otherwise;
        if ((text && (*text < '0' || *text > '9' || *end || value > INT32_MAX)) ||
            (!text && columns[i].needed == (gemm ? 2 : 1)))
            return fail(path, line, columns[i].name, text ? text : "(missing)");
        *to = (uint32_t)value;
    }
    const char *layer = field(header, headers, fields, count, gemm ? "kind" : "layer");
    const char *model = field(header, headers, fields, count, "model");
    const char *activation = field(header, headers, fields, count, "activation");
    snprintf(s->layer, sizeof s->layer, "%s", layer ? layer : "");
    snprintf(s->model, sizeof s->model, "%s", model ? model : "");
    snprintf(s->activation, sizeof s->activation, "%s", activation ? activation : "none");
    if (!s->kernel_w) s->kernel_w = s->kernel;
    if (!s->stride_w) s->stride_w = s->stride;
    if (s->pad_w == UINT32_MAX) s->pad_w = s->pad;
    return shape_complete(s) ? 0 : fail(path, line, "sizes", "do not fit one another");
}

int shape_complete(shape *s) {
    if (s->op == SHAPE_GEMM) {
        s->macs = (uint64_t)s->m * s->n * s->k;
        return s->m && s->n && s->k;
    }
    if (!s->kernel || !s->stride || !s->stride_w || !s->groups || !s->dilation || !s->c_in || !s->c_out || !s->batch) return 0;
    if (s->c_in % s->groups || s->c_out % s->groups) return 0;
    const uint32_t taps = s->kernel * s->kernel_w;
    if (s->op == SHAPE_DECONV) {
        const int64_t h = (int64_t)(s->h - 1) * s->stride + (int64_t)s->dilation * (s->kernel - 1) + 1 + s->out_pad - 2 * (int64_t)s->pad;
        const int64_t w = (int64_t)(s->w - 1) * s->stride_w + (int64_t)s->dilation * (s->kernel_w - 1) + 1 + s->out_pad - 2 * (int64_t)s->pad_w;
        if (h < 1 || w < 1) return 0;
        s->h_out = (uint32_t)h, s->w_out = (uint32_t)w;
        s->m = s->batch * s->h * s->w, s->n = s->c_out / s->groups * taps, s->k = s->c_in / s->groups;
    } else {
        const int64_t h = (int64_t)s->h + 2 * s->pad - (int64_t)s->dilation * (s->kernel - 1) - 1;
        const int64_t w = (int64_t)s->w + 2 * s->pad_w - (int64_t)s->dilation * (s->kernel_w - 1) - 1;
        if (h < 0 || w < 0) return 0;
        s->h_out = (uint32_t)(h / s->stride + 1), s->w_out = (uint32_t)(w / s->stride_w + 1);
        s->m = s->batch * s->h_out * s->w_out, s->n = s->c_out / s->groups, s->k = s->c_in / s->groups * taps;
    }
    s->macs = (uint64_t)s->m * s->n * s->k * s->groups;
    return s->m && s->n && s->k;
}

int shapes_read(const char *path, int gemm, shape **ret_shapes) {
    FILE *from = fopen(path, "r");
    if (!from) return fail(path, 0, "file", "cannot be read");
    char head[LINE_MOST], line[LINE_MOST], *header[COLUMNS_MOST], *fields[COLUMNS_MOST];
    int count = 0, number = 1, result = -1;
    shape *shapes = NULL;
    const int headers = fgets(head, sizeof head, from) ? split(head, header) : 0;
    if (!headers) fail(path, 1, "header", "(missing)");
    else result = 0;
    while (!result && fgets(line, sizeof line, from)) {
        number++;
        if (line[strspn(line, " \t\r\n")] == 0) continue;
        shape *more = realloc(shapes, sizeof *shapes * (size_t)(count + 1));
        if (!more) result = fail(path, number, "memory", "none left");
        else shapes = more;
        const int found = split(line, fields);
        if (!result) result = read_row(path, number, header, headers, fields, found, gemm, &shapes[count]);
        if (!result) count++;
    }
    fclose(from);
    if (result) {
        free(shapes);
        return -1;
    }
    *ret_shapes = shapes;
    return count;
}

void shape_name(const shape *s, char *text, size_t capacity) {
    if (s->op == SHAPE_GEMM)
        snprintf(text, capacity, "%s%sgemm_%ux%ux%u", s->layer, *s->layer ? "_" : "", s->m, s->n, s->k);
    else
        snprintf(text, capacity, "%s%s%s_%ux%ux%u_%u_k%us%u", s->model, *s->model ? "_" : "",
                 *s->layer ? s->layer : "layer", s->c_in, s->h, s->w, s->c_out, s->kernel, s->stride);
    for (char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c)) *c = '-';
}
