// SPDX-License-Identifier: Apache-2.0
// Draws the layers that are no convolutions. Where a tensor's codes are copied, x and y often mean
// the same by them.
#include <stdlib.h>
#include <string.h>

#include "draw.h"

static uint32_t uint_in(drawn *d, uint32_t lo, uint32_t hi) {
    return (uint32_t)rng_int(&d->r, (int32_t)lo, (int32_t)hi);
}

static void *add_layer(drawn *d, int32_t kind, const void *desc, size_t bytes, uint32_t x,
                       uint32_t y) {
    quernel_network_layer *l = &d->layers[d->n_layers++];
    *l = (quernel_network_layer)QUERNEL_NETWORK_LAYER_INIT;
    void *own = draw_own(d, bytes);
    memcpy(own, desc, bytes);
    l->kind = kind, l->desc = own, l->x = x, l->y = y;
    d->drawn[x].read = true;
    return own;
}

// Codes of y mean what those of x do, channel by channel.
static void make_alike(drawn *d, uint32_t x, uint32_t y, const uint32_t *channels) {
    const drawn_tensor *from = &d->drawn[x];
    drawn_tensor *to = &d->drawn[y];
    to->sizes.type = from->sizes.type;
    d->tensors[y].quant = d->tensors[x].quant;
    if (draw_is_int8(&to->sizes)) to->sizes.layout = QUERNEL_LAYOUT_NHWC;
    to->smooth = from->smooth ? draw_own_floats(d, to->sizes.c, 1.0f, 1.0f) : NULL;
    for (uint32_t c = 0; to->smooth && c < to->sizes.c; c++)
        to->smooth[c] = from->smooth[channels ? channels[c] : c];
}

// All codes of y are copies of x's; of all of its channels, or not.
static void note_copies(drawn *d, uint32_t x, uint32_t y, bool covers) {
    if (draw_is_int8(&d->drawn[x].sizes)) d->drawn[y].copied = (int32_t)x;
    d->drawn[y].covers = covers;
}

static void draw_output(drawn *d, quernel_epilogue *f, uint32_t channels, bool plain) {
    if (!plain) draw_activation(d, f, channels);
    f->bias = NULL;
}

// ---- element by element ----

static bool fits(const quernel_tensor *z, const quernel_tensor *y, uint32_t channels) {
    return draw_spreads(z, y) && (z->c == 1 || z->c >= channels);
}

// A tensor that was drawn before y, or an input for it alone, which is the same along some
// directions.
static void draw_second(drawn *d, quernel_network_layer *l, uint32_t channels) {
    const quernel_tensor *y = &d->drawn[l->y].sizes;
    uint32_t z = uint_in(d, 0, l->y - 1);
    if (!fits(&d->drawn[z].sizes, y, channels)) {
        quernel_tensor sizes = {.n = y->n, .c = channels, .h = y->h, .w = y->w};
        uint32_t *const all[] = {&sizes.n, &sizes.c, &sizes.h, &sizes.w};
        for (int i = 0; i < 4; i++)
            if (rng_one_in(&d->r, 2)) *all[i] = 1;
        z = draw_input(d, sizes);
    }
    l->residual = (int32_t)z;
    const uint32_t c = d->drawn[z].sizes.c;
    if (c > 1) l->residual_channel = uint_in(d, 0, c - channels);
    d->drawn[z].read = true;
}

