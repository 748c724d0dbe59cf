// SPDX-License-Identifier: Apache-2.0
// The compiler for one pattern alone: DequantizeLinear → Conv → QuantizeLinear.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"

// One unit, found in a graph.
typedef struct unit {
    uint32_t nodes[5], n_nodes; // ascending
    const quernel_ep_node *x_dq, *w_dq, *b_dq, *conv, *q;
} unit;

struct quernel_ep_program {
    quernel_ep_options options;
    quernel_weights *weights;
    quernel_conv2d_desc desc; // without shapes
    int32_t types[2];
    int32_t *bias;
    uint32_t out;
};

struct quernel_ep_instance {
    quernel_operator *op;
    quernel_ep_shape shape;
};

static const quernel_ep_value *value(const quernel_ep_graph *g, const quernel_ep_node *n,
                                     uint32_t i) {
    return i < n->n_inputs && n->inputs[i] >= 0 ? &g->values[n->inputs[i]] : NULL;
}

static int32_t producer(const quernel_ep_graph *g, int32_t v, const char *op) {
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (!strcmp(g->nodes[i].op, op) && g->nodes[i].outputs[0] == v) return (int32_t)i;
    return -1;
}

static int32_t only_reader(const quernel_ep_graph *g, int32_t v) {
    int32_t found = -1;
    if (g->values[v].graph_output) return -1;
    for (uint32_t i = 0; i < g->n_nodes; i++)
        for (uint32_t j = 0; j < g->nodes[i].n_inputs; j++)
            if (g->nodes[i].inputs[j] == v) {
                if (found >= 0) return -1;
                found = (int32_t)i;
            }
    return found;
}

static const quernel_ep_attribute *attribute(const quernel_ep_node *n, const char *name) {
    for (uint32_t i = 0; i < n->n_attributes; i++)
        if (!strcmp(n->attributes[i].name, name)) return &n->attributes[i];
    return NULL;
}

static int64_t int_of(const quernel_ep_node *n, const char *name, uint32_t i, int64_t otherwise) {
    const quernel_ep_attribute *a = attribute(n, name);
    return a && i < a->count ? a->ints[i] : otherwise;
}

static int find_unit(const quernel_ep_graph *g, uint32_t at, unit *u) {
    const quernel_ep_node *conv = &g->nodes[at];
    const quernel_ep_attribute *pad = attribute(conv, "auto_pad");
    if (strcmp(conv->op, "Conv") || (pad && strcmp(pad->text, "NOTSET"))) return 0;
    memset(u, 0, sizeof *u);
    for (uint32_t i = 0; i < conv->n_inputs; i++) {
        const int32_t dq = producer(g, conv->inputs[i], "DequantizeLinear");
        if (dq < 0 || only_reader(g, conv->inputs[i]) != (int32_t)at) return 0;
        if (!value(g, &g->nodes[dq], 1)->data || (i && !value(g, &g->nodes[dq], 0)->data)) return 0;
        u->nodes[u->n_nodes++] = (uint32_t)dq;
        *(i == 0 ? &u->x_dq : i == 1 ? &u->w_dq : &u->b_dq) = &g->nodes[dq];
    }
    const int32_t q = only_reader(g, conv->outputs[0]);
    if (q < 0 || strcmp(g->nodes[q].op, "QuantizeLinear")) return 0;
    u->nodes[u->n_nodes++] = at;
    u->nodes[u->n_nodes++] = (uint32_t)q;
    u->conv = conv;
    u->q = &g->nodes[q];
    return value(g, u->x_dq, 2) && value(g, u->q, 2) && value(g, u->x_dq, 0)->rank == 4 &&
           value(g, u->w_dq, 0)->type == QUERNEL_EP_TYPE_S8;
}

static int compare(const void *a, const void *b) {
    return (*(const uint32_t *)a > *(const uint32_t *)b) -
           (*(const uint32_t *)a < *(const uint32_t *)b);
}

