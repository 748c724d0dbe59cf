// SPDX-License-Identifier: Apache-2.0
// Creation of products: problem, plan, parameters; and their run.
#include "op/product.h"

#include "base/error.h"
#include "base/log.h"
#include "cpu/fpenv.h"
#include "exec/exec.h"
#include "op/validate.h"
#include "registry/registry.h"
#include "table/choose.h"

#define JOINED_MAX (1u << 30) // pixels of a joined image: as many as of one that a caller describes

static void run(const quernel_operator *op, const quernel_i_operator_call *call) {
    const quernel_i_product *made = (const quernel_i_product *)op;
    quernel_i_exec_run(&(quernel_i_call){&made->problem, &made->plan, &made->params, call->x,
                                         call->residual, call->y, call->workspace, call->ahead},
                       call->parallel);
}

static size_t explain(const quernel_operator *op, char *text, size_t capacity) {
    return quernel_i_plan_explain(&((const quernel_i_product *)op)->plan, text, capacity);
}

static void release(quernel_operator *op) {
    quernel_weights_release(((quernel_i_product *)op)->problem.weights);
}

static quernel_i_ahead weights(const quernel_operator *op) {
    const quernel_weights *w = ((const quernel_i_product *)op)->problem.weights;
    return (quernel_i_ahead){w->packed, w->packed + w->shape.packed_bytes, 0};
}

static const quernel_i_operator_kind kind = {run, explain, release, weights};

const quernel_i_product *quernel_i_product_of(const quernel_operator *op) {
    return op && op->kind == &kind ? (const quernel_i_product *)op : NULL;
}

// A tensor that is the same along some axes, as one of y's sizes: there it does not move on.
static quernel_tensor spread(const quernel_tensor *t, const quernel_tensor *y) {
    quernel_tensor all = *t;
    if (t->n < y->n) all.n = y->n, all.stride_n = 0;
    if (t->h < y->h) all.h = y->h, all.stride_h = 0;
    if (t->w < y->w) all.w = y->w, all.stride_w = 0;
    return all;
}

// Checks the tensors, and hands what they left open to the problem.
static int complete(quernel_i_product *made, quernel_error *error) {
    quernel_i_problem *p = &made->problem;
    const int32_t type = p->x.type;
    if (type != QUERNEL_TYPE_F32 && type != QUERNEL_TYPE_BF16 && type != QUERNEL_TYPE_S8 &&
        type != QUERNEL_TYPE_U8)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "x", -1,
                                   "%s: x.type: %d: must be f32, bf16, s8 or u8", p->where, type);
    quernel_operator *op = &made->base;
    op->x = p->x, op->y = p->y, op->residual = p->residual;
    op->has_residual = p->epilogue.residual != 0, op->threads = p->threads;
    const int code = quernel_i_operator_complete(op, error);
    p->x = op->x, p->y = op->y, p->residual = spread(&op->residual, &op->y);
    p->threads = op->threads;
    return code;
}

// Whether each pixel of y is made of x's at its place, whatever image and line that lies on.
static bool is_pointwise(const quernel_i_problem *p) {
    return p->kernel_h == 1 && p->kernel_w == 1 && p->stride_h == 1 && p->stride_w == 1 &&
           p->up_h == 1 && p->up_w == 1 && !p->pad_top && !p->pad_left && p->grid_h == p->x.h &&
           p->grid_w == p->x.w && !quernel_i_problem_by_image(p);
}

// Whether the first line of an image lies behind the last one of the image before.
static bool is_stack(const quernel_tensor *t) {
    const int64_t line = t->h == 1 ? t->w * t->stride_w : t->stride_h;
    return t->layout == QUERNEL_LAYOUT_NHWC && !t->border_h && !t->border_w &&
           t->stride_n == t->h * line && (uint64_t)t->n * t->h * t->w <= JOINED_MAX;
}

static void stack(quernel_tensor *t) {
    uint32_t *size = t->h == 1 ? &t->w : &t->h;
    *size *= t->n, t->n = 1;
}

// Images of a batch that are but rows of one product become one image, and lines one line: strips,
// register tiles and blocks of weights then serve all rows, not those of one image.
static void join_images(quernel_i_problem *p) {
    const bool residual = p->epilogue.residual != 0;
    if (p->x.n == 1 || !is_pointwise(p) || !is_stack(&p->x) || !is_stack(&p->y)) return;
    if (residual && !is_stack(&p->residual)) return;
    stack(&p->x), stack(&p->y);
    if (residual) stack(&p->residual);
    p->grid_h = p->x.h, p->grid_w = p->x.w;
}

// One block holds the operator and all its tables.
static int allocate(quernel_i_product *made, const quernel_i_request *request,
                    quernel_operator **ret_op, quernel_error *error) {
    quernel_i_layout block = {0};
    quernel_i_take(&block, 1, sizeof *made);
    quernel_i_params_make(&made->problem, &made->plan, &block);
    if (block.overflow)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "weights", -1,
                                   "%s: weights: the tables' size overflows", made->base.where);
    made->base.workspace = made->plan.workspace.bytes;
    const int code =
        quernel_i_operator_allocate(&made->base, sizeof *made, request, &block, ret_op, error);
    if (code) return code;
    quernel_i_product *product = (quernel_i_product *)*ret_op;
    product->params = quernel_i_params_make(&product->problem, &product->plan, &block);
    product->params.lookup = quernel_i_registry_best(QUERNEL_I_OP_LOOKUP, made->usable, -1);
    quernel_weights_retain(product->problem.weights);
    return QUERNEL_OK;
}

static void log_plan(const quernel_i_product *made) {
    char text[320];
    quernel_i_plan_explain(&made->plan, text, sizeof text);
    quernel_i_log("%s: %s", made->base.where, text);
}

// Problem, plan, parameters: each made once, from those before it.
static int create(quernel_i_product *made, const quernel_i_request *request,
                  quernel_operator **ret_op, quernel_error *error) {
    const quernel_i_problem *p = &made->problem;
    int code = quernel_i_operator_check_request(request, p->where, p->threads, error);
    if (!code) code = quernel_i_validate_quant(p, error);
    if (!code) code = complete(made, error);
    if (!code) code = quernel_i_validate_bounds(p, error);
    if (code) return code;
    join_images(&made->problem);
    const quernel_i_machine machine = quernel_i_machine_of(made->usable);
    code = quernel_i_choose(p, &machine, request->config, &made->plan, &made->choice, NULL, NULL,
                            error);
    if (!code) code = allocate(made, request, ret_op, error);
    if (!code) log_plan(made);
    return code;
}

int quernel_i_product_create(const quernel_i_problem *problem, const quernel_i_request *request,
                             quernel_operator **ret_op, quernel_error *error) {
    quernel_i_product made = {
        .base = {.kind = &kind, .where = problem->where, .residual_name = "residual"},
        .problem = *problem,
        .usable = quernel_i_operator_usable(request->isa)};
    // what a dynamic mode does not look at may be any number
    if (problem->quant.mode != QUERNEL_QUANT_STATIC) made.problem.quant.zero = 0;
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    const int code = create(&made, request, ret_op, error);
    quernel_i_fpenv_leave(caller);
    return code;
}
