// SPDX-License-Identifier: Apache-2.0
// Loading a float layer and its samples, and running its int8 operator on them.
#include "ptq/layer.h"

#include <math.h>
#include <string.h>

#include "base/desc.h"
#include "base/num.h"
#include "base/tensor.h"
#include "quernel/linear.h"

#define WHERE "audit"

static int check_geometry(const quernel_conv2d_desc *g, quernel_error *error) {
    const struct {
        const char *name;
        uint32_t value, lo;
    } sizes[] = {{"stride_h", g->stride_h, 1},     {"stride_w", g->stride_w, 1},
                 {"dilation_h", g->dilation_h, 1}, {"dilation_w", g->dilation_w, 1},
                 {"pad_top", g->pad_top, 0},       {"pad_left", g->pad_left, 0},
                 {"pad_bottom", g->pad_bottom, 0}, {"pad_right", g->pad_right, 0},
                 {"out_pad_h", g->out_pad_h, 0},   {"out_pad_w", g->out_pad_w, 0}};
    int code = QUERNEL_OK;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && !code; i++)
        code = quernel_i_check_range(error, QUERNEL_E_SHAPE, WHERE, sizes[i].name, sizes[i].value,
                                     sizes[i].lo, QUERNEL_I_STRIDE_MAX);
    return code;
}

static int read_op(const quernel_conv2d_desc *from, quernel_conv2d_desc *ret,
                   quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_conv2d_desc, QUERNEL_CONV2D_DESC_MIN, WHERE, "layer.op.size");
    *ret = (quernel_conv2d_desc)QUERNEL_CONV2D_DESC_INIT;
    return from ? quernel_i_desc_read(desc, ret, from, error) : QUERNEL_OK;
}

static int read_layer(const quernel_float_layer *from, quernel_i_float_layer *ret,
                      quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_float_layer, QUERNEL_FLOAT_LAYER_MIN, WHERE, "layer.size");
    quernel_float_layer layer = QUERNEL_FLOAT_LAYER_INIT;
    int code = quernel_i_desc_read(desc, &layer, from, error);
    if (!code && !layer.weights) code = quernel_i_error_null(error, WHERE, "layer.weights");
    if (!code)
        code = quernel_i_weights_read(layer.weights, WHERE, "layer.weights.size", &ret->weights,
                                      error);
    if (!code) code = read_op(layer.op, &ret->op, error);
    ret->allocator = layer.allocator;
    return code;
}

static int check_layer(const quernel_i_float_layer *l, quernel_error *error) {
    if (l->weights.type != QUERNEL_TYPE_F32 || l->weights.smooth_kind != QUERNEL_SMOOTH_NONE ||
        l->weights.scale)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "weights", -1,
                                   WHERE ": weights: must be f32, without smoothing and scales");
    if (l->op.epilogue.bias && l->op.epilogue.bias_type != QUERNEL_TYPE_F32)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "epilogue.bias_type", -1,
                                   WHERE ": epilogue.bias_type: %d: must be f32",
                                   l->op.epilogue.bias_type);
    const int code = quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "epilogue.activation",
                                           l->op.epilogue.activation, 0, QUERNEL_ACTIVATION_TANH);
    if (code) return code;
    if (l->op.epilogue.activation == QUERNEL_ACTIVATION_PRELU && !l->op.epilogue.slopes)
        return quernel_i_error_null(error, WHERE, "epilogue.slopes");
    return quernel_i_allocator_check(l->allocator, WHERE, error);
}

static quernel_conv2d_desc geometry_of(const quernel_i_float_layer *l) {
    const quernel_conv2d_desc standard = QUERNEL_CONV2D_DESC_INIT;
    return l->weights.kind == QUERNEL_WEIGHTS_LINEAR ? standard : l->op;
}

// Output size of one direction, 0 where the kernel does not fit.
static int64_t output_size(bool deconv, int64_t size, int64_t pads, int64_t out_pad, int64_t kernel,
                           int64_t dilation, int64_t stride) {
    const int64_t span = dilation * (kernel - 1) + 1;
    if (deconv) return (size - 1) * stride + span + out_pad - pads;
    return size + pads < span ? 0 : (size + pads - span) / stride + 1;
}

