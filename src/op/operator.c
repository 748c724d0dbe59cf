// SPDX-License-Identifier: Apache-2.0
// Operators: creation's shared steps, the run with its checks, and the end.
#include "op/operator.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "cpu/cpu.h"
#include "cpu/fpenv.h"
#include "gemm/drive.h"
#include "plan/plan.h"
#include "table/choose.h"

static int check_request(const quernel_i_request *r, quernel_error *error) {
    const bool known = r->isa == -1 || (r->isa >= 0 && quernel_isa_name((quernel_isa)r->isa));
    if (!known)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "isa", -1, "%s: isa: %d: unknown", r->where, r->isa);
    const int code = quernel_i_check_range(error, QUERNEL_E_VALUE, r->where, "threads", r->threads, 0, 4096);
    return code ? code : quernel_i_allocator_check(r->allocator, r->where, error);
}

static int check_tensors(quernel_operator *op, const char *where, quernel_error *error) {
    quernel_i_layer *l = &op->layer;
    const int32_t type = l->x.type;
    if (type != QUERNEL_TYPE_F32 && type != QUERNEL_TYPE_BF16 && type != QUERNEL_TYPE_S8 && type != QUERNEL_TYPE_U8)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "x", -1, "%s: x.type: %d: must be f32, bf16, s8 or u8", where,
                                   type);
    int code = quernel_i_tensor_check(&l->x, where, "x", &op->x, error);
    if (!code) code = quernel_i_tensor_check(&l->y, where, "y", &op->y, error);
    if (!code && l->finish.residual)
        code = quernel_i_tensor_check(&l->residual, where, "residual", &op->residual, error);
    return code;
}

static uint32_t usable_under(int32_t ceiling) {
    const uint32_t usable = quernel_i_cpu()->usable;
    const bool known = quernel_isa_name((quernel_isa)ceiling); // else none, or one that is refused
    return known ? usable & quernel_i_isa_below((quernel_isa)ceiling) : usable;
}

// One block holds the operator and all its tables.
static int allocate(const quernel_operator *plan, const quernel_i_request *request, quernel_operator **ret_op,
                    quernel_error *error) {
    quernel_i_layer layer = plan->layer;
    quernel_i_layout block = {0};
    quernel_i_take(&block, 1, sizeof(quernel_operator));
    quernel_i_tables_lay_out(&layer, &block);
    if (block.overflow)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "weights", -1, "%s: weights: the tables' size overflows",
                                   request->where);
    const quernel_allocator memory = quernel_i_allocator(request->allocator);
    uint8_t *base = quernel_i_allocate(&memory, block.used);
    if (!base)
        return quernel_i_error_set(error, QUERNEL_E_MEMORY, "allocator", -1, "%s: no memory for %zu bytes",
                                   request->where, block.used);
    memset(base, 0, block.used);
    quernel_operator *op = (quernel_operator *)base;
    *op = *plan;
    op->allocator = memory;
    op->bytes = block.used;
    block = (quernel_i_layout){.base = base};
    quernel_i_take(&block, 1, sizeof(quernel_operator));
    quernel_i_tables_lay_out(&op->layer, &block);
    quernel_weights_retain(op->layer.weights);
    *ret_op = op;
    return QUERNEL_OK;
}

static void log_plan(const quernel_operator *op, const char *where) {
    char text[320];
    quernel_i_plan_explain(&op->layer, text, sizeof text);
    quernel_i_log("%s: %s", where, text);
}

static int create(quernel_operator *plan, const quernel_i_request *request, quernel_operator **ret_op,
                  quernel_error *error) {
    int code = check_request(request, error);
    if (!code) code = quernel_i_numbers_check(&plan->layer, request->where, error);
    if (!code) code = check_tensors(plan, request->where, error);
    if (!code) code = quernel_i_bounds_check(&plan->layer, request->where, error);
    if (!code)
        code = quernel_i_choose(&plan->layer, plan->usable, request->config, request->where, &plan->choice, NULL, NULL, error);
    if (!code) code = allocate(plan, request, ret_op, error);
    if (!code) log_plan(*ret_op, request->where);
    return code;
}

