// SPDX-License-Identifier: Apache-2.0
// One run of an island: shapes in, an instance for them, outputs and workspace from ONNX Runtime,
// its threads. The state that ONNX Runtime keeps is the cache of instances.
#include "fused.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "cache.h"

enum { LINE = 64 }; // alignment of a workspace

typedef struct run {
    const quernel_ep_fused *fused;
    const OrtApi *api;
    OrtKernelContext *context;
    quernel_ep_cache *cache;
    quernel_ep_shape *shapes; // of the inputs
    const void **inputs;
    void **outputs;
} run;

static OrtStatus *refuse_input(const run *r, uint32_t input, const char *why) {
    return quernel_ep_refuse(r->api, ORT_INVALID_ARGUMENT, "%s: input %" PRIu32 ": %s",
                             r->fused->label, input, why);
}

static OrtStatus *read_shape(const run *r, const OrtTensorTypeAndShapeInfo *info, uint32_t input) {
    quernel_ep_shape *shape = &r->shapes[input];
    size_t rank;
    OrtStatus *status = r->api->GetDimensionsCount(info, &rank);
    if (status) return status;
    if (rank > QUERNEL_EP_MAX_RANK) return refuse_input(r, input, "more than 8 dimensions");
    shape->rank = (uint32_t)rank;
    return r->api->GetDimensions(info, shape->dims, rank);
}

static OrtStatus *read_input(const run *r, uint32_t input) {
    const OrtValue *value = NULL;
    OrtTensorTypeAndShapeInfo *info;
    OrtStatus *status = r->api->KernelContext_GetInput(r->context, r->fused->slots[input], &value);
    if (status) return status;
    if (!value) return refuse_input(r, input, "is not there");
    status = r->api->GetTensorTypeAndShape(value, &info);
    if (status) return status;
    status = read_shape(r, info, input);
    r->api->ReleaseTensorTypeAndShapeInfo(info);
    return status ? status : r->api->GetTensorData(value, &r->inputs[input]);
}

static OrtStatus *take(const run *r, quernel_ep_lease **ret_lease) {
    quernel_error error = {0};
    const int code = quernel_ep_cache_take(r->cache, r->shapes, ret_lease, &error);
    return quernel_ep_refuse_error(r->api, r->fused->label, code, &error);
}

static OrtStatus *make_output(const run *r, uint32_t output, const quernel_ep_shape *shape) {
    OrtValue *value;
    OrtStatus *status =
        r->api->KernelContext_GetOutput(r->context, output, shape->dims, shape->rank, &value);
    return status ? status : r->api->GetTensorMutableData(value, &r->outputs[output]);
}

static OrtStatus *make_outputs(const run *r, const quernel_ep_instance *instance) {
    OrtStatus *status = NULL;
    for (uint32_t i = 0; i < r->fused->signature.n_outputs && !status; i++)
        status = make_output(r, i, quernel_ep_instance_output(instance, i));
    return status;
}

// What the threads of ONNX Runtime's pool share: each draws the next task.
typedef struct job {
    void (*task)(void *arg, uint32_t task, uint32_t worker);
    void *arg;
    uint32_t tasks;
    atomic_uint next;
} job;

static void work(void *user, size_t worker) {
    job *j = user;
    for (uint32_t i; (i = atomic_fetch_add(&j->next, 1)) < j->tasks;)
        j->task(j->arg, i, (uint32_t)worker);
}

static void spread(void *user, uint32_t tasks, void (*task)(void *, uint32_t, uint32_t),
                   void *arg) {
    const run *r = user;
    const uint32_t workers = r->fused->threads < tasks ? r->fused->threads : tasks;
    job j = {.task = task, .arg = arg, .tasks = tasks};
    OrtStatus *status =
        workers > 1 ? r->api->KernelContext_ParallelFor(r->context, work, workers, 0, &j) : NULL;
    if (status) r->api->ReleaseStatus(status);
    work(&j, 0); // all that is left: everything, where there was no pool
}

static OrtStatus *run_with(const run *r, const quernel_ep_instance *instance, void *workspace) {
    quernel_error error = {0};
    const quernel_parallel parallel = {spread, (void *)r, r->fused->threads, {0, 0, 0}};
    const int code = quernel_ep_instance_run(instance, r->inputs, r->outputs, workspace,
                                             r->fused->threads > 1 ? &parallel : NULL, &error);
    return quernel_ep_refuse_error(r->api, r->fused->label, code, &error);
}

// The workspace is of ONNX Runtime's arena: its islands and sessions share it, and a second run of
// the session has its own.
static OrtStatus *run_in(const run *r, const quernel_ep_instance *instance,
                         OrtAllocator *allocator) {
    const size_t bytes = quernel_ep_instance_workspace(instance);
    char *memory = bytes ? allocator->Alloc(allocator, bytes + LINE - 1) : NULL;
    if (bytes && !memory) return quernel_ep_refuse_memory(r->api);
    OrtStatus *status = run_with(r, instance, memory + (-(uintptr_t)memory & (LINE - 1)));
    if (memory) allocator->Free(allocator, memory);
    return status;
}

