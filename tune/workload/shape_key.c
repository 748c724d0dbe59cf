// SPDX-License-Identifier: Apache-2.0
// A layer from the key of a table's row, so that it can be timed again. Numbers of up to nine
// digits fit their types; a longer one, or anything behind the last, is no such key.
#include "tune/workload/shape_key.h"

#include <stdio.h>
#include <string.h>

static bool find_type(const char *name, int32_t *ret) {
    for (int type = 0; quernel_type_name((quernel_type)type); type++)
        if (!strcmp(name, quernel_type_name((quernel_type)type))) return *ret = type, true;
    return false;
}

// Tensors of a key must be what a workload can offer: float on both sides, or int8 on both.
static bool take_tensors(const char *x, const char *y, request *r) {
    char type[2][8], layout[2][8];
    unsigned border[2][2];
    const char *texts[] = {x, y};
    int32_t types[2];
    for (int i = 0; i < 2; i++) {
        int end = 0;
        if (sscanf(texts[i], "%7[^.].%7[^.].b%9ux%9u%n", type[i], layout[i], &border[i][0],
                   &border[i][1], &end) != 4 ||
            texts[i][end] || !find_type(type[i], &types[i]))
            return false;
    }
    r->nchw = !strcmp(layout[0], "nchw");
    if (strcmp(layout[0], layout[1])) return false;
    if (types[0] == QUERNEL_TYPE_F32)
        return r->boundary = BOUNDARY_F32, types[1] == QUERNEL_TYPE_F32;
    r->s32 = types[1] == QUERNEL_TYPE_S32;
    r->x_type = types[0];
    r->boundary = border[1][0] ? BOUNDARY_INT8 : BOUNDARY_INT8_DENSE;
    return (types[0] == QUERNEL_TYPE_U8 || types[0] == QUERNEL_TYPE_S8) &&
           (r->s32 || types[1] == types[0]);
}

// The least padding of a deconvolution that gives this size, with an output padding that makes up
// for it.
static bool find_padding(uint32_t size, uint32_t stride, uint32_t kernel, uint32_t dilation,
                         uint32_t out, uint32_t *pad, uint32_t *out_pad) {
    const int64_t whole = (int64_t)(size - 1) * stride + (int64_t)dilation * (kernel - 1) + 1,
                  less = whole - out;
    if (less < 0) return *pad = 0, (*out_pad = (uint32_t)-less) < stride;
    return *pad = (uint32_t)((less + 1) / 2), *out_pad = (uint32_t)(less % 2), true;
}

static bool take_quant(const char *op, request *r) {
    char mode[8], smooth[8];
    int end = 0;
    const char *at = strstr(op, " q=");
    if (!at || sscanf(at, " q=%7s smooth=%7s%n", mode, smooth, &end) != 2 || at[end] ||
        !strcmp(mode, "row"))
        return false;
    r->dynamic = !strcmp(mode, "call");
    r->smooth = !strcmp(smooth, "column") ? QUERNEL_SMOOTH_COLUMN : QUERNEL_SMOOTH_NONE;
    return true;
}

// Kind, kernel, stride, dilation and groups, and how the tensors are held.
static bool take_op(const char *op, char kind[16], shape *s, request *r) {
    char x[32], y[32];
    uint32_t dilation_w;
    if (sscanf(op, "%15s k%9ux%9u s%9ux%9u d%9ux%9u g%9u x=%31s y=%31s", kind, &s->kernel,
               &s->kernel_w, &s->stride, &s->stride_w, &s->dilation, &dilation_w, &s->groups, x,
               y) != 10)
        return false;
    s->residual = strstr(op, " residual") != NULL;
    return s->dilation == dilation_w && take_tensors(x, y, r) && take_quant(op, r);
}

static enum shape_op op_named(const char *kind, const shape *s) {
    if (!strcmp(kind, "linear")) return SHAPE_GEMM;
    if (!strcmp(kind, "deconv2d")) return SHAPE_DECONV;
    return s->groups > 1 && s->groups == s->c_in && s->c_out == s->c_in ? SHAPE_DEPTHWISE
                                                                        : SHAPE_CONV;
}

static bool take_padding(shape *s, int top, int left, uint32_t h_out, uint32_t w_out) {
    if (s->op == SHAPE_DECONV)
        return find_padding(s->h, s->stride, s->kernel, s->dilation, h_out, &s->pad, &s->out_pad) &&
               find_padding(s->w, s->stride_w, s->kernel_w, s->dilation, w_out, &s->pad_w,
                            &s->out_pad);
    s->pad = (uint32_t)top, s->pad_w = (uint32_t)left;
    return top >= 0 && left >= 0;
}

// Of rows that were timed alone: a layer cannot be timed within its network by its key.
static bool take_env(const char *env, request *r) {
    int end = 0;
    return sscanf(env, "threads=%9u warm%n", &r->threads, &end) == 1 && end && !env[end];
}

bool shape_of_key(const char *op, const char *sizes, const char *env, shape *s, request *r) {
    char kind[16];
    unsigned h_out, w_out;
    int top, left, end = 0;
    *s = (shape){.repeat = 1, .activation = "none"};
    *r = (request){.x_type = QUERNEL_TYPE_U8, .isa = -1, .seed = 1};
    if (!take_op(op, kind, s, r) || !take_env(env, r) ||
        sscanf(sizes, "%9ux%9ux%9ux%9u:%9ux%9ux%9u:p%9dx%9d%n", &s->batch, &s->c_in, &s->h, &s->w,
               &s->c_out, &h_out, &w_out, &top, &left, &end) != 9 ||
        sizes[end])
        return false;
    s->op = op_named(kind, s);
    if (s->op == SHAPE_GEMM) {
        s->m = s->w, s->n = s->c_out, s->k = s->c_in;
        return shape_complete(s);
    }
    return take_padding(s, top, left, h_out, w_out) && shape_complete(s) && s->h_out == h_out &&
           s->w_out == w_out;
}
