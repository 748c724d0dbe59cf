// SPDX-License-Identifier: Apache-2.0
// A layer's key.
#include "table/key.h"

#include <math.h>
#include <stdio.h>

static const char *kind_of(const quernel_i_layer *l) {
    static const char *const kinds[] = {[QUERNEL_WEIGHTS_LINEAR] = "linear",
                                        [QUERNEL_WEIGHTS_CONV2D] = "conv2d",
                                        [QUERNEL_WEIGHTS_DECONV2D] = "deconv2d"};
    return kinds[l->weights->shape.kind];
}

static void print_tensor(const quernel_tensor *t, char *text, size_t capacity) {
    snprintf(text, capacity, "%s.%s.b%ux%u", quernel_type_name((quernel_type)t->type),
             t->layout == QUERNEL_LAYOUT_NCHW ? "nchw" : "nhwc", t->border_h, t->border_w);
}

void quernel_i_key_of(const quernel_i_layer *l, quernel_i_key *key) {
    static const char *const modes[] = {"static", "call", "row"};
    const quernel_i_weights_shape *s = &l->weights->shape;
    char x[32], y[32];
    print_tensor(&l->x, x, sizeof x);
    print_tensor(&l->y, y, sizeof y);
    snprintf(key->op, sizeof key->op, "%s k%ux%u s%ux%u d%ux%u g%u x=%s y=%s%s q=%s smooth=%s", kind_of(l), s->kernel_h,
             s->kernel_w, l->stride_h * l->up_h, l->stride_w * l->up_w, l->dilation_h, l->dilation_w, s->groups, x, y,
             l->finish.residual ? " residual" : "", modes[l->quant.mode],
             l->weights->smooth_kind == QUERNEL_SMOOTH_COLUMN ? "column" : "none"); // by channel costs nothing
    snprintf(key->shape, sizeof key->shape, "%ux%ux%ux%u:%ux%ux%u:p%dx%d", l->x.n, l->x.c, l->x.h, l->x.w, l->y.c,
             l->y.h, l->y.w, l->pad_top, l->pad_left);
    snprintf(key->env, sizeof key->env, "threads=%u warm", l->threads);
    key->m = (uint64_t)l->x.n * l->grid_h * l->grid_w;
    key->n = (uint64_t)s->out / s->groups * l->up_h * l->up_w;
    key->k = (uint64_t)s->window_h * s->run_length;
    if (s->format == QUERNEL_I_FORMAT_TAPS) key->n = s->out, key->k = s->taps;
}

double quernel_i_key_octaves(const quernel_i_key *key, uint64_t m, uint64_t n, uint64_t k) {
    const double by_m = fabs(log2((double)key->m / (double)m)), by_n = fabs(log2((double)key->n / (double)n));
    return fmax(fmax(by_m, by_n), fabs(log2((double)key->k / (double)k)));
}
