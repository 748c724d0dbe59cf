// SPDX-License-Identifier: Apache-2.0
// conv2d and deconv2d: geometry from the descriptor.
#include "quernel/conv2d.h"

#include "base/desc.h"
#include "base/error.h"
#include "op/operator.h"
#include "op/window.h"

static int check_common(const quernel_conv2d_desc *d, quernel_weights_kind kind, const char *where,
                        quernel_error *error) {
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
    const struct {
        const char *name;
        uint32_t value, lo;
    } sizes[] = {{"stride_h", d->stride_h, 1},     {"stride_w", d->stride_w, 1},
                 {"dilation_h", d->dilation_h, 1}, {"dilation_w", d->dilation_w, 1},
                 {"pad_top", d->pad_top, 0},       {"pad_left", d->pad_left, 0},
                 {"pad_bottom", d->pad_bottom, 0}, {"pad_right", d->pad_right, 0}};
    for (int i = 0; i < 8; i++) {
        const int code = quernel_i_check_range(error, QUERNEL_E_SHAPE, where, sizes[i].name,
                                               sizes[i].value, sizes[i].lo, QUERNEL_I_STRIDE_MAX);
        if (code) return code;
    }
    // Sizes of the input are judged with its strides; here they only must not be 0.
    if (!d->x.n || !d->x.h || !d->x.w)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "x", -1,
                                   "%s: x: %u images of %u x %u: must be 1 or more", where, d->x.n,
                                   d->x.h, d->x.w);
    return QUERNEL_OK;
}

// Sizes of y: 0 are found, others must be right.
static int fill_sizes(quernel_tensor *y, const quernel_tensor *inferred_y, const char *where,
                      const char *name, quernel_error *error) {
    const uint32_t want[] = {inferred_y->n, inferred_y->c, inferred_y->h, inferred_y->w};
    uint32_t *const have[] = {&y->n, &y->c, &y->h, &y->w};
    for (int i = 0; i < 4; i++) {
        if (*have[i] && *have[i] != want[i])
            return quernel_i_error_set(error, QUERNEL_E_SHAPE, name, -1,
                                       "%s: %s.%c: %u: must be %u (or 0)", where, name, "nchw"[i],
                                       *have[i], want[i]);
        *have[i] = want[i];
    }
    return QUERNEL_OK;
}

// What the window leaves open: tensors, weights and numbers.
static int create(const quernel_conv2d_desc *d, const quernel_i_problem *window,
                  const quernel_tensor *inferred_y, quernel_operator **ret_op,
                  quernel_error *error) {
    quernel_i_problem p = *window;
    p.x = d->x, p.y = d->y, p.residual = d->residual;
    p.y.type = d->epilogue.y_type, p.residual.type = d->epilogue.residual_type;
    p.weights = d->weights, p.quant = d->quant, p.epilogue = d->epilogue, p.threads = d->threads;
    int code = fill_sizes(&p.y, inferred_y, p.where, "y", error);
    if (!code && p.epilogue.residual)
        code = fill_sizes(&p.residual, inferred_y, p.where, "residual", error);
    if (code) return code;
    const quernel_i_request request = {d->isa, d->config, d->allocator};
    return quernel_i_operator_create(&p, &request, ret_op, error);
}

// Output size of one direction, 0 where the kernel does not fit.
static uint32_t output_size(uint32_t size, uint32_t before, uint32_t after, uint32_t kernel,
                            uint32_t dilation, uint32_t stride) {
    const int64_t span = (int64_t)dilation * (kernel - 1) + 1,
                  padded = (int64_t)size + before + after;
    return padded < span ? 0 : (uint32_t)((padded - span) / stride + 1);
}