// Channels `from` to `to` of both tensors; true where codes are copied.
static bool add_elements(drawn *d, uint32_t x, uint32_t y, uint32_t from, uint32_t to, bool alike) {
    quernel_eltwise_desc e = QUERNEL_ELTWISE_DESC_INIT;
    const bool int8 = draw_is_int8(&d->drawn[x].sizes) && draw_is_int8(&d->drawn[y].sizes);
    e.kind = alike ? QUERNEL_ELTWISE_COPY : rng_int(&d->r, 0, QUERNEL_ELTWISE_LOOKUP);
    if (e.kind == QUERNEL_ELTWISE_LOOKUP && !int8) e.kind = QUERNEL_ELTWISE_MUL;
    const bool table = e.kind == QUERNEL_ELTWISE_LOOKUP;
    draw_output(d, &e.epilogue, to - from, alike || table);
    quernel_eltwise_desc *own = add_layer(d, QUERNEL_NETWORK_ELTWISE, &e, sizeof e, x, y);
    quernel_network_layer *l = &d->layers[d->n_layers - 1];
    l->x_channel = l->y_channel = from;
    l->channels = to == d->drawn[x].sizes.c && rng_one_in(&d->r, 2) ? 0 : to - from;
    if (table) {
        own->tables = rng_one_in(&d->r, 2) ? 1 : to - from;
        own->table = draw_table(d, own->tables, d->tensors[y].quant.narrow);
        d->drawn[x].exact = d->drawn[y].exact = true;
    }
    if (!table && e.kind != QUERNEL_ELTWISE_COPY) draw_second(d, l, to - from);
    return alike;
}

static void draw_elements(drawn *d, uint32_t x) {
    const quernel_tensor sizes = d->drawn[x].sizes;
    const uint32_t y = draw_tensor(d, sizes),
                   split = rng_one_in(&d->r, 2) ? 0 : uint_in(d, 0, sizes.c - 1);
    const bool alike = rng_one_in(&d->r, 5);
    if (alike) make_alike(d, x, y, NULL);
    if (split) add_elements(d, x, y, 0, split, alike);
    add_elements(d, x, y, split, sizes.c, alike);
    if (alike) note_copies(d, x, y, true);
}

// ---- pools ----

static void draw_direction(drawn *d, uint32_t size, bool up, uint32_t *kernel, uint32_t *stride,
                           uint32_t *dilation, uint32_t pads[2], uint32_t *ret_size) {
    *kernel = uint_in(d, 1, size < 4 ? size : 4), *stride = uint_in(d, 1, 3);
    *dilation = *kernel > 1 && 2 * *kernel <= size && rng_one_in(&d->r, 3) ? 2 : 1;
    const uint32_t window = *dilation * (*kernel - 1) + 1;
    for (int i = 0; i < 2; i++)
        pads[i] = *dilation > 1 ? 0 : uint_in(d, 0, window - 1 < 2 ? window - 1 : 2);
    const uint32_t padded = size + pads[0] + pads[1];
    *ret_size = (padded - window + (up ? *stride - 1 : 0)) / *stride + 1;
    if ((*ret_size - 1) * *stride >= size + pads[0]) (*ret_size)--;
}

static void draw_pool(drawn *d, uint32_t x) {
    quernel_pool2d_desc p = QUERNEL_POOL2D_DESC_INIT;
    quernel_tensor sizes = d->drawn[x].sizes;
    p.kind = rng_int(&d->r, 0, QUERNEL_POOL2D_GLOBAL);
    p.ceil_mode = rng_one_in(&d->r, 2);
    uint32_t h[2], w[2], out_h, out_w;
    draw_direction(d, sizes.h, p.ceil_mode, &p.kernel_h, &p.stride_h, &p.dilation_h, h, &out_h);
    draw_direction(d, sizes.w, p.ceil_mode, &p.kernel_w, &p.stride_w, &p.dilation_w, w, &out_w);
    p.pad_top = h[0], p.pad_bottom = h[1], p.pad_left = w[0], p.pad_right = w[1];
    const bool global = p.kind == QUERNEL_POOL2D_GLOBAL;
    sizes.h = global ? 1 : out_h, sizes.w = global ? 1 : out_w;
    const uint32_t y = draw_tensor(d, sizes);
    const bool alike = p.kind == QUERNEL_POOL2D_MAX && rng_one_in(&d->r, 2);
    if (alike) make_alike(d, x, y, NULL), note_copies(d, x, y, true);
    draw_output(d, &p.epilogue, sizes.c, alike);
    add_layer(d, QUERNEL_NETWORK_POOL2D, &p, sizeof p, x, y);
}

