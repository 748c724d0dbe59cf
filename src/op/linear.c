// SPDX-License-Identifier: Apache-2.0
// Linear: one image of one line, a pixel per row.
#include "quernel/linear.h"
#include "base/desc.h"
#include "base/error.h"
#include "op/product.h"

#define WHERE "linear"
#define DESC QUERNEL_I_DESC(quernel_linear_desc, QUERNEL_LINEAR_DESC_MIN, WHERE, "size")

static quernel_tensor matrix(int32_t type, uint32_t rows, uint32_t columns, int64_t stride) {
    return (quernel_tensor){
        .type = type, .n = 1, .c = columns, .h = 1, .w = rows, .stride_w = stride};
}

static int check(const quernel_linear_desc *d, quernel_error *error) {
    if (!d->weights) return quernel_i_error_null(error, WHERE, "weights");
    if (d->weights->shape.kind != QUERNEL_WEIGHTS_LINEAR)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "weights", -1,
                                   WHERE ": weights: must be of kind linear");
    if (d->m < 1 || d->m > 1u << 30)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "m", -1,
                                   WHERE ": m: %u: must be 1 to 2^30", d->m);
    const struct {
        const char *name;
        int64_t stride;
        uint32_t columns;
    } strides[] = {
        {"x_stride", d->x_stride, d->weights->shape.in},
        {"y_stride", d->y_stride, d->weights->shape.out},
        {"residual_stride", d->epilogue.residual ? d->residual_stride : 0, d->weights->shape.out}};
    for (int i = 0; i < 3; i++)
        if (strides[i].stride < 0 ||
            (strides[i].stride && strides[i].stride < strides[i].columns && d->m > 1))
            return quernel_i_error_set(error, QUERNEL_E_STRIDE, strides[i].name, -1,
                                       WHERE ": %s: %lld: must be 0 or at least %u",
                                       strides[i].name, (long long)strides[i].stride,
                                       strides[i].columns);
    return QUERNEL_OK;
}

int quernel_linear_create(const quernel_linear_desc *desc, quernel_operator **ret_op,
                          quernel_error *error) {
    if (!desc) return quernel_i_error_null(error, WHERE, "desc");
    if (!ret_op) return quernel_i_error_null(error, WHERE, "ret_op");
    quernel_linear_desc own = QUERNEL_LINEAR_DESC_INIT;
    const quernel_linear_desc *d = &own;
    int code = quernel_i_desc_read(DESC, &own, desc, error);
    if (!code) code = check(d, error);
    if (code) return code;
    const uint32_t n = d->weights->shape.out;
    quernel_i_problem problem = quernel_i_problem_of_rows(WHERE, d->m);
    problem.x = matrix(d->x_type, d->m, d->weights->shape.in, d->x_stride);
    problem.y = matrix(d->epilogue.y_type, d->m, n, d->y_stride);
    problem.residual = matrix(d->epilogue.residual_type, d->m, n, d->residual_stride);
    problem.weights = d->weights, problem.quant = d->quant, problem.epilogue = d->epilogue;
    problem.threads = d->threads;
    const quernel_i_request request = {d->isa, d->config, d->allocator};
    return quernel_i_product_create(&problem, &request, ret_op, error);
}
