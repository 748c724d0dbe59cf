// SPDX-License-Identifier: Apache-2.0
// Creation of products of two tensors.
#include "op/matmul.h"

#include "base/desc.h"
#include "base/error.h"
#include "cpu/fpenv.h"
#include "cpu/machine.h"
#include "exec/matmul.h"
#include "op/operand.h"
#include "op/operator.h"
#include "op/product.h"
#include "op/validate.h"
#include "table/choose.h"

#define WHERE "matmul"

typedef struct matmul {
    quernel_operator base;
    quernel_i_matmul matmul;
} matmul;

static void run(const quernel_operator *op, const quernel_i_operator_call *call) {
    const quernel_i_matmul_buffers buffers = {call->x, call->residual, call->y, call->workspace};
    quernel_i_matmul_run(&((const matmul *)op)->matmul, &buffers, call->parallel);
}

static size_t explain(const quernel_operator *op, char *text, size_t capacity) {
    return quernel_i_plan_explain(&((const matmul *)op)->matmul.plan, text, capacity);
}

static void release(quernel_operator *op) {
    quernel_weights_release(((matmul *)op)->matmul.problem.weights);
}

static const quernel_i_operator_kind kind = {run, explain, release, NULL};

int quernel_i_matmul_read(const quernel_matmul_desc *from, const char *where, const char *name,
                          quernel_matmul_desc *ret_desc, quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_matmul_desc, QUERNEL_MATMUL_DESC_MIN, where, name);
    *ret_desc = (quernel_matmul_desc)QUERNEL_MATMUL_DESC_INIT;
    return quernel_i_desc_read(desc, ret_desc, from, error);
}

static int check_types(const quernel_matmul_desc *d, quernel_error *error) {
    const int code =
        quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "transposed", d->transposed, 0, 1);
    if (code) return code;
    if (!quernel_i_validate_int8(d->x.tensor.type))
        return quernel_i_validate_refuse(error, WHERE, "x.type", "must be s8 or u8");
    if (!quernel_i_validate_int8(d->z.tensor.type))
        return quernel_i_validate_refuse(error, WHERE, "z.type", "must be s8 or u8");
    if (d->x.scales)
        return quernel_i_validate_refuse(error, WHERE, "x.scales",
                                         "must be left out: sums run over these channels");
    if (d->transposed && d->z.scales)
        return quernel_i_validate_refuse(error, WHERE, "z.scales",
                                         "must be left out: sums run over these channels");
    return QUERNEL_OK;
}

static int check_layouts(const quernel_operator *op, quernel_error *error) {
    const struct {
        const char *name;
        const quernel_tensor *tensor;
    } all[] = {{"x", &op->x}, {"z", &op->residual}, {"y", &op->y}};
    for (int i = 0; i < 3; i++)
        if (all[i].tensor->stride_c != 1 && all[i].tensor->c != 1)
            return quernel_i_error_set(error, QUERNEL_E_STRIDE, all[i].name, -1,
                                       WHERE ": %s.stride_c: %lld: must be 1", all[i].name,
                                       (long long)all[i].tensor->stride_c);
    return QUERNEL_OK;
}

// Sizes of z, given those of x; y's follow.
static int check_sizes(const quernel_matmul_desc *d, matmul *made, quernel_error *error) {
    const quernel_tensor *x = &d->x.tensor, *z = &d->z.tensor;
    const uint32_t k = d->transposed ? z->c : z->w;
    if (k != x->c)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "z", -1,
                                   WHERE ": z.%c: %u: must be x's %u channels",
                                   d->transposed ? 'c' : 'w', k, x->c);
    if ((z->n != x->n && z->n != 1) || (z->h != x->h && z->h != 1))
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "z", -1,
                                   WHERE ": z: %u x %u matrices: must be %u (or 1) x %u (or 1)",
                                   z->n, z->h, x->n, x->h);
    if ((uint64_t)x->n * x->h > INT32_MAX)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "x", -1,
                                   WHERE ": x: %u x %u matrices are more than 2^31 - 1", x->n,
                                   x->h);
    const quernel_tensor y = {.n = x->n, .h = x->h, .w = x->w, .c = d->transposed ? z->w : z->c};
    return quernel_i_operator_fill_sizes(&made->base.y, &y, WHERE, "y", error);
}