// ---- resampling ----

static quernel_resize2d_axis draw_axis(drawn *d, uint32_t size, uint32_t out, bool blends) {
    const uint32_t taps = blends ? uint_in(d, 1, 4) : 1, count = out * taps;
    uint32_t *index = draw_own(d, count * sizeof *index);
    for (uint32_t i = 0; i < count; i++)
        index[i] = !blends && rng_one_in(&d->r, 8) ? QUERNEL_RESIZE2D_PAD : uint_in(d, 0, size - 1);
    return (quernel_resize2d_axis){taps, index,
                                   blends ? draw_own_floats(d, count, -0.5f, 1.0f) : NULL};
}

static void draw_resize(drawn *d, uint32_t x) {
    quernel_resize2d_desc s = QUERNEL_RESIZE2D_DESC_INIT;
    quernel_tensor sizes = d->drawn[x].sizes;
    const uint32_t times = sizes.h * sizes.w < 200 ? 2 : 1;
    const bool blends = rng_one_in(&d->r, 2);
    const uint32_t h = sizes.h, w = sizes.w;
    s.y.h = sizes.h = uint_in(d, 1, times * h), s.y.w = sizes.w = uint_in(d, 1, times * w);
    s.lines = draw_axis(d, h, s.y.h, blends && rng_one_in(&d->r, 2));
    s.pixels = draw_axis(d, w, s.y.w, blends);
    s.pad = rng_float(&d->r, -0.5f, 0.5f);
    const uint32_t y = draw_tensor(d, sizes);
    const bool alike = !blends && rng_one_in(&d->r, 2);
    if (alike) make_alike(d, x, y, NULL), note_copies(d, x, y, true);
    draw_output(d, &s.epilogue, sizes.c, alike);
    add_layer(d, QUERNEL_NETWORK_RESIZE2D, &s, sizeof s, x, y);
}

// ---- changed places ----

// Channels of y, those of x that they are, and whether all of x's are among them.
static uint32_t *draw_channels(drawn *d, const quernel_shuffle2d_desc *s, uint32_t c, uint32_t out,
                               uint32_t *ret_channels, bool *ret_covers) {
    const uint32_t blocks = s->block_h * s->block_w, turn = uint_in(d, 0, c - 1);
    const uint32_t count = s->gather ? out : blocks * out;
    uint32_t *from = draw_own(d, count * sizeof *from);
    *ret_covers = blocks == 1 && out == c;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t channel = *ret_covers ? (i + turn) % c : uint_in(d, 0, c - 1);
        from[i] = s->gather ? uint_in(d, 0, blocks - 1) * c + channel : channel;
        ret_channels[i % out] = channel;
    }
    return from;
}

static void draw_shuffle(drawn *d, uint32_t x) {
    quernel_shuffle2d_desc s = QUERNEL_SHUFFLE2D_DESC_INIT;
    quernel_tensor sizes = d->drawn[x].sizes;
    s.gather = rng_one_in(&d->r, 2);
    // the pixels of a block may be of channels with other factors only where there are none
    const bool many = s.gather ? true : !d->drawn[x].smooth && sizes.h * sizes.w < 200;
    if (many) s.block_h = uint_in(d, 1, 3), s.block_w = uint_in(d, 1, 3);
    if (s.gather && sizes.h % s.block_h) s.block_h = 1;
    if (s.gather && sizes.w % s.block_w) s.block_w = 1;
    const uint32_t c = sizes.c, out = rng_one_in(&d->r, 2) ? c : uint_in(d, 1, 24);
    uint32_t *channels = draw_own(d, out * sizeof *channels);
    bool covers;
    s.from = draw_channels(d, &s, c, out, channels, &covers);
    s.y.c = sizes.c = out;
    sizes.h = s.gather ? sizes.h / s.block_h : sizes.h * s.block_h;
    sizes.w = s.gather ? sizes.w / s.block_w : sizes.w * s.block_w;
    const uint32_t y = draw_tensor(d, sizes);
    make_alike(d, x, y, channels);
    note_copies(d, x, y, covers);
    add_layer(d, QUERNEL_NETWORK_SHUFFLE2D, &s, sizeof s, x, y);
}

