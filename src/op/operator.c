// SPDX-License-Identifier: Apache-2.0
// Operators of all kinds: creation's shared steps, the run with its checks, and the end.
#include "op/operator.h"

#include <string.h>

#include "base/desc.h"
#include "base/error.h"
#include "cpu/cpu.h"

int quernel_i_operator_check_request(const quernel_i_request *r, const char *where,
                                     uint32_t threads, quernel_error *error) {
    const bool known = r->isa == -1 || (r->isa >= 0 && quernel_isa_name((quernel_isa)r->isa));
    if (!known)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "isa", -1, "%s: isa: %d: unknown", where,
                                   r->isa);
    const int code =
        quernel_i_check_range(error, QUERNEL_E_VALUE, where, "threads", threads, 0, 4096);
    return code ? code : quernel_i_allocator_check(r->allocator, where, error);
}

int quernel_i_operator_complete(quernel_operator *op, quernel_error *error) {
    int code = quernel_i_tensor_check(&op->x, op->where, "x", &op->x_extent, error);
    if (!code) code = quernel_i_tensor_check(&op->y, op->where, "y", &op->y_extent, error);
    if (!code && op->has_residual)
        code = quernel_i_tensor_check(&op->residual, op->where, op->residual_name,
                                      &op->residual_extent, error);
    if (!op->threads) op->threads = 1;
    return code;
}

uint32_t quernel_i_operator_usable(int32_t ceiling) {
    const uint32_t usable = quernel_i_cpu()->usable;
    const bool known = quernel_isa_name((quernel_isa)ceiling); // else none, or one that is refused
    return known ? usable & quernel_i_isa_below((quernel_isa)ceiling) : usable;
}

int quernel_i_operator_fill_sizes(quernel_tensor *tensor, const quernel_tensor *wanted,
                                  const char *where, const char *name, quernel_error *error) {
    const uint32_t want[] = {wanted->n, wanted->c, wanted->h, wanted->w};
    uint32_t *const have[] = {&tensor->n, &tensor->c, &tensor->h, &tensor->w};
    for (int i = 0; i < 4; i++) {
        if (*have[i] && *have[i] != want[i])
            return quernel_i_error_set(error, QUERNEL_E_SHAPE, name, -1,
                                       "%s: %s.%c: %u: must be %u (or 0)", where, name, "nchw"[i],
                                       *have[i], want[i]);
        *have[i] = want[i];
    }
    return QUERNEL_OK;
}

int quernel_i_operator_allocate(const quernel_operator *made, size_t size,
                                const quernel_i_request *request, quernel_i_layout *block,
                                quernel_operator **ret_op, quernel_error *error) {
    const quernel_allocator memory = quernel_i_allocator(request->allocator);
    const size_t bytes = block->used;
    uint8_t *base = quernel_i_allocate(&memory, bytes);
    if (!base)
        return quernel_i_error_set(error, QUERNEL_E_MEMORY, "allocator", -1,
                                   "%s: no memory for %zu bytes", made->where, bytes);
    memset(base, 0, bytes);
    memcpy(base, made, size);
    quernel_operator *op = (quernel_operator *)base;
    op->allocator = memory;
    op->bytes = bytes;
    *block = (quernel_i_layout){.base = base};
    quernel_i_take(block, 1, size);
    *ret_op = op;
    return QUERNEL_OK;
}

size_t quernel_operator_workspace(const quernel_operator *op) { return op ? op->workspace : 0; }

size_t quernel_operator_explain(const quernel_operator *op, char *text, size_t capacity) {
    if (!op || (!text && capacity)) return 0;
    return op->kind->explain(op, text, capacity);
}

void quernel_operator_destroy(quernel_operator *op) {
    if (!op) return;
    if (op->kind->release) op->kind->release(op);
    const quernel_allocator memory = op->allocator;
    quernel_i_release(&memory, op, op->bytes);
}

// Element for element the same memory: the same address, sizes and strides.
static bool same_elements(const quernel_tensor *a, const quernel_tensor *b) {
    return quernel_type_size((quernel_type)a->type) == quernel_type_size((quernel_type)b->type) &&
           a->n == b->n && a->c == b->c && a->h == b->h && a->w == b->w &&
           a->stride_n == b->stride_n && a->stride_c == b->stride_c && a->stride_h == b->stride_h &&
           a->stride_w == b->stride_w;
}

// Indices of what run is handed; those below READ are written.
enum { Y, WORKSPACE, READ, X = READ, RESIDUAL, BUFFERS };

static bool in_place(const quernel_operator *op, const quernel_i_buffer *buffers, uint32_t read) {
    if (buffers[Y].data != buffers[read].data) return false;
    if (read == X) return op->x_in_place && same_elements(&op->y, &op->x);
    return same_elements(&op->y, &op->residual);
}

static int check_run(const quernel_operator *op, const quernel_i_buffer *buffers,
                     quernel_error *error) {
    const uint32_t count = op->has_residual ? BUFFERS : RESIDUAL;
    for (uint32_t i = 0; i < count; i++) {
        const int code = quernel_i_buffer_check(&buffers[i], "run", error);
        if (code) return code;
    }
    for (uint32_t i = 0; i < READ; i++)
        for (uint32_t j = i + 1; j < count; j++) {
            if (!quernel_i_buffers_overlap(&buffers[i], &buffers[j])) continue;
            if (i == Y && j >= READ && in_place(op, buffers, j)) continue;
            return quernel_i_error_set(error, QUERNEL_E_OVERLAP, buffers[i].name, -1,
                                       "run: %s: overlaps %s", buffers[i].name, buffers[j].name);
        }
    return QUERNEL_OK;
}

static quernel_i_buffer buffer_of(const char *name, const void *data, const quernel_tensor *t,
                                  quernel_i_extent extent) {
    return (quernel_i_buffer){name, data, extent, quernel_type_size((quernel_type)t->type)};
}

int quernel_operator_run(const quernel_operator *op, const void *x, const void *residual, void *y,
                         void *workspace, size_t workspace_bytes, const quernel_parallel *parallel,
                         quernel_error *error) {
    if (!op) return quernel_i_error_null(error, "run", "op");
    const size_t bytes = op->workspace;
    static const uint8_t nothing[QUERNEL_I_LINE] __attribute__((aligned(QUERNEL_I_LINE)));
    const quernel_i_buffer buffers[BUFFERS] = {
        [Y] = buffer_of("y", y, &op->y, op->y_extent),
        [WORKSPACE] = {"workspace",
                       bytes ? workspace : nothing,
                       {0, (int64_t)bytes},
                       QUERNEL_I_LINE},
        [X] = buffer_of("x", x, &op->x, op->x_extent),
        [RESIDUAL] = buffer_of("residual", residual, &op->residual, op->residual_extent),
    };
    const int code = check_run(op, buffers, error);
    if (code) return code;
    if (workspace_bytes < bytes)
        return quernel_i_error_set(error, QUERNEL_E_WORKSPACE, "workspace_bytes", -1,
                                   "run: workspace_bytes: %zu: must be %zu or more",
                                   workspace_bytes, bytes);
    if (parallel && quernel_i_parallel_check(parallel, "run", error)) return QUERNEL_E_VALUE;
    if (parallel && parallel->threads > op->threads)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "parallel", -1,
                                   "run: parallel: %u threads: the operator was made for %u",
                                   parallel->threads, op->threads);
    op->kind->run(op, &(quernel_i_operator_call){x, residual, y, workspace, parallel, NULL});
    return QUERNEL_OK;
}