static int check(const quernel_matmul_desc *d, matmul *made, quernel_error *error) {
    int code = check_types(d, error);
    if (!code) code = quernel_i_operand_check(&d->x, WHERE, "x", error);
    if (!code) code = quernel_i_operand_check(&d->z, WHERE, "z", error);
    if (!code) code = check_sizes(d, made, error);
    if (!code) code = quernel_i_operator_complete(&made->base, error);
    if (!code) code = check_layouts(&made->base, error);
    if (!code) code = quernel_i_operand_check_epilogue(&d->epilogue, WHERE, made->base.y.c, error);
    return code;
}

// The largest distance of a code from a zero point.
static uint64_t reach(int32_t zero, int32_t lo, int32_t hi) {
    return (uint64_t)(zero - lo > hi - zero ? zero - lo : hi - zero);
}

// What is known of the weights before there are any: their codes may be all that the type has.
static int make_weights(const quernel_matmul_desc *d, uint32_t out, quernel_weights **ret_weights,
                        quernel_error *error) {
    static const int8_t none[QUERNEL_I_LINE] __attribute__((aligned(QUERNEL_I_LINE)));
    const int32_t zero = d->z.zero - (d->z.tensor.type == QUERNEL_TYPE_U8 ? 128 : 0);
    quernel_i_weights_shape shape = {.kind = QUERNEL_WEIGHTS_LINEAR,
                                     .out = out,
                                     .in = d->x.tensor.c,
                                     .kernel_h = 1,
                                     .kernel_w = 1,
                                     .groups = 1,
                                     .up_h = 1,
                                     .up_w = 1};
    if (!quernel_i_weights_shape_fill(&shape, zero != 0, false))
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "z", -1,
                                   WHERE ": z: its sizes overflow");
    const int code = quernel_i_weights_allocate(&shape, 0, none, d->allocator, ret_weights, error);
    if (code) return code;
    quernel_weights *w = *ret_weights;
    w->has_zero = zero != 0;
    for (uint32_t n = 0; n < out; n++) {
        w->scale[n] = d->z.scales ? d->z.scales[n] : d->z.scale;
        w->zero[n] = zero;
        w->abs_sum[n] = shape.in * reach(zero, -128, 127);
    }
    return QUERNEL_OK;
}

static quernel_tensor one_matrix(const quernel_tensor *t) {
    quernel_tensor one = *t;
    one.n = one.h = 1, one.border_h = one.border_w = 0;
    one.stride_c = 1;
    return one;
}

// The product of one matrix as a linear layer.
static int make_problem(const quernel_matmul_desc *d, matmul *made, quernel_error *error) {
    const quernel_operator *op = &made->base;
    quernel_i_matmul *m = &made->matmul;
    m->x = op->x, m->z = op->residual, m->y = op->y;
    m->transposed = d->transposed;
    m->flip = d->z.tensor.type == QUERNEL_TYPE_U8 ? 0x80 : 0;
    m->by_matrix = m->x.n * m->x.h >= op->threads;
    m->problem = quernel_i_problem_of_rows(WHERE, op->x.w);
    m->problem.x = one_matrix(&op->x), m->problem.y = one_matrix(&op->y);
    m->problem.epilogue = d->epilogue;
    m->problem.threads = m->by_matrix ? 1 : op->threads;
    m->problem.quant = (quernel_quant)QUERNEL_QUANT_INIT;
    quernel_quant *q = &m->problem.quant;
    q->type = d->x.tensor.type, q->scale = d->x.scale, q->zero = d->x.zero;
    const uint64_t x_reach =
        q->type == QUERNEL_TYPE_U8 ? reach(q->zero, 0, 255) : reach(q->zero, -128, 127);
    const int code = make_weights(d, op->y.c, &m->problem.weights, error);
    if (code) return code;
    const uint64_t bound = x_reach * m->problem.weights->abs_sum[0];
    if (bound > INT32_MAX)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "x", -1,
                                   WHERE ": x: a sum of %u products can reach %llu: must be 2^31 - "
                                         "1 or less",
                                   op->x.c, (unsigned long long)bound);
    return QUERNEL_OK;
}

