// SPDX-License-Identifier: Apache-2.0
// Attributes and files of EPContext nodes. The payload checks itself; what is checked here is that
// this version of Quernel wrote it.
#define _GNU_SOURCE // asprintf
#include "context.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attributes.h"

// ---- reading

enum { TEXT_MOST = 4096 }; // of a name, a version, a path

static OrtStatus *read_text(const OrtApi *api, const OrtNode *node, const char *name,
                            char text[TEXT_MOST]) {
    const OrtOpAttr *attribute = NULL;
    size_t bytes = 0;
    text[0] = 0;
    OrtStatus *status = api->Node_GetAttributeByName(node, name, &attribute);
    if (status || !attribute) {
        if (status) api->ReleaseStatus(status); // newer hosts say nothing, older ones refuse
        return NULL;
    }
    status = quernel_ep_attribute_size(api, attribute, ORT_OP_ATTR_STRING, &bytes);
    if (status || !bytes) return status;
    if (bytes >= TEXT_MOST)
        return quernel_ep_refuse(api, ORT_INVALID_GRAPH, "EPContext: %s: %zu bytes, %d at most",
                                 name, bytes, TEXT_MOST - 1);
    text[bytes] = 0;
    return api->ReadOpAttr(attribute, ORT_OP_ATTR_STRING, text, bytes, &bytes);
}

// `otherwise` where the node does not say.
static OrtStatus *read_int(const OrtApi *api, const OrtNode *node, const char *name,
                           int64_t otherwise, int64_t *ret_value) {
    const OrtOpAttr *attribute = NULL;
    size_t bytes;
    *ret_value = otherwise;
    OrtStatus *status = api->Node_GetAttributeByName(node, name, &attribute);
    if (status) api->ReleaseStatus(status);
    if (status || !attribute) return NULL;
    return api->ReadOpAttr(attribute, ORT_OP_ATTR_INT, ret_value, sizeof *ret_value, &bytes);
}

OrtStatus *quernel_ep_context_is_ours(const OrtApi *api, const OrtNode *node, bool *ret_ours) {
    char source[TEXT_MOST];
    OrtStatus *status = read_text(api, node, "source", source);
    *ret_ours = !status && !strcmp(source, QUERNEL_EP_NAME);
    return status;
}

static OrtStatus *check_version(const OrtApi *api, const OrtNode *node, const char *name) {
    char version[TEXT_MOST];
    int64_t main_context = 0;
    OrtStatus *status = read_text(api, node, "ep_sdk_version", version);
    if (!status) status = read_int(api, node, "main_context", 1, &main_context);
    if (status) return status;
    if (strcmp(version, quernel_version()))
        return quernel_ep_refuse(api, ORT_FAIL,
                                 "context %s: written by version '%.40s', this is %s: compile the "
                                 "model again",
                                 name, version, quernel_version());
    if (main_context != 1)
        return quernel_ep_refuse(api, ORT_FAIL, "context %s: main_context: %" PRId64 ": must be 1",
                                 name, main_context);
    return NULL;
}

static OrtStatus *read_embedded(const OrtApi *api, const OrtNode *node, const char *name,
                                quernel_ep_payload *ret_payload) {
    const OrtOpAttr *attribute = NULL;
    size_t bytes;
    OrtStatus *status = api->Node_GetAttributeByName(node, "ep_cache_context", &attribute);
    if (status) return status;
    if (!attribute)
        return quernel_ep_refuse(api, ORT_FAIL, "context %s: has no ep_cache_context", name);
    status = quernel_ep_attribute_size(api, attribute, ORT_OP_ATTR_STRING, &bytes);
    if (status) return status;
    status = quernel_ep_payload_allocate(api, bytes, ret_payload);
    if (status || !bytes) return status;
    return api->ReadOpAttr(attribute, ORT_OP_ATTR_STRING, ret_payload->data, bytes, &bytes);
}

// A path of `name` in the folder of `beside`.
static char *path_beside(const char *beside, const char *name) {
    const char *slash = strrchr(beside, '/');
    const int folder = slash ? (int)(slash - beside) + 1 : 0;
    char *path;
    return asprintf(&path, "%.*s%s", folder, beside, name) < 0 ? NULL : path;
}

// A model must not make us read what lies elsewhere.
static bool leaves_folder(const char *file) {
    return !*file || *file == '/' || !strcmp(file, "..") || !strncmp(file, "../", 3) ||
           strstr(file, "/../");
}

static OrtStatus *read_file(const OrtApi *api, const OrtGraph *graph, const OrtNode *node,
                            const char *name, quernel_ep_payload *ret_payload) {
    char file[TEXT_MOST];
    const char *model = "";
    OrtStatus *status = read_text(api, node, "ep_cache_context", file);
    if (!status) status = api->Graph_GetModelPath(graph, &model);
    if (status) return status;
    if (leaves_folder(file))
        return quernel_ep_refuse(api, ORT_FAIL,
                                 "context %s: ep_cache_context: '%.200s': must be a file beside "
                                 "the model",
                                 name, file);
    char *path = path_beside(model, file);
    if (!path) return quernel_ep_refuse_memory(api);
    status = quernel_ep_payload_map(api, path, ret_payload);
    free(path);
    return status;
}

