// SPDX-License-Identifier: Apache-2.0
// Layers of a network from steps.
#include <string.h>

#include "lower.h"
#include "window.h"

static quernel_network_layer *add(quernel_ep_lowering *l, uint32_t step, int32_t kind) {
    quernel_network_layer *layer = &l->layers[l->n_layers];
    *layer = (quernel_network_layer)QUERNEL_NETWORK_LAYER_INIT;
    layer->kind = kind;
    if (kind != QUERNEL_NETWORK_CONV) layer->desc = &l->descs[l->n_layers];
    l->steps[l->n_layers++] = step;
    return layer;
}

static void set_x(const quernel_ep_lowering *l, quernel_network_layer *layer, int32_t record) {
    layer->x = (uint32_t)l->homes[record].tensor;
    layer->x_channel = l->homes[record].channel;
    if (layer->kind != QUERNEL_NETWORK_CONV) layer->channels = l->sizes[record].c;
}

static void set_y(const quernel_ep_lowering *l, quernel_network_layer *layer, int32_t record) {
    layer->y = (uint32_t)l->homes[record].tensor;
    layer->y_channel = l->homes[record].channel;
}

static void set_z(const quernel_ep_lowering *l, quernel_network_layer *layer, int32_t record) {
    if (record < 0) return;
    layer->residual = l->homes[record].tensor;
    layer->residual_channel = l->homes[record].channel;
}

static void set_activation(const quernel_ep_lowering *l, const quernel_ep_step *s,
                           quernel_epilogue *e) {
    e->activation = s->activation;
    e->lo = s->lo, e->hi = s->hi, e->slope = s->slope;
    e->slopes = quernel_ep_program_at(l->program, s->arrays[QUERNEL_EP_SLOPES]);
}

static void set_window(const quernel_ep_lowering *l, const quernel_ep_step *s, uint32_t *stride[2],
                       uint32_t *dilation[2], uint32_t *begin[2], uint32_t *end[2]) {
    const uint32_t size[2] = {l->sizes[s->x].h, l->sizes[s->x].w};
    for (int i = 0; i < 2; i++) {
        *stride[i] = s->window.stride[i], *dilation[i] = s->window.dilation[i];
        quernel_ep_window_pads(&s->window, i, size[i], begin[i], end[i]);
    }
}

static void add_conv(quernel_ep_lowering *l, uint32_t step) {
    const quernel_ep_step *s = &l->program->steps[step];
    quernel_network_layer *layer = add(l, step, QUERNEL_NETWORK_CONV);
    quernel_conv2d_desc *c = &layer->conv;
    set_x(l, layer, s->x), set_y(l, layer, s->y), set_z(l, layer, s->z);
    c->weights = l->program->weights[s->weights];
    set_window(l, s, (uint32_t *[]){&c->stride_h, &c->stride_w},
               (uint32_t *[]){&c->dilation_h, &c->dilation_w},
               (uint32_t *[]){&c->pad_top, &c->pad_left},
               (uint32_t *[]){&c->pad_bottom, &c->pad_right});
    c->out_pad_h = s->window.out_pad[0], c->out_pad_w = s->window.out_pad[1];
    set_activation(l, s, &c->epilogue);
    c->epilogue.bias_type = QUERNEL_TYPE_F32;
    c->epilogue.bias = quernel_ep_program_at(l->program, s->arrays[QUERNEL_EP_BIAS]);
    c->epilogue.residual_after_activation = s->residual_late;
}

static void add_eltwise(quernel_ep_lowering *l, uint32_t step) {
    const quernel_ep_step *s = &l->program->steps[step];
    quernel_eltwise_desc *e = &l->descs[l->n_layers].eltwise;
    quernel_network_layer *layer = add(l, step, QUERNEL_NETWORK_ELTWISE);
    *e = (quernel_eltwise_desc)QUERNEL_ELTWISE_DESC_INIT;
    e->kind = s->op;
    const bool swap = (s->op == QUERNEL_ELTWISE_ADD || s->op == QUERNEL_ELTWISE_MUL) &&
                      memcmp(&l->sizes[s->x], &l->sizes[s->y], sizeof *l->sizes) != 0;
    set_x(l, layer, swap ? s->z : s->x), set_y(l, layer, s->y);
    set_z(l, layer, swap ? s->x : s->z);
    set_activation(l, s, &e->epilogue);
    e->table = quernel_ep_program_at(l->program, s->arrays[QUERNEL_EP_TABLE]);
    if (e->table) e->tables = s->arrays[QUERNEL_EP_TABLE].bytes / 256;
}

