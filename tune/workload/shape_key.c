// SPDX-License-Identifier: Apache-2.0
// A layer from the key of a table's row, so that it can be timed again.
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
    for (int i = 0; i < 2; i++)
        if (sscanf(texts[i], "%7[^.].%7[^.].b%ux%u", type[i], layout[i], &border[i][0], &border[i][1]) != 4 ||
            !find_type(type[i], &types[i]))
            return false;
    r->nchw = !strcmp(layout[0], "nchw");
    if (strcmp(layout[0], layout[1])) return false;
    if (types[0] == QUERNEL_TYPE_F32) return r->boundary = BOUNDARY_F32, types[1] == QUERNEL_TYPE_F32;
    r->s32 = types[1] == QUERNEL_TYPE_S32;
    r->x_type = types[0];
    r->boundary = border[1][0] ? BOUNDARY_INT8 : BOUNDARY_INT8_DENSE;
    return (types[0] == QUERNEL_TYPE_U8 || types[0] == QUERNEL_TYPE_S8) && (r->s32 || types[1] == types[0]);
}

// The least padding of a deconvolution that gives this size, with an output padding that makes up for it.
static bool find_padding(uint32_t size, uint32_t stride, uint32_t kernel, uint32_t dilation, uint32_t out,
                         uint32_t *pad, uint32_t *out_pad) {
    const int64_t whole = (int64_t)(size - 1) * stride + (int64_t)dilation * (kernel - 1) + 1, less = whole - out;
    if (less < 0) return *pad = 0, (*out_pad = (uint32_t)-less) < stride;
    return *pad = (uint32_t)((less + 1) / 2), *out_pad = (uint32_t)(less % 2), true;
}

bool shape_of_key(const char *op, const char *sizes, const char *env, shape *s, request *r) {
    char kind[16], x[32], y[32], mode[8] = "", smooth[8] = "";
    unsigned n, c, h, w, out, oh, ow, kh, kw, sh, sw, dh, dw, groups, threads;
    int top, left;
    *s = (shape){.repeat = 1, .activation = "none"};
    *r = (request){.x_type = QUERNEL_TYPE_U8, .isa = -1, .seed = 1};
    if (sscanf(op, "%15s k%ux%u s%ux%u d%ux%u g%u x=%31s y=%31s", kind, &kh, &kw, &sh, &sw, &dh, &dw, &groups, x, y) !=
            10 ||
        sscanf(sizes, "%ux%ux%ux%u:%ux%ux%u:p%dx%d", &n, &c, &h, &w, &out, &oh, &ow, &top, &left) != 9 ||
        sscanf(env, "threads=%u", &threads) != 1 || dh != dw || !take_tensors(x, y, r))
        return false;
    const char *at = strstr(op, " q=");
    if (!at || sscanf(at, " q=%7s smooth=%7s", mode, smooth) != 2 || !strcmp(mode, "row")) return false;
    r->threads = threads, r->dynamic = !strcmp(mode, "call");
    r->smooth = !strcmp(smooth, "column") ? QUERNEL_SMOOTH_COLUMN : QUERNEL_SMOOTH_NONE;
    s->residual = strstr(op, " residual") != NULL;
    if (!strcmp(kind, "linear")) {
        s->op = SHAPE_GEMM, s->m = w, s->n = out, s->k = c;
        return shape_complete(s);
    }
    s->op = !strcmp(kind, "deconv2d")               ? SHAPE_DECONV
            : groups > 1 && groups == c && out == c ? SHAPE_DEPTHWISE
                                                    : SHAPE_CONV;
    s->batch = n, s->c_in = c, s->h = h, s->w = w, s->c_out = out, s->kernel = kh, s->kernel_w = kw;
    s->stride = sh, s->stride_w = sw, s->groups = groups, s->dilation = dh;
    if (s->op == SHAPE_DECONV) {
        if (!find_padding(h, sh, kh, dh, oh, &s->pad, &s->out_pad) ||
            !find_padding(w, sw, kw, dw, ow, &s->pad_w, &s->out_pad))
            return false;
    } else if (top < 0 || left < 0) return false;
    else s->pad = (uint32_t)top, s->pad_w = (uint32_t)left;
    return shape_complete(s) && s->h_out == oh && s->w_out == ow;
}