OrtStatus *quernel_ep_context_load(const quernel_ep_host *host, const quernel_ep_settings *settings,
                                   const OrtGraph *graph, const OrtNode *node,
                                   quernel_ep_payload *ret_payload,
                                   quernel_ep_program **ret_program) {
    const OrtApi *api = host->api;
    const char *name = "";
    int64_t embedded = 0;
    OrtStatus *status = api->Node_GetName(node, &name);
    if (!status) status = check_version(api, node, name);
    if (!status) status = read_int(api, node, "embed_mode", 1, &embedded);
    if (!status)
        status = embedded ? read_embedded(api, node, name, ret_payload)
                          : read_file(api, graph, node, name, ret_payload);
    if (status) return status;
    quernel_error error = {0};
    const int code = quernel_ep_program_load(ret_payload->data, ret_payload->bytes,
                                             &settings->compile, ret_program, &error);
    return quernel_ep_refuse_error(api, name, code, &error);
}

// ---- writing

enum { ATTRIBUTES_MOST = 8 }; // seven are written

typedef struct maker {
    const quernel_ep_host *host;
    const OrtApi *api;
    const quernel_ep_fused *fused;
    OrtOpAttr *attributes[ATTRIBUTES_MOST];
    size_t n_attributes;
} maker;

static OrtStatus *add_bytes(maker *m, const char *name, const void *data, size_t bytes) {
    if (bytes > INT_MAX)
        return quernel_ep_refuse(m->api, ORT_FAIL,
                                 "context %s: %s: %zu bytes: more than an attribute holds; use "
                                 "ep.context_embed_mode 0",
                                 m->fused->name, name, bytes);
    return m->api->CreateOpAttr(name, data, (int)bytes, ORT_OP_ATTR_STRING,
                                &m->attributes[m->n_attributes++]);
}

static OrtStatus *add_text(maker *m, const char *name, const char *text) {
    return add_bytes(m, name, text, strlen(text));
}

static OrtStatus *add_int(maker *m, const char *name, int64_t value) {
    return m->api->CreateOpAttr(name, &value, 1, ORT_OP_ATTR_INT,
                                &m->attributes[m->n_attributes++]);
}

// The name of an island's file: "<model>_<island>.quernel", without what a file cannot be called.
static char *file_name(const char *model, const char *island) {
    const char *slash = strrchr(model, '/'), *stem = slash ? slash + 1 : model;
    const char *dot = strrchr(stem, '.');
    char *name;
    if (asprintf(&name, "%.*s_%s.quernel", dot ? (int)(dot - stem) : (int)strlen(stem), stem,
                 island) < 0)
        return NULL;
    for (char *c = name; *c; c++)
        if (*c == '/' || *c == '\\' || *c == ':') *c = '_';
    return name;
}

static OrtStatus *write_beside(maker *m, const char *model, const char *file,
                               const quernel_ep_payload *payload) {
    char *path = path_beside(model, file);
    if (!path) return quernel_ep_refuse_memory(m->api);
    OrtStatus *status = quernel_ep_payload_write(m->api, path, payload->data, payload->bytes);
    free(path);
    return status ? status : add_text(m, "ep_cache_context", file);
}

static OrtStatus *add_file(maker *m, const quernel_ep_settings *settings, const OrtGraph *graph,
                           const quernel_ep_payload *payload) {
    const char *model = settings->context_path;
    OrtStatus *status = model ? NULL : m->api->Graph_GetModelPath(graph, &model);
    if (status) return status;
    if (!*model)
        return quernel_ep_refuse(m->api, ORT_INVALID_ARGUMENT,
                                 "context %s: the model has no path: set ep.context_file_path, or "
                                 "ep.context_embed_mode 1",
                                 m->fused->name);
    char *file = file_name(model, m->fused->name);
    if (!file) return quernel_ep_refuse_memory(m->api);
    status = write_beside(m, model, file, payload);
    free(file);
    return status;
}

static OrtStatus *add_payload(maker *m, const quernel_ep_settings *settings,
                              const OrtGraph *graph) {
    quernel_ep_payload payload = {0};
    const size_t bytes = quernel_ep_program_save(m->fused->program, NULL, 0);
    OrtStatus *status = quernel_ep_payload_allocate(m->api, bytes, &payload);
    if (status) return status;
    quernel_ep_program_save(m->fused->program, payload.data, bytes);
    status = settings->embed ? add_bytes(m, "ep_cache_context", payload.data, bytes)
                             : add_file(m, settings, graph, &payload);
    quernel_ep_payload_free(&payload);
    return status;
}

static OrtStatus *make_node(maker *m, const quernel_ep_settings *settings, const OrtGraph *graph,
                            const quernel_ep_edges *edges, OrtNode **ret_node) {
    OrtStatus *status = add_payload(m, settings, graph);
    if (!status) status = add_int(m, "embed_mode", settings->embed);
    if (!status) status = add_int(m, "main_context", 1);
    if (!status) status = add_text(m, "source", QUERNEL_EP_NAME);
    if (!status) status = add_text(m, "partition_name", m->fused->name);
    if (!status) status = add_text(m, "ep_sdk_version", quernel_version());
    if (status) return status;
    return m->host->editor->CreateNode("EPContext", "com.microsoft", m->fused->name, edges->inputs,
                                       edges->n_inputs, edges->outputs, edges->n_outputs,
                                       m->attributes, m->n_attributes, ret_node);
}

OrtStatus *quernel_ep_context_make(const quernel_ep_host *host, const quernel_ep_settings *settings,
                                   const OrtGraph *graph, const quernel_ep_fused *fused,
                                   const quernel_ep_edges *edges, OrtNode **ret_node) {
    maker m = {.host = host, .api = host->api, .fused = fused};
    OrtStatus *status = make_node(&m, settings, graph, edges, ret_node);
    for (size_t i = 0; i < m.n_attributes; i++)
        if (m.attributes[i]) m.api->ReleaseOpAttr(m.attributes[i]); // the node has copies
    return status;
}
