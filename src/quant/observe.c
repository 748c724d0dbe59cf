// SPDX-License-Identifier: Apache-2.0
// Observers: updates, over strided views of an image; for im2col columns over the part that each
// tap touches.
#include "base/error.h"
#include "base/tensor.h"
#include "cpu/fpenv.h"
#include "quant/observer.h"

#define WHERE "observer"

static void observe(quernel_i_group *g, quernel_i_histogram *h, float x, int64_t index) {
    const uint32_t bits = quernel_i_bits(x), magnitude = bits & 0x7fffffffu;
    if (magnitude >= 0x7f800000u) {
        if (magnitude > 0x7f800000u) g->nans++;
        else g->infs++;
        if (g->first_nonfinite < 0 || index < g->first_nonfinite) g->first_nonfinite = index;
        return;
    }
    if (!magnitude) x = 0.0f; // −0 and 0 are one number, whichever came first
    g->sample_count++;
    if (x < g->min) g->min = x;
    if (x > g->max) g->max = x;
    if (x < g->sample_min) g->sample_min = x;
    if (x > g->sample_max) g->sample_max = x;
    if (!magnitude) g->zeros++;
    else if (h) quernel_i_histogram_add(h, bits);
}

// One direction of a view: elements, and what a step means in memory, for the group and for the
// logical index.
typedef struct axis {
    uint32_t size;
    int64_t stride;
    uint64_t group;
    int64_t index;
} axis;

typedef struct view {
    const void *x;
    int32_t type;
    axis axes[3]; // the last one is innermost in memory
    int64_t offset, index;
    uint64_t group;
} view;

static inline float element(const void *x, int32_t type, int64_t offset) {
    return type == QUERNEL_TYPE_F32 ? ((const float *)x)[offset]
                                    : quernel_i_from_bf16(((const uint16_t *)x)[offset]);
}

static void observe_line(quernel_observer *o, const view *v, int64_t offset, uint64_t group,
                         int64_t index) {
    const axis *a = &v->axes[2];
    for (uint32_t i = 0; i < a->size; i++) {
        const uint64_t g = group + i * a->group;
        observe(&o->group[g], o->histogram ? &o->histogram[g] : NULL,
                element(v->x, v->type, offset + i * a->stride), index + i * a->index);
    }
}

static void observe_view(quernel_observer *o, const view *v) {
    const axis *a = &v->axes[0], *b = &v->axes[1];
    for (uint32_t i = 0; i < a->size; i++)
        for (uint32_t j = 0; j < b->size; j++)
            observe_line(o, v, v->offset + i * a->stride + j * b->stride,
                         v->group + i * a->group + j * b->group,
                         v->index + i * a->index + j * b->index);
}

// An image ends: its extremes join the sums.
static void end_sample(quernel_observer *o) {
    for (uint32_t i = 0; i < o->groups; i++) {
        quernel_i_group *g = &o->group[i];
        if (!g->sample_count) continue;
        g->count += g->sample_count;
        g->samples++;
        g->loud += g->sample_min < 0.0f || g->sample_max > 0.0f;
        quernel_i_exact_sum_add(&g->sum_min, -g->sample_min);
        quernel_i_exact_sum_add(&g->sum_max, g->sample_max);
        g->sample_count = 0;
        g->sample_min = g->sample_max = 0.0f;
    }
}

// The part of an axis that a tap touches: positions o·stride + t·dilation − pad within 0 … size − 1
// for the output's o.
static void narrow(axis *a, view *v, uint32_t t, uint32_t kernel, uint32_t stride,
                   uint32_t dilation, uint32_t before, uint32_t after) {
    const int64_t span = (int64_t)dilation * (kernel - 1) + 1,
                  padded = (int64_t)a->size + before + after;
    const int64_t outputs = padded < span ? 0 : (padded - span) / stride + 1;
    const int64_t shift = (int64_t)t * dilation - before;
    int64_t first = shift < 0 ? (-shift + stride - 1) / stride : 0;
    int64_t last = (int64_t)a->size - 1 - shift < 0 ? -1 : ((int64_t)a->size - 1 - shift) / stride;
    if (last > outputs - 1) last = outputs - 1;
    const int64_t at = first * stride + shift;
    a->size = last < first ? 0 : (uint32_t)(last - first + 1);
    v->offset += a->size ? at * a->stride : 0;
    v->index += at * a->index;
    a->stride *= stride;
    a->index *= stride;
}

