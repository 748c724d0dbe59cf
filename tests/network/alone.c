// SPDX-License-Identifier: Apache-2.0
// Describes layers as somebody would who has no network, and runs them.
#include "alone.h"

#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"

void *alone_take(size_t bytes, int poison) {
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
    if (!memory) abort();
    return memset(memory, poison, bytes);
}

quernel_tensor alone_dense(quernel_tensor t, uint32_t channels) {
    const bool nhwc = t.layout == QUERNEL_LAYOUT_NHWC;
    t.c = channels;
    t.stride_c = nhwc ? 1 : (int64_t)t.h * t.w, t.stride_w = nhwc ? t.c : 1;
    t.stride_h = t.w * t.stride_w, t.stride_n = (int64_t)t.h * t.w * t.c;
    return t;
}

int64_t alone_offset(const quernel_tensor *t, uint32_t n, uint32_t c, uint32_t h, uint32_t w) {
    return (n * t->stride_n + c * t->stride_c + h * t->stride_h + w * t->stride_w) *
           (int64_t)quernel_type_size((quernel_type)t->type);
}

// Copies `channels` channels between two tensors of equal type, from channel `c_from` to channel
// `c_to`.
static void copy_channels(const quernel_tensor *from, const uint8_t *a, uint32_t c_from,
                          const quernel_tensor *to, uint8_t *b, uint32_t c_to, uint32_t channels) {
    for (uint32_t n = 0; n < to->n; n++)
        for (uint32_t c = 0; c < channels; c++)
            for (uint32_t h = 0; h < to->h; h++)
                for (uint32_t w = 0; w < to->w; w++)
                    memcpy(b + alone_offset(to, n, c_to + c, h, w),
                           a + alone_offset(from, n, c_from + c, h, w),
                           quernel_type_size((quernel_type)to->type));
}

enum { MAX_CHANNELS = 3 * 24 }; // as many slices as a tensor has, of as many channels

// A slice that a layer reads or writes.
typedef struct slice {
    uint32_t tensor, channel, channels;
} slice;

static quernel_tensor tensor_of(const alone *a, slice s) {
    return alone_dense(a->d->drawn[s.tensor].sizes, s.channels);
}

static uint8_t *take_slice(const alone *a, slice s) {
    const quernel_tensor *sizes = &a->d->drawn[s.tensor].sizes;
    const quernel_tensor from = alone_dense(*sizes, sizes->c), to = tensor_of(a, s);
    uint8_t *data = alone_take(draw_count(&to) * quernel_type_size((quernel_type)to.type), 0);
    copy_channels(&from, a->values[s.tensor], s.channel, &to, data, 0, s.channels);
    return data;
}

// ---- descriptors ----

typedef struct layer {
    slice x, y, z; // z.channels 0: none
    float x_scales[MAX_CHANNELS], z_scales[MAX_CHANNELS];
} layer;

// Scales of an int8 slice, with the factors it was divided by.
static const float *fill_scales(const alone *a, slice s, float *scales) {
    const float *smooth = a->d->drawn[s.tensor].smooth;
    for (uint32_t k = 0; k < s.channels; k++)
        scales[k] = a->d->tensors[s.tensor].quant.scale * (smooth ? smooth[s.channel + k] : 1.0f);
    return scales;
}

static void describe_output(const alone *a, slice s, quernel_epilogue *f) {
    const quernel_quant *y = &a->d->tensors[s.tensor].quant;
    const drawn_tensor *t = &a->d->drawn[s.tensor];
    f->y_type = t->sizes.type, f->y_scale = y->scale, f->y_zero = y->zero, f->y_narrow = y->narrow;
    if (draw_is_int8(&t->sizes) && t->smooth) f->y_smooth = t->smooth + s.channel;
}

