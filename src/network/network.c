// SPDX-License-Identifier: Apache-2.0
// Creation, queries and the end of a network.
#include "network/layer.h"

#include <string.h>

#include "base/error.h"
#include "cpu/cpu.h"

// tensors, and layers: indices are int32_t, and arrays of them stay small
#define MAX_PARTS (1u << 20)

static const char where[] = "network";

static int check_desc(const quernel_network_desc *d, quernel_error *error) {
    if (!d->tensors) return quernel_i_error_null(error, where, "tensors");
    if (!d->layers) return quernel_i_error_null(error, where, "layers");
    int code = quernel_i_check_range(error, QUERNEL_E_SHAPE, where, "n_tensors", d->n_tensors, 1,
                                     MAX_PARTS);
    if (!code)
        code = quernel_i_check_range(error, QUERNEL_E_SHAPE, where, "n_layers", d->n_layers, 1,
                                     MAX_PARTS);
    return code ? code : quernel_i_allocator_check(d->allocator, where, error);
}

static int refuse_memory(quernel_error *error, size_t bytes) {
    return quernel_i_error_set(error, QUERNEL_E_MEMORY, "allocator", -1,
                               "network: no memory for %zu bytes", bytes);
}

static void lay_out(quernel_network *net, quernel_i_layout *block) {
    quernel_i_take(block, 1, sizeof *net);
    net->values = quernel_i_take(block, net->n_values, sizeof *net->values);
    net->steps = quernel_i_take(block, net->n_steps, sizeof *net->steps);
}

static int allocate(const quernel_network_desc *d, quernel_network **ret_net,
                    quernel_error *error) {
    quernel_network net = {.allocator = quernel_i_allocator(d->allocator),
                           .n_values = d->n_tensors,
                           .n_steps = d->n_layers,
                           .threads = d->threads ? d->threads : 1};
    quernel_i_layout block = {0};
    lay_out(&net, &block);
    net.bytes = block.used;
    uint8_t *base = quernel_i_allocate(&net.allocator, net.bytes);
    if (!base) return refuse_memory(error, net.bytes);
    memset(base, 0, net.bytes);
    block = (quernel_i_layout){.base = base};
    lay_out(&net, &block);
    *ret_net = (quernel_network *)base;
    **ret_net = net;
    return QUERNEL_OK;
}

static ptrdiff_t skip_channels(const quernel_i_value *v, uint32_t channel) {
    const quernel_tensor *t = &v->desc.shape;
    return (ptrdiff_t)(channel * t->stride_c * (int64_t)quernel_type_size((quernel_type)t->type));
}

static void keep_step(quernel_network *net, const quernel_network_layer *l, quernel_i_step *step) {
    *step = (quernel_i_step){NULL,
                             l->x,
                             l->y,
                             l->residual,
                             skip_channels(&net->values[l->x], l->x_channel),
                             skip_channels(&net->values[l->y], l->y_channel),
                             0,
                             {NULL, NULL, 0}};
    if (l->residual >= 0)
        step->residual_skip = skip_channels(&net->values[l->residual], l->residual_channel);
}

static int make_step(const quernel_i_draft *draft, uint32_t i, quernel_error *error) {
    quernel_network *net = draft->net;
    const quernel_i_layer *l = &draft->layers[i];
    const quernel_i_layer_ends ends = {
        &net->values[l->desc.x],
        l->desc.residual < 0 ? NULL : &net->values[l->desc.residual],
        &net->values[l->desc.y],
        quernel_i_factors_scratch(draft, 0),
        quernel_i_factors_scratch(draft, 1),
    };
    quernel_i_step *step = &net->steps[i];
    keep_step(net, &l->desc, step);
    const int code = l->kind->create(l, &ends, &draft->desc, &step->op, error);
    if (code) return quernel_i_layer_rename(error, code, i);
    const size_t bytes = quernel_i_round_up(quernel_operator_workspace(step->op), QUERNEL_I_LINE);
    if (bytes > net->operator_bytes) net->operator_bytes = bytes;
    return QUERNEL_OK;
}

// Weights that are read before those of this many bytes cost less than asking for them.
#define AHEAD_MIN (8u << 10)

