// SPDX-License-Identifier: Apache-2.0
// Networks under libFuzzer: one that is legal, with some of its members changed.
#include <stdlib.h>

#include "../network/draw.h"
#include "../op/memory.h"
#include "buffer.h"
#include "operate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { MOST_WORKSPACE = 1 << 24 };
_Static_assert((int)MAX_TENSORS <= (int)BUFFER_SLOTS, "every tensor has a buffer of its own");

static void change_tensor(source *s, quernel_network_tensor *t) {
    static const int64_t strides[] = {-1, 1, 3, 1 << 20, INT64_MAX, 0, 40, 4096};
    quernel_tensor *shape = &t->shape;
    int64_t *const of_shape[] = {&shape->stride_n, &shape->stride_c, &shape->stride_h,
                                 &shape->stride_w};
    switch (source_below(s, 12)) {
    case 0: t->role = source_choice(s, 3); break;
    case 1: shape->type = source_choice(s, QUERNEL_TYPE_U8 + 1); break;
    case 2: shape->layout = source_choice(s, 2); break;
    case 3: shape->n = source_size(s, 2); break;
    case 4: shape->h = source_size(s, 12); break;
    case 5: shape->w = source_size(s, 20); break;
    case 6: shape->c = source_below(s, shape->c + 1); break; // arrays have no more
    case 7: *of_shape[source_below(s, 4)] = strides[source_below(s, 8)]; break;
    case 8: shape->border_h = source_size(s, 3), shape->border_w = source_size(s, 3); break;
    case 9: t->smooth = NULL; break;
    case 10: t->size = source_struct(s, sizeof *t); break;
    default: source_quant(s, &t->quant, shape->type);
    }
}

static void change_conv(source *s, quernel_conv2d_desc *c) {
    uint32_t *const members[] = {&c->stride_h,  &c->stride_w,  &c->dilation_h, &c->dilation_w,
                                 &c->pad_top,   &c->pad_left,  &c->pad_bottom, &c->pad_right,
                                 &c->out_pad_h, &c->out_pad_w, &c->size};
    const uint32_t which = source_below(s, 14);
    if (which < 11) *members[which] = source_odd(s, source_below(s, 4));
    else if (which == 11) c->config = source_config(s);
    else if (which == 12) c->weights = NULL;
    else c->epilogue.activation = source_choice(s, QUERNEL_ACTIVATION_CLAMP + 1);
}

static void change_eltwise(source *s, quernel_eltwise_desc *e) {
    e->kind = source_choice(s, QUERNEL_ELTWISE_LOOKUP + 1), e->tables = source_below(s, 2);
}

static void change_pool2d(source *s, quernel_pool2d_desc *p) {
    uint32_t *const window[] = {&p->kernel_h,   &p->kernel_w,   &p->stride_h, &p->stride_w,
                                &p->dilation_h, &p->dilation_w, &p->pad_top,  &p->pad_left,
                                &p->pad_bottom, &p->pad_right};
    *window[source_below(s, 10)] = source_size(s, 4);
}

// What is the size of an array becomes smaller.
static void change_resize2d(source *s, quernel_resize2d_desc *r) {
    uint32_t *const axes[] = {&r->y.h, &r->y.w, &r->lines.taps, &r->pixels.taps};
    uint32_t *size = axes[source_below(s, 4)];
    *size = source_below(s, *size + 1);
}

static void change_shuffle2d(source *s, quernel_shuffle2d_desc *f) {
    uint32_t *const blocks[] = {&f->block_h, &f->block_w, &f->y.c};
    uint32_t *size = blocks[source_below(s, 3)];
    *size = source_below(s, *size + 1);
}

static void change_normalize(source *s, quernel_normalize_desc *n) {
    n->kind = source_choice(s, QUERNEL_NORMALIZE_RMS + 1), n->epsilon = source_scale(s);
}

static void change_matmul(source *s, quernel_matmul_desc *m) {
    m->transposed = source_choice(s, 2), m->y.c = source_size(s, 40);
}

