// SPDX-License-Identifier: Apache-2.0
// Every refusal of the three create calls.
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "counting.h"
#include "cpu/cpu.h"
#include "fixture.h"
#include "tests.h"

static quernel_operator *const SENTINEL = (quernel_operator *)(uintptr_t)0x5a5a;

static void refuse(fixture *f, refusal wanted, const char *what) {
    quernel_error error = {0};
    quernel_operator *op = SENTINEL;
    counting memory;
    counting_init(&memory, 0);
    f->allocator = &memory.allocator;
    char text[160];
    snprintf(text, sizeof text, "%s with %s", fixture_names[f->kind], what);
    const int code = fixture_create(f, &op, &error);
    expect_refusal(code, &error, wanted, text);
    if (code == QUERNEL_OK) quernel_operator_destroy(op);
    else CHECK(op == SENTINEL, "%s: ret_op was written to", text);
    counting_check(&memory, text);
}

#define REFUSES(fixture_kind_, change, ...)          \
    do {                                             \
        fixture f;                                   \
        fixture_init(&f, fixture_kind_);             \
        change;                                      \
        refuse(&f, (refusal){__VA_ARGS__}, #change); \
    } while (0)
#define LINEAR(change, ...) REFUSES(FIXTURE_LINEAR, change, __VA_ARGS__)
#define CONV(change, ...) REFUSES(FIXTURE_CONV2D, change, __VA_ARGS__)
#define DECONV(change, ...) REFUSES(FIXTURE_DECONV2D, change, __VA_ARGS__)
/// The same refusal from all three.
#define ALL(change, ...)                                      \
    do {                                                      \
        for (int kind = 0; kind < FIXTURE_KINDS; kind++) {    \
            REFUSES((fixture_kind)kind, change, __VA_ARGS__); \
        }                                                     \
    } while (0)

void test_refuse_create_pointers(void) {
    for (int kind = 0; kind < FIXTURE_KINDS; kind++) {
        fixture f;
        fixture_init(&f, (fixture_kind)kind);
        quernel_error error = {0};
        quernel_operator *op = SENTINEL;
        const refusal no_weights = {QUERNEL_E_NULL, "weights", NULL, -1},
                      no_desc = {QUERNEL_E_NULL, "desc", NULL, -1};
        expect_refusal(fixture_create_op(&f, &op, &error), &error, no_weights,
                       "create without weights");
        const int code = kind == FIXTURE_LINEAR   ? quernel_linear_create(NULL, &op, &error)
                         : kind == FIXTURE_CONV2D ? quernel_conv2d_create(NULL, &op, &error)
                                                  : quernel_deconv2d_create(NULL, &op, &error);
        expect_refusal(code, &error, no_desc, "create without a descriptor");
        CHECK(op == SENTINEL, "ret_op was written to");
        quernel_weights *weights = NULL;
        if (!CHECK(quernel_weights_pack(&f.w, &weights, &error) == QUERNEL_OK, "pack: %s",
                   error.text))
            continue;
        f.l.weights = f.d.weights = weights;
        expect_refusal(fixture_create_op(&f, NULL, &error), &error,
                       (refusal){QUERNEL_E_NULL, "ret_op", NULL, -1}, "create without a result");
        f.kind = (fixture_kind)((kind + 1) % FIXTURE_KINDS); // another operator, with these weights
        expect_refusal(fixture_create_op(&f, &op, &error), &error,
                       (refusal){QUERNEL_E_VALUE, "weights", NULL, -1},
                       "create with weights of another kind");
        CHECK(op == SENTINEL, "ret_op was written to");
        quernel_weights_release(weights);
    }
}

void test_refuse_create_sizes(void) {
    ALL(f.l.size = f.d.size = 0, QUERNEL_E_VALUE, "size", "0", -1);
    LINEAR(f.l.m = 0, QUERNEL_E_SHAPE, "m", "0", -1);
    LINEAR(f.l.m = UINT32_MAX, QUERNEL_E_SHAPE, "m", "4294967295", -1);
    CONV(f.d.x.n = 0, QUERNEL_E_SHAPE, "x", "0", -1);
    CONV(f.d.x.h = 0, QUERNEL_E_SHAPE, "x", "0", -1);
    CONV(f.d.x.w = 0, QUERNEL_E_SHAPE, "x", "0", -1);
    CONV(f.d.x.c = 0, QUERNEL_E_SHAPE, "x", "0", -1);
    CONV(f.d.x.c = 5, QUERNEL_E_SHAPE, "x", "5", -1);
    CONV(f.d.x.h = UINT32_MAX, QUERNEL_E_SHAPE, "x", "4294967295", -1);
    CONV(f.d.x.n = UINT32_MAX, QUERNEL_E_SHAPE, "x", "4294967295", -1);
    CONV((f.d.x.n = f.d.x.h = f.d.x.w = 1u << 30), QUERNEL_E_OVERFLOW, "x", NULL, -1);
    // smaller than the kernel
    CONV((f.d.x.h = 2, f.d.pad_top = f.d.pad_bottom = 0), QUERNEL_E_SHAPE, "x", "2", -1);
}

/// Sizes of the output and the residual follow from x and the window.
void test_refuse_create_output_sizes(void) {
    CONV(f.d.y.h = 6, QUERNEL_E_SHAPE, "y", "6", -1);
    CONV(f.d.y.w = 8, QUERNEL_E_SHAPE, "y", "8", -1);
    CONV(f.d.y.c = 3, QUERNEL_E_SHAPE, "y", "3", -1);
    CONV(f.d.y.n = 2, QUERNEL_E_SHAPE, "y", "2", -1);
    CONV((f.epilogue->residual = 1, f.d.residual.h = 6), QUERNEL_E_SHAPE, "residual", "6", -1);
    DECONV(f.d.y.h = 5, QUERNEL_E_SHAPE, "y", "5", -1);
    DECONV(f.d.x.h = 1u << 30, QUERNEL_E_SHAPE, "x", NULL, -1);
}

void test_refuse_create_window(void) {
    CONV(f.d.stride_h = 0, QUERNEL_E_SHAPE, "stride_h", "0", -1);
    CONV(f.d.stride_w = 0, QUERNEL_E_SHAPE, "stride_w", "0", -1);
    CONV(f.d.dilation_h = 0, QUERNEL_E_SHAPE, "dilation_h", "0", -1);
    CONV(f.d.dilation_w = 0, QUERNEL_E_SHAPE, "dilation_w", "0", -1);
    CONV(f.d.stride_h = UINT32_MAX, QUERNEL_E_SHAPE, "stride_h", "4294967295", -1);
    CONV(f.d.dilation_w = UINT32_MAX, QUERNEL_E_SHAPE, "dilation_w", "4294967295", -1);
    CONV(f.d.pad_top = UINT32_MAX, QUERNEL_E_SHAPE, "pad_top", "4294967295", -1);
    CONV(f.d.pad_left = UINT32_MAX, QUERNEL_E_SHAPE, "pad_left", "4294967295", -1);
    CONV(f.d.pad_bottom = UINT32_MAX, QUERNEL_E_SHAPE, "pad_bottom", "4294967295", -1);
    CONV(f.d.pad_right = UINT32_MAX, QUERNEL_E_SHAPE, "pad_right", "4294967295", -1);
    CONV(f.d.out_pad_h = 1, QUERNEL_E_VALUE, "out_pad_h", "1", -1);
    CONV(f.d.out_pad_w = 2, QUERNEL_E_VALUE, "out_pad_w", "2", -1);
}

/// A deconvolution also has what its packed weights fix, and what it cannot do.
void test_refuse_create_deconv_window(void) {
    DECONV(f.d.stride_h = 3, QUERNEL_E_VALUE, "stride_h", "3", -1);
    DECONV(f.d.stride_w = 1, QUERNEL_E_VALUE, "stride_w", "1", -1);
    DECONV(f.d.dilation_h = 2, QUERNEL_E_UNSUPPORTED, "dilation_h", "2", -1);
    DECONV(f.d.dilation_w = 3, QUERNEL_E_UNSUPPORTED, "dilation_w", "3", -1);
    DECONV((f.w.deconv_stride_h = f.d.stride_h = 1, f.d.out_pad_h = 1), QUERNEL_E_SHAPE,
           "out_pad_h", "1", -1);
    DECONV(f.d.out_pad_w = 2, QUERNEL_E_SHAPE, "out_pad_w", "2", -1);
    DECONV(f.d.pad_bottom = 10, QUERNEL_E_SHAPE, "x", "5 x 7", -1);
    DECONV((f.d.pad_left = 7, f.d.pad_right = 7), QUERNEL_E_SHAPE, "x", "5 x 7", -1);
    DECONV(f.d.quant.mode = QUERNEL_QUANT_DYNAMIC_ROW, QUERNEL_E_UNSUPPORTED, "quant.mode", NULL,
           -1);
}

void test_refuse_create_tensors(void) {
    LINEAR(f.l.x_stride = -1, QUERNEL_E_STRIDE, "x_stride", "-1", -1);
    LINEAR(f.l.x_stride = FIXTURE_IN - 1, QUERNEL_E_STRIDE, "x_stride", "5", -1);
    LINEAR(f.l.y_stride = FIXTURE_OUT - 1, QUERNEL_E_STRIDE, "y_stride", "3", -1);
    LINEAR((f.epilogue->residual = 1, f.l.residual_stride = 3), QUERNEL_E_STRIDE, "residual_stride",
           "3", -1);
    LINEAR(f.l.x_stride = INT64_MAX, QUERNEL_E_OVERFLOW, "x", NULL, -1);
    LINEAR(f.l.x_type = QUERNEL_TYPE_S32, QUERNEL_E_VALUE, "x", "2", -1);
    CONV(f.d.x.type = QUERNEL_TYPE_S32, QUERNEL_E_VALUE, "x", "2", -1);
    CONV(f.d.x.type = 9, QUERNEL_E_VALUE, "x", "9", -1);
    CONV(f.d.x.layout = 2, QUERNEL_E_VALUE, "x", "2", -1);
    CONV(f.d.y.layout = -1, QUERNEL_E_VALUE, "y", "-1", -1);
}

/// Strides that let elements overlap, of either layout.
void test_refuse_create_strides(void) {
    CONV(f.d.x.stride_w = -6, QUERNEL_E_STRIDE, "x", "-6", -1);
    CONV(f.d.x.stride_w = 5, QUERNEL_E_STRIDE, "x", "5", -1);
    CONV((f.d.x.n = 1, f.d.x.stride_n = INT64_MAX), QUERNEL_E_STRIDE, "x", "9223372036854775807",
         -1);
    CONV(f.d.x.stride_h = 41, QUERNEL_E_STRIDE, "x", "41", -1);
    CONV((f.d.x.n = 2, f.d.x.stride_n = 209), QUERNEL_E_STRIDE, "x", "209", -1);
    CONV(f.d.x.stride_c = 2, QUERNEL_E_STRIDE, "x", "2", -1);
    CONV((f.d.x.layout = QUERNEL_LAYOUT_NCHW, f.d.x.stride_w = 2), QUERNEL_E_STRIDE, "x", "2", -1);
    CONV((f.d.x.layout = QUERNEL_LAYOUT_NCHW, f.d.x.stride_h = 6), QUERNEL_E_STRIDE, "x", "6", -1);
    CONV((f.d.y.layout = QUERNEL_LAYOUT_NCHW, f.d.y.stride_c = 34), QUERNEL_E_STRIDE, "y", "34",
         -1);
    CONV((f.epilogue->residual = 1, f.d.residual.stride_w = 3), QUERNEL_E_STRIDE, "residual", "3",
         -1);
}

/// Borders: int8 NHWC alone has them, and strides leave room for them.
void test_refuse_create_borders(void) {
    // a border holds zero points: int8 only
    CONV(f.d.y.border_h = 1, QUERNEL_E_VALUE, "y", NULL, -1);
    CONV((fixture_int8_output(&f, QUERNEL_TYPE_U8), f.d.y.layout = QUERNEL_LAYOUT_NCHW,
          f.d.y.border_w = 1),
         QUERNEL_E_VALUE, "y", NULL, -1);
    CONV((fixture_int8_output(&f, QUERNEL_TYPE_U8), f.d.y.border_w = 1, f.d.y.stride_w = 4,
          f.d.y.stride_h = 28),
         QUERNEL_E_STRIDE, "y", "28", -1); // no room for the border
    CONV((fixture_int8_output(&f, QUERNEL_TYPE_U8), f.d.y.border_h = UINT32_MAX), QUERNEL_E_SHAPE,
         "y", NULL, -1);
}

void test_refuse_create_quant(void) {
    ALL(f.quant->mode = 3, QUERNEL_E_VALUE, "quant.mode", "3", -1);
    ALL(f.quant->mode = -1, QUERNEL_E_VALUE, "quant.mode", "-1", -1);
    ALL(f.quant->type = QUERNEL_TYPE_F32, QUERNEL_E_VALUE, "quant.type", NULL, -1);
    ALL(f.quant->scale = 0.0f, QUERNEL_E_VALUE, "quant.scale", "0", -1);
    ALL(f.quant->scale = -1.0f, QUERNEL_E_VALUE, "quant.scale", "-1", -1);
    ALL(f.quant->scale = NAN, QUERNEL_E_VALUE, "quant.scale", "nan", -1);
    ALL(f.quant->scale = INFINITY, QUERNEL_E_VALUE, "quant.scale", "inf", -1);
    ALL(f.quant->scale = 0x1p-97f, QUERNEL_E_VALUE, "quant.scale", NULL, -1);
    ALL(f.quant->scale = 0x1p97f, QUERNEL_E_VALUE, "quant.scale", NULL, -1);
    ALL((f.quant->scale = 0x1p-96f, f.smooth[4] = 0.5f, f.w.smooth_kind = QUERNEL_SMOOTH_CHANNEL,
         f.w.smooth = f.smooth),
        QUERNEL_E_VALUE, "quant.scale", NULL, 4);
}

/// Zero points beyond the type, and beyond its narrow range.
void test_refuse_create_zero(void) {
    ALL(f.quant->zero = 256, QUERNEL_E_VALUE, "quant.zero", "256", -1);
    ALL(f.quant->zero = -1, QUERNEL_E_VALUE, "quant.zero", "-1", -1);
    ALL(f.quant->type = QUERNEL_TYPE_S8, QUERNEL_E_VALUE, "quant.zero", "128", -1);
    ALL((f.quant->type = QUERNEL_TYPE_S8, f.quant->narrow = 1, f.quant->zero = -128),
        QUERNEL_E_VALUE, "quant.zero", "-128", -1);
}

/// What the input allows: int8 is quantized already, and only rows have scales of their own.
void test_refuse_create_quant_input(void) {
    ALL((f.l.x_type = f.d.x.type = QUERNEL_TYPE_S8), QUERNEL_E_VALUE, "quant.type", NULL, -1);
    ALL((f.l.x_type = f.d.x.type = QUERNEL_TYPE_U8, f.quant->mode = QUERNEL_QUANT_DYNAMIC_CALL),
        QUERNEL_E_VALUE, "quant.mode", NULL, -1);
    CONV((f.d.x.type = QUERNEL_TYPE_U8, f.quant->mode = QUERNEL_QUANT_DYNAMIC_ROW), QUERNEL_E_VALUE,
         "quant.mode", NULL, -1);
    CONV((f.d.x.type = QUERNEL_TYPE_U8, f.w.smooth_kind = QUERNEL_SMOOTH_COLUMN,
          f.w.smooth = f.smooth),
         QUERNEL_E_VALUE, "x.type", NULL, -1);
    LINEAR((f.row_scale[3] = NAN, f.quant->row_scale = f.row_scale), QUERNEL_E_VALUE,
           "quant.row_scale", "nan", 3);
    LINEAR((f.row_scale[4] = 0.0f, f.quant->row_scale = f.row_scale), QUERNEL_E_VALUE,
           "quant.row_scale", "0", 4);
    LINEAR((f.quant->mode = QUERNEL_QUANT_DYNAMIC_ROW, f.quant->row_scale = f.row_scale),
           QUERNEL_E_VALUE, "quant.row_scale", NULL, -1);
    CONV(f.quant->row_scale = f.row_scale, QUERNEL_E_VALUE, "quant.row_scale", NULL, -1);
}

void test_refuse_create_epilogue(void) {
    ALL(f.epilogue->y_type = 5, QUERNEL_E_VALUE, "epilogue.y_type", "5", -1);
    ALL(f.epilogue->activation = 11, QUERNEL_E_VALUE, "epilogue.activation", "11", -1);
    ALL((f.epilogue->bias = f.bias, f.epilogue->bias_type = QUERNEL_TYPE_S8), QUERNEL_E_VALUE,
        "epilogue.bias_type", NULL, -1);
    ALL((f.bias[2] = NAN, f.epilogue->bias = f.bias), QUERNEL_E_VALUE, "epilogue.bias", "nan", 2);
    ALL((f.bias[3] = -INFINITY, f.epilogue->bias = f.bias), QUERNEL_E_VALUE, "epilogue.bias",
        "-inf", 3);
}

/// Parameters of the activations that have some.
void test_refuse_create_activation(void) {
    ALL((f.epilogue->activation = QUERNEL_ACTIVATION_CLAMP, f.epilogue->lo = 1.0f), QUERNEL_E_VALUE,
        "epilogue.lo", NULL, -1);
    ALL((f.epilogue->activation = QUERNEL_ACTIVATION_CLAMP, f.epilogue->lo = NAN), QUERNEL_E_VALUE,
        "epilogue.lo", NULL, -1);
    ALL((f.epilogue->activation = QUERNEL_ACTIVATION_LEAKY, f.epilogue->slope = NAN),
        QUERNEL_E_VALUE, "epilogue.slope", "nan", -1);
    ALL(f.epilogue->activation = QUERNEL_ACTIVATION_PRELU, QUERNEL_E_NULL, "epilogue.slopes", NULL,
        -1);
    ALL((f.slopes[1] = INFINITY, f.epilogue->activation = QUERNEL_ACTIVATION_PRELU,
         f.epilogue->slopes = f.slopes),
        QUERNEL_E_VALUE, "epilogue.slopes", "inf", 1);
}

/// How an int8 output is quantized.
void test_refuse_create_int8_output(void) {
    ALL((fixture_int8_output(&f, QUERNEL_TYPE_U8), f.epilogue->y_scale = 0.0f), QUERNEL_E_VALUE,
        "epilogue.y_scale", "0", -1);
    ALL((fixture_int8_output(&f, QUERNEL_TYPE_U8), f.epilogue->y_scale = NAN), QUERNEL_E_VALUE,
        "epilogue.y_scale", "nan", -1);
    ALL((fixture_int8_output(&f, QUERNEL_TYPE_S8), f.epilogue->y_scale = -1.0f), QUERNEL_E_VALUE,
        "epilogue.y_scale", "-1", -1);
    ALL((fixture_int8_output(&f, QUERNEL_TYPE_U8), f.epilogue->y_zero = 256), QUERNEL_E_VALUE,
        "epilogue.y_zero", "256", -1);
    ALL((fixture_int8_output(&f, QUERNEL_TYPE_S8), f.epilogue->y_zero = 128), QUERNEL_E_VALUE,
        "epilogue.y_zero", "128", -1);
    ALL((fixture_int8_output(&f, QUERNEL_TYPE_S8), f.epilogue->y_narrow = 1,
         f.epilogue->y_zero = -128),
        QUERNEL_E_VALUE, "epilogue.y_zero", "-128", -1);
    ALL((fixture_int8_output(&f, QUERNEL_TYPE_S8), f.scale[2] = NAN,
         f.epilogue->y_smooth = f.scale),
        QUERNEL_E_VALUE, "epilogue.y_smooth", "nan", 2);
    ALL((fixture_int8_output(&f, QUERNEL_TYPE_S8), f.scale[1] = 0.0f,
         f.epilogue->y_smooth = f.scale),
        QUERNEL_E_VALUE, "epilogue.y_smooth", "0", 1);
}

/// Exact sums take neither float biases nor activations.
void test_refuse_create_s32_output(void) {
    ALL((f.epilogue->y_type = QUERNEL_TYPE_S32, f.epilogue->bias = f.bias), QUERNEL_E_VALUE,
        "epilogue.bias_type", NULL, -1);
    ALL((f.epilogue->y_type = QUERNEL_TYPE_S32, f.epilogue->activation = QUERNEL_ACTIVATION_RELU),
        QUERNEL_E_VALUE, "epilogue.activation", NULL, -1);
}

void test_refuse_create_residual(void) {
    ALL(f.epilogue->residual = 2, QUERNEL_E_VALUE, "epilogue.residual", "2", -1);
    ALL((f.epilogue->residual = 1, f.epilogue->residual_type = 77), QUERNEL_E_VALUE,
        "epilogue.residual_type", NULL, -1);
    ALL((f.epilogue->residual = 1, f.epilogue->residual_type = QUERNEL_TYPE_S32), QUERNEL_E_VALUE,
        "epilogue.residual_type", NULL, -1);
    ALL((f.epilogue->residual = 1, f.epilogue->y_type = QUERNEL_TYPE_S32), QUERNEL_E_VALUE,
        "epilogue.residual_type", NULL, -1);
}

/// Codes behind the epilogue.
void test_refuse_create_table(void) {
    static const uint8_t codes[256];
    ALL(f.epilogue->tables = 1, QUERNEL_E_VALUE, "epilogue.tables", "1", -1);
    ALL(f.epilogue->table_zero = 3, QUERNEL_E_VALUE, "epilogue.table_zero", "3", -1);
    ALL((f.epilogue->table = codes, f.epilogue->tables = 1), QUERNEL_E_VALUE, "epilogue.table",
        NULL, -1);
    ALL((f.epilogue->table = codes, f.epilogue->y_type = QUERNEL_TYPE_U8), QUERNEL_E_VALUE,
        "epilogue.tables", "0", -1);
    ALL((f.epilogue->table = codes, f.epilogue->y_type = QUERNEL_TYPE_U8, f.epilogue->tables = 2),
        QUERNEL_E_VALUE, "epilogue.tables", "2", -1);
    ALL((f.epilogue->table = codes, f.epilogue->y_type = QUERNEL_TYPE_S8, f.epilogue->tables = 1,
         f.epilogue->table_zero = 128),
        QUERNEL_E_VALUE, "epilogue.table_zero", "128", -1);
}

/// How an int8 residual is quantized.
void test_refuse_create_residual_quant(void) {
    ALL((f.epilogue->residual = 1, f.epilogue->residual_type = QUERNEL_TYPE_S8,
         f.epilogue->residual_zero = 128),
        QUERNEL_E_VALUE, "epilogue.residual_zero", "128", -1);
    ALL((f.epilogue->residual = 1, f.epilogue->residual_type = QUERNEL_TYPE_U8,
         f.epilogue->residual_scale = NAN),
        QUERNEL_E_VALUE, "epilogue.residual_scale", "nan", -1);
    ALL((f.epilogue->residual = 1, f.epilogue->residual_type = QUERNEL_TYPE_U8,
         f.epilogue->residual_scale = 0.0f),
        QUERNEL_E_VALUE, "epilogue.residual_scale", "0", -1);
    ALL((f.epilogue->residual = 1, f.epilogue->residual_type = QUERNEL_TYPE_U8, f.scale[3] = -1.0f,
         f.epilogue->residual_scales = f.scale),
        QUERNEL_E_VALUE, "epilogue.residual_scales", "-1", 3);
}

void test_refuse_create_bounds(void) {
    ALL((f.bias32[2] = INT32_MAX, f.epilogue->bias = f.bias32,
         f.epilogue->bias_type = QUERNEL_TYPE_S32),
        QUERNEL_E_OVERFLOW, "weights", NULL, 2);
    ALL((f.bias32[1] = INT32_MIN, f.epilogue->bias = f.bias32,
         f.epilogue->bias_type = QUERNEL_TYPE_S32),
        QUERNEL_E_OVERFLOW, "weights", NULL, 1);
}

/// A sum that just fits into 32 bits is allowed, and one weight more is not.
void test_refuse_create_bound_is_exact(void) {
    // The bound is a bound: one channel of 33 026 weights whose distance from the zero point is
    // 255, and one less.
    enum { MAX = 33025 };
    static uint8_t data[2 * (MAX + 1)];
    for (uint32_t k = MAX; k <= MAX + 1; k++) {
        fixture f;
        fixture_init(&f, FIXTURE_LINEAR);
        memset(data + k, 255, k);
        int32_t zero[2] = {0, 0};
        f.w.type = QUERNEL_TYPE_U8;
        f.w.data = data;
        f.w.out = 2;
        f.w.in = k;
        f.w.zero = zero;
        f.quant->zero = 255;
        quernel_operator *op = SENTINEL;
        quernel_error error = {0};
        const int code = fixture_create(&f, &op, &error);
        if (k == MAX) {
            if (CHECK(code == QUERNEL_OK, "K %u: %s", k, error.text)) quernel_operator_destroy(op);
        } else {
            expect_refusal(code, &error, (refusal){QUERNEL_E_OVERFLOW, "weights", "2147515650", 1},
                           "K 33026");
        }
    }
}

void test_refuse_create_choices(void) {
    ALL(f.l.isa = f.d.isa = 5, QUERNEL_E_VALUE, "isa", "5", -1);
    ALL(f.l.isa = f.d.isa = -2, QUERNEL_E_VALUE, "isa", "-2", -1);
    ALL(f.l.isa = f.d.isa = QUERNEL_I_ISA_COUNT, QUERNEL_E_VALUE, "isa", "19", -1);
    ALL(f.l.threads = f.d.threads = UINT32_MAX, QUERNEL_E_VALUE, "threads", "4294967295", -1);
    ALL(f.l.config = f.d.config = "nonsense", QUERNEL_E_VALUE, "config", "nonsense", -1);
    ALL(f.l.config = f.d.config = "kernel=no_such_kernel", QUERNEL_E_VALUE, "config",
        "no_such_kernel", -1);
    ALL(f.l.config = f.d.config = "color=blue", QUERNEL_E_VALUE, "config", "color", -1);
    ALL(f.l.config = f.d.config = "chunk=4 chunk=8", QUERNEL_E_VALUE, "config", "chunk=8", -1);
    ALL(f.l.config = f.d.config = "kernel=quernel_uk_gemm_s8s8_4x16x4_ref "
                                  "kernel=quernel_uk_gemm_u8s8_4x16x4_ref",
        QUERNEL_E_VALUE, "config", "kernel=quernel_uk_gemm_u8s8", -1);
}