int quernel_i_operator_create(const quernel_i_layer *layer, const quernel_i_request *request,
                              quernel_operator **ret_op, quernel_error *error) {
    quernel_operator plan = {.layer = *layer, .usable = usable_under(request->isa)};
    plan.layer.threads = request->threads ? request->threads : 1;
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    const int code = create(&plan, request, ret_op, error);
    quernel_i_fpenv_leave(caller);
    return code;
}

size_t quernel_operator_workspace(const quernel_operator *op) { return op ? op->layer.workspace_bytes : 0; }

size_t quernel_operator_explain(const quernel_operator *op, char *text, size_t capacity) {
    if (!op || (!text && capacity)) return 0;
    return quernel_i_plan_explain(&op->layer, text, capacity);
}

void quernel_operator_destroy(quernel_operator *op) {
    if (!op) return;
    quernel_weights_release(op->layer.weights);
    const quernel_allocator memory = op->allocator;
    quernel_i_release(&memory, op, op->bytes);
}

// y may be the residual, element for element: the same address and the same strides.
static bool same_tensor(const quernel_i_layer *l, const quernel_i_buffer *y, const quernel_i_buffer *r) {
    const quernel_tensor *a = &l->y, *b = &l->residual;
    return y->data == r->data && quernel_type_size((quernel_type)a->type) == quernel_type_size((quernel_type)b->type) &&
           a->stride_n == b->stride_n && a->stride_c == b->stride_c && a->stride_h == b->stride_h &&
           a->stride_w == b->stride_w;
}

static int check_run(const quernel_operator *op, const quernel_i_buffer *buffers, uint32_t count, quernel_error *error) {
    for (uint32_t i = 0; i < count; i++) {
        const int code = quernel_i_buffer_check(&buffers[i], "run", error);
        if (code) return code;
    }
    const uint32_t y = 0, workspace = 1, residual = 3;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i + 1; j < count; j++) {
            const bool written = i == y || i == workspace;
            if (!written || !quernel_i_buffers_overlap(&buffers[i], &buffers[j])) continue;
            if (i == y && j == residual && same_tensor(&op->layer, &buffers[i], &buffers[j])) continue;
            return quernel_i_error_set(error, QUERNEL_E_OVERLAP, buffers[i].name, -1, "run: %s: overlaps %s",
                                       buffers[i].name, buffers[j].name);
        }
    return QUERNEL_OK;
}

int quernel_operator_run(const quernel_operator *op, const void *x, const void *residual, void *y, void *workspace,
                         size_t workspace_bytes, const quernel_parallel *parallel, quernel_error *error) {
    if (!op) return quernel_i_error_null(error, "run", "op");
    const quernel_i_layer *l = &op->layer;
    static const uint8_t nothing[QUERNEL_I_LINE] __attribute__((aligned(QUERNEL_I_LINE)));
    const bool none = l->workspace_bytes == 0;
    const quernel_i_buffer buffers[] = {
        {"y", y, op->y, quernel_type_size((quernel_type)l->y.type)},
        {"workspace", none ? nothing : workspace, {0, (int64_t)l->workspace_bytes}, QUERNEL_I_LINE},
        {"x", x, op->x, quernel_type_size((quernel_type)l->x.type)},
        {"residual", residual, op->residual, quernel_type_size((quernel_type)l->residual.type)},
    };
    const int code = check_run(op, buffers, l->finish.residual ? 4 : 3, error);
    if (code) return code;
    if (workspace_bytes < l->workspace_bytes)
        return quernel_i_error_set(error, QUERNEL_E_WORKSPACE, "workspace_bytes", -1,
                                   "run: workspace_bytes: %zu: must be %zu or more", workspace_bytes, l->workspace_bytes);
    if (parallel && parallel->threads > l->threads)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "parallel", -1,
                                   "run: parallel: %u threads: the operator was made for %u", parallel->threads, l->threads);
    quernel_i_drive(&(quernel_i_call){l, x, residual, y, workspace}, parallel);
    return QUERNEL_OK;
}