// ---- normalized channels ----

static const float *draw_factors(drawn *d, uint32_t channels) {
    return rng_one_in(&d->r, 4) ? NULL : draw_own_floats(d, channels, -2.0f, 2.0f);
}

static void draw_normalized(drawn *d, uint32_t x) {
    quernel_normalize_desc n = QUERNEL_NORMALIZE_DESC_INIT;
    const quernel_tensor sizes = d->drawn[x].sizes;
    n.kind = rng_int(&d->r, 0, QUERNEL_NORMALIZE_RMS);
    n.gamma = draw_factors(d, sizes.c), n.beta = draw_factors(d, sizes.c);
    const uint32_t y = draw_tensor(d, sizes);
    draw_output(d, &n.epilogue, sizes.c, false);
    add_layer(d, QUERNEL_NETWORK_NORMALIZE, &n, sizeof n, x, y);
}

// ---- products of two tensors ----

// An input for it alone, of matrices of codes that carry no factors.
static uint32_t draw_matrices(drawn *d, const quernel_tensor *x, bool transposed, uint32_t out) {
    quernel_tensor sizes = *x;
    sizes.w = transposed ? out : x->c, sizes.c = transposed ? x->c : out;
    if (rng_one_in(&d->r, 3)) sizes.n = sizes.h = 1;
    const uint32_t z = draw_input(d, sizes);
    const bool u8 = rng_one_in(&d->r, 2);
    drawn_tensor *t = &d->drawn[z];
    quernel_quant *q = &d->tensors[z].quant;
    t->sizes.layout = QUERNEL_LAYOUT_NHWC, t->smooth = NULL;
    t->sizes.type = q->type = u8 ? QUERNEL_TYPE_U8 : QUERNEL_TYPE_S8;
    q->mode = QUERNEL_QUANT_STATIC, q->narrow = 0;
    q->zero = u8 ? rng_int(&d->r, 0, 255) : rng_int(&d->r, -128, 127);
    return z;
}

static bool takes_product(const drawn *d, uint32_t x) {
    const drawn_tensor *t = &d->drawn[x];
    return draw_is_int8(&t->sizes) && t->sizes.layout == QUERNEL_LAYOUT_NHWC && !t->smooth;
}

static void draw_product(drawn *d, uint32_t x) {
    quernel_matmul_desc m = QUERNEL_MATMUL_DESC_INIT;
    quernel_tensor sizes = d->drawn[x].sizes;
    m.transposed = rng_one_in(&d->r, 2);
    m.y.c = uint_in(d, 1, 24);
    const uint32_t z = draw_matrices(d, &sizes, m.transposed, m.y.c);
    sizes.c = m.y.c;
    const uint32_t y = draw_tensor(d, sizes);
    d->drawn[y].sizes.layout = QUERNEL_LAYOUT_NHWC;
    draw_output(d, &m.epilogue, sizes.c, false);
    add_layer(d, QUERNEL_NETWORK_MATMUL, &m, sizeof m, x, y);
    d->layers[d->n_layers - 1].residual = (int32_t)z;
    d->drawn[x].exact = d->drawn[z].exact = d->drawn[z].read = true;
}

void draw_others(drawn *d, uint32_t x) {
    switch (rng_int(&d->r, 0, 6)) {
    case 0: draw_pool(d, x); break;
    case 1: draw_resize(d, x); break;
    case 2: draw_shuffle(d, x); break;
    case 5: draw_normalized(d, x); break;
    case 6: (takes_product(d, x) ? draw_product : draw_normalized)(d, x); break;
    default: draw_elements(d, x);
    }
}