static quernel_operand operand_of(const alone *a, slice s, float *scales) {
    quernel_operand o = QUERNEL_OPERAND_INIT;
    o.tensor = tensor_of(a, s), o.zero = a->d->tensors[s.tensor].quant.zero;
    if (draw_is_int8(&o.tensor)) o.scales = fill_scales(a, s, scales);
    return o;
}

static int create_conv(const alone *a, const quernel_network_layer *l, layer *s,
                       quernel_operator **op, quernel_error *error) {
    quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
    quernel_weights_get(l->conv.weights, &info);
    quernel_conv2d_desc c = l->conv;
    c.x = tensor_of(a, s->x), c.y = tensor_of(a, s->y);
    c.quant = a->d->tensors[l->x].quant;
    if (c.epilogue.table)
        c.epilogue.y_type = c.y.type, c.epilogue.table_zero = a->d->tensors[l->y].quant.zero;
    else describe_output(a, s->y, &c.epilogue);
    if (s->z.channels) {
        c.residual = tensor_of(a, s->z);
        c.epilogue.residual = 1, c.epilogue.residual_type = c.residual.type,
        c.epilogue.residual_zero = a->d->tensors[s->z.tensor].quant.zero;
        c.epilogue.residual_scales = fill_scales(a, s->z, s->z_scales);
    }
    const bool up = info.kind == QUERNEL_WEIGHTS_DECONV2D;
    return (up ? quernel_deconv2d_create : quernel_conv2d_create)(&c, op, error);
}

static int create_eltwise(const alone *a, const quernel_network_layer *l, layer *s,
                          quernel_operator **op, quernel_error *error) {
    quernel_eltwise_desc d = *(const quernel_eltwise_desc *)l->desc;
    d.x = operand_of(a, s->x, s->x_scales), d.y = tensor_of(a, s->y);
    if (s->z.channels) d.z = operand_of(a, s->z, s->z_scales);
    describe_output(a, s->y, &d.epilogue);
    return quernel_eltwise_create(&d, op, error);
}

static int create_pool2d(const alone *a, const quernel_network_layer *l, layer *s,
                         quernel_operator **op, quernel_error *error) {
    quernel_pool2d_desc d = *(const quernel_pool2d_desc *)l->desc;
    d.x = operand_of(a, s->x, s->x_scales), d.y = tensor_of(a, s->y);
    describe_output(a, s->y, &d.epilogue);
    return quernel_pool2d_create(&d, op, error);
}

static int create_resize2d(const alone *a, const quernel_network_layer *l, layer *s,
                           quernel_operator **op, quernel_error *error) {
    quernel_resize2d_desc d = *(const quernel_resize2d_desc *)l->desc;
    d.x = operand_of(a, s->x, s->x_scales), d.y = tensor_of(a, s->y);
    describe_output(a, s->y, &d.epilogue);
    return quernel_resize2d_create(&d, op, error);
}

static int create_shuffle2d(const alone *a, const quernel_network_layer *l, layer *s,
                            quernel_operator **op, quernel_error *error) {
    quernel_shuffle2d_desc d = *(const quernel_shuffle2d_desc *)l->desc;
    d.x = tensor_of(a, s->x), d.y = tensor_of(a, s->y);
    return quernel_shuffle2d_create(&d, op, error);
}

static int create_normalize(const alone *a, const quernel_network_layer *l, layer *s,
                            quernel_operator **op, quernel_error *error) {
    quernel_normalize_desc d = *(const quernel_normalize_desc *)l->desc;
    d.x = operand_of(a, s->x, s->x_scales), d.y = tensor_of(a, s->y);
    describe_output(a, s->y, &d.epilogue);
    return quernel_normalize_create(&d, op, error);
}

