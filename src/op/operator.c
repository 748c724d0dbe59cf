// SPDX-License-Identifier: Apache-2.0
// Operators: creation's shared steps, the run with its checks, and the end.
#include "op/operator.h"

#include <string.h>

#include "base/desc.h"
#include "base/error.h"
#include "base/log.h"
#include "cpu/cpu.h"
#include "cpu/fpenv.h"
#include "exec/exec.h"
#include "table/choose.h"

static int check_request(const quernel_i_request *r, const quernel_i_problem *p,
                         quernel_error *error) {
    const bool known = r->isa == -1 || (r->isa >= 0 && quernel_isa_name((quernel_isa)r->isa));
    if (!known)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "isa", -1, "%s: isa: %d: unknown",
                                   p->where, r->isa);
    const int code =
        quernel_i_check_range(error, QUERNEL_E_VALUE, p->where, "threads", p->threads, 0, 4096);
    return code ? code : quernel_i_allocator_check(r->allocator, p->where, error);
}

// Checks the tensors and fills in what they leave open: strides, and one thread.
static int complete(quernel_operator *op, quernel_error *error) {
    quernel_i_problem *p = &op->problem;
    const int32_t type = p->x.type;
    if (type != QUERNEL_TYPE_F32 && type != QUERNEL_TYPE_BF16 && type != QUERNEL_TYPE_S8 &&
        type != QUERNEL_TYPE_U8)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "x", -1,
                                   "%s: x.type: %d: must be f32, bf16, s8 or u8", p->where, type);
    int code = quernel_i_tensor_check(&p->x, p->where, "x", &op->x, error);
    if (!code) code = quernel_i_tensor_check(&p->y, p->where, "y", &op->y, error);
    if (!code && p->epilogue.residual)
        code = quernel_i_tensor_check(&p->residual, p->where, "residual", &op->residual, error);
    if (!p->threads) p->threads = 1;
    return code;
}

static uint32_t usable_under(int32_t ceiling) {
    const uint32_t usable = quernel_i_cpu()->usable;
    const bool known = quernel_isa_name((quernel_isa)ceiling); // else none, or one that is refused
    return known ? usable & quernel_i_isa_below((quernel_isa)ceiling) : usable;
}

// One block holds the operator and all its tables.
static int allocate(const quernel_operator *made, const quernel_i_request *request,
                    quernel_operator **ret_op, quernel_error *error) {
    const char *where = made->problem.where;
    quernel_i_layout block = {0};
    quernel_i_take(&block, 1, sizeof(quernel_operator));
    quernel_i_params_make(&made->problem, &made->plan, &block);
    if (block.overflow)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "weights", -1,
                                   "%s: weights: the tables' size overflows", where);
    const quernel_allocator memory = quernel_i_allocator(request->allocator);
    uint8_t *base = quernel_i_allocate(&memory, block.used);
    if (!base)
        return quernel_i_error_set(error, QUERNEL_E_MEMORY, "allocator", -1,
                                   "%s: no memory for %zu bytes", where, block.used);
    memset(base, 0, block.used);
    quernel_operator *op = (quernel_operator *)base;
    *op = *made;
    op->allocator = memory;
    op->bytes = block.used;
    block = (quernel_i_layout){.base = base};
    quernel_i_take(&block, 1, sizeof(quernel_operator));
    op->params = quernel_i_params_make(&op->problem, &op->plan, &block);
    quernel_weights_retain(op->problem.weights);
    *ret_op = op;
    return QUERNEL_OK;
}

static void log_plan(const quernel_operator *op) {
    char text[320];
    quernel_i_plan_explain(&op->plan, text, sizeof text);
    quernel_i_log("%s: %s", op->problem.where, text);
}

// Problem, plan, parameters: each made once, from those before it.
static int create(quernel_operator *made, const quernel_i_request *request,
                  quernel_operator **ret_op, quernel_error *error) {
    int code = check_request(request, &made->problem, error);
    if (!code) code = quernel_i_validate_quant(&made->problem, error);
    if (!code) code = complete(made, error);
    if (!code) code = quernel_i_validate_bounds(&made->problem, error);
    if (code) return code;
    const quernel_i_machine machine = quernel_i_machine_of(made->usable);
    code = quernel_i_choose(&made->problem, &machine, request->config, &made->plan, &made->choice,
                            NULL, NULL, error);
    if (!code) code = allocate(made, request, ret_op, error);
    if (!code) log_plan(*ret_op);
    return code;
}

