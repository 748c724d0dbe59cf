// SPDX-License-Identifier: Apache-2.0
// How much memory layers take: what create takes from the caller's allocator, plus the workspace,
// stays below the packed weights and 3.5 MiB a thread, and the packed weights below 1.1 times their
// size rounded up to 16 columns and 64 k. For every row of bench/shapes/layers.csv (QUERNEL_LAYERS
// names another list) and an image whose lines are larger than L2.
#include <stdlib.h>
#include <string.h>

#include "../api/counting.h"
#include "../unit/check.h"
#include "quernel/quernel.h"
#include "tune/workload/shapes.h"

#define MiB ((size_t)1 << 20)

static size_t round_up(size_t value, size_t to) { return (value + to - 1) / to * to; }

// Depthwise weights are rounded up by 16 channels alone: there is no k.
static size_t packed_bound(const shape *s) {
    const size_t taps = (size_t)s->kernel * s->kernel_w;
    if (s->op == SHAPE_DEPTHWISE) return round_up(s->c_out, 16) * taps;
    if (s->op != SHAPE_DECONV)
        return (size_t)(1.1 * (double)round_up(s->n, 16) * (double)round_up(s->k, 64) * s->groups);
    // A convolution for each place of a patch of stride x stride pixels; all in 16 columns where
    // they fit.
    const size_t window = round_up(s->kernel, s->stride) / s->stride *
                          (round_up(s->kernel_w, s->stride_w) / s->stride_w);
    const size_t phases = s->stride * s->stride_w, oc = s->c_out / s->groups * phases;
    const bool interleaved = s->groups == 1 && oc <= 16;
    return (size_t)(1.1 * (double)(interleaved ? 16 : round_up(s->c_out / s->groups, 16) * phases) *
                    (double)round_up(window * (s->c_in / s->groups), 64) * s->groups);
}

static quernel_conv2d_desc describe(const shape *s, int layout, int32_t type, uint32_t threads) {
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    d.x = (quernel_tensor){
        .type = type, .layout = layout, .n = s->batch, .c = s->c_in, .h = s->h, .w = s->w};
    d.y.layout = layout;
    d.stride_h = s->stride, d.stride_w = s->stride_w, d.dilation_h = d.dilation_w = s->dilation;
    d.pad_top = d.pad_bottom = s->pad, d.pad_left = d.pad_right = s->pad_w;
    d.out_pad_h = d.out_pad_w = s->out_pad;
    d.epilogue.y_type = type;
    d.threads = threads;
    return d;
}

static void check_layer(const shape *s, const char *name, const quernel_conv2d_desc *desc,
                        const quernel_weights_desc *w) {
    counting count;
    counting_init(&count, 0);
    quernel_error error = {0};
    quernel_weights_desc wd = *w;
    quernel_conv2d_desc d = *desc;
    wd.allocator = d.allocator = &count.allocator;
    quernel_operator *op = NULL;
    quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
    if (!CHECK(!quernel_weights_pack(&wd, &d.weights, &error), "%s: %s", name, error.text)) return;
    quernel_weights_get(d.weights, &info);
    const int status =
        (s->op == SHAPE_DECONV ? quernel_deconv2d_create : quernel_conv2d_create)(&d, &op, &error);
    if (CHECK(!status, "%s: %s", name, error.text)) {
        CHECK(info.packed_bytes <= packed_bound(s), "%s: packed weights: %zu bytes, bound %zu",
              name, info.packed_bytes, packed_bound(s));
        const size_t total = count.peak + quernel_operator_workspace(op);
        CHECK(total <= info.packed_bytes + 7 * MiB / 2 * d.threads,
              "%s: threads %u: %zu bytes beside %zu of packed weights", name, d.threads,
              total - info.packed_bytes, info.packed_bytes);
    }
    quernel_operator_destroy(op);
    quernel_weights_release(d.weights);
    counting_check(&count, name);
}

static void check_shape(const shape *s, const char *name) {
    const size_t weights = (size_t)s->c_in / s->groups * s->c_out * s->kernel * s->kernel_w;
    float *data = calloc(weights, sizeof *data),
          *ones = malloc((size_t)s->c_in * s->kernel * s->kernel_w * sizeof *ones);
    for (size_t i = 0; i < (size_t)s->c_in * s->kernel * s->kernel_w; i++) ones[i] = 1.0f;
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.kind = s->op == SHAPE_DECONV ? QUERNEL_WEIGHTS_DECONV2D : QUERNEL_WEIGHTS_CONV2D;
    w.out = s->c_out, w.in = s->c_in, w.kernel_h = s->kernel, w.kernel_w = s->kernel_w,
    w.groups = s->groups;
    if (s->op == SHAPE_DECONV) w.deconv_stride_h = s->stride, w.deconv_stride_w = s->stride_w;
    w.data = data, w.smooth = ones;
    for (uint32_t threads = 1; threads <= 2; threads++) {
        quernel_conv2d_desc d = describe(s, QUERNEL_LAYOUT_NHWC, QUERNEL_TYPE_U8, threads);
        check_layer(s, name, &d, &w);
        d = describe(s, QUERNEL_LAYOUT_NCHW, QUERNEL_TYPE_F32, threads);
        check_layer(s, name, &d, &w);
        if (s->op != SHAPE_CONV) continue;
        w.smooth_kind = QUERNEL_SMOOTH_COLUMN;
        check_layer(s, name, &d, &w);
        w.smooth_kind = QUERNEL_SMOOTH_NONE;
    }
    free(data), free(ones);
}

static void test_listed_layers(void) {
    const char *named = getenv("QUERNEL_LAYERS");
    shape *rows = NULL;
    const int count = shapes_read(named ? named : QUERNEL_SHAPES "/layers.csv", 0, &rows);
    if (!CHECK(count > 0, "no layers were read")) return;
    for (int i = 0; i < count; i++) check_shape(&rows[i], rows[i].layer);
    free(rows);
}

static void test_wide_image(void) {
    shape s = {.op = SHAPE_CONV,
               .batch = 1,
               .c_in = 512,
               .h = 8,
               .w = 4096,
               .c_out = 64,
               .kernel = 3,
               .kernel_w = 3,
               .stride = 1,
               .stride_w = 1,
               .pad = 1,
               .pad_w = 1,
               .groups = 1,
               .dilation = 1,
               .repeat = 1};
    shape_complete(&s);
    check_shape(&s, "512 channels, 8 x 4096");
}

const char test_suite[] = "memory";
const test_entry test_entries[] = {
    {"listed_layers", test_listed_layers}, {"wide_image", test_wide_image}, {NULL, NULL}};