static void change_desc(source *s, quernel_network_layer *l) {
    void *desc = (void *)l->desc;
    switch (l->kind) {
    case QUERNEL_NETWORK_CONV: change_conv(s, &l->conv); break;
    case QUERNEL_NETWORK_ELTWISE: change_eltwise(s, desc); break;
    case QUERNEL_NETWORK_POOL2D: change_pool2d(s, desc); break;
    case QUERNEL_NETWORK_RESIZE2D: change_resize2d(s, desc); break;
    case QUERNEL_NETWORK_NORMALIZE: change_normalize(s, desc); break;
    case QUERNEL_NETWORK_MATMUL: change_matmul(s, desc); break;
    default: change_shuffle2d(s, desc);
    }
}

// Layers may read and write more channels than they were drawn for: no array may be of channels.
static void relax(drawn *d) {
    for (uint32_t i = 0; i < d->n_tensors; i++) d->tensors[i].smooth = NULL;
    for (uint32_t i = 0; i < d->n_layers; i++) {
        const quernel_network_layer *l = &d->layers[i];
        quernel_eltwise_desc *e = (quernel_eltwise_desc *)l->desc;
        quernel_pool2d_desc *p = (quernel_pool2d_desc *)l->desc;
        quernel_resize2d_desc *r = (quernel_resize2d_desc *)l->desc;
        quernel_normalize_desc *n = (quernel_normalize_desc *)l->desc;
        quernel_matmul_desc *m = (quernel_matmul_desc *)l->desc;
        if (l->kind == QUERNEL_NETWORK_ELTWISE && e->tables > 1) e->tables = 1;
        if (l->kind == QUERNEL_NETWORK_NORMALIZE) n->gamma = n->beta = NULL;
        quernel_epilogue *f = l->kind == QUERNEL_NETWORK_ELTWISE     ? &e->epilogue
                              : l->kind == QUERNEL_NETWORK_POOL2D    ? &p->epilogue
                              : l->kind == QUERNEL_NETWORK_RESIZE2D  ? &r->epilogue
                              : l->kind == QUERNEL_NETWORK_NORMALIZE ? &n->epilogue
                              : l->kind == QUERNEL_NETWORK_MATMUL    ? &m->epilogue
                                                                     : NULL;
        if (f && f->activation == QUERNEL_ACTIVATION_PRELU) f->activation = QUERNEL_ACTIVATION_RELU;
    }
}

static void change_layer(source *s, drawn *d, quernel_network_layer *l) {
    uint32_t *const tensors[] = {&l->x, &l->y, (uint32_t *)&l->residual};
    uint32_t *const channels[] = {&l->x_channel, &l->y_channel, &l->residual_channel, &l->channels};
    const uint32_t which = source_below(s, 8);
    if (which > 4) {
        change_desc(s, l);
        return;
    }
    relax(d);
    if (which < 2) *tensors[source_below(s, 3)] = source_odd(s, source_below(s, d->n_tensors));
    else if (which < 4) *channels[source_below(s, 4)] = source_odd(s, source_below(s, 24));
    else l->reserved[0] = source_byte(s), l->size = source_struct(s, sizeof *l);
}

// Two layers change places.
static void change_order(source *s, drawn *d) {
    quernel_network_layer *a = &d->layers[source_below(s, d->n_layers)],
                          *b = &d->layers[source_below(s, d->n_layers)], swap = *a;
    *a = *b, *b = swap;
    relax(d);
}

static void change(source *s, drawn *d) {
    for (uint32_t left = source_below(s, 5); left; left--) switch (source_below(s, 8)) {
        case 0: change_order(s, d); break;
        case 1:
        case 2:
        case 3: change_tensor(s, &d->tensors[source_below(s, d->n_tensors)]); break;
        default: change_layer(s, d, &d->layers[source_below(s, d->n_layers)]);
        }
}

// Buffers of what a run is handed.
typedef struct ends {
    buffer buffers[MAX_TENSORS];
    bool written[MAX_TENSORS];
    uint32_t count;
    const void *inputs[MAX_TENSORS];
    void *outputs[MAX_TENSORS];
} ends;

static bool can_run(const quernel_network *net, const drawn *d) {
    quernel_tensor t = QUERNEL_TENSOR_INIT;
    for (uint32_t i = 0; i < d->n_tensors; i++)
        if (quernel_network_tensor_get(net, i, &t) || buffer_bytes(&t) > BUFFER_MOST) return false;
    return quernel_network_workspace(net) <= MOST_WORKSPACE;
}

