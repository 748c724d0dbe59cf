// SPDX-License-Identifier: Apache-2.0
// Draws networks tensor by tensor: each is written by up to three layers, all of which read tensors
// drawn before.
#include "draw.h"

#include <stdlib.h>
#include <string.h>

void *draw_own(drawn *d, size_t bytes) {
    void *memory = calloc(1, bytes + 1);
    if (!memory || d->n_owned == MAX_OWNED) abort();
    return d->owned[d->n_owned++] = memory;
}

float *draw_own_floats(drawn *d, size_t count, float lo, float hi) {
    float *a = draw_own(d, count * sizeof *a);
    for (size_t i = 0; i < count; i++) a[i] = rng_float(&d->r, lo, hi);
    return a;
}

const uint8_t *draw_table(drawn *d, uint32_t tables, bool narrow) {
    uint8_t *table = draw_own(d, 256 * (size_t)tables);
    for (size_t i = 0; i < 256 * (size_t)tables; i++) {
        table[i] = (uint8_t)rng_next(&d->r);
        if (narrow && table[i] == 0x80) table[i] = 0x81;
    }
    return table;
}

size_t draw_count(const quernel_tensor *t) { return (size_t)t->n * t->c * t->h * t->w; }

void draw_fill(drawn *d, const quernel_tensor *t, void *data) {
    for (size_t i = 0; i < draw_count(t); i++) {
        const float value = rng_float(&d->r, -1.0f, 1.0f);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        if (draw_is_int8(t)) ((uint8_t *)data)[i] = (uint8_t)rng_next(&d->r);
        else if (t->type == QUERNEL_TYPE_BF16) ((uint16_t *)data)[i] = (uint16_t)(bits >> 16);
        else ((float *)data)[i] = value;
    }
}

// ---- tensors ----

static void draw_numbers(drawn *d, uint32_t index) {
    const quernel_tensor *t = &d->drawn[index].sizes;
    quernel_quant *q = &d->tensors[index].quant;
    q->type = draw_is_int8(t) ? t->type : rng_one_in(&d->r, 2) ? QUERNEL_TYPE_U8 : QUERNEL_TYPE_S8;
    q->scale = rng_float(&d->r, 0.005f, 0.02f);
    q->zero = rng_one_in(&d->r, 3)         ? 0
              : q->type == QUERNEL_TYPE_U8 ? rng_int(&d->r, 0, 255)
                                           : rng_int(&d->r, -127, 127);
    q->narrow = q->type == QUERNEL_TYPE_S8 && rng_one_in(&d->r, 3);
    if (!draw_is_int8(t) && rng_one_in(&d->r, 4)) q->mode = QUERNEL_QUANT_DYNAMIC_CALL, q->zero = 0;
    if (rng_one_in(&d->r, 2)) d->drawn[index].smooth = draw_own_floats(d, t->c, 0.5f, 2.0f);
}

uint32_t draw_tensor(drawn *d, quernel_tensor sizes) {
    static const int32_t types[] = {QUERNEL_TYPE_U8, QUERNEL_TYPE_U8,  QUERNEL_TYPE_S8,
                                    QUERNEL_TYPE_S8, QUERNEL_TYPE_F32, QUERNEL_TYPE_BF16};
    const uint32_t index = d->n_tensors++;
    sizes.type = types[rng_int(&d->r, 0, 5)];
    sizes.layout =
        !draw_is_int8(&sizes) && rng_one_in(&d->r, 2) ? QUERNEL_LAYOUT_NCHW : QUERNEL_LAYOUT_NHWC;
    d->drawn[index] = (drawn_tensor){.sizes = sizes, .copied = -1};
    d->tensors[index] = (quernel_network_tensor)QUERNEL_NETWORK_TENSOR_INIT;
    draw_numbers(d, index);
    return index;
}

uint32_t draw_input(drawn *d, quernel_tensor sizes) {
    const uint32_t index = draw_tensor(d, sizes);
    d->tensors[index].role = QUERNEL_NETWORK_INPUT;
    d->drawn[index].exact = true;
    return index;
}

// Which roles tensors have, and what of their shapes is said.
static void complete_shape(drawn *d, uint32_t index) {
    quernel_network_tensor *t = &d->tensors[index];
    const quernel_tensor *sizes = &d->drawn[index].sizes;
    const bool input = t->role == QUERNEL_NETWORK_INPUT;
    t->shape.type = sizes->type, t->shape.layout = sizes->layout;
    if (!input && (!d->drawn[index].read || rng_one_in(&d->r, 5))) t->role = QUERNEL_NETWORK_OUTPUT;
    if (!input && rng_one_in(&d->r, 2)) return;
    t->shape.n = sizes->n, t->shape.c = sizes->c, t->shape.h = sizes->h, t->shape.w = sizes->w;
}