int quernel_i_operator_create(const quernel_i_problem *problem, const quernel_i_request *request,
                              quernel_operator **ret_op, quernel_error *error) {
    quernel_operator made = {.problem = *problem, .usable = usable_under(request->isa)};
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    const int code = create(&made, request, ret_op, error);
    quernel_i_fpenv_leave(caller);
    return code;
}

size_t quernel_operator_workspace(const quernel_operator *op) {
    return op ? op->plan.workspace.bytes : 0;
}

size_t quernel_operator_explain(const quernel_operator *op, char *text, size_t capacity) {
    if (!op || (!text && capacity)) return 0;
    return quernel_i_plan_explain(&op->plan, text, capacity);
}

void quernel_operator_destroy(quernel_operator *op) {
    if (!op) return;
    quernel_weights_release(op->problem.weights);
    const quernel_allocator memory = op->allocator;
    quernel_i_release(&memory, op, op->bytes);
}

// y may be the residual, element for element: the same address and the same strides.
static bool same_tensor(const quernel_i_problem *p, const quernel_i_buffer *y,
                        const quernel_i_buffer *r) {
    const quernel_tensor *a = &p->y, *b = &p->residual;
    return y->data == r->data &&
           quernel_type_size((quernel_type)a->type) == quernel_type_size((quernel_type)b->type) &&
           a->stride_n == b->stride_n && a->stride_c == b->stride_c && a->stride_h == b->stride_h &&
           a->stride_w == b->stride_w;
}

static int check_run(const quernel_operator *op, const quernel_i_buffer *buffers, uint32_t count,
                     quernel_error *error) {
    for (uint32_t i = 0; i < count; i++) {
        const int code = quernel_i_buffer_check(&buffers[i], "run", error);
        if (code) return code;
    }
    const uint32_t y = 0, workspace = 1, residual = 3;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i + 1; j < count; j++) {
            const bool written = i == y || i == workspace;
            if (!written || !quernel_i_buffers_overlap(&buffers[i], &buffers[j])) continue;
            if (i == y && j == residual && same_tensor(&op->problem, &buffers[i], &buffers[j]))
                continue;
            return quernel_i_error_set(error, QUERNEL_E_OVERLAP, buffers[i].name, -1,
                                       "run: %s: overlaps %s", buffers[i].name, buffers[j].name);
        }
    return QUERNEL_OK;
}

int quernel_operator_run(const quernel_operator *op, const void *x, const void *residual, void *y,
                         void *workspace, size_t workspace_bytes, const quernel_parallel *parallel,
                         quernel_error *error) {
    if (!op) return quernel_i_error_null(error, "run", "op");
    const quernel_i_problem *p = &op->problem;
    const size_t bytes = op->plan.workspace.bytes;
    static const uint8_t nothing[QUERNEL_I_LINE] __attribute__((aligned(QUERNEL_I_LINE)));
    const quernel_i_buffer buffers[] = {
        {"y", y, op->y, quernel_type_size((quernel_type)p->y.type)},
        {"workspace", bytes ? workspace : nothing, {0, (int64_t)bytes}, QUERNEL_I_LINE},
        {"x", x, op->x, quernel_type_size((quernel_type)p->x.type)},
        {"residual", residual, op->residual, quernel_type_size((quernel_type)p->residual.type)},
    };
    const int code = check_run(op, buffers, p->epilogue.residual ? 4 : 3, error);
    if (code) return code;
    if (workspace_bytes < bytes)
        return quernel_i_error_set(error, QUERNEL_E_WORKSPACE, "workspace_bytes", -1,
                                   "run: workspace_bytes: %zu: must be %zu or more",
                                   workspace_bytes, bytes);
    if (parallel && quernel_i_parallel_check(parallel, "run", error)) return QUERNEL_E_VALUE;
    if (parallel && parallel->threads > p->threads)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "parallel", -1,
                                   "run: parallel: %u threads: the operator was made for %u",
                                   parallel->threads, p->threads);
    quernel_i_exec_run(&(quernel_i_call){p, &op->plan, &op->params, x, residual, y, workspace},
                       parallel);
    return QUERNEL_OK;
}
