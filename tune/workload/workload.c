// SPDX-License-Identifier: Apache-2.0
// A workload from its shape to its runs.
#include "tune/workload/workload.h"

#include <stdio.h>
#include <stdlib.h>

#include "tune/workload/parts.h"

const char *const boundary_names[] = {"int8", "int8-dense", "f32", NULL};

int workload_refuse(workload *w, const char *reason) {
    snprintf(w->reason, sizeof w->reason, "%s", reason);
    return 0;
}

static int make_own_operator(workload *w) {
    quernel_error error = {.text = "no memory"};
    if (workload_make_operator(w, w->request.isa, NULL, &w->op, &error))
        return workload_refuse(w, error.text);
    w->workspace_bytes = quernel_operator_workspace(w->op);
    w->workspace = w->workspace_bytes ? aligned_alloc(64, w->workspace_bytes) : NULL;
    quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
    quernel_weights_get(w->weights, &info);
    w->weights_bytes = info.packed_bytes;
    return w->workspace || !w->workspace_bytes ? 1 : workload_refuse(w, "no memory");
}

int workload_make(workload *w, const shape *p, const request *r) {
    *w = (workload){.shape = p, .request = *r};
    quernel_epilogue known = QUERNEL_EPILOGUE_INIT;
    if (!r->s32 && !workload_set_activation(p->activation, &known))
        return workload_refuse(w, "unknown activation");
    if (p->op == SHAPE_DEPTHWISE && (p->groups != p->c_in || p->c_out != p->c_in))
        return workload_refuse(w, "not a depthwise layer");
    return workload_make_weights(w) && workload_make_tensors(w) && make_own_operator(w);
}

void workload_free(workload *w) {
    quernel_operator_destroy(w->op);
    quernel_weights_release(w->weights);
    free(w->x_memory), free(w->y_memory), free(w->residual_memory), free(w->workspace);
}

int workload_operator(workload *w, const char *config, quernel_operator **ret_op,
                      quernel_error *error) {
    const char *own = w->request.config;
    w->request.config = config;
    const int code = workload_make_operator(w, w->request.isa, NULL, ret_op, error);
    w->request.config = own;
    return code;
}

int workload_run_as(const workload *w, const quernel_operator *op, uint8_t *y, void *workspace,
                    size_t bytes, const quernel_parallel *parallel) {
    const void *residual = w->residual_memory ? w->residual_memory + w->residual_offset : NULL;
    return quernel_operator_run(op, w->x_memory + w->x_offset, residual, y + w->y_offset, workspace,
                                bytes, parallel, NULL);
}

int workload_run(workload *w, const quernel_parallel *parallel) {
    return workload_run_as(w, w->op, w->y_memory, w->workspace, w->workspace_bytes, parallel);
}