// Factors need not be said where readers demand them; where codes are copied to a tensor whose
// factors are known; nor, of an inner tensor, where they come with codes from another one.
static void complete_factors(drawn *d, uint32_t index) {
    drawn_tensor *t = &d->drawn[index];
    if (!draw_is_int8(&t->sizes)) return;
    const bool inner = d->tensors[index].role == QUERNEL_NETWORK_INNER;
    const bool follows = !t->exact && !t->smoothed && t->copied >= 0 && inner;
    if (follows && rng_one_in(&d->r, 2)) return;
    if (t->exact || !t->smoothed || rng_one_in(&d->r, 2)) d->tensors[index].smooth = t->smooth;
    if (t->copied < 0 || !t->covers) return;
    drawn_tensor *from = &d->drawn[t->copied];
    from->smoothed |= d->tensors[t->copied].role == QUERNEL_NETWORK_INNER;
}

// ---- layers ----

static void draw_window(drawn *d, quernel_conv2d_desc *c, quernel_weights_desc *w,
                        const quernel_tensor *x) {
    w->kernel_h = (uint32_t)rng_int(&d->r, 1, x->h > 2 ? 3 : 1),
    w->kernel_w = (uint32_t)rng_int(&d->r, 1, x->w > 2 ? 3 : 1);
    c->stride_h = (uint32_t)rng_int(&d->r, 1, 2), c->stride_w = (uint32_t)rng_int(&d->r, 1, 2);
    if (w->kind == QUERNEL_WEIGHTS_DECONV2D) {
        c->pad_top = w->kernel_h > 2, c->pad_right = w->kernel_w > 2;
        c->out_pad_h = c->stride_h - 1;
        w->deconv_stride_h = c->stride_h, w->deconv_stride_w = c->stride_w;
        return;
    }
    c->pad_top = (uint32_t)rng_int(&d->r, 0, 2), c->pad_bottom = (uint32_t)rng_int(&d->r, 0, 2);
    c->pad_left = (uint32_t)rng_int(&d->r, 0, 2), c->pad_right = (uint32_t)rng_int(&d->r, 0, 2);
}

static quernel_tensor output_of(const quernel_conv2d_desc *c, const quernel_weights_desc *w,
                                const quernel_tensor *x) {
    quernel_tensor y = {.n = x->n, .c = w->out};
    if (w->kind == QUERNEL_WEIGHTS_DECONV2D) {
        y.h = (x->h - 1) * c->stride_h + w->kernel_h + c->out_pad_h - c->pad_top;
        y.w = (x->w - 1) * c->stride_w + w->kernel_w - c->pad_right;
    } else {
        y.h = (x->h + c->pad_top + c->pad_bottom - w->kernel_h) / c->stride_h + 1;
        y.w = (x->w + c->pad_left + c->pad_right - w->kernel_w) / c->stride_w + 1;
    }
    return y;
}

void draw_activation(drawn *d, quernel_epilogue *f, uint32_t out) {
    f->activation = rng_int(&d->r, QUERNEL_ACTIVATION_NONE, QUERNEL_ACTIVATION_TANH);
    f->lo = -0.25f, f->hi = 0.5f, f->slope = 0.1f;
    f->slopes = draw_own_floats(d, out, -0.5f, 1.5f);
    if (rng_one_in(&d->r, 2)) f->bias = draw_own_floats(d, out, -0.3f, 0.3f);
}

static void pack(drawn *d, quernel_network_layer *l, quernel_weights_desc *w) {
    const size_t taps = (size_t)w->kernel_h * w->kernel_w,
                 count = (size_t)w->in * w->out / w->groups * taps;
    const float max = 2.0f / sqrtf((float)(w->in / w->groups * taps));
    w->data = draw_own_floats(d, count, -max, max);
    if (d->drawn[l->x].smooth)
        w->smooth_kind = QUERNEL_SMOOTH_CHANNEL, w->smooth = d->drawn[l->x].smooth + l->x_channel;
    if (quernel_weights_pack(w, &l->conv.weights, NULL)) abort();
}

// Codes of the layer's own, and a table that makes those of y of them.
static void draw_inner_codes(drawn *d, quernel_network_layer *l, uint32_t out) {
    quernel_epilogue *f = &l->conv.epilogue;
    if (!draw_is_int8(&d->drawn[l->y].sizes)) return;
    f->tables = rng_one_in(&d->r, 2) ? 1 : out;
    f->table = draw_table(d, f->tables, d->tensors[l->y].quant.narrow);
    f->y_scale = rng_float(&d->r, 0.005f, 0.02f);
    f->y_zero = rng_int(&d->r, 0, 127);
    d->drawn[l->y].exact = true;
}

static bool spreads(uint32_t size, uint32_t over) { return size == 1 || size == over; }

bool draw_spreads(const quernel_tensor *z, const quernel_tensor *y) {
    return spreads(z->n, y->n) && spreads(z->h, y->h) && spreads(z->w, y->w);
}

