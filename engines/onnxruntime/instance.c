// SPDX-License-Identifier: Apache-2.0
// A program for given shapes: a network, and which of its tensors are the run's.
#include "instance.h"

#include <stdlib.h>
#include <string.h>

// Where a tensor of the network comes from.
typedef struct source {
    int32_t slot;         // of the run's inputs or outputs; −1: constant
    const void *constant; // the program's
} source;

struct quernel_ep_instance {
    quernel_network *network;
    quernel_ep_shape *shapes; // of the outputs
    source *inputs, *outputs; // of the network, in its order
    uint32_t n_inputs, n_outputs;
};

enum { LINE = 64 }; // alignment of a workspace

static size_t pointers_bytes(const quernel_ep_instance *i) {
    return (((size_t)i->n_inputs + i->n_outputs) * sizeof(void *) + LINE - 1) / LINE * LINE;
}

static void find_sources(quernel_ep_instance *instance, const quernel_ep_lowering *l) {
    for (uint32_t i = 0; i < l->n_tensors; i++) {
        const quernel_ep_record *r = &l->program->records[l->sources[i]];
        const int32_t role = l->tensors[i].role;
        if (role == QUERNEL_NETWORK_INPUT)
            instance->inputs[instance->n_inputs++] =
                (source){r->input, quernel_ep_program_at(l->program, r->constant)};
        if (role == QUERNEL_NETWORK_OUTPUT)
            instance->outputs[instance->n_outputs++] = (source){r->output, NULL};
    }
    for (uint32_t i = 0; i < l->program->image->n_records; i++) {
        const quernel_ep_record *r = &l->program->records[i];
        if (r->output >= 0)
            instance->shapes[r->output] =
                quernel_ep_shape_of_sizes(&l->sizes[i], r->rank, r->order);
    }
}

static bool allocate(quernel_ep_instance *instance, const quernel_ep_lowering *l) {
    instance->shapes = calloc(l->program->image->n_outputs + 1, sizeof *instance->shapes);
    instance->inputs = calloc(l->n_tensors + 1, sizeof *instance->inputs);
    instance->outputs = calloc(l->n_tensors + 1, sizeof *instance->outputs);
    return instance->shapes && instance->inputs && instance->outputs;
}

static int make(const quernel_ep_lowering *l, quernel_ep_instance *instance, int32_t *ret_step,
                quernel_error *error) {
    if (!allocate(instance, l)) return quernel_ep_fail(error, QUERNEL_E_MEMORY, -1, "no memory");
    find_sources(instance, l);
    quernel_network_desc d = QUERNEL_NETWORK_DESC_INIT;
    d.tensors = l->tensors, d.n_tensors = l->n_tensors;
    d.layers = l->layers, d.n_layers = l->n_layers;
    d.threads = l->program->threads, d.isa = l->program->isa;
    quernel_error own = {0};
    const int code = quernel_network_create(&d, &instance->network, &own);
    if (code && own.index >= 0 && own.index < (int32_t)l->n_layers)
        *ret_step = (int32_t)l->steps[own.index];
    if (code && error) *error = own;
    return code;
}

int quernel_ep_instance_make(const quernel_ep_program *program, const quernel_ep_shape *inputs,
                             quernel_ep_instance **ret_instance, int32_t *ret_step,
                             quernel_error *error) {
    quernel_ep_lowering l;
    quernel_error own = {.index = -1};
    quernel_ep_instance *instance = calloc(1, sizeof *instance);
    *ret_step = -1;
    if (!instance) return quernel_ep_fail(error, QUERNEL_E_MEMORY, -1, "no memory");
    int code = quernel_ep_lower(program, inputs, &l, &own);
    if (code) *ret_step = own.index;
    else code = make(&l, instance, ret_step, &own);
    quernel_ep_lowering_free(&l);
    if (code) quernel_ep_instance_destroy(instance);
    else *ret_instance = instance;
    if (code && error) *error = own;
    return code;
}

int quernel_ep_instance_create(const quernel_ep_program *program, const quernel_ep_shape *inputs,
                               quernel_ep_instance **ret_instance, quernel_error *error) {
    int32_t step;
    return quernel_ep_instance_make(program, inputs, ret_instance, &step, error);
}

void quernel_ep_instance_destroy(quernel_ep_instance *instance) {
    if (!instance) return;
    quernel_network_destroy(instance->network);
    free(instance->shapes);
    free(instance->inputs);
    free(instance->outputs);
    free(instance);
}

const quernel_ep_shape *quernel_ep_instance_output(const quernel_ep_instance *instance,
                                                   uint32_t index) {
    return &instance->shapes[index];
}

size_t quernel_ep_instance_workspace(const quernel_ep_instance *instance) {
    return pointers_bytes(instance) + quernel_network_workspace(instance->network);
}

int quernel_ep_instance_run(const quernel_ep_instance *instance, const void *const *inputs,
                            void *const *outputs, void *workspace, const quernel_parallel *parallel,
                            quernel_error *error) {
    const void **in = workspace;
    void **out = (void **)(void *)(in + instance->n_inputs);
    for (uint32_t i = 0; i < instance->n_inputs; i++) {
        const source *s = &instance->inputs[i];
        in[i] = s->constant ? s->constant : inputs[s->slot];
    }
    for (uint32_t i = 0; i < instance->n_outputs; i++) out[i] = outputs[instance->outputs[i].slot];
    return quernel_network_run(instance->network, in, out,
                               (uint8_t *)workspace + pointers_bytes(instance),
                               quernel_network_workspace(instance->network), parallel, error);
}