// The size of the output that an image gives, refused where it is empty or too large to index.
static int size_image(const quernel_i_ptq_layer *f, const quernel_tensor *t, uint32_t index,
                      quernel_i_ptq_image *image, quernel_error *error) {
    const quernel_conv2d_desc *g = &f->geometry;
    const bool deconv = f->shape.kind == QUERNEL_WEIGHTS_DECONV2D;
    const quernel_i_weights_shape *s = &f->shape;
    const int64_t h = output_size(deconv, t->h, (int64_t)g->pad_top + g->pad_bottom, g->out_pad_h,
                                  s->kernel_h, g->dilation_h, g->stride_h);
    const int64_t w = output_size(deconv, t->w, (int64_t)g->pad_left + g->pad_right, g->out_pad_w,
                                  s->kernel_w, g->dilation_w, g->stride_w);
    if (h < 1 || w < 1 || h > 1 << 30 || w > 1 << 30)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "samples", index,
                                   WHERE ": samples[%u]: %u x %u gives no output that fits", index,
                                   t->h, t->w);
    size_t pixels;
    if (!quernel_i_mul((size_t)h, (size_t)w, &pixels) || !quernel_i_mul(pixels, t->n, &pixels) ||
        pixels > 1 << 30)
        return quernel_i_error_set(
            error, QUERNEL_E_OVERFLOW, "samples", index,
            WHERE ": samples[%u]: %u images of %lld x %lld: more than 2^30 pixels of output", index,
            t->n, (long long)h, (long long)w);
    *image = (quernel_i_ptq_image){
        .n = t->n, .h = t->h, .w = t->w, .out_h = (uint32_t)h, .out_w = (uint32_t)w};
    return QUERNEL_OK;
}

// A tensor of any strides as dense NHWC floats.
static void copy_nhwc(const quernel_tensor *t, const void *data, float *to) {
    for (uint32_t n = 0; n < t->n; n++)
        for (uint32_t h = 0; h < t->h; h++)
            for (uint32_t w = 0; w < t->w; w++)
                for (uint32_t c = 0; c < t->c; c++) {
                    const int64_t at =
                        n * t->stride_n + h * t->stride_h + w * t->stride_w + c * t->stride_c;
                    *to++ = t->type == QUERNEL_TYPE_F32
                                ? ((const float *)data)[at]
                                : quernel_i_from_bf16(((const uint16_t *)data)[at]);
                }
}

static int check_sample(const quernel_i_ptq_layer *f, const quernel_sample *sample, uint32_t index,
                        quernel_error *error) {
    const quernel_tensor *t = &sample->tensor;
    if (!sample->data) return quernel_i_error_null(error, WHERE, "samples.data");
    if (quernel_i_check_reserved(error, WHERE, "samples.reserved", sample->reserved,
                                 sizeof sample->reserved))
        return QUERNEL_E_VALUE;
    if (t->type != QUERNEL_TYPE_F32 && t->type != QUERNEL_TYPE_BF16)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "samples", index,
                                   WHERE ": samples[%u].type: %d: must be f32 or bf16", index,
                                   t->type);
    if (t->c != f->shape.in)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "samples", index,
                                   WHERE ": samples[%u].c: %u: the weights take %u", index, t->c,
                                   f->shape.in);
    return QUERNEL_OK;
}

static int load_image(quernel_i_ptq_layer *f, const quernel_sample *sample, uint32_t index,
                      quernel_error *error) {
    quernel_tensor t = sample->tensor;
    quernel_i_ptq_image *image = &f->images[index];
    quernel_i_extent extent;
    int code = check_sample(f, sample, index, error);
    if (!code) code = quernel_i_tensor_check(&t, WHERE, "samples", &extent, error);
    if (!code) code = size_image(f, &t, index, image, error);
    if (code) return code;
    image->x =
        quernel_i_arena_take(&f->arena, quernel_i_ptq_image_inputs(f, image), sizeof(float), error);
    if (!image->x) return QUERNEL_E_MEMORY;
    image->exact = quernel_i_arena_take(&f->arena, quernel_i_ptq_image_outputs(f, image),
                                        sizeof(float), error);
    if (!image->exact) return QUERNEL_E_MEMORY;
    copy_nhwc(&t, sample->data, image->x);
    quernel_i_ptq_layer_product(f, image, f->matrix, NULL, true, image->exact);
    return QUERNEL_OK;
}

