// SPDX-License-Identifier: Apache-2.0
// Questions about nodes: attributes, readers, what their codes mean.
#include <math.h>
#include <string.h>

#include "search.h"

bool quernel_ep_node_is(const quernel_ep_node *n, const char *op) {
    return (!*n->domain || !strcmp(n->domain, "ai.onnx")) && !strcmp(n->op, op);
}

bool quernel_ep_node_is_ms(const quernel_ep_node *n, const char *op) {
    return !strcmp(n->domain, "com.microsoft") && !strcmp(n->op, op);
}

int32_t quernel_ep_sole_reader(const quernel_ep_search *c, int32_t v) {
    if (quernel_ep_value_of(c, v)->graph_output || quernel_ep_readers_count(c, v) != 1) return -1;
    return (int32_t)c->readers[c->readers_begin[v]];
}

static const quernel_ep_attribute *find(const quernel_ep_node *n, const char *name, int32_t kind) {
    for (uint32_t i = 0; i < n->n_attributes; i++)
        if (n->attributes[i].kind == kind && !strcmp(n->attributes[i].name, name))
            return &n->attributes[i];
    return NULL;
}

int64_t quernel_ep_int(const quernel_ep_node *n, const char *name, int64_t otherwise) {
    const quernel_ep_attribute *a = find(n, name, QUERNEL_EP_ATTRIBUTE_INT);
    return a ? a->ints[0] : otherwise;
}

float quernel_ep_float(const quernel_ep_node *n, const char *name, float otherwise) {
    const quernel_ep_attribute *a = find(n, name, QUERNEL_EP_ATTRIBUTE_FLOAT);
    return a ? a->floats[0] : otherwise;
}

const char *quernel_ep_text(const quernel_ep_node *n, const char *name, const char *otherwise) {
    const quernel_ep_attribute *a = find(n, name, QUERNEL_EP_ATTRIBUTE_STRING);
    return a ? a->text : otherwise;
}

uint32_t quernel_ep_ints(const quernel_ep_node *n, const char *name, const int64_t **ret_ints) {
    const quernel_ep_attribute *a = find(n, name, QUERNEL_EP_ATTRIBUTE_INTS);
    *ret_ints = a ? a->ints : NULL;
    return a ? a->count : 0;
}
