// SPDX-License-Identifier: Apache-2.0
// A layer's key.
#include "table/key.h"

#include <math.h>
#include <stdio.h>

static const char *kind_of(const quernel_i_problem *p) {
    static const char *const kinds[] = {[QUERNEL_WEIGHTS_LINEAR] = "linear",
                                        [QUERNEL_WEIGHTS_CONV2D] = "conv2d",
                                        [QUERNEL_WEIGHTS_DECONV2D] = "deconv2d"};
    return kinds[p->weights->shape.kind];
}

static void print_tensor(const quernel_tensor *t, char *text, size_t capacity) {
    snprintf(text, capacity, "%s.%s.b%ux%u", quernel_type_name((quernel_type)t->type),
             t->layout == QUERNEL_LAYOUT_NCHW ? "nchw" : "nhwc", t->border_h, t->border_w);
}

void quernel_i_key_of(const quernel_i_problem *p, quernel_i_key *key) {
    static const char *const modes[] = {"static", "call", "row"};
    const quernel_i_weights_shape *s = &p->weights->shape;
    char x[32], y[32];
    print_tensor(&p->x, x, sizeof x);
    print_tensor(&p->y, y, sizeof y);
    snprintf(key->op, sizeof key->op, "%s k%ux%u s%ux%u d%ux%u g%u x=%s y=%s%s q=%s smooth=%s",
             kind_of(p), s->kernel_h, s->kernel_w, p->stride_h * p->up_h, p->stride_w * p->up_w,
             p->dilation_h, p->dilation_w, s->groups, x, y, p->epilogue.residual ? " residual" : "",
             modes[p->quant.mode],
             // by channel costs nothing
             p->weights->smooth_kind == QUERNEL_SMOOTH_COLUMN ? "column" : "none");
    snprintf(key->shape, sizeof key->shape, "%ux%ux%ux%u:%ux%ux%u:p%dx%d", p->x.n, p->x.c, p->x.h,
             p->x.w, p->y.c, p->y.h, p->y.w, p->pad_top, p->pad_left);
    snprintf(key->env, sizeof key->env, "threads=%u warm", p->threads);
    snprintf(key->network_env, sizeof key->network_env, "threads=%u network", p->threads);
    key->m = (uint64_t)p->x.n * p->grid_h * p->grid_w;
    key->n = (uint64_t)s->out / s->groups * p->up_h * p->up_w;
    key->k = (uint64_t)s->window_h * s->k_run_length;
    if (s->format == QUERNEL_I_FORMAT_TAPS) key->n = s->out, key->k = s->taps;
}

double quernel_i_key_octaves(const quernel_i_key *key, uint64_t m, uint64_t n, uint64_t k) {
    const double by_m = fabs(log2((double)key->m / (double)m)),
                 by_n = fabs(log2((double)key->n / (double)n));
    return fmax(fmax(by_m, by_n), fabs(log2((double)key->k / (double)k)));
}