// Geometry and output sizes of a convolution.
static int conv2d_window(const quernel_conv2d_desc *d, quernel_i_problem *window,
                         quernel_tensor *inferred_y, quernel_error *error) {
    static const char where[] = "conv2d";
    int code = check_common(d, QUERNEL_WEIGHTS_CONV2D, where, error);
    if (!code)
        code =
            quernel_i_check_range(error, QUERNEL_E_VALUE, where, "out_pad_h", d->out_pad_h, 0, 0);
    if (!code)
        code =
            quernel_i_check_range(error, QUERNEL_E_VALUE, where, "out_pad_w", d->out_pad_w, 0, 0);
    if (code) return code;
    const quernel_i_weights_shape *s = &d->weights->shape;
    *inferred_y = (quernel_tensor){.n = d->x.n,
                                   .c = s->out,
                                   .h = output_size(d->x.h, d->pad_top, d->pad_bottom, s->kernel_h,
                                                    d->dilation_h, d->stride_h),
                                   .w = output_size(d->x.w, d->pad_left, d->pad_right, s->kernel_w,
                                                    d->dilation_w, d->stride_w)};
    if (!inferred_y->h || !inferred_y->w)
        return quernel_i_error_set(
            error, QUERNEL_E_SHAPE, "x", -1,
            "%s: x: %u x %u with its padding is smaller than the kernel %u x %u", where, d->x.h,
            d->x.w, s->kernel_h, s->kernel_w);
    *window = (quernel_i_problem){.where = where,
                                  .grid_h = inferred_y->h,
                                  .grid_w = inferred_y->w,
                                  .kernel_h = s->kernel_h,
                                  .kernel_w = s->kernel_w,
                                  .stride_h = d->stride_h,
                                  .stride_w = d->stride_w,
                                  .dilation_h = d->dilation_h,
                                  .dilation_w = d->dilation_w,
                                  .pad_top = (int32_t)d->pad_top,
                                  .pad_left = (int32_t)d->pad_left,
                                  .up_h = 1,
                                  .up_w = 1};
    return QUERNEL_OK;
}

// One direction of a deconvolution: patches of `stride` output pixels, the first `crop` of them
// outside of y; a patch meets a window of pixels of x that begins `pad` before it.
typedef struct patches {
    uint32_t size, grid, crop, dilation;
    int32_t pad;
} patches;

// Names of a direction's members: stride, dilation, out_pad.
static int check_patches(const char *where, const char *const names[3], uint32_t stride,
                         uint32_t packed_for, uint32_t dilation, uint32_t out_pad,
                         quernel_error *error) {
    if (stride != packed_for)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, names[0], -1,
                                   "%s: %s: %u: the weights were packed for %u", where, names[0],
                                   stride, packed_for);
    if (stride > 1 && dilation > 1)
        return quernel_i_error_set(error, QUERNEL_E_UNSUPPORTED, names[1], -1,
                                   "%s: %s: %u: only 1 is offered with a stride", where, names[1],
                                   dilation);
    if (out_pad && out_pad >= stride && out_pad >= dilation)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, names[2], -1,
                                   "%s: %s: %u: must be below stride or dilation", where, names[2],
                                   out_pad);
    return QUERNEL_OK;
}

// False where the output has no pixel, or more than 2^30.
static bool lay_patches(uint32_t x, uint32_t kernel, uint32_t window, uint32_t stride,
                        uint32_t dilation, uint32_t before, uint32_t after, uint32_t out_pad,
                        patches *ret) {
    const int64_t size =
        (int64_t)(x - 1) * stride + (int64_t)dilation * (kernel - 1) + 1 + out_pad - before - after;
    if (size < 1 || size > 1 << 30) return false;
    // whole patches, and pixels of the first
    const uint32_t skipped = before / stride, crop = before % stride;
    *ret = (patches){(uint32_t)size, (uint32_t)((size + crop + stride - 1) / stride), crop,
                     dilation, (int32_t)((int64_t)(window - 1) * dilation - skipped)};
    return true;
}