int quernel_ep_partition_find(const quernel_ep_graph *g, const quernel_ep_options *options,
                              quernel_ep_partition *p, quernel_error *error) {
    (void)options;
    (void)error;
    *p = (quernel_ep_partition){calloc(g->n_nodes + 1, sizeof *p->islands), 0,
                                calloc(g->n_nodes + 1, sizeof *p->refusals), 0};
    char *taken = calloc(1, g->n_nodes + 1);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        unit u;
        if (!find_unit(g, i, &u)) continue;
        quernel_ep_island *s = &p->islands[p->n_islands++];
        s->nodes = malloc(sizeof u.nodes);
        memcpy(s->nodes, u.nodes, sizeof u.nodes);
        s->n_nodes = u.n_nodes;
        qsort(s->nodes, s->n_nodes, sizeof *s->nodes, compare);
        s->inputs = malloc(sizeof *s->inputs);
        s->outputs = malloc(sizeof *s->outputs);
        s->inputs[0] = u.x_dq->inputs[0];
        s->outputs[0] = u.q->outputs[0];
        s->n_inputs = s->n_outputs = 1;
        for (uint32_t j = 0; j < u.n_nodes; j++) taken[u.nodes[j]] = 1;
    }
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        if (taken[i]) continue;
        quernel_ep_refusal *r = &p->refusals[p->n_refusals++];
        r->node = i;
        snprintf(r->reason, sizeof r->reason, "no unit");
    }
    free(taken);
    return QUERNEL_OK;
}

void quernel_ep_partition_free(quernel_ep_partition *p) {
    for (uint32_t i = 0; i < p->n_islands; i++) {
        free(p->islands[i].nodes);
        free(p->islands[i].inputs);
        free(p->islands[i].outputs);
    }
    free(p->islands);
    free(p->refusals);
}

static int32_t zero_of(const quernel_ep_value *v) {
    return v->type == QUERNEL_EP_TYPE_U8 ? *(const uint8_t *)v->data : *(const int8_t *)v->data;
}

static int32_t type_of(int32_t t) {
    return t == QUERNEL_EP_TYPE_U8 ? QUERNEL_TYPE_U8 : QUERNEL_TYPE_S8;
}

static int pack(const quernel_ep_graph *g, const unit *u, quernel_ep_program *p,
                quernel_error *error) {
    const quernel_ep_value *w = value(g, u->w_dq, 0), *s = value(g, u->w_dq, 1);
    float *scales = malloc((size_t)w->dims[0] * sizeof *scales);
    for (int64_t i = 0; i < w->dims[0]; i++)
        scales[i] = ((const float *)s->data)[s->bytes > sizeof(float) ? i : 0];
    quernel_weights_desc d = QUERNEL_WEIGHTS_DESC_INIT;
    d.kind = QUERNEL_WEIGHTS_CONV2D;
    d.type = QUERNEL_TYPE_S8;
    d.groups = (uint32_t)int_of(u->conv, "group", 0, 1);
    d.out = p->out = (uint32_t)w->dims[0];
    d.in = (uint32_t)w->dims[1] * d.groups;
    d.kernel_h = (uint32_t)w->dims[2];
    d.kernel_w = (uint32_t)w->dims[3];
    d.data = w->data;
    d.scale = scales;
    const int code = quernel_weights_pack(&d, &p->weights, error);
    free(scales);
    return code;
}

int quernel_ep_program_create(const quernel_ep_graph *g, const quernel_ep_island *island,
                              const quernel_ep_options *options, quernel_ep_program **ret_program,
                              quernel_error *error) {
    unit u;
    uint32_t at = 0;
    while (at < island->n_nodes && !find_unit(g, island->nodes[at], &u)) at++;
    if (at == island->n_nodes) return QUERNEL_E_UNSUPPORTED;
    quernel_ep_program *p = calloc(1, sizeof *p);
    p->options = *options;
    const int code = pack(g, &u, p, error);
    if (code) return free(p), code;
    const quernel_ep_value *x = value(g, u.x_dq, 0);
    p->desc = (quernel_conv2d_desc)QUERNEL_CONV2D_DESC_INIT;
    p->desc.x.type = type_of(x->type);
    p->desc.x.layout = p->desc.y.layout = QUERNEL_LAYOUT_NCHW;
    p->desc.quant.type = p->desc.x.type;
    p->desc.quant.scale = *(const float *)value(g, u.x_dq, 1)->data;
    p->desc.quant.zero = zero_of(value(g, u.x_dq, 2));
    p->desc.epilogue.y_type = type_of(value(g, u.q, 2)->type);
    p->desc.epilogue.y_scale = *(const float *)value(g, u.q, 1)->data;
    p->desc.epilogue.y_zero = zero_of(value(g, u.q, 2));
    p->desc.stride_h = (uint32_t)int_of(u.conv, "strides", 0, 1);
    p->desc.stride_w = (uint32_t)int_of(u.conv, "strides", 1, 1);
    p->desc.pad_top = (uint32_t)int_of(u.conv, "pads", 0, 0);
    p->desc.pad_left = (uint32_t)int_of(u.conv, "pads", 1, 0);
    p->desc.pad_bottom = (uint32_t)int_of(u.conv, "pads", 2, 0);
    p->desc.pad_right = (uint32_t)int_of(u.conv, "pads", 3, 0);
    p->desc.dilation_h = (uint32_t)int_of(u.conv, "dilations", 0, 1);
    p->desc.dilation_w = (uint32_t)int_of(u.conv, "dilations", 1, 1);
    p->types[0] = x->type;
    p->types[1] = value(g, u.q, 2)->type;
    p->bias = calloc(p->out, sizeof *p->bias);
    if (u.b_dq) memcpy(p->bias, value(g, u.b_dq, 0)->data, p->out * sizeof *p->bias);
    *ret_program = p;
    return QUERNEL_OK;
}