static int create_matmul(const alone *a, const quernel_network_layer *l, layer *s,
                         quernel_operator **op, quernel_error *error) {
    quernel_matmul_desc d = *(const quernel_matmul_desc *)l->desc;
    d.x = operand_of(a, s->x, s->x_scales), d.z = operand_of(a, s->z, s->z_scales);
    d.x.scales = d.z.scales = NULL; // they carry no factors
    d.x.scale = a->d->tensors[s->x.tensor].quant.scale;
    d.z.scale = a->d->tensors[s->z.tensor].quant.scale;
    d.y = tensor_of(a, s->y);
    describe_output(a, s->y, &d.epilogue);
    return quernel_matmul_create(&d, op, error);
}

static int create(const alone *a, const quernel_network_layer *l, layer *s, quernel_operator **op,
                  quernel_error *error) {
    switch (l->kind) {
    case QUERNEL_NETWORK_ELTWISE: return create_eltwise(a, l, s, op, error);
    case QUERNEL_NETWORK_POOL2D: return create_pool2d(a, l, s, op, error);
    case QUERNEL_NETWORK_RESIZE2D: return create_resize2d(a, l, s, op, error);
    case QUERNEL_NETWORK_SHUFFLE2D: return create_shuffle2d(a, l, s, op, error);
    case QUERNEL_NETWORK_MATMUL: return create_matmul(a, l, s, op, error);
    case QUERNEL_NETWORK_NORMALIZE: return create_normalize(a, l, s, op, error);
    default: return create_conv(a, l, s, op, error);
    }
}

// ---- runs ----

static layer slices_of(const alone *a, const quernel_network_layer *l) {
    layer s = {.x = {l->x, l->x_channel, l->channels}, .y = {l->y, l->y_channel, 0}};
    if (!l->channels) s.x.channels = a->d->drawn[l->x].sizes.c - l->x_channel;
    s.y.channels = s.x.channels;
    if (l->kind == QUERNEL_NETWORK_CONV) {
        quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
        quernel_weights_get(l->conv.weights, &info);
        s.x.channels = info.in, s.y.channels = info.out;
    } else if (l->kind == QUERNEL_NETWORK_SHUFFLE2D) {
        s.y.channels = ((const quernel_shuffle2d_desc *)l->desc)->y.c;
    } else if (l->kind == QUERNEL_NETWORK_MATMUL) {
        s.y.channels = ((const quernel_matmul_desc *)l->desc)->y.c;
        s.z = (slice){(uint32_t)l->residual, 0, a->d->drawn[l->residual].sizes.c};
        return s;
    }
    if (l->residual < 0) return s;
    const bool one = l->kind != QUERNEL_NETWORK_CONV && a->d->drawn[l->residual].sizes.c == 1;
    s.z = (slice){(uint32_t)l->residual, l->residual_channel, one ? 1 : s.y.channels};
    return s;
}

static int run(const alone *a, const layer *s, quernel_operator *op, quernel_error *error) {
    const size_t bytes = quernel_operator_workspace(op);
    uint8_t *workspace = alone_take(bytes, 0), *x = take_slice(a, s->x), *y = take_slice(a, s->y);
    uint8_t *z = s->z.channels ? take_slice(a, s->z) : NULL;
    const int code = quernel_operator_run(op, x, z, y, workspace, bytes, NULL, error);
    const quernel_tensor *sizes = &a->d->drawn[s->y.tensor].sizes;
    const quernel_tensor slice_y = tensor_of(a, s->y), whole = alone_dense(*sizes, sizes->c);
    copy_channels(&slice_y, y, 0, &whole, a->values[s->y.tensor], s->y.channel, s->y.channels);
    free(workspace), free(x), free(y), free(z);
    return code;
}

bool alone_run_layer(alone *a, uint32_t index) {
    const quernel_network_layer *l = &a->d->layers[index];
    layer s = slices_of(a, l);
    quernel_operator *op = NULL;
    quernel_error error = {0};
    int code = create(a, l, &s, &op, &error);
    if (!code) code = run(a, &s, op, &error);
    quernel_operator_destroy(op);
    return CHECK(!code, "layer %u of kind %d: %s", index, l->kind, error.text);
}
