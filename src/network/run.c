// SPDX-License-Identifier: Apache-2.0
// Runs a network: checks everything that was handed in, then layer after layer.
#include <stdio.h>

#include "base/desc.h"
#include "base/error.h"
#include "network/network.h"

typedef struct call {
    const quernel_network *net;
    const void *const *inputs;
    void *const *outputs;
    uint8_t *workspace;
} call;

// Element (0, 0, 0, 0) of a tensor.
static uint8_t *first_of(const call *c, uint32_t tensor) {
    const quernel_i_value *v = &c->net->values[tensor];
    switch (v->desc.role) {
    case QUERNEL_NETWORK_INPUT: return (uint8_t *)c->inputs[v->slot];
    case QUERNEL_NETWORK_OUTPUT: return c->outputs[v->slot];
    default: return c->workspace + c->net->operator_bytes + v->arena_offset + v->origin;
    }
}

// A buffer that the caller handed in: a tensor, or behind the last one the workspace. Its name is
// "inputs", "outputs" or "workspace".
typedef struct handed {
    quernel_i_buffer buffer;
    int32_t slot; // −1: the workspace
    bool written;
} handed;

// False for inner tensors, which are nobody's but the network's.
static bool handed_at(const call *c, uint32_t i, handed *h) {
    const quernel_network *net = c->net;
    if (i == net->n_values) {
        const quernel_i_extent all = {0, (int64_t)quernel_network_workspace(net)};
        *h = (handed){{"workspace", c->workspace, all, QUERNEL_I_LINE}, -1, true};
        return all.high > 0;
    }
    const quernel_i_value *v = &net->values[i];
    if (v->desc.role == QUERNEL_NETWORK_INNER) return false;
    const bool written = v->desc.role == QUERNEL_NETWORK_OUTPUT;
    *h = (handed){{written ? "outputs" : "inputs", first_of(c, i), v->extent,
                   quernel_type_size((quernel_type)v->desc.shape.type)},
                  (int32_t)v->slot,
                  written};
    return true;
}

static const char *name_of(const handed *h, char *text, size_t capacity) {
    if (h->slot < 0) return h->buffer.name;
    snprintf(text, capacity, "%s[%d]", h->buffer.name, h->slot);
    return text;
}

static int refuse_buffer(const handed *h, quernel_error *error) {
    char text[32];
    quernel_i_buffer named = h->buffer;
    named.name = name_of(h, text, sizeof text);
    const int code = quernel_i_buffer_check(&named, "network", error);
    if (error) error->index = h->slot;
    return code;
}

static int refuse_overlap(const handed *a, const handed *b, quernel_error *error) {
    const handed *written = a->written ? a : b, *other = a->written ? b : a;
    char text[2][32];
    const char *name = name_of(written, text[0], sizeof text[0]);
    return quernel_i_error_set(error, QUERNEL_E_OVERLAP, name, written->slot,
                               "network: %s: overlaps %s", name,
                               name_of(other, text[1], sizeof text[1]));
}

static int check_buffers(const call *c, quernel_error *error) {
    handed a, b;
    for (uint32_t i = 0; i <= c->net->n_values; i++) {
        if (!handed_at(c, i, &a)) continue;
        if (quernel_i_buffer_check(&a.buffer, "network", NULL)) return refuse_buffer(&a, error);
        for (uint32_t j = 0; j < i; j++)
            if (handed_at(c, j, &b) && (a.written || b.written) &&
                quernel_i_buffers_overlap(&a.buffer, &b.buffer))
                return refuse_overlap(&a, &b, error);
    }
    return QUERNEL_OK;
}

static bool any_of(const quernel_network *net, int32_t role) {
    for (uint32_t i = 0; i < net->n_values; i++)
        if (net->values[i].desc.role == role) return true;
    return false;
}

static int check_run(const call *c, size_t workspace_bytes, const quernel_parallel *parallel,
                     quernel_error *error) {
    const quernel_network *net = c->net;
    if (!c->inputs && any_of(net, QUERNEL_NETWORK_INPUT))
        return quernel_i_error_null(error, "network", "inputs");
    if (!c->outputs && any_of(net, QUERNEL_NETWORK_OUTPUT))
        return quernel_i_error_null(error, "network", "outputs");
    const int code = check_buffers(c, error);
    if (code) return code;
    if (workspace_bytes < quernel_network_workspace(net))
        return quernel_i_error_set(error, QUERNEL_E_WORKSPACE, "workspace_bytes", -1,
                                   "network: workspace_bytes: %zu: must be %zu or more",
                                   workspace_bytes, quernel_network_workspace(net));
    if (parallel && quernel_i_parallel_check(parallel, "network", error)) return QUERNEL_E_VALUE;
    if (parallel && parallel->threads > net->threads)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "parallel", -1,
                                   "network: parallel: %u threads: the network was made for %u",
                                   parallel->threads, net->threads);
    return QUERNEL_OK;
}

int quernel_network_run(const quernel_network *net, const void *const *inputs, void *const *outputs,
                        void *workspace, size_t workspace_bytes, const quernel_parallel *parallel,
                        quernel_error *error) {
    if (!net) return quernel_i_error_null(error, "network", "network");
    const call c = {net, inputs, outputs, workspace};
    const int code = check_run(&c, workspace_bytes, parallel, error);
    if (code) return code;
    for (uint32_t i = 0; i < net->n_steps; i++) {
        const quernel_i_step *s = &net->steps[i];
        const uint8_t *residual =
            s->residual < 0 ? NULL : first_of(&c, (uint32_t)s->residual) + s->residual_skip;
        s->op->kind->run(s->op,
                         &(quernel_i_operator_call){first_of(&c, s->x) + s->x_skip, residual,
                                                    first_of(&c, s->y) + s->y_skip, c.workspace,
                                                    parallel, net->far ? &s->ahead : NULL});
    }
    return QUERNEL_OK;
}
