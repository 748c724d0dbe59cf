// SPDX-License-Identifier: Apache-2.0
// Descriptors of products under libFuzzer: linear, conv2d, deconv2d, and the weights they want.
#include "operate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int create_linear(const void *desc, quernel_operator **ret_op, quernel_error *error) {
    return quernel_linear_create(desc, ret_op, error);
}
static int create_conv2d(const void *desc, quernel_operator **ret_op, quernel_error *error) {
    return quernel_conv2d_create(desc, ret_op, error);
}
static int create_deconv2d(const void *desc, quernel_operator **ret_op, quernel_error *error) {
    return quernel_deconv2d_create(desc, ret_op, error);
}

static const int32_t types[] = {QUERNEL_TYPE_U8, QUERNEL_TYPE_F32, QUERNEL_TYPE_S8,
                                QUERNEL_TYPE_BF16};

static int64_t draw_stride(source *s, uint32_t columns) {
    static const int64_t odd[] = {-1, 1, INT64_MAX, INT64_MIN};
    if (source_one_in(s, 32)) return odd[source_below(s, 4)];
    return source_one_in(s, 3) ? (int64_t)columns + source_below(s, 8) : 0;
}

static void fuzz_linear(source *s) {
    quernel_weights_desc w;
    quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
    d.weights = source_weights(s, QUERNEL_WEIGHTS_LINEAR, &w);
    d.size = source_struct(s, sizeof d);
    d.m = source_size(s, 40);
    d.x_type = (int32_t)source_odd(s, (uint32_t)types[source_below(s, 4)]);
    d.x_stride = draw_stride(s, w.in), d.y_stride = draw_stride(s, w.out),
    d.residual_stride = draw_stride(s, w.out);
    source_quant(s, &d.quant, d.x_type);
    if (source_one_in(s, 4)) d.quant.row_scale = source_scales(s, d.m);
    source_epilogue(s, &d.epilogue, w.out, true);
    d.threads = source_odd(s, source_below(s, 4)), d.isa = source_isa(s);
    d.config = source_config(s), d.allocator = &s->allocator;
    operate(s, &(operate_subject){create_linear, &d, sizeof d, &d.isa, &d.config, d.quant.zero,
                                  .depth = w.in});
    quernel_weights_release(d.weights);
}

static void draw_window(source *s, quernel_conv2d_desc *d, const quernel_weights_desc *w) {
    const bool deconv = w->kind == QUERNEL_WEIGHTS_DECONV2D;
    d->stride_h = source_size(s, 3), d->stride_w = source_size(s, 3);
    if (deconv && !source_one_in(s, 8)) {
        d->stride_h = w->deconv_stride_h ? w->deconv_stride_h : w->kernel_h;
        d->stride_w = w->deconv_stride_w ? w->deconv_stride_w : w->kernel_w;
    }
    if (source_one_in(s, 4)) d->dilation_h = source_size(s, 3), d->dilation_w = source_size(s, 3);
    uint32_t *const pads[] = {&d->pad_top, &d->pad_left, &d->pad_bottom, &d->pad_right};
    for (int i = 0; i < 4; i++) *pads[i] = source_odd(s, source_below(s, 3));
    if (source_one_in(s, deconv ? 2 : 32))
        d->out_pad_h = source_odd(s, source_below(s, 2)),
        d->out_pad_w = source_odd(s, source_below(s, 2));
}

static void draw_tensors(source *s, quernel_conv2d_desc *d, const quernel_weights_desc *w) {
    const uint32_t x[4] = {2, w->in, 16, 20}, y[4] = {2, w->out, 80, 90};
    d->x.type = (int32_t)source_odd(s, (uint32_t)types[source_below(s, 4)]);
    d->x.n = source_size(s, 2), d->x.c = source_odd(s, w->in);
    d->x.h = source_size(s, 16), d->x.w = source_size(s, 20);
    source_tensor(s, &d->x, x);
    source_quant(s, &d->quant, d->x.type);
    source_epilogue(s, &d->epilogue, w->out, true);
    d->y.type = d->epilogue.y_type, d->residual.type = d->epilogue.residual_type;
    d->y.c = source_odd(s, 0);
    source_tensor(s, &d->y, y);
    uint32_t *const same[] = {&d->residual.n, &d->residual.h, &d->residual.w};
    for (int i = 0; i < 3; i++) *same[i] = source_odd(s, source_one_in(s, 3));
    source_tensor(s, &d->residual, y);
}

static void fuzz_conv2d(source *s, bool deconv) {
    quernel_weights_desc w;
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    d.weights = source_weights(s, deconv ? QUERNEL_WEIGHTS_DECONV2D : QUERNEL_WEIGHTS_CONV2D, &w);
    d.size = source_struct(s, sizeof d);
    draw_window(s, &d, &w);
    draw_tensors(s, &d, &w);
    if (source_one_in(s, 64)) d.quant.row_scale = source_scales(s, SOURCE_CHANNELS_MAX);
    d.threads = source_odd(s, source_below(s, 4)), d.isa = source_isa(s);
    d.config = source_config(s), d.allocator = &s->allocator;
    operate(s, &(operate_subject){deconv ? create_deconv2d : create_conv2d, &d, sizeof d, &d.isa,
                                  &d.config, d.quant.zero,
                                  .depth = (uint64_t)w.kernel_h * w.kernel_w * w.in});
    quernel_weights_release(d.weights);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    source s;
    source_open(&s, data, bytes);
    switch (source_below(&s, 4)) {
    case 0: fuzz_linear(&s); break;
    case 1: fuzz_conv2d(&s, true); break;
    default: fuzz_conv2d(&s, false);
    }
    source_close(&s);
    return 0;
}
