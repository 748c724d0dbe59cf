// SPDX-License-Identifier: Apache-2.0
// Values are found by name: within one graph ONNX Runtime's pointers would do, but a fused node has
// others than the graph that it stands for.
#include "import.h"

#include <string.h>

#include "attributes.h"

typedef struct reader {
    const OrtApi *api;
    quernel_ep_import *to;
    quernel_ep_node *nodes;
} reader;

static uint32_t hash_of(const char *name) { // FNV-1a
    uint32_t hash = 2166136261u;
    for (; *name; name++) hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

// The slot of that name, or the one where it would be.
static int32_t *slot_of(const quernel_ep_import *import, const char *name) {
    size_t at = hash_of(name) & (import->n_slots - 1);
    while (import->slots[at] && strcmp(import->values[import->slots[at] - 1].name, name))
        at = (at + 1) & (import->n_slots - 1);
    return &import->slots[at];
}

int32_t quernel_ep_import_find(const quernel_ep_import *import, const char *name) {
    return *slot_of(import, name) - 1;
}

static OrtStatus *read_shape(const OrtApi *api, const OrtTensorTypeAndShapeInfo *info,
                             quernel_ep_value *v) {
    ONNXTensorElementDataType type;
    size_t rank;
    OrtStatus *status = api->GetTensorElementType(info, &type);
    if (!status) status = api->GetDimensionsCount(info, &rank);
    if (status) return status;
    v->type = (int32_t)type;
    if (rank > QUERNEL_EP_MAX_RANK) return NULL;
    v->rank = (uint32_t)rank;
    v->has_shape = true;
    return api->GetDimensions(info, v->dims, rank);
}

static OrtStatus *read_type(const OrtApi *api, const OrtValueInfo *info, quernel_ep_value *v) {
    const OrtTypeInfo *type = NULL;
    const OrtTensorTypeAndShapeInfo *tensor = NULL;
    OrtStatus *status = api->GetValueInfoTypeInfo(info, &type);
    if (!status && type) status = api->CastTypeInfoToTensorInfo(type, &tensor);
    return status || !tensor ? status : read_shape(api, tensor, v);
}

static OrtStatus *read_constant(const OrtApi *api, const OrtValueInfo *info, quernel_ep_value *v) {
    const OrtValue *value = NULL;
    OrtStatus *status = api->ValueInfo_GetInitializerValue(info, &value);
    if (status || !value || v->type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) return status;
    status = api->GetTensorData(value, &v->data);
    if (!status && !v->data) v->data = ""; // a constant of nothing is one, too
    return status ? status : api->GetTensorSizeInBytes(value, &v->bytes);
}

static OrtStatus *read_value(reader *r, const OrtValueInfo *info, quernel_ep_value *v) {
    const OrtApi *api = r->api;
    bool constant = false, outside = false;
    OrtStatus *status = read_type(api, info, v);
    if (!status) status = api->ValueInfo_IsFromOuterScope(info, &outside);
    r->to->reads_outside |= outside;
    if (!status) status = api->ValueInfo_IsGraphOutput(info, &v->graph_output);
    if (!status) status = api->ValueInfo_IsConstantInitializer(info, &constant);
    if (!status && constant) status = read_constant(api, info, v);
    // ONNX Runtime says of a value without a shape that it has no dimensions, as of a scalar.
    if (!v->rank && !v->data) v->has_shape = false;
    return status;
}

// The index of a value, which is read where it is met first; −1 for one that is left out.
static OrtStatus *add_value(reader *r, const OrtValueInfo *info, int32_t *ret_index) {
    const char *name = NULL;
    *ret_index = -1;
    OrtStatus *status = info ? r->api->GetValueInfoName(info, &name) : NULL;
    if (status || !name || !*name) return status;
    int32_t *slot = slot_of(r->to, name);
    if (!*slot) {
        quernel_ep_value *v = &r->to->values[r->to->graph.n_values++];
        v->name = name;
        *slot = (int32_t)r->to->graph.n_values;
        status = read_value(r, info, v);
    }
    *ret_index = *slot - 1;
    return status;
}

typedef OrtStatus *count_fn(const OrtNode *node, size_t *ret_count);
typedef OrtStatus *list_fn(const OrtNode *node, const OrtValueInfo **ret_values, size_t count);

// Values of a node behind those that are already in the list.
static OrtStatus *add_list(reader *r, const OrtNode *node, count_fn *count_of, list_fn *list_of,
                           const int32_t **list, uint32_t *n) {
    size_t count;
    OrtStatus *status = count_of(node, &count);
    if (status || !count) return status;
    const OrtValueInfo **infos = quernel_ep_arena_array(&r->to->arena, count, sizeof(void *));
    int32_t *indices = quernel_ep_arena_array(&r->to->arena, *n + count, sizeof *indices);
    if (!infos || !indices) return quernel_ep_refuse_memory(r->api);
    if (*n) memcpy(indices, *list, *n * sizeof *indices);
    status = list_of(node, infos, count);
    for (size_t i = 0; i < count && !status; i++) status = add_value(r, infos[i], &indices[*n + i]);
    *list = indices;
    *n += (uint32_t)count;
    return status;
}

const char *quernel_ep_import_output(const quernel_ep_graph *graph, uint32_t node) {
    const quernel_ep_node *n = &graph->nodes[node];
    return n->n_outputs && n->outputs[0] >= 0 ? graph->values[n->outputs[0]].name : "";
}

const char *quernel_ep_import_name(const quernel_ep_graph *graph, uint32_t node) {
    const char *name = graph->nodes[node].name;
    return *name ? name : quernel_ep_import_output(graph, node);
}

bool quernel_ep_import_is_context(const quernel_ep_node *node) {
    return !strcmp(node->op, "EPContext") && !strcmp(node->domain, "com.microsoft");
}

// Sum of two values is Add, by another number of its version.
static void take_sum_as_add(quernel_ep_node *n) {
    enum { SUM_SPREADS = 8, ADD_SPREADS = 7 }; // the opsets since which they repeat operands
    if (strcmp(n->op, "Sum") != 0 || *n->domain || n->n_inputs != 2) return;
    if (n->version < SUM_SPREADS) return;
    n->op = "Add";
    if (n->version == SUM_SPREADS) n->version = ADD_SPREADS;
}

static OrtStatus *read_node(reader *r, const OrtNode *from, quernel_ep_node *to) {
    const OrtApi *api = r->api;
    OrtStatus *status = api->Node_GetName(from, &to->name);
    if (!status) status = api->Node_GetOperatorType(from, &to->op);
    if (!status) status = api->Node_GetDomain(from, &to->domain);
    if (!status) status = api->Node_GetSinceVersion(from, &to->version);
    if (!status)
        status = add_list(r, from, api->Node_GetNumInputs, api->Node_GetInputs, &to->inputs,
                          &to->n_inputs);
    if (!status)
        status = add_list(r, from, api->Node_GetNumImplicitInputs, api->Node_GetImplicitInputs,
                          &to->inputs, &to->n_inputs);
    if (!status)
        status = add_list(r, from, api->Node_GetNumOutputs, api->Node_GetOutputs, &to->outputs,
                          &to->n_outputs);
    if (status || quernel_ep_import_is_context(to)) return status;
    take_sum_as_add(to);
    return quernel_ep_attributes_read(api, from, &r->to->arena, to);
}

// How many values there are at most.
static OrtStatus *count_values(reader *r, size_t *ret_count) {
    count_fn *const counts[] = {r->api->Node_GetNumInputs, r->api->Node_GetNumImplicitInputs,
                                r->api->Node_GetNumOutputs};
    *ret_count = 0;
    for (uint32_t i = 0; i < r->to->graph.n_nodes; i++)
        for (size_t j = 0; j < sizeof counts / sizeof *counts; j++) {
            size_t count;
            OrtStatus *status = counts[j](r->to->nodes[i], &count);
            if (status) return status;
            *ret_count += count;
        }
    return NULL;
}

static OrtStatus *make_tables(reader *r) {
    size_t count;
    OrtStatus *status = count_values(r, &count);
    if (status) return status;
    quernel_ep_import *to = r->to;
    for (to->n_slots = 2; to->n_slots < 2 * count;) to->n_slots *= 2;
    to->values = quernel_ep_arena_array(&to->arena, count, sizeof *to->values);
    to->slots = quernel_ep_arena_array(&to->arena, to->n_slots, sizeof *to->slots);
    r->nodes = quernel_ep_arena_array(&to->arena, to->graph.n_nodes, sizeof *r->nodes);
    if (!to->values || !to->slots || !r->nodes) return quernel_ep_refuse_memory(r->api);
    to->graph.values = to->values;
    to->graph.nodes = r->nodes;
    return NULL;
}

static OrtStatus *list_nodes(reader *r, const OrtGraph *graph) {
    size_t count;
    OrtStatus *status = r->api->Graph_GetNumNodes(graph, &count);
    if (status) return status;
    r->to->graph.n_nodes = (uint32_t)count;
    r->to->nodes = quernel_ep_arena_array(&r->to->arena, count, sizeof(void *));
    if (!r->to->nodes) return quernel_ep_refuse_memory(r->api);
    return r->api->Graph_GetNodes(graph, r->to->nodes, count);
}

OrtStatus *quernel_ep_import_read(const OrtApi *api, const OrtGraph *graph,
                                  quernel_ep_import *ret_import) {
    *ret_import = (quernel_ep_import){0};
    reader r = {api, ret_import, NULL};
    OrtStatus *status = list_nodes(&r, graph);
    if (!status) status = make_tables(&r);
    for (uint32_t i = 0; i < ret_import->graph.n_nodes && !status; i++)
        status = read_node(&r, ret_import->nodes[i], &r.nodes[i]);
    if (status) quernel_ep_import_free(ret_import);
    return status;
}

void quernel_ep_import_free(quernel_ep_import *import) {
    quernel_ep_arena_free(&import->arena);
    *import = (quernel_ep_import){0};
}
