// SPDX-License-Identifier: Apache-2.0
// The weights of a workload.
#include <math.h>
#include <stdlib.h>

#include "tune/workload/parts.h"

// Uniform in [lo, hi); NULL without memory.
static float *draw(uint64_t *seed, size_t count, float lo, float hi) {
    float *x = malloc(count * sizeof *x);
    for (size_t i = 0; x && i < count; i++) x[i] = lo + (hi - lo) * workload_uniform(seed);
    return x;
}

// Laplace's distribution: many small values and a few large ones, as training leaves them. Some
// kernels take longer for others. NULL without memory.
static float *draw_trained(uint64_t *seed, size_t count, float scale) {
    float *x = draw(seed, count, -1.0f, 1.0f);
    for (size_t i = 0; x && i < count; i++)
        x[i] = copysignf(-scale * logf(1 - fabsf(x[i]) * 0x1.fffffep-1f), x[i]);
    return x;
}

static void describe(const shape *p, quernel_weights_desc *d) {
    d->kind = p->op == SHAPE_GEMM     ? QUERNEL_WEIGHTS_LINEAR
              : p->op == SHAPE_DECONV ? QUERNEL_WEIGHTS_DECONV2D
                                      : QUERNEL_WEIGHTS_CONV2D;
    d->out = shape_out(p), d->in = shape_in(p);
    d->groups = p->op == SHAPE_GEMM ? 1 : p->groups;
    if (p->op != SHAPE_GEMM) d->kernel_h = p->kernel, d->kernel_w = p->kernel_w;
    if (p->op == SHAPE_DECONV) d->deconv_stride_h = p->stride, d->deconv_stride_w = p->stride_w;
}

int workload_pack_weights(const shape *p, uint64_t seed, int32_t smooth_kind, float scale,
                          quernel_weights **ret_weights, quernel_error *error) {
    quernel_weights_desc d = QUERNEL_WEIGHTS_DESC_INIT;
    describe(p, &d);
    const uint32_t taps = p->op == SHAPE_GEMM ? 1 : p->kernel * p->kernel_w;
    const size_t count = (size_t)d.in / d.groups * d.out * taps;
    const size_t factors = smooth_kind == QUERNEL_SMOOTH_COLUMN ? (size_t)d.in * taps : d.in;
    float *data = draw_trained(&seed, count, scale), *smooth = draw(&seed, factors, 0.5f, 2.0f);
    int code = QUERNEL_E_MEMORY;
    if (data && smooth) {
        d.data = data;
        d.smooth_kind = smooth_kind;
        d.smooth = smooth_kind ? smooth : NULL;
        code = quernel_weights_pack(&d, ret_weights, error);
    }
    free(data), free(smooth);
    return code;
}

int workload_make_weights(workload *w) {
    quernel_error error = {.text = "no memory"};
    const int code = workload_pack_weights(w->shape, w->request.seed ^ 0x5ee, w->request.smooth,
                                           1.0f, &w->weights, &error);
    return code ? workload_refuse(w, error.text) : 1;
}