static void take_ends(source *s, const quernel_network *net, const drawn *d, uint64_t seed,
                      uint8_t poison, ends *e) {
    uint32_t inputs = 0, outputs = 0;
    *e = (ends){0};
    for (uint32_t i = 0; i < d->n_tensors; i++) {
        quernel_tensor t = QUERNEL_TENSOR_INIT;
        const quernel_network_tensor *from = &d->tensors[i];
        buffer *b = &e->buffers[e->count];
        if (from->role == QUERNEL_NETWORK_INNER) continue;
        quernel_network_tensor_get(net, i, &t);
        buffer_take(s, b, &t, (int)e->count, poison);
        e->written[e->count] = from->role == QUERNEL_NETWORK_OUTPUT;
        if (e->written[e->count++]) e->outputs[outputs++] = b->first;
        else e->inputs[inputs++] = b->first, buffer_fill(b, seed + i, (uint8_t)from->quant.zero);
        buffer_keep(b);
    }
}

// All outputs, one behind the other.
static uint8_t *run(source *s, const quernel_network *net, const drawn *d, uint64_t seed,
                    uint8_t poison, uint32_t threads, size_t *ret_bytes) {
    static guarded memory;
    static ends e;
    uint8_t *window, *all = NULL;
    size_t window_bytes;
    quernel_error error = {0};
    const size_t bytes = quernel_network_workspace(net);
    take_ends(s, net, d, seed, poison, &e);
    uint8_t *workspace =
        guarded_take(&memory, bytes, 64, GUARDED_END, poison, &window, &window_bytes);
    if (quernel_network_run(net, e.inputs, e.outputs, workspace, bytes,
                            operate_parallel(s, threads), &error))
        fuzz_fail("what was created does not run: %s", error.text);
    *ret_bytes = 0;
    for (uint32_t i = 0; i < e.count; i++) {
        buffer_check(&e.buffers[i], !e.written[i], e.written[i] ? "output" : "input");
        if (e.written[i]) all = buffer_append(&e.buffers[i], all, ret_bytes);
        buffer_free(&e.buffers[i]);
    }
    return all;
}

static void run_by_ref(source *s, quernel_network_desc *desc, const drawn *d, uint64_t seed,
                       const uint8_t *expected, size_t expected_bytes) {
    quernel_network *net = NULL;
    quernel_error error = {0};
    size_t bytes;
    desc->isa = QUERNEL_ISA_REF, desc->threads = 1;
    if (quernel_network_create(desc, &net, &error)) fuzz_fail("by ref: is refused: %s", error.text);
    if (can_run(net, d)) {
        uint8_t *y = run(s, net, d, seed, 0x3c, 1, &bytes);
        operate_same(expected, expected_bytes, y, bytes, "by ref");
    }
    quernel_network_destroy(net);
}

static void fuzz(source *s, drawn *d) {
    quernel_network_desc desc = QUERNEL_NETWORK_DESC_INIT;
    quernel_network *net = FUZZ_UNTOUCHED;
    quernel_error error = {0};
    size_t bytes;
    desc.tensors = d->tensors, desc.n_tensors = d->n_tensors;
    desc.layers = d->layers, desc.n_layers = d->n_layers;
    desc.threads = 1 + source_below(s, 3), desc.isa = source_isa(s);
    desc.allocator = &s->allocator;
    const uint64_t seed = source_byte(s);
    const int code = quernel_network_create(&desc, &net, &error);
    if (code) {
        fuzz_refused(code, &error, net);
        return;
    }
    if (can_run(net, d)) {
        uint8_t *y = run(s, net, d, seed, 0xa5, desc.threads, &bytes);
        fuzz_ran++;
        run_by_ref(s, &desc, d, seed, y, bytes);
        free(y);
    }
    quernel_network_destroy(net);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static drawn d;
    source s;
    source_open(&s, data, bytes);
    const uint64_t seed = source_byte(&s);
    draw_network(&d, seed, source_byte(&s));
    quernel_weights *weights[MAX_LAYERS];
    for (uint32_t i = 0; i < d.n_layers; i++) weights[i] = d.layers[i].conv.weights;
    const uint32_t n_layers = d.n_layers;
    change(&s, &d);
    fuzz(&s, &d);
    for (uint32_t i = 0; i < n_layers; i++) d.layers[i].conv.weights = weights[i];
    draw_free(&d);
    source_close(&s);
    return 0;
}