// Geometry and output sizes of a deconvolution.
static int deconv2d_window(const quernel_conv2d_desc *d, quernel_i_problem *window,
                           quernel_tensor *inferred_y, quernel_error *error) {
    static const char where[] = "deconv2d";
    int code = check_common(d, QUERNEL_WEIGHTS_DECONV2D, where, error);
    if (code) return code;
    const quernel_i_weights_shape *s = &d->weights->shape;
    static const char *const names_h[] = {"stride_h", "dilation_h", "out_pad_h"};
    static const char *const names_w[] = {"stride_w", "dilation_w", "out_pad_w"};
    code = check_patches(where, names_h, d->stride_h, s->up_h, d->dilation_h, d->out_pad_h, error);
    if (!code)
        code =
            check_patches(where, names_w, d->stride_w, s->up_w, d->dilation_w, d->out_pad_w, error);
    if (code) return code;
    if (d->quant.mode == QUERNEL_QUANT_DYNAMIC_ROW)
        return quernel_i_error_set(error, QUERNEL_E_UNSUPPORTED, "quant.mode", -1,
                                   "%s: quant.mode: dynamic per row: not offered", where);
    patches h, w;
    if (!lay_patches(d->x.h, s->kernel_h, s->window_h, s->up_h, d->dilation_h, d->pad_top,
                     d->pad_bottom, d->out_pad_h, &h) ||
        !lay_patches(d->x.w, s->kernel_w, s->window_w, s->up_w, d->dilation_w, d->pad_left,
                     d->pad_right, d->out_pad_w, &w))
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "x", -1,
                                   "%s: x: %u x %u: its output is empty or larger than 2^30", where,
                                   d->x.h, d->x.w);
    *inferred_y = (quernel_tensor){.n = d->x.n, .c = s->out, .h = h.size, .w = w.size};
    *window = (quernel_i_problem){.where = where,
                                  .grid_h = h.grid,
                                  .grid_w = w.grid,
                                  .kernel_h = s->window_h,
                                  .kernel_w = s->window_w,
                                  .stride_h = 1,
                                  .stride_w = 1,
                                  .dilation_h = h.dilation,
                                  .dilation_w = w.dilation,
                                  .pad_top = h.pad,
                                  .pad_left = w.pad,
                                  .up_h = s->up_h,
                                  .up_w = s->up_w,
                                  .crop_top = h.crop,
                                  .crop_left = w.crop};
    return QUERNEL_OK;
}

int quernel_i_window_output(const quernel_conv2d_desc *d, quernel_tensor *ret_inferred_y,
                            quernel_error *error) {
    quernel_i_problem window;
    const bool up = d->weights && d->weights->shape.kind == QUERNEL_WEIGHTS_DECONV2D;
    return (up ? deconv2d_window : conv2d_window)(d, &window, ret_inferred_y, error);
}

int quernel_i_conv2d_read(const quernel_conv2d_desc *from, const char *where, const char *name,
                          quernel_conv2d_desc *ret_desc, quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_conv2d_desc, QUERNEL_CONV2D_DESC_MIN, where, name);
    *ret_desc = (quernel_conv2d_desc)QUERNEL_CONV2D_DESC_INIT;
    return quernel_i_desc_read(desc, ret_desc, from, error);
}

typedef int window_of(const quernel_conv2d_desc *d, quernel_i_problem *ret_window,
                      quernel_tensor *inferred_y, quernel_error *error);

static int read_and_create(const quernel_conv2d_desc *desc, window_of *window, const char *where,
                           quernel_operator **ret_op, quernel_error *error) {
    if (!desc) return quernel_i_error_null(error, where, "desc");
    if (!ret_op) return quernel_i_error_null(error, where, "ret_op");
    quernel_conv2d_desc d;
    quernel_i_problem problem;
    quernel_tensor inferred_y = {0};
    int code = quernel_i_conv2d_read(desc, where, "size", &d, error);
    if (!code) code = window(&d, &problem, &inferred_y, error);
    return code ? code : create(&d, &problem, &inferred_y, ret_op, error);
}

int quernel_conv2d_create(const quernel_conv2d_desc *desc, quernel_operator **ret_op,
                          quernel_error *error) {
    return read_and_create(desc, conv2d_window, "conv2d", ret_op, error);
}

int quernel_deconv2d_create(const quernel_conv2d_desc *desc, quernel_operator **ret_op,
                            quernel_error *error) {
    return read_and_create(desc, deconv2d_window, "deconv2d", ret_op, error);
}