static void add_pool(quernel_ep_lowering *l, uint32_t step) {
    const quernel_ep_step *s = &l->program->steps[step];
    quernel_pool2d_desc *p = &l->descs[l->n_layers].pool;
    quernel_network_layer *layer = add(l, step, QUERNEL_NETWORK_POOL2D);
    *p = (quernel_pool2d_desc)QUERNEL_POOL2D_DESC_INIT;
    p->kind = s->op;
    set_x(l, layer, s->x), set_y(l, layer, s->y);
    p->kernel_h = s->window.kernel[0], p->kernel_w = s->window.kernel[1];
    set_window(l, s, (uint32_t *[]){&p->stride_h, &p->stride_w},
               (uint32_t *[]){&p->dilation_h, &p->dilation_w},
               (uint32_t *[]){&p->pad_top, &p->pad_left},
               (uint32_t *[]){&p->pad_bottom, &p->pad_right});
    p->ceil_mode = s->window.ceil_mode;
    set_activation(l, s, &p->epilogue);
}

static void fill_axis(quernel_ep_lowering *l, const quernel_ep_axis *a, uint32_t size,
                      uint32_t count, quernel_resize2d_axis *ret_axis) {
    const uint32_t taps = quernel_ep_axis_taps(a, size, count);
    const size_t all = (size_t)count * taps;
    uint32_t *index = quernel_ep_region_take(&l->region, all, sizeof *index);
    float *weight = quernel_ep_region_take(&l->region, all, sizeof *weight);
    if (!index || !weight) return;
    quernel_ep_axis_fill(a, size, count, index, weight);
    *ret_axis = (quernel_resize2d_axis){taps, index, quernel_ep_axis_filters(a) ? weight : NULL};
}

static void add_resize(quernel_ep_lowering *l, uint32_t step) {
    const quernel_ep_step *s = &l->program->steps[step];
    const quernel_ep_sizes *x = &l->sizes[s->x], *y = &l->sizes[s->y];
    quernel_resize2d_desc *r = &l->descs[l->n_layers].resize;
    quernel_network_layer *layer = add(l, step, QUERNEL_NETWORK_RESIZE2D);
    *r = (quernel_resize2d_desc)QUERNEL_RESIZE2D_DESC_INIT;
    set_x(l, layer, s->x), set_y(l, layer, s->y);
    fill_axis(l, &s->axes[0], x->h, y->h, &r->lines);
    fill_axis(l, &s->axes[1], x->w, y->w, &r->pixels);
    r->y.h = y->h, r->y.w = y->w;
    r->pad = s->pad;
    set_activation(l, s, &r->epilogue);
}

static void add_shuffle(quernel_ep_lowering *l, uint32_t step) {
    const quernel_ep_step *s = &l->program->steps[step];
    quernel_shuffle2d_desc *f = &l->descs[l->n_layers].shuffle;
    quernel_network_layer *layer = add(l, step, QUERNEL_NETWORK_SHUFFLE2D);
    *f = (quernel_shuffle2d_desc)QUERNEL_SHUFFLE2D_DESC_INIT;
    set_x(l, layer, s->x), set_y(l, layer, s->y);
    f->gather = s->gather;
    f->block_h = s->block[0], f->block_w = s->block[1];
    f->from = quernel_ep_program_at(l->program, s->arrays[QUERNEL_EP_FROM]);
    f->y.c = s->out;
}

static void add_normalize(quernel_ep_lowering *l, uint32_t step) {
    const quernel_ep_step *s = &l->program->steps[step];
    quernel_normalize_desc *n = &l->descs[l->n_layers].normalize;
    quernel_network_layer *layer = add(l, step, QUERNEL_NETWORK_NORMALIZE);
    *n = (quernel_normalize_desc)QUERNEL_NORMALIZE_DESC_INIT;
    n->kind = s->op;
    set_x(l, layer, s->x), set_y(l, layer, s->y);
    n->gamma = quernel_ep_program_at(l->program, s->arrays[QUERNEL_EP_GAMMA]);
    n->beta = quernel_ep_program_at(l->program, s->arrays[QUERNEL_EP_BIAS]);
    n->epsilon = s->epsilon;
    set_activation(l, s, &n->epilogue);
}

