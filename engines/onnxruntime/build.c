// SPDX-License-Identifier: Apache-2.0
// The order of a run is the fused node's; the graph knows its values by the same names.
#define _GNU_SOURCE // asprintf
#include "build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "import.h"

typedef struct builder {
    const quernel_ep_host *host;
    const OrtApi *api;
    const quernel_ep_settings *settings;
    quernel_ep_claim **claims;
    const OrtGraph *graph;
    quernel_ep_import import;
    quernel_ep_fused *fused;
    // of the run: values of the graph and their names, without constants
    int32_t *inputs, *outputs;
    const char **input_names, **output_names;
    uint32_t n_inputs, n_outputs;
} builder;

static OrtStatus *find(builder *b, const OrtValueInfo *info, const char **ret_name,
                       int32_t *ret_value) {
    *ret_name = "";
    OrtStatus *status = info ? b->api->GetValueInfoName(info, ret_name) : NULL;
    if (status) return status;
    *ret_value = quernel_ep_import_find(&b->import, *ret_name);
    if (*ret_value >= 0) return NULL;
    return quernel_ep_refuse(b->api, ORT_FAIL, "%s: value '%s': is not in its graph",
                             b->fused->label, *ret_name);
}

static OrtStatus *read_inputs(builder *b, const OrtNode *node) {
    size_t count;
    OrtStatus *status = b->api->Node_GetNumInputs(node, &count);
    if (status) return status;
    const OrtValueInfo **infos = quernel_ep_arena_array(&b->import.arena, count, sizeof(void *));
    b->inputs = quernel_ep_arena_array(&b->import.arena, count, sizeof *b->inputs);
    b->input_names = quernel_ep_arena_array(&b->import.arena, count, sizeof *b->input_names);
    b->fused->slots = calloc(count + 1, sizeof *b->fused->slots);
    if (!infos || !b->inputs || !b->input_names || !b->fused->slots)
        return quernel_ep_refuse_memory(b->api);
    status = b->api->Node_GetInputs(node, infos, count);
    for (uint32_t i = 0; i < count && !status; i++) {
        const uint32_t to = b->n_inputs;
        status = find(b, infos[i], &b->input_names[to], &b->inputs[to]);
        if (status || b->import.graph.values[b->inputs[to]].data) continue;
        b->fused->slots[to] = i;
        b->n_inputs++;
    }
    return status;
}

static OrtStatus *read_outputs(builder *b, const OrtNode *node) {
    size_t count;
    OrtStatus *status = b->api->Node_GetNumOutputs(node, &count);
    if (status) return status;
    const OrtValueInfo **infos = quernel_ep_arena_array(&b->import.arena, count, sizeof(void *));
    b->outputs = quernel_ep_arena_array(&b->import.arena, count, sizeof *b->outputs);
    b->output_names = quernel_ep_arena_array(&b->import.arena, count, sizeof *b->output_names);
    if (!infos || !b->outputs || !b->output_names) return quernel_ep_refuse_memory(b->api);
    status = b->api->Node_GetOutputs(node, infos, count);
    for (; b->n_outputs < count && !status; b->n_outputs++)
        status =
            find(b, infos[b->n_outputs], &b->output_names[b->n_outputs], &b->outputs[b->n_outputs]);
    return status;
}

static OrtStatus *compile(builder *b) {
    b->fused->program = quernel_ep_claims_take(b->claims, b->input_names, b->n_inputs,
                                               b->output_names, b->n_outputs);
    if (b->fused->program) return NULL;
    uint32_t *nodes =
        quernel_ep_arena_array(&b->import.arena, b->import.graph.n_nodes, sizeof *nodes);
    if (!nodes) return quernel_ep_refuse_memory(b->api);
    for (uint32_t i = 0; i < b->import.graph.n_nodes; i++) nodes[i] = i;
    const quernel_ep_island island = {
        nodes, b->import.graph.n_nodes, b->inputs, b->outputs, b->n_inputs, b->n_outputs, 0, NULL};
    quernel_error error = {0};
    const int code = quernel_ep_program_create(&b->import.graph, &island, &b->settings->compile,
                                               &b->fused->program, &error);
    return quernel_ep_refuse_error(b->api, b->fused->label, code, &error);
}

