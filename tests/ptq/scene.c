// SPDX-License-Identifier: Apache-2.0
// Drawing a layer, and computing it twice: by public operators, and naively in double.
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#include "../op/rng.h"
#include "../unit/check.h"

const char *const scene_names[SCENE_KINDS] = {"conv", "groups", "depthwise", "deconv", "linear"};

static void shape(scene *s, scene_kind kind) {
    quernel_weights_desc *w = &s->described;
    quernel_conv2d_desc *d = &s->op;
    w->in = MAX_IN, w->out = MAX_OUT;
    if (kind != SCENE_LINEAR) {
        w->kind = kind == SCENE_DECONV ? QUERNEL_WEIGHTS_DECONV2D : QUERNEL_WEIGHTS_CONV2D;
        w->kernel_h = w->kernel_w = 3;
        d->pad_top = d->pad_left = d->pad_bottom = d->pad_right = 1;
    }
    if (kind == SCENE_GROUPS) w->groups = 4;
    if (kind == SCENE_DEPTHWISE) w->out = w->groups = MAX_IN;
    if (kind == SCENE_DECONV) d->stride_h = d->stride_w = 2, d->out_pad_h = d->out_pad_w = 1;
    d->epilogue.activation =
        kind == SCENE_LINEAR ? QUERNEL_ACTIVATION_NONE : QUERNEL_ACTIVATION_RELU;
}

static bool loud(uint32_t channel) { return channel % 8 == 3; }

static uint32_t input_channel(const quernel_weights_desc *w, size_t i) {
    const size_t taps = (size_t)w->kernel_h * w->kernel_w;
    if (w->kind == QUERNEL_WEIGHTS_DECONV2D) return (uint32_t)(i / (w->out / w->groups * taps));
    const size_t group_in = w->in / w->groups, n = i / (group_in * taps);
    return (uint32_t)(n / (w->out / w->groups) * group_in + i / taps % group_in);
}

void scene_make(scene *s, scene_kind kind, uint64_t seed, float loudness) {
    memset(s, 0, sizeof *s);
    s->described = (quernel_weights_desc)QUERNEL_WEIGHTS_DESC_INIT,
    s->op = (quernel_conv2d_desc)QUERNEL_CONV2D_DESC_INIT;
    s->layer = (quernel_float_layer)QUERNEL_FLOAT_LAYER_INIT;
    s->layer.weights = &s->described, s->layer.op = &s->op;
    shape(s, kind);
    quernel_weights_desc *w = &s->described;
    rng r = rng_make(51 + seed, kind);
    const size_t count = (size_t)w->in * w->out / w->groups * w->kernel_h * w->kernel_w;
    for (size_t i = 0; i < count; i++)
        s->weights[i] = rng_float(&r, -1.0f, 1.0f) / (loud(input_channel(w, i)) ? loudness : 1.0f);
    for (uint32_t n = 0; n < w->out; n++) s->bias[n] = rng_float(&r, -1.0f, 1.0f);
    w->data = s->weights, s->op.epilogue.bias = s->bias;
    for (int i = 0; i < SAMPLES; i++) {
        const bool nchw = kind != SCENE_LINEAR && i % 2;
        s->samples[i].tensor =
            (quernel_tensor){.layout = nchw ? QUERNEL_LAYOUT_NCHW : QUERNEL_LAYOUT_NHWC,
                             .n = 1,
                             .c = MAX_IN,
                             .h = kind == SCENE_LINEAR ? 1 : SIDE,
                             .w = kind == SCENE_LINEAR ? SIDE * SIDE : SIDE};
        s->samples[i].data = s->x[i];
        for (int j = 0; j < MAX_X; j++) {
            const uint32_t channel = (uint32_t)(nchw ? j / (SIDE * SIDE) : j % MAX_IN);
            s->x[i][j] =
                fmaxf(0.0f, rng_float(&r, -0.5f, 1.0f)) * (loud(channel) ? loudness : 1.0f);
        }
    }
}

quernel_choice scene_search(scene *s, const quernel_search_options *options) {
    quernel_choice c = QUERNEL_CHOICE_INIT;
    quernel_error e = {0};
    CHECK(quernel_search_layer(&s->layer, s->samples, SAMPLES, options, &c, s->smooth, &e) ==
              QUERNEL_OK,
          "%s", e.text);
    return c;
}

