// SPDX-License-Identifier: Apache-2.0
// Windows: the checks that conv2d and deconv2d share, and the geometry of a convolution.
#include "op/window.h"

#include "base/error.h"

static int check_ranges(const quernel_conv2d_desc *d, const char *where, quernel_error *error) {
    const quernel_i_size sizes[] = {QUERNEL_I_SLIDE_SIZES(d)};
    return quernel_i_check_sizes(error, where, sizes, sizeof sizes / sizeof *sizes,
                                 QUERNEL_I_STRIDE_MAX);
}

int quernel_i_window_check(const quernel_conv2d_desc *d, quernel_weights_kind kind,
                           const char *where, quernel_error *error) {
    if (!d->weights) return quernel_i_error_null(error, where, "weights");
    if (d->weights->shape.kind != (uint32_t)kind)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "weights", -1,
                                   "%s: weights: of another kind", where);
    if (d->quant.row_scale)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "quant.row_scale", -1,
                                   "%s: quant.row_scale: is for linear", where);
    if (d->x.c != d->weights->shape.in)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "x", -1,
                                   "%s: x.c: %u: the weights take %u channels", where, d->x.c,
                                   d->weights->shape.in);
    const int code = check_ranges(d, where, error);
    if (code) return code;
    // quernel_i_tensor_check judges the input's sizes with its strides; here 0 alone would do harm.
    if (!d->x.n || !d->x.h || !d->x.w)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "x", -1,
                                   "%s: x: %u images of %u x %u: must be 1 or more", where, d->x.n,
                                   d->x.h, d->x.w);
    return QUERNEL_OK;
}

// Output size in one direction, 0 where the kernel does not fit.
static uint32_t output_size(uint32_t size, uint32_t before, uint32_t after, uint32_t kernel,
                            uint32_t dilation, uint32_t stride) {
    const int64_t span = (int64_t)dilation * (kernel - 1) + 1,
                  padded = (int64_t)size + before + after;
    return padded < span ? 0 : (uint32_t)((padded - span) / stride + 1);
}

static int check_conv2d(const quernel_conv2d_desc *d, const char *where, quernel_error *error) {
    int code = quernel_i_window_check(d, QUERNEL_WEIGHTS_CONV2D, where, error);
    if (code) return code;
    code = quernel_i_check_range(error, QUERNEL_E_VALUE, where, "out_pad_h", d->out_pad_h, 0, 0);
    if (code) return code;
    return quernel_i_check_range(error, QUERNEL_E_VALUE, where, "out_pad_w", d->out_pad_w, 0, 0);
}

static quernel_i_problem conv2d_problem(const quernel_conv2d_desc *d, const char *where,
                                        const quernel_tensor *y) {
    return (quernel_i_problem){.where = where,
                               .grid_h = y->h,
                               .grid_w = y->w,
                               .kernel_h = d->weights->shape.kernel_h,
                               .kernel_w = d->weights->shape.kernel_w,
                               .stride_h = d->stride_h,
                               .stride_w = d->stride_w,
                               .dilation_h = d->dilation_h,
                               .dilation_w = d->dilation_w,
                               .pad_top = (int32_t)d->pad_top,
                               .pad_left = (int32_t)d->pad_left,
                               .up_h = 1,
                               .up_w = 1};
}

int quernel_i_window_conv2d(const quernel_conv2d_desc *d, quernel_i_problem *ret_problem,
                            quernel_tensor *ret_inferred_y, quernel_error *error) {
    static const char where[] = "conv2d";
    const int code = check_conv2d(d, where, error);
    if (code) return code;
    const quernel_i_weights_shape *s = &d->weights->shape;
    const uint32_t h =
        output_size(d->x.h, d->pad_top, d->pad_bottom, s->kernel_h, d->dilation_h, d->stride_h);
    const uint32_t w =
        output_size(d->x.w, d->pad_left, d->pad_right, s->kernel_w, d->dilation_w, d->stride_w);
    if (!h || !w)
        return quernel_i_error_set(
            error, QUERNEL_E_SHAPE, "x", -1,
            "%s: x: %u x %u with its padding is smaller than the kernel %u x %u", where, d->x.h,
            d->x.w, s->kernel_h, s->kernel_w);
    *ret_inferred_y = (quernel_tensor){.n = d->x.n, .c = s->out, .h = h, .w = w};
    *ret_problem = conv2d_problem(d, where, ret_inferred_y);
    return QUERNEL_OK;
}

int quernel_i_window_output(const quernel_conv2d_desc *d, quernel_tensor *ret_inferred_y,
                            quernel_error *error) {
    quernel_i_problem window;
    const bool up = d->weights && d->weights->shape.kind == QUERNEL_WEIGHTS_DECONV2D;
    return (up ? quernel_i_window_deconv2d : quernel_i_window_conv2d)(d, &window, ret_inferred_y,
                                                                      error);
}