static int lay_out(matmul *made, quernel_error *error) {
    quernel_i_matmul *m = &made->matmul;
    const quernel_i_weights_shape *s = &m->problem.weights->shape;
    quernel_i_layout slice = {0}, all = {0};
    m->slice.packed = quernel_i_take_offset(&slice, s->packed_bytes, 1);
    m->slice.sum = quernel_i_take_offset(&slice, s->oc16, sizeof(int32_t));
    m->slice.abs_sum = quernel_i_take_offset(&slice, s->oc16, sizeof(uint64_t));
    m->slice.init = quernel_i_take_offset(&slice, s->oc16, sizeof(int32_t));
    m->slice.product = quernel_i_take_offset(&slice, m->plan.workspace.bytes, 1);
    m->slice.bytes = slice.used;
    quernel_i_take(&all, m->by_matrix ? made->base.threads : 1, slice.used);
    made->base.workspace = all.used;
    return slice.overflow || all.overflow
               ? quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "z", -1,
                                     WHERE ": z: the workspace's size overflows")
               : QUERNEL_OK;
}

static int allocate(const matmul *made, const quernel_i_request *request, quernel_operator **ret_op,
                    quernel_error *error) {
    const quernel_i_matmul *m = &made->matmul;
    quernel_i_layout block = {0};
    quernel_i_take(&block, 1, sizeof *made);
    quernel_i_params_make(&m->problem, &m->plan, &block);
    if (block.overflow)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "z", -1,
                                   WHERE ": z: the tables' size overflows");
    const int code =
        quernel_i_operator_allocate(&made->base, sizeof *made, request, &block, ret_op, error);
    if (code) return code;
    quernel_i_matmul *own = &((matmul *)*ret_op)->matmul;
    own->params = quernel_i_params_make(&own->problem, &own->plan, &block);
    return QUERNEL_OK;
}

static int plan(const quernel_matmul_desc *d, matmul *made, quernel_operator **ret_op,
                quernel_error *error) {
    const quernel_i_request request = {d->isa, d->config, d->allocator};
    const quernel_i_machine machine = quernel_i_machine_of(quernel_i_operator_usable(d->isa));
    quernel_plan_choice choice;
    int code = quernel_i_choose(&made->matmul.problem, &machine, d->config, &made->matmul.plan,
                                &choice, NULL, NULL, error);
    if (!code) code = lay_out(made, error);
    return code ? code : allocate(made, &request, ret_op, error);
}

static int create(const quernel_matmul_desc *d, quernel_operator **ret_op, quernel_error *error) {
    matmul made = {.base = {.kind = &kind,
                            .where = WHERE,
                            .x = d->x.tensor,
                            .residual = d->z.tensor,
                            .y = d->y,
                            .has_residual = true,
                            .residual_name = "z",
                            .threads = d->threads}};
    const quernel_i_request request = {d->isa, d->config, d->allocator};
    made.base.y.type = d->epilogue.y_type;
    int code = quernel_i_operator_check_request(&request, WHERE, d->threads, error);
    if (!code) code = check(d, &made, error);
    if (!code) code = make_problem(d, &made, error);
    if (!code) code = plan(d, &made, ret_op, error);
    if (code) quernel_weights_release(made.matmul.problem.weights);
    return code;
}

int quernel_matmul_create(const quernel_matmul_desc *desc, quernel_operator **ret_op,
                          quernel_error *error) {
    if (!desc) return quernel_i_error_null(error, WHERE, "desc");
    if (!ret_op) return quernel_i_error_null(error, WHERE, "ret_op");
    quernel_matmul_desc d;
    int code = quernel_i_matmul_read(desc, WHERE, "size", &d, error);
    if (code) return code;
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    code = create(&d, ret_op, error);
    quernel_i_fpenv_leave(caller);
    return code;
}