static OrtStatus *run_instance(const run *r, const quernel_ep_instance *instance) {
    OrtAllocator *allocator;
    OrtStatus *status = make_outputs(r, instance);
    if (status) return status;
    status = r->api->KernelContext_GetAllocator(r->context, r->fused->host->cpu, &allocator);
    if (status) return status;
    status = run_in(r, instance, allocator);
    r->api->ReleaseAllocator(allocator);
    return status;
}

// Whether all inputs have a batch of 0 and nothing else that is empty.
static bool has_no_batch(const run *r) {
    for (uint32_t i = 0; i < r->fused->signature.n_inputs; i++) {
        const quernel_ep_shape *shape = &r->shapes[i];
        for (uint32_t d = 0; d < shape->rank; d++)
            if ((shape->dims[d] == 0) != (d == 0)) return false;
        if (!shape->rank) return false;
    }
    return r->fused->signature.n_inputs > 0;
}

static bool is_empty(const run *r, uint32_t input) {
    for (uint32_t d = 0; d < r->shapes[input].rank; d++)
        if (!r->shapes[input].dims[d]) return true;
    return false;
}

static OrtStatus *take_batch(const run *r, int64_t batch, quernel_ep_lease **ret_lease) {
    for (uint32_t i = 0; i < r->fused->signature.n_inputs; i++) r->shapes[i].dims[0] = batch;
    return take(r, ret_lease);
}

// An output for a batch of 0: every dimension lies on a line through those of 1 and 2.
static OrtStatus *make_empty(const run *r, uint32_t output, const quernel_ep_shape *one,
                             const quernel_ep_shape *two) {
    quernel_ep_shape shape = *one;
    bool empty = false;
    for (uint32_t d = 0; d < shape.rank; d++) {
        shape.dims[d] = 2 * one->dims[d] - two->dims[d];
        empty |= shape.dims[d] == 0;
    }
    if (empty) return make_output(r, output, &shape);
    return quernel_ep_refuse(r->api, ORT_INVALID_ARGUMENT,
                             "%s: output %" PRIu32 ": not empty though the batch is 0",
                             r->fused->label, output);
}

static OrtStatus *make_empties(const run *r, const quernel_ep_instance *one,
                               const quernel_ep_instance *two) {
    OrtStatus *status = NULL;
    for (uint32_t i = 0; i < r->fused->signature.n_outputs && !status; i++)
        status = make_empty(r, i, quernel_ep_instance_output(one, i),
                            quernel_ep_instance_output(two, i));
    return status;
}

static OrtStatus *run_empty(const run *r) {
    quernel_ep_lease *one, *two;
    OrtStatus *status = take_batch(r, 1, &one);
    if (status) return status;
    status = take_batch(r, 2, &two);
    if (!status) {
        status = make_empties(r, one->instance, two->instance);
        quernel_ep_cache_give(r->cache, two);
    }
    quernel_ep_cache_give(r->cache, one);
    return status;
}

static OrtStatus *run_full(const run *r) {
    quernel_ep_lease *lease;
    OrtStatus *status = take(r, &lease);
    if (status) return status;
    status = run_instance(r, lease->instance);
    quernel_ep_cache_give(r->cache, lease);
    return status;
}

static OrtStatus *run_shaped(const run *r) {
    if (has_no_batch(r)) return run_empty(r);
    for (uint32_t i = 0; i < r->fused->signature.n_inputs; i++)
        if (is_empty(r, i)) return refuse_input(r, i, "a dimension is 0");
    return run_full(r);
}

static OrtStatus *compute(OrtNodeComputeInfo *info, void *state, OrtKernelContext *context) {
    const quernel_ep_fused *fused = (const quernel_ep_fused *)info;
    const quernel_ep_signature *s = &fused->signature;
    quernel_ep_shape *memory =
        calloc(1, s->n_inputs * (sizeof *memory + sizeof(void *)) + s->n_outputs * sizeof(void *));
    if (!memory) return quernel_ep_refuse_memory(fused->host->api);
    const void **pointers = (const void **)(memory + s->n_inputs);
    const run r = {fused,
                   fused->host->api,
                   context,
                   state,
                   memory,
                   pointers,
                   (void **)(pointers + s->n_inputs)};
    OrtStatus *status = NULL;
    for (uint32_t i = 0; i < s->n_inputs && !status; i++) status = read_input(&r, i);
    if (!status) status = run_shaped(&r);
    free(memory);
    return status;
}

static OrtStatus *create_state(OrtNodeComputeInfo *info, OrtNodeComputeContext *context,
                               void **ret_state) {
    (void)context;
    const quernel_ep_fused *fused = (const quernel_ep_fused *)info;
    *ret_state = quernel_ep_cache_create(fused->program);
    return *ret_state ? NULL : quernel_ep_refuse_memory(fused->host->api);
}

static void release_state(OrtNodeComputeInfo *info, void *state) {
    (void)info;
    quernel_ep_cache_destroy(state);
}

void quernel_ep_fused_init(quernel_ep_fused *fused) {
    fused->info = (OrtNodeComputeInfo){ORT_VERSION, create_state, compute, release_state};
}

void quernel_ep_fused_destroy(quernel_ep_fused *fused) {
    if (!fused) return;
    quernel_ep_program_destroy(fused->program);
    quernel_ep_payload_free(&fused->payload);
    free(fused->slots);
    free(fused->name);
    free(fused->label);
    free(fused);
}