static bool is_typed(const builder *b, const int32_t *values, const int32_t *types,
                     uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (b->import.graph.values[values[i]].type != types[i]) return false;
    return true;
}

// A program that comes from a file must be what the node says: a run trusts it.
static OrtStatus *check_signature(const builder *b) {
    const quernel_ep_signature s = b->fused->signature;
    if (s.n_inputs == b->n_inputs && s.n_outputs == b->n_outputs &&
        is_typed(b, b->inputs, s.inputs, s.n_inputs) &&
        is_typed(b, b->outputs, s.outputs, s.n_outputs))
        return NULL;
    return quernel_ep_refuse(b->api, ORT_FAIL,
                             "context %s: its inputs and outputs are not those of the node",
                             b->fused->name);
}

static OrtStatus *make_program(builder *b) {
    const quernel_ep_graph *graph = &b->import.graph;
    if (graph->n_nodes == 1 && quernel_ep_import_is_context(&graph->nodes[0]))
        return quernel_ep_context_load(b->host, b->settings, b->graph, b->import.nodes[0],
                                       &b->fused->payload, &b->fused->program);
    return compile(b);
}

static OrtStatus *make_context(builder *b, OrtNode **ret_context) {
    const quernel_ep_edges edges = {b->input_names, b->output_names, b->n_inputs, b->n_outputs};
    return quernel_ep_context_make(b->host, b->settings, b->graph, b->fused, &edges, ret_context);
}

// The island by its ends: what ONNX Runtime calls the node is a number.
static OrtStatus *name_it(builder *b, const OrtNode *node) {
    const quernel_ep_graph *graph = &b->import.graph;
    const char *name = "", *first, *last;
    OrtStatus *status = b->api->Node_GetName(node, &name);
    if (status) return status;
    b->fused->name = strdup(name);
    first = graph->n_nodes ? quernel_ep_import_name(graph, 0) : name;
    last = graph->n_nodes > 1 ? quernel_ep_import_name(graph, graph->n_nodes - 1) : "";
    if (asprintf(&b->fused->label, "%.100s%s%.100s", first, *last ? " ... " : "", last) < 0)
        b->fused->label = NULL;
    return b->fused->name && b->fused->label ? NULL : quernel_ep_refuse_memory(b->api);
}

static OrtStatus *fill(builder *b, const OrtNode *node, OrtNode **ret_context) {
    OrtStatus *status = name_it(b, node);
    if (!status) status = read_inputs(b, node);
    if (!status) status = read_outputs(b, node);
    if (!status) status = make_program(b);
    if (status) return status;
    b->fused->signature = quernel_ep_program_signature(b->fused->program);
    status = check_signature(b);
    return status || !b->settings->context ? status : make_context(b, ret_context);
}

OrtStatus *quernel_ep_build(const quernel_ep_host *host, const quernel_ep_settings *settings,
                            quernel_ep_claim **claims, const OrtGraph *graph, const OrtNode *node,
                            quernel_ep_fused **ret_fused, OrtNode **ret_context) {
    builder b = {
        .host = host, .api = host->api, .settings = settings, .claims = claims, .graph = graph};
    b.fused = *ret_fused = calloc(1, sizeof *b.fused);
    if (!b.fused) return quernel_ep_refuse_memory(host->api);
    b.fused->host = host;
    b.fused->threads = settings->compile.threads;
    quernel_ep_fused_init(b.fused);
    OrtStatus *status = quernel_ep_import_read(host->api, graph, &b.import);
    if (status) return status;
    status = fill(&b, node, ret_context);
    quernel_ep_import_free(&b.import);
    return status;
}