static void add_matmul(quernel_ep_lowering *l, uint32_t step) {
    const quernel_ep_step *s = &l->program->steps[step];
    quernel_matmul_desc *m = &l->descs[l->n_layers].matmul;
    quernel_network_layer *layer = add(l, step, QUERNEL_NETWORK_MATMUL);
    *m = (quernel_matmul_desc)QUERNEL_MATMUL_DESC_INIT;
    set_x(l, layer, s->x), set_y(l, layer, s->y), set_z(l, layer, s->z);
    m->transposed = s->op;
    m->y.c = l->sizes[s->y].c;
    set_activation(l, s, &m->epilogue);
}

// From one tensor to another, by value: other codes where they mean something else.
static void add_copy(quernel_ep_lowering *l, uint32_t step, int32_t x, uint32_t x_channel,
                     uint32_t channels, quernel_ep_home y) {
    quernel_eltwise_desc *e = &l->descs[l->n_layers].eltwise;
    quernel_network_layer *layer = add(l, step, QUERNEL_NETWORK_ELTWISE);
    *e = (quernel_eltwise_desc)QUERNEL_ELTWISE_DESC_INIT;
    set_x(l, layer, x);
    layer->x_channel += x_channel, layer->channels = channels;
    layer->y = (uint32_t)y.tensor, layer->y_channel = y.channel;
}

static void add_concat(quernel_ep_lowering *l, uint32_t step) {
    const quernel_ep_step *s = &l->program->steps[step];
    const int32_t *list = quernel_ep_program_at(l->program, s->arrays[QUERNEL_EP_LIST]);
    quernel_ep_home y = l->homes[s->y];
    for (uint32_t i = 0; i < s->arrays[QUERNEL_EP_LIST].bytes / sizeof *list; i++) {
        const quernel_ep_home x = l->homes[list[i]];
        const uint32_t channels = l->sizes[list[i]].c;
        if (x.tensor != y.tensor || x.channel != y.channel)
            add_copy(l, step, list[i], 0, channels, y);
        y.channel += channels;
    }
}

static void add_view(quernel_ep_lowering *l, uint32_t step) {
    const quernel_ep_step *s = &l->program->steps[step];
    const quernel_ep_home x = l->homes[s->x], y = l->homes[s->y];
    if (x.tensor == y.tensor && x.channel + s->channel == y.channel) return;
    add_copy(l, step, s->x, s->channel, l->sizes[s->y].c, y);
}

// An output that is read inside, too, is copied from where its readers like it.
static void add_output(quernel_ep_lowering *l, uint32_t step) {
    const int32_t record = l->program->steps[step].y;
    if (l->program->records[record].output < 0) return;
    const int32_t home = l->homes[record].tensor;
    if (l->tensors[home].role == QUERNEL_NETWORK_OUTPUT && l->sources[home] == record) return;
    const int32_t out = quernel_ep_tensor_add(l, record, QUERNEL_NETWORK_OUTPUT);
    add_copy(l, step, record, 0, l->sizes[record].c, (quernel_ep_home){out, 0});
}

void quernel_ep_layers_add(quernel_ep_lowering *l, uint32_t step) {
    switch (l->program->steps[step].kind) {
    case QUERNEL_EP_CONV: add_conv(l, step); break;
    case QUERNEL_EP_ELTWISE:
        if (!quernel_ep_is_elided(l, step)) add_eltwise(l, step);
        break;
    case QUERNEL_EP_POOL: add_pool(l, step); break;
    case QUERNEL_EP_RESIZE: add_resize(l, step); break;
    case QUERNEL_EP_SHUFFLE: add_shuffle(l, step); break;
    case QUERNEL_EP_CONCAT: add_concat(l, step); break;
    case QUERNEL_EP_MATMUL: add_matmul(l, step); break;
    case QUERNEL_EP_NORMALIZE: add_normalize(l, step); break;
    default: add_view(l, step); break;
    }
    add_output(l, step);
}