quernel_report scene_audit(scene *s, const quernel_choice *choice) {
    quernel_report r = QUERNEL_REPORT_INIT;
    quernel_error e = {0};
    CHECK(quernel_audit_layer(&s->layer, choice, s->smooth, s->samples, SAMPLES, &r, &e) ==
              QUERNEL_OK,
          "%s", e.text);
    return r;
}

static uint32_t out_side(const scene *s) {
    return s->described.kind == QUERNEL_WEIGHTS_DECONV2D ? 2 * SIDE : SIDE;
}

size_t scene_outputs(const scene *s) {
    return (size_t)out_side(s) * out_side(s) * s->described.out;
}

static int create(const scene *s, quernel_weights *weights, const quernel_choice *c, int i,
                  int32_t y_type, quernel_operator **ret, quernel_error *e) {
    quernel_conv2d_desc d = s->op;
    d.weights = weights, d.x = s->samples[i].tensor, d.y.layout = d.x.layout;
    d.quant = c->quant, d.epilogue.y_type = y_type;
    if (y_type == QUERNEL_TYPE_S32)
        d.epilogue.bias = NULL, d.epilogue.activation = QUERNEL_ACTIVATION_NONE;
    if (s->described.kind == QUERNEL_WEIGHTS_DECONV2D) return quernel_deconv2d_create(&d, ret, e);
    if (s->described.kind == QUERNEL_WEIGHTS_CONV2D) return quernel_conv2d_create(&d, ret, e);
    quernel_linear_desc l = QUERNEL_LINEAR_DESC_INIT;
    l.weights = weights, l.m = SIDE * SIDE, l.quant = d.quant, l.epilogue = d.epilogue;
    return quernel_linear_create(&l, ret, e);
}

bool scene_run(const scene *s, const quernel_choice *c, int i, int32_t y_type, void *y) {
    quernel_weights_desc w = s->described;
    quernel_weights *weights = NULL;
    quernel_operator *op = NULL;
    quernel_error e = {0};
    w.smooth_kind = c->smooth_kind, w.smooth = s->smooth;
    if (w.kind == QUERNEL_WEIGHTS_DECONV2D) w.deconv_stride_h = w.deconv_stride_w = 2;
    int code = quernel_weights_pack(&w, &weights, &e);
    if (!code) code = create(s, weights, c, i, y_type, &op, &e);
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (!code) code = quernel_operator_run(op, s->x[i], NULL, y, workspace, bytes, NULL, &e);
    free(workspace);
    quernel_operator_destroy(op);
    quernel_weights_release(weights);
    return CHECK(code == QUERNEL_OK, "%s", e.text);
}

// Pixel (h, w, c) of an image of `side` in the sample's layout; linear rows are the pixels of an
// NHWC image.
static size_t at(const scene *s, int i, int side, uint32_t channels, int h, int w, uint32_t c) {
    const bool nchw = s->samples[i].tensor.layout == QUERNEL_LAYOUT_NCHW;
    return nchw ? ((size_t)c * side + h) * side + w : ((size_t)h * side + w) * channels + c;
}

static double one(const scene *s, int i, int h, int w, uint32_t n) {
    const quernel_weights_desc *d = &s->described;
    const int taps = (int)(d->kernel_h * d->kernel_w), group_in = (int)(d->in / d->groups),
              group_out = (int)(d->out / d->groups);
    const int group = (int)n / group_out, pad = taps > 1 ? 1 : 0;
    double sum = (double)s->bias[n];
    for (int c = 0; c < group_in; c++)
        for (int t = 0; t < taps; t++) {
            int y = h + t / 3 * (taps > 1) - pad, x = w + t % 3 * (taps > 1) - pad;
            size_t weight = ((size_t)n * group_in + c) * taps + t;
            if (d->kind == QUERNEL_WEIGHTS_DECONV2D) {
                if ((h + pad - t / 3) % 2 || (w + pad - t % 3) % 2) continue;
                y = (h + pad - t / 3) / 2, x = (w + pad - t % 3) / 2;
                weight = ((size_t)c * group_out + n) * taps + t;
            }
            if (y < 0 || y >= SIDE || x < 0 || x >= SIDE) continue;
            sum += (double)s->weights[weight] *
                   (double)s->x[i][at(s, i, SIDE, d->in, y, x, (uint32_t)(group * group_in + c))];
        }
    return sum;
}

void scene_exact(const scene *s, int i, double *y) {
    const int side = (int)out_side(s);
    for (int p = 0; p < side * side; p++)
        for (uint32_t n = 0; n < s->described.out; n++)
            y[at(s, i, side, s->described.out, p / side, p % side, n)] =
                one(s, i, p / side, p % side, n);
}
