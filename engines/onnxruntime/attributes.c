// SPDX-License-Identifier: Apache-2.0
// ReadOpAttr refuses where the room is too small, and says then how much it needs.
#include "attributes.h"

OrtStatus *quernel_ep_attribute_size(const OrtApi *api, const OrtOpAttr *attribute,
                                     OrtOpAttrType type, size_t *ret_bytes) {
    char nothing[1];
    *ret_bytes = 0;
    OrtStatus *status = api->ReadOpAttr(attribute, type, nothing, 0, ret_bytes);
    if (!status || !*ret_bytes) return status;
    api->ReleaseStatus(status);
    return NULL;
}

// The bytes and a zero behind them, which ends a text.
static OrtStatus *read_bytes(const OrtApi *api, const OrtOpAttr *attribute, OrtOpAttrType type,
                             quernel_ep_arena *arena, void **ret_data, size_t *ret_bytes) {
    OrtStatus *status = quernel_ep_attribute_size(api, attribute, type, ret_bytes);
    if (status) return status;
    *ret_data = quernel_ep_arena_get(arena, *ret_bytes + 1);
    if (!*ret_data) return quernel_ep_refuse_memory(api);
    if (!*ret_bytes) return NULL;
    return api->ReadOpAttr(attribute, type, *ret_data, *ret_bytes, ret_bytes);
}

// How one of ONNX Runtime's types is ours.
static const struct {
    OrtOpAttrType type;
    quernel_ep_attribute_kind kind;
    size_t size;
} kinds[] = {
    {ORT_OP_ATTR_INT, QUERNEL_EP_ATTRIBUTE_INT, sizeof(int64_t)},
    {ORT_OP_ATTR_INTS, QUERNEL_EP_ATTRIBUTE_INTS, sizeof(int64_t)},
    {ORT_OP_ATTR_FLOAT, QUERNEL_EP_ATTRIBUTE_FLOAT, sizeof(float)},
    {ORT_OP_ATTR_FLOATS, QUERNEL_EP_ATTRIBUTE_FLOATS, sizeof(float)},
    {ORT_OP_ATTR_STRING, QUERNEL_EP_ATTRIBUTE_STRING, 1},
};

static OrtStatus *read_value(const OrtApi *api, const OrtOpAttr *attribute, OrtOpAttrType type,
                             quernel_ep_arena *arena, quernel_ep_attribute *a) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].type != type) continue;
        void *data;
        size_t bytes;
        OrtStatus *status = read_bytes(api, attribute, type, arena, &data, &bytes);
        if (status) return status;
        a->kind = kinds[i].kind;
        a->count = (uint32_t)(bytes / kinds[i].size);
        a->ints = data;
        return NULL;
    }
    a->kind = QUERNEL_EP_ATTRIBUTE_OTHER;
    return NULL;
}

static OrtStatus *read_one(const OrtApi *api, const OrtOpAttr *attribute, quernel_ep_arena *arena,
                           quernel_ep_attribute *a) {
    OrtOpAttrType type = ORT_OP_ATTR_UNDEFINED;
    OrtStatus *status = api->OpAttr_GetName(attribute, &a->name);
    if (!status) status = api->OpAttr_GetType(attribute, &type);
    return status ? status : read_value(api, attribute, type, arena, a);
}

OrtStatus *quernel_ep_attributes_read(const OrtApi *api, const OrtNode *node,
                                      quernel_ep_arena *arena, quernel_ep_node *ret_node) {
    size_t count;
    OrtStatus *status = api->Node_GetNumAttributes(node, &count);
    if (status || !count) return status;
    const OrtOpAttr **from = quernel_ep_arena_array(arena, count, sizeof(void *));
    quernel_ep_attribute *to = quernel_ep_arena_array(arena, count, sizeof *to);
    if (!from || !to) return quernel_ep_refuse_memory(api);
    status = api->Node_GetAttributes(node, from, count);
    for (size_t i = 0; i < count && !status; i++) status = read_one(api, from[i], arena, &to[i]);
    ret_node->attributes = to;
    ret_node->n_attributes = (uint32_t)count;
    return status;
}