void quernel_ep_program_destroy(quernel_ep_program *p) {
    if (!p) return;
    quernel_weights_release(p->weights);
    free(p->bias);
    free(p);
}

quernel_ep_signature quernel_ep_program_signature(const quernel_ep_program *p) {
    return (quernel_ep_signature){1, 1, &p->types[0], &p->types[1]};
}

size_t quernel_ep_program_save(const quernel_ep_program *p, void *data, size_t capacity) {
    const size_t blob = quernel_weights_blob_bytes(p->weights), bias = p->out * sizeof *p->bias;
    const size_t all = sizeof *p + bias + blob;
    if (!data || capacity < all) return all;
    memcpy(data, p, sizeof *p);
    memcpy((char *)data + sizeof *p, p->bias, bias);
    quernel_weights_save(p->weights, (char *)data + sizeof *p + bias, blob, NULL);
    return all;
}

int quernel_ep_program_load(const void *data, size_t bytes, const quernel_ep_options *options,
                            quernel_ep_program **ret_program, quernel_error *error) {
    if (bytes < sizeof(quernel_ep_program)) return QUERNEL_E_BLOB;
    quernel_ep_program *p = malloc(sizeof *p);
    memcpy(p, data, sizeof *p);
    p->options = *options;
    p->weights = NULL;
    p->bias = NULL;
    const size_t bias = p->out * sizeof *p->bias, skip = sizeof *p + bias;
    int code = bytes < skip ? QUERNEL_E_BLOB
                            : quernel_weights_load((const char *)data + skip, bytes - skip, NULL,
                                                   &p->weights, error);
    if (code) return free(p), code;
    p->bias = malloc(bias);
    memcpy(p->bias, (const char *)data + sizeof *p, bias);
    *ret_program = p;
    return QUERNEL_OK;
}

int quernel_ep_instance_create(const quernel_ep_program *p, const quernel_ep_shape *inputs,
                               quernel_ep_instance **ret_instance, quernel_error *error) {
    quernel_ep_instance *instance = calloc(1, sizeof *instance);
    quernel_conv2d_desc d = p->desc;
    quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
    quernel_weights_get(p->weights, &info);
    d.weights = p->weights;
    d.x.n = (uint32_t)inputs->dims[0];
    d.x.c = (uint32_t)inputs->dims[1];
    d.x.h = (uint32_t)inputs->dims[2];
    d.x.w = (uint32_t)inputs->dims[3];
    d.epilogue.bias = p->bias;
    d.epilogue.bias_type = QUERNEL_TYPE_S32;
    d.threads = p->options.threads;
    d.isa = p->options.isa;
    const int code = quernel_conv2d_create(&d, &instance->op, error);
    if (code) return free(instance), code;
    instance->shape = (quernel_ep_shape){
        4,
        {d.x.n, p->out,
         (d.x.h + d.pad_top + d.pad_bottom - d.dilation_h * (info.kernel_h - 1) - 1) / d.stride_h +
             1,
         (d.x.w + d.pad_left + d.pad_right - d.dilation_w * (info.kernel_w - 1) - 1) / d.stride_w +
             1}};
    *ret_instance = instance;
    return QUERNEL_OK;
}

void quernel_ep_instance_destroy(quernel_ep_instance *instance) {
    quernel_operator_destroy(instance->op);
    free(instance);
}

const quernel_ep_shape *quernel_ep_instance_output(const quernel_ep_instance *instance,
                                                   uint32_t index) {
    (void)index;
    return &instance->shape;
}

size_t quernel_ep_instance_workspace(const quernel_ep_instance *instance) {
    return quernel_operator_workspace(instance->op);
}

int quernel_ep_instance_run(const quernel_ep_instance *instance, const void *const *inputs,
                            void *const *outputs, void *workspace, const quernel_parallel *parallel,
                            quernel_error *error) {
    return quernel_operator_run(instance->op, inputs[0], NULL, outputs[0], workspace,
                                quernel_operator_workspace(instance->op), parallel, error);
}