// Each layer is told what is read after its own weights: of a long stretch what half of L2 keeps.
static void find_ahead(quernel_network *net) {
    const size_t l2_bytes = quernel_i_cpu()->l2_bytes;
    quernel_i_ahead next = {NULL, NULL, 0};
    size_t all = 0;
    for (uint32_t i = net->n_steps; i--;) {
        const quernel_operator *op = net->steps[i].op;
        net->steps[i].ahead = next;
        if (!op->kind->weights) continue;
        const quernel_i_ahead own = op->kind->weights(op);
        const size_t bytes = (size_t)(own.end - own.at), most = l2_bytes / 2;
        all += bytes;
        if (bytes >= AHEAD_MIN)
            next = (quernel_i_ahead){own.at, bytes > most ? own.at + most : own.end, 0};
    }
    net->far = all > l2_bytes;
}

// Factors and scales are needed until the operators have copied them.
static int make_steps(quernel_i_draft *draft, quernel_error *error) {
    quernel_network *net = draft->net;
    const size_t bytes = quernel_i_factors_count(net) * sizeof(float);
    draft->tables = bytes ? quernel_i_allocate(&net->allocator, bytes) : NULL;
    if (bytes && !draft->tables) return refuse_memory(error, bytes);
    int code = quernel_i_factors_find(draft, error);
    for (uint32_t i = 0; i < net->n_steps && !code; i++) code = make_step(draft, i, error);
    if (!code) find_ahead(net);
    for (uint32_t i = 0; i < net->n_values; i++)
        net->values[i].smooth = NULL, net->values[i].desc.smooth = NULL;
    quernel_i_release(&net->allocator, draft->tables, bytes);
    return code;
}

static int make(quernel_i_draft *draft, quernel_network **ret_network, quernel_error *error) {
    int code = allocate(&draft->desc, &draft->net, error);
    if (code) return code;
    code = quernel_i_values_copy(draft, error);
    if (!code) code = quernel_i_network_follow(draft, error);
    if (!code) code = quernel_i_values_lay_out(draft, error);
    if (!code) code = quernel_i_arena_assign(draft, error);
    if (!code) code = make_steps(draft, error);
    if (code) quernel_network_destroy(draft->net);
    else *ret_network = draft->net;
    return code;
}

int quernel_network_create(const quernel_network_desc *desc, quernel_network **ret_network,
                           quernel_error *error) {
    if (!desc) return quernel_i_error_null(error, where, "desc");
    if (!ret_network) return quernel_i_error_null(error, where, "ret_network");
    quernel_i_draft draft;
    int code = quernel_i_network_read(desc, &draft, error);
    if (!code) code = check_desc(&draft.desc, error);
    if (code) return code;
    const quernel_allocator memory = quernel_i_allocator(draft.desc.allocator);
    const size_t bytes = quernel_i_network_read_bytes(&draft);
    void *arrays = quernel_i_allocate(&memory, bytes);
    if (!arrays) return refuse_memory(error, bytes);
    code = quernel_i_network_read_arrays(&draft, arrays, error);
    if (!code) code = make(&draft, ret_network, error);
    quernel_i_release(&memory, arrays, bytes);
    return code;
}

size_t quernel_network_workspace(const quernel_network *net) {
    return net ? net->operator_bytes + net->arena_bytes : 0;
}

int quernel_network_tensor_get(const quernel_network *net, uint32_t index,
                               quernel_tensor *ret_tensor) {
    if (!net || !ret_tensor) return QUERNEL_E_NULL;
    if (index >= net->n_values) return QUERNEL_E_VALUE;
    *ret_tensor = net->values[index].desc.shape;
    return QUERNEL_OK;
}

const quernel_operator *quernel_network_operator(const quernel_network *net, uint32_t index) {
    return net && index < net->n_steps ? net->steps[index].op : NULL;
}

void quernel_network_destroy(quernel_network *net) {
    if (!net) return;
    for (uint32_t i = 0; i < net->n_steps; i++) quernel_operator_destroy(net->steps[i].op);
    const quernel_allocator memory = net->allocator;
    quernel_i_release(&memory, net, net->bytes);
}