// The float weights as a product reads them: [groups][k][group_out], whatever their strides.
static void fill_matrix(quernel_i_ptq_layer *f) {
    const quernel_i_weights_shape *s = &f->shape;
    for (uint32_t n = 0; n < s->out; n++)
        for (uint32_t t = 0; t < s->taps; t++) {
            const quernel_i_weights_source from =
                quernel_i_weights_source_at(&f->layer.weights, s, n, t);
            for (uint32_t c = 0; c < s->group_in; c++) {
                const size_t k = n / s->group_out * f->k + (size_t)t * s->group_in + c;
                f->matrix[k * s->group_out + n % s->group_out] =
                    ((const float *)f->layer.weights.data)[from.first + c * from.step];
            }
        }
}

static int open(quernel_i_ptq_layer *f, const quernel_sample *samples, quernel_error *error) {
    int code = check_layer(&f->layer, error);
    f->arena.memory = quernel_i_allocator(f->layer.allocator);
    if (!code) code = quernel_i_weights_check(&f->layer.weights, &f->shape, error);
    f->geometry = geometry_of(&f->layer);
    if (!code) code = check_geometry(&f->geometry, error);
    if (code) return code;
    f->k = (size_t)f->shape.group_in * f->shape.taps;
    f->matrix = quernel_i_arena_take(&f->arena, f->k * f->shape.out, sizeof(float), error);
    const size_t rows = QUERNEL_I_PTQ_ROWS, out = f->shape.group_out;
    f->row = f->matrix ? quernel_i_arena_take(&f->arena, rows * f->k, sizeof(float), error) : NULL;
    f->sums = f->row ? quernel_i_arena_take(&f->arena, rows * out, sizeof(float), error) : NULL;
    f->images =
        f->sums ? quernel_i_arena_take(&f->arena, f->count, sizeof *f->images, error) : NULL;
    if (!f->images) return QUERNEL_E_MEMORY;
    fill_matrix(f);
    for (uint32_t i = 0; i < f->count && !code; i++) code = load_image(f, &samples[i], i, error);
    return code;
}

int quernel_i_ptq_layer_open(const quernel_float_layer *layer, const quernel_sample *samples,
                             uint32_t count, quernel_i_ptq_layer *ret_layer, quernel_error *error) {
    if (!layer) return quernel_i_error_null(error, WHERE, "layer");
    if (!samples) return quernel_i_error_null(error, WHERE, "samples");
    if (count == 0 || count > 1 << 20)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "count", -1,
                                   WHERE ": count: %u samples: must be 1 to 2^20", count);
    quernel_i_ptq_layer f = {.count = count};
    int code = read_layer(layer, &f.layer, error);
    if (code) return code;
    code = open(&f, samples, error);
    if (code) quernel_i_ptq_layer_close(&f);
    else *ret_layer = f;
    return code;
}

size_t quernel_i_ptq_layer_max_outputs(const quernel_i_ptq_layer *f) {
    size_t max = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        const size_t outputs = quernel_i_ptq_image_outputs(f, &f->images[i]);
        if (outputs > max) max = outputs;
    }
    return max;
}

int quernel_i_ptq_layer_check_finite(const quernel_i_ptq_layer *f, const char *where,
                                     quernel_error *error) {
    for (uint32_t i = 0; i < f->count; i++) {
        const size_t count = quernel_i_ptq_image_inputs(f, &f->images[i]);
        for (size_t j = 0; j < count; j++)
            if (!isfinite(f->images[i].x[j]))
                return quernel_i_error_set(error, QUERNEL_E_VALUE, "samples", i,
                                           "%s: samples[%u]: channel %zu holds %g: must be finite",
                                           where, i, j % f->shape.in, (double)f->images[i].x[j]);
    }
    return QUERNEL_OK;
}

