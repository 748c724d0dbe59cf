// SPDX-License-Identifier: Apache-2.0
// Settings of the smoothing.
#include "ptq/setting.h"

#include <string.h>

#include "quernel/smooth.h"

size_t quernel_i_setting_factors(const quernel_i_ptq_layer *f, int32_t kind) {
    if (kind == QUERNEL_SMOOTH_NONE) return 0;
    return kind == QUERNEL_SMOOTH_CHANNEL ? f->shape.in : (size_t)f->shape.in * f->shape.taps;
}

static quernel_tensor tensor_of(const quernel_i_ptq_layer *f, const quernel_i_ptq_image *i) {
    return (quernel_tensor){
        .layout = QUERNEL_LAYOUT_NHWC, .n = i->n, .c = f->shape.in, .h = i->h, .w = i->w};
}

// The im2col columns of the layer, as an observer describes them.
static quernel_observer_desc columns_of(const quernel_i_ptq_layer *f) {
    const quernel_conv2d_desc *g = &f->geometry;
    quernel_observer_desc d = QUERNEL_OBSERVER_DESC_INIT;
    d.kernel_h = f->shape.kernel_h, d.kernel_w = f->shape.kernel_w;
    d.stride_h = g->stride_h, d.stride_w = g->stride_w, d.dilation_h = g->dilation_h,
    d.dilation_w = g->dilation_w;
    d.pad_top = g->pad_top, d.pad_left = g->pad_left, d.pad_bottom = g->pad_bottom,
    d.pad_right = g->pad_right;
    return d;
}

int quernel_i_setting_absmax(quernel_i_ptq_layer *f, int32_t kind, const bool *wanted,
                             float *ret_max, quernel_error *error) {
    quernel_observer_desc d = columns_of(f);
    d.granularity =
        kind == QUERNEL_SMOOTH_COLUMN ? QUERNEL_GRANULARITY_COLUMN : QUERNEL_GRANULARITY_CHANNEL;
    d.channels = f->shape.in, d.histogram = 0, d.allocator = f->layer.allocator;
    quernel_observer *o = NULL;
    int code = quernel_observer_create(&d, &o, error);
    for (uint32_t i = 0; i < f->count && !code; i++) {
        const quernel_tensor t = tensor_of(f, &f->images[i]);
        if (!wanted || wanted[i]) code = quernel_observer_update(o, &t, f->images[i].x, error);
    }
    if (!code) code = quernel_observer_absmax(o, ret_max, error);
    quernel_observer_destroy(o);
    return code;
}

// x / s of tap t, as a dense copy.
static void smooth_image(const quernel_i_ptq_layer *f, const quernel_i_ptq_image *image,
                         const quernel_i_setting *s, uint32_t t, float *ret_x) {
    const uint32_t channels = f->shape.in;
    const size_t taps = s->kind == QUERNEL_SMOOTH_COLUMN ? f->shape.taps : 1,
                 count = quernel_i_ptq_image_inputs(f, image);
    for (size_t i = 0; i < count; i++) {
        const float factor =
            s->kind == QUERNEL_SMOOTH_NONE ? 1.0f : s->smooth[i % channels * taps + t];
        ret_x[i] = image->x[i] * (1.0f / factor);
    }
}

// Per column each tap has factors of its own: the image is seen once for each. The border's share
// is the only difference from the im2col matrix.
static int observe(quernel_i_ptq_layer *f, const bool *wanted, quernel_i_setting *s,
                   quernel_error *error) {
    const uint32_t views = s->kind == QUERNEL_SMOOTH_COLUMN ? f->shape.taps : 1;
    int code = QUERNEL_OK;
    for (uint32_t i = 0; i < f->count && !code; i++) {
        if (wanted && !wanted[i]) continue;
        const quernel_i_ptq_image *image = &f->images[i];
        const quernel_tensor t = tensor_of(f, image);
        quernel_i_arena_block *mark = f->arena.last;
        float *x =
            quernel_i_arena_take(&f->arena, quernel_i_ptq_image_inputs(f, image), sizeof *x, error);
        if (!x) return QUERNEL_E_MEMORY;
        for (uint32_t v = 0; v < views && !code; v++) {
            smooth_image(f, image, s, v, x);
            code = quernel_observer_update(s->observer, &t, x, error);
        }
        quernel_i_arena_rewind(&f->arena, mark);
    }
    return code;
}

int quernel_i_setting_open(quernel_i_ptq_layer *f, const bool *wanted, quernel_i_setting *setting,
                           quernel_error *error) {
    setting->weights = NULL, setting->observer = NULL;
    quernel_observer_desc d = QUERNEL_OBSERVER_DESC_INIT;
    d.allocator = f->layer.allocator;
    int code =
        quernel_i_ptq_layer_pack(f, setting->kind, setting->smooth, &setting->weights, error);
    if (!code) code = quernel_observer_create(&d, &setting->observer, error);
    if (!code) code = observe(f, wanted, setting, error);
    if (code) quernel_i_setting_close(setting);
    return code;
}

void quernel_i_setting_close(quernel_i_setting *setting) {
    quernel_weights_release(setting->weights);
    quernel_observer_destroy(setting->observer);
    setting->weights = NULL, setting->observer = NULL;
}
