// SPDX-License-Identifier: Apache-2.0
// The windows of pools: ranges, and the size of what they give.
#include <stdbool.h>

#include "base/error.h"
#include "op/pool2d.h"

#define WHERE "pool2d"
enum { SIZE_MAX_30 = 1 << 30 }; // as of tensors: sums of three stay far from 2^63

static int check_ranges(const quernel_pool2d_desc *d, quernel_error *error) {
    const quernel_i_size sizes[] = {QUERNEL_I_KERNEL_SIZES(d), QUERNEL_I_SLIDE_SIZES(d)};
    const int code =
        quernel_i_check_sizes(error, WHERE, sizes, sizeof sizes / sizeof *sizes, SIZE_MAX_30);
    if (code) return code;
    return quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "ceil_mode", d->ceil_mode, 0, 1);
}

// One direction of the window, with the names of its padding.
typedef struct direction {
    const char *before_name, *after_name;
    uint32_t size, kernel, stride, dilation, before, after;
} direction;

static int infer(const direction *d, bool up, uint32_t *ret_size, quernel_error *error) {
    const int64_t window = (int64_t)d->dilation * (d->kernel - 1) + 1,
                  padded = (int64_t)d->size + d->before + d->after;
    int code = quernel_i_check_range(error, QUERNEL_E_SHAPE, WHERE, d->before_name, d->before, 0,
                                     window - 1);
    if (!code)
        code = quernel_i_check_range(error, QUERNEL_E_SHAPE, WHERE, d->after_name, d->after, 0,
                                     window - 1);
    if (code) return code;
    if (padded < window)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "x", -1,
                                   WHERE ": x: %lld with its padding is less than the window's "
                                         "%lld",
                                   (long long)padded, (long long)window);
    int64_t size = (padded - window + (up ? d->stride - 1 : 0)) / d->stride + 1;
    if ((size - 1) * d->stride >= (int64_t)d->size + d->before) size--; // it would begin behind x
    *ret_size = (uint32_t)size;
    return QUERNEL_OK;
}

int quernel_i_pool2d_output(const quernel_pool2d_desc *d, quernel_tensor *ret_inferred_y,
                            quernel_error *error) {
    const quernel_tensor *x = &d->x.tensor;
    int code = quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "kind", d->kind, 0,
                                     QUERNEL_POOL2D_GLOBAL);
    if (code) return code;
    if (!x->n || !x->c || !x->h || !x->w || x->h > SIZE_MAX_30 || x->w > SIZE_MAX_30)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "x", -1,
                                   WHERE ": x: %u images of %u x %u x %u: must be 1 to 2^30", x->n,
                                   x->c, x->h, x->w);
    *ret_inferred_y = (quernel_tensor){.n = x->n, .c = x->c, .h = 1, .w = 1};
    if (d->kind == QUERNEL_POOL2D_GLOBAL) return QUERNEL_OK;
    if ((code = check_ranges(d, error))) return code;
    const direction lines = {"pad_top",   "pad_bottom",  x->h,       d->kernel_h,
                             d->stride_h, d->dilation_h, d->pad_top, d->pad_bottom},
                    pixels = {"pad_left",  "pad_right",   x->w,        d->kernel_w,
                              d->stride_w, d->dilation_w, d->pad_left, d->pad_right};
    code = infer(&lines, d->ceil_mode, &ret_inferred_y->h, error);
    return code ? code : infer(&pixels, d->ceil_mode, &ret_inferred_y->w, error);
}