// Adds to the tensor's last layer a residual among the tensors drawn before, where one has the
// sizes.
static void draw_residual(drawn *d, uint32_t y, uint32_t out) {
    quernel_network_layer *l = &d->layers[d->n_layers - 1];
    for (uint32_t i = 0; i < y; i++) {
        const quernel_tensor *t = &d->drawn[i].sizes, *of = &d->drawn[y].sizes;
        if (!draw_spreads(t, of)) continue;
        if (t->c < out || !rng_one_in(&d->r, 2)) continue;
        l->residual = (int32_t)i;
        l->residual_channel = (uint32_t)rng_int(&d->r, 0, (int)(t->c - out));
        l->conv.epilogue.residual_after_activation = rng_one_in(&d->r, 3);
        d->drawn[i].read = true;
        return;
    }
}

// A product that is added to what it multiplies, which it must not write over.
static void draw_self_sum(drawn *d, uint32_t x) {
    const quernel_tensor *from = &d->drawn[x].sizes;
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    quernel_network_layer *l = &d->layers[d->n_layers++];
    *l = (quernel_network_layer)QUERNEL_NETWORK_LAYER_INIT;
    w.kind = QUERNEL_WEIGHTS_CONV2D, w.in = w.out = from->c;
    l->x = x, l->residual = (int32_t)x, l->y = draw_tensor(d, *from);
    d->drawn[x].read = d->drawn[x].smoothed = true;
    draw_activation(d, &l->conv.epilogue, w.out);
    pack(d, l, &w);
}

// The first layer of tensor y fixes its lines and columns; the others have the same input and
// window.
void draw_convolutions(drawn *d, uint32_t x) {
    const quernel_tensor *from = &d->drawn[x].sizes;
    const uint32_t slices = (uint32_t)(rng_one_in(&d->r, 3) ? rng_int(&d->r, 2, 3) : 1);
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    quernel_network_layer l = QUERNEL_NETWORK_LAYER_INIT;
    w.kind = rng_one_in(&d->r, 4) && from->h * from->w < 200 ? QUERNEL_WEIGHTS_DECONV2D
                                                             : QUERNEL_WEIGHTS_CONV2D;
    draw_window(d, &l.conv, &w, from);
    uint32_t outs[3], c = 0;
    for (uint32_t i = 0; i < slices; i++) c += outs[i] = (uint32_t)rng_int(&d->r, 1, 24);
    quernel_tensor sizes = output_of(&l.conv, &w, from);
    sizes.c = c;
    l.x = x, l.y = draw_tensor(d, sizes);
    d->drawn[x].read = true;
    for (uint32_t i = 0; i < slices; i++) {
        l.conv.epilogue = (quernel_epilogue)QUERNEL_EPILOGUE_INIT;
        w.out = outs[i];
        w.in = rng_one_in(&d->r, 4) ? (uint32_t)rng_int(&d->r, 1, (int)from->c) : from->c;
        l.x_channel = (uint32_t)rng_int(&d->r, 0, (int)(from->c - w.in));
        d->drawn[x].smoothed |= w.in == from->c;
        w.groups = rng_one_in(&d->r, 4) && w.in % 2 == 0 && w.out % 2 == 0 ? 2 : 1;
        draw_activation(d, &l.conv.epilogue, w.out);
        pack(d, &l, &w);
        if (rng_one_in(&d->r, 6)) draw_inner_codes(d, &l, w.out);
        d->layers[d->n_layers++] = l;
        if (rng_one_in(&d->r, 3)) draw_residual(d, l.y, w.out);
        l.y_channel += w.out;
    }
}

void draw_network(drawn *d, uint64_t seed, uint64_t number) {
    *d = (drawn){.r = rng_make(seed, number)};
    const int inputs = rng_one_in(&d->r, 4) ? 2 : 1, more = rng_int(&d->r, 1, 8);
    const uint32_t images = 1 + rng_one_in(&d->r, 4);
    for (int i = 0; i < inputs; i++)
        draw_input(d, (quernel_tensor){.n = images,
                                       .c = (uint32_t)rng_int(&d->r, 1, 20),
                                       .h = (uint32_t)rng_int(&d->r, 2, 12),
                                       .w = (uint32_t)rng_int(&d->r, 2, 20)});
    for (int i = 0; i < more; i++) {
        const bool last = !rng_one_in(&d->r, 3);
        const uint32_t x =
            last ? d->n_tensors - 1 : (uint32_t)rng_int(&d->r, 0, (int)d->n_tensors - 1);
        if (rng_one_in(&d->r, 10)) draw_self_sum(d, x);
        else if (rng_one_in(&d->r, 2)) draw_convolutions(d, x);
        else draw_others(d, x);
    }
    for (uint32_t i = 0; i < d->n_tensors; i++) complete_shape(d, i);
    for (uint32_t i = d->n_tensors; i-- > 0;) complete_factors(d, i);
}

void draw_free(drawn *d) {
    for (uint32_t i = 0; i < d->n_layers; i++) quernel_weights_release(d->layers[i].conv.weights);
    for (uint32_t i = 0; i < d->n_owned; i++) free(d->owned[i]);
}