void quernel_i_ptq_layer_close(quernel_i_ptq_layer *f) { quernel_i_arena_rewind(&f->arena, NULL); }

int quernel_i_ptq_layer_pack(const quernel_i_ptq_layer *f, int32_t smooth_kind, const float *smooth,
                             quernel_weights **ret_weights, quernel_error *error) {
    quernel_weights_desc d = f->layer.weights;
    d.smooth_kind = smooth_kind, d.smooth = smooth;
    d.allocator = f->layer.allocator;
    if (d.kind == QUERNEL_WEIGHTS_DECONV2D)
        d.deconv_stride_h = f->geometry.stride_h, d.deconv_stride_w = f->geometry.stride_w;
    return quernel_weights_pack(&d, ret_weights, error);
}

// The layer's epilogue with float output; without the activation where a caller compares sums.
static quernel_epilogue epilogue_of(const quernel_i_ptq_layer *f, bool activate) {
    const quernel_epilogue *from = &f->layer.op.epilogue;
    quernel_epilogue epilogue = QUERNEL_EPILOGUE_INIT;
    epilogue.bias = from->bias;
    if (!activate) return epilogue;
    epilogue.activation = from->activation;
    epilogue.lo = from->lo, epilogue.hi = from->hi, epilogue.slope = from->slope,
    epilogue.slopes = from->slopes;
    return epilogue;
}

static int create_linear(const quernel_i_ptq_layer *f, quernel_weights *weights,
                         const quernel_quant *quant, const quernel_i_ptq_image *image,
                         bool activate, quernel_operator **ret_op, quernel_error *error) {
    quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
    d.weights = weights, d.m = image->n * image->h * image->w;
    d.quant = *quant, d.epilogue = epilogue_of(f, activate);
    d.isa = f->layer.op.isa, d.config = f->layer.op.config, d.allocator = f->layer.allocator;
    return quernel_linear_create(&d, ret_op, error);
}

static int create(const quernel_i_ptq_layer *f, quernel_weights *weights,
                  const quernel_quant *quant, const quernel_i_ptq_image *image, bool activate,
                  quernel_operator **ret_op, quernel_error *error) {
    if (f->shape.kind == QUERNEL_WEIGHTS_LINEAR)
        return create_linear(f, weights, quant, image, activate, ret_op, error);
    quernel_conv2d_desc d = f->geometry;
    d.weights = weights, d.quant = *quant, d.epilogue = epilogue_of(f, activate),
    d.allocator = f->layer.allocator;
    d.x = (quernel_tensor){.layout = QUERNEL_LAYOUT_NHWC,
                           .n = image->n,
                           .c = f->shape.in,
                           .h = image->h,
                           .w = image->w};
    d.y = d.residual = (quernel_tensor)QUERNEL_TENSOR_INIT;
    d.threads = 1;
    return f->shape.kind == QUERNEL_WEIGHTS_DECONV2D ? quernel_deconv2d_create(&d, ret_op, error)
                                                     : quernel_conv2d_create(&d, ret_op, error);
}

int quernel_i_ptq_layer_run(quernel_i_ptq_layer *f, quernel_weights *weights,
                            const quernel_quant *quant, const quernel_i_ptq_image *image,
                            bool activate, float *ret_y, quernel_error *error) {
    quernel_operator *op = NULL;
    int code = create(f, weights, quant, image, activate, &op, error);
    if (code) return code;
    quernel_i_arena_block *mark = f->arena.last;
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = quernel_i_arena_take(&f->arena, bytes, 1, error);
    code = workspace
               ? quernel_operator_run(op, image->x, NULL, ret_y, workspace, bytes, NULL, error)
               : QUERNEL_E_MEMORY;
    quernel_i_arena_rewind(&f->arena, mark);
    quernel_operator_destroy(op);
    return code;
}