// Every tap sees a part of the image: each is a view of its own.
static void observe_columns(quernel_observer *o, const view *image, uint32_t h_axis,
                            uint32_t w_axis) {
    const quernel_observer_desc *d = &o->desc;
    for (uint32_t r = 0; r < d->kernel_h; r++)
        for (uint32_t s = 0; s < d->kernel_w; s++) {
            view v = *image;
            v.group = (uint64_t)r * d->kernel_w + s;
            narrow(&v.axes[h_axis], &v, r, d->kernel_h, d->stride_h, d->dilation_h, d->pad_top,
                   d->pad_bottom);
            narrow(&v.axes[w_axis], &v, s, d->kernel_w, d->stride_w, d->dilation_w, d->pad_left,
                   d->pad_right);
            observe_view(o, &v);
        }
}

static void observe_image(quernel_observer *o, const quernel_tensor *t, const void *x, uint32_t n) {
    const quernel_observer_desc *d = &o->desc;
    const bool by_row = d->granularity == QUERNEL_GRANULARITY_ROW,
               nhwc = t->layout == QUERNEL_LAYOUT_NHWC;
    const uint64_t per_channel = d->granularity == QUERNEL_GRANULARITY_CHANNEL ? 1
                                 : d->granularity == QUERNEL_GRANULARITY_COLUMN
                                     ? (uint64_t)d->kernel_h * d->kernel_w
                                     : 0;
    const axis c = {t->c, t->stride_c, per_channel, (int64_t)t->h * t->w};
    const axis h = {t->h, t->stride_h, by_row ? t->w : 0, t->w},
               w = {t->w, t->stride_w, by_row ? 1 : 0, 1};
    view v = {.x = x,
              .type = t->type,
              .offset = n * t->stride_n,
              .index = (int64_t)n * t->c * t->h * t->w};
    v.axes[0] = nhwc ? h : c, v.axes[1] = nhwc ? w : h, v.axes[2] = nhwc ? c : w;
    if (d->granularity == QUERNEL_GRANULARITY_COLUMN)
        observe_columns(o, &v, nhwc ? 0 : 1, nhwc ? 1 : 2);
    else observe_view(o, &v);
}

// Per-channel and per-row statistics are of tensors of one size.
static int check_granularity(const quernel_observer *o, const quernel_tensor *t,
                             quernel_error *error) {
    const int32_t granularity = o->desc.granularity;
    const bool channels =
        granularity == QUERNEL_GRANULARITY_CHANNEL || granularity == QUERNEL_GRANULARITY_COLUMN;
    if (channels && t->c != o->desc.channels)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "tensor", -1,
                                   WHERE ": tensor.c: %u: the observer takes %u", t->c,
                                   o->desc.channels);
    if (granularity == QUERNEL_GRANULARITY_ROW && (uint64_t)t->h * t->w != o->desc.rows)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "tensor", -1,
                                   WHERE ": tensor: %u x %u: the observer takes %u rows", t->h,
                                   t->w, o->desc.rows);
    return QUERNEL_OK;
}

static int check_tensor(const quernel_observer *o, quernel_tensor *t, const void *x,
                        quernel_error *error) {
    if (t->type != QUERNEL_TYPE_F32 && t->type != QUERNEL_TYPE_BF16)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "tensor", -1,
                                   WHERE ": tensor.type: %d: must be f32 or bf16", t->type);
    quernel_i_extent extent;
    int code = quernel_i_tensor_check(t, WHERE, "tensor", &extent, error);
    if (code) return code;
    if ((uintptr_t)x % quernel_type_size((quernel_type)t->type))
        return quernel_i_error_set(error, QUERNEL_E_ALIGN, "x", -1,
                                   WHERE ": x: %p: must be aligned to its elements", x);
    return check_granularity(o, t, error);
}

int quernel_observer_update(quernel_observer *observer, const quernel_tensor *tensor, const void *x,
                            quernel_error *error) {
    if (!observer) return quernel_i_error_null(error, WHERE, "observer");
    if (!tensor) return quernel_i_error_null(error, WHERE, "tensor");
    if (!x) return quernel_i_error_null(error, WHERE, "x");
    quernel_tensor t = *tensor;
    const int code = check_tensor(observer, &t, x, error);
    if (code) return code;
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    for (uint32_t n = 0; n < t.n; n++) {
        observe_image(observer, &t, x, n);
        end_sample(observer);
    }
    quernel_i_fpenv_leave(caller);
    return QUERNEL_OK;
}
