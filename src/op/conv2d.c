// SPDX-License-Identifier: Apache-2.0
// Creation of conv2d and deconv2d: a problem from a descriptor.
#include "quernel/conv2d.h"

#include "base/desc.h"
#include "base/error.h"
#include "op/product.h"
#include "op/window.h"

// Sizes of a residual: those of y, or 1 where it is the same for all.
static int fill_residual(quernel_tensor *residual, const quernel_tensor *y, const char *where,
                         quernel_error *error) {
    quernel_tensor want = *y;
    if (residual->n == 1) want.n = 1;
    if (residual->h == 1) want.h = 1;
    if (residual->w == 1) want.w = 1;
    return quernel_i_operator_fill_sizes(residual, &want, where, "residual", error);
}

// What the window leaves open: tensors, weights, quantization and epilogue.
static int create(const quernel_conv2d_desc *d, const quernel_i_problem *window,
                  const quernel_tensor *inferred_y, quernel_operator **ret_op,
                  quernel_error *error) {
    quernel_i_problem p = *window;
    p.x = d->x, p.y = d->y, p.residual = d->residual;
    p.y.type = d->epilogue.y_type, p.residual.type = d->epilogue.residual_type;
    p.weights = d->weights, p.quant = d->quant, p.epilogue = d->epilogue, p.threads = d->threads;
    int code = quernel_i_operator_fill_sizes(&p.y, inferred_y, p.where, "y", error);
    if (!code && p.epilogue.residual) code = fill_residual(&p.residual, inferred_y, p.where, error);
    if (code) return code;
    const quernel_i_request request = {d->isa, d->config, d->allocator};
    return quernel_i_product_create(&p, &request, ret_op, error);
}

int quernel_i_conv2d_read(const quernel_conv2d_desc *from, const char *where, const char *name,
                          quernel_conv2d_desc *ret_desc, quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_conv2d_desc, QUERNEL_CONV2D_DESC_MIN, where, name);
    *ret_desc = (quernel_conv2d_desc)QUERNEL_CONV2D_DESC_INIT;
    return quernel_i_desc_read(desc, ret_desc, from, error);
}

static int read_and_create(const quernel_conv2d_desc *desc, quernel_i_window_fn *window,
                           const char *where, quernel_operator **ret_op, quernel_error *error) {
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
    return read_and_create(desc, quernel_i_window_conv2d, "conv2d", ret_op, error);
}

int quernel_deconv2d_create(const quernel_conv2d_desc *desc, quernel_operator **ret_op,
                            quernel_error *error) {
    return read_and_create(desc, quernel_i_window_deconv2d, "deconv2d", ret_op, error);
}
