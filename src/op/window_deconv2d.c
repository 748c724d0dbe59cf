// SPDX-License-Identifier: Apache-2.0
// The geometry of a deconvolution: one convolution for each sub-pixel of its patches.
#include "base/error.h"
#include "op/window.h"

static const char where[] = "deconv2d";

// One direction of a deconvolution: patches of `stride` output pixels, the first `crop` of them
// outside of y; a patch meets a window of pixels of x that begins `pad` before it.
typedef struct patches {
    uint32_t size, grid, crop, dilation;
    int32_t pad;
} patches;

// Names of a direction's members: stride, dilation, out_pad.
static int check_patches(const char *const names[3], uint32_t stride, uint32_t packed_for,
                         uint32_t dilation, uint32_t out_pad, quernel_error *error) {
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

static int check(const quernel_conv2d_desc *d, quernel_error *error) {
    static const char *const names_h[] = {"stride_h", "dilation_h", "out_pad_h"};
    static const char *const names_w[] = {"stride_w", "dilation_w", "out_pad_w"};
    int code = quernel_i_window_check(d, QUERNEL_WEIGHTS_DECONV2D, where, error);
    if (code) return code;
    const quernel_i_weights_shape *s = &d->weights->shape;
    code = check_patches(names_h, d->stride_h, s->up_h, d->dilation_h, d->out_pad_h, error);
    if (!code)
        code = check_patches(names_w, d->stride_w, s->up_w, d->dilation_w, d->out_pad_w, error);
    if (code) return code;
    if (d->quant.mode == QUERNEL_QUANT_DYNAMIC_ROW)
        return quernel_i_error_set(error, QUERNEL_E_UNSUPPORTED, "quant.mode", -1,
                                   "%s: quant.mode: dynamic per row: not offered", where);
    return QUERNEL_OK;
}

static quernel_i_problem problem_of(const quernel_i_weights_shape *s, const patches *h,
                                    const patches *w) {
    return (quernel_i_problem){.where = where,
                               .grid_h = h->grid,
                               .grid_w = w->grid,
                               .kernel_h = s->window_h,
                               .kernel_w = s->window_w,
                               .stride_h = 1,
                               .stride_w = 1,
                               .dilation_h = h->dilation,
                               .dilation_w = w->dilation,
                               .pad_top = h->pad,
                               .pad_left = w->pad,
                               .up_h = s->up_h,
                               .up_w = s->up_w,
                               .crop_top = h->crop,
                               .crop_left = w->crop};
}

int quernel_i_window_deconv2d(const quernel_conv2d_desc *d, quernel_i_problem *ret_problem,
                              quernel_tensor *ret_inferred_y, quernel_error *error) {
    const int code = check(d, error);
    if (code) return code;
    const quernel_i_weights_shape *s = &d->weights->shape;
    patches h, w;
    if (!lay_patches(d->x.h, s->kernel_h, s->window_h, s->up_h, d->dilation_h, d->pad_top,
                     d->pad_bottom, d->out_pad_h, &h) ||
        !lay_patches(d->x.w, s->kernel_w, s->window_w, s->up_w, d->dilation_w, d->pad_left,
                     d->pad_right, d->out_pad_w, &w))
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "x", -1,
                                   "%s: x: %u x %u: its output is empty or larger than 2^30", where,
                                   d->x.h, d->x.w);
    *ret_inferred_y = (quernel_tensor){.n = d->x.n, .c = s->out, .h = h.size, .w = w.size};
    *ret_problem = problem_of(s, &h, &w);
    return QUERNEL_OK;
}
