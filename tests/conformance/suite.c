// SPDX-License-Identifier: Apache-2.0
// ONNX's node test vectors, run through the public interface and compared bit for bit.
// They come from Debian's libonnx-testdata; QUERNEL_ONNX_NODES names another folder of the same
// form. Build: gcc -std=gnu11 -O2 -I../../include suite.c onnx.c ../unit/check.c
// ../unit/main_plain.c -lquernel -lm -lpthread
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"
#include "onnx.h"
#include "quernel/quernel.h"

#define DEFAULT_FOLDER "/usr/share/libonnx-testdata/data/node"

static int32_t int_at(const onnx_tensor *t, size_t i) {
    if (!t->data) return 0; // an absent zero point
    if (t->count == 1) i = 0;
    return t->type == ONNX_UINT8 ? ((const uint8_t *)t->data)[i] : ((const int8_t *)t->data)[i];
}

static float float_at(const onnx_tensor *t, size_t i) {
    return ((const float *)t->data)[t->count == 1 ? 0 : i];
}

static int32_t type_of(const onnx_tensor *t) {
    return t->type == ONNX_UINT8  ? QUERNEL_TYPE_U8
           : t->type == ONNX_INT8 ? QUERNEL_TYPE_S8
                                  : QUERNEL_TYPE_S32;
}

static void check_bits(const char *name, const onnx_tensor *expected, const void *actual) {
    const size_t size = expected->type == ONNX_FLOAT || expected->type == ONNX_INT32 ? 4 : 1;
    for (size_t i = 0; i < expected->count; i++) {
        const uint8_t *a = (const uint8_t *)actual + i * size,
                      *e = (const uint8_t *)expected->data + i * size;
        if (!CHECK(memcmp(a, e, size) == 0,
                   "%s: element %zu of %zu begins with %02x, expected %02x", name, i,
                   expected->count, *a, *e))
            return;
    }
}

/// What a convolution or product is, whether its output is s32 or quantized. NULL: absent.
typedef struct integer_node {
    const onnx_tensor *x, *x_scale, *x_zero, *w, *w_scale, *w_zero, *y_scale, *y_zero, *bias;
} integer_node;

static const onnx_tensor absent;

static integer_node integer_node_of(const onnx_case *c) {
    const onnx_tensor *const in = c->inputs;
    if (strncmp(c->op, "QLinear", 7) == 0) {
        return (integer_node){&in[0], &in[1], &in[2],
                              &in[3], &in[4], &in[5],
                              &in[6], &in[7], c->n_inputs > 8 ? &in[8] : &absent};
    }
    return (integer_node){&in[0],  &absent, c->n_inputs > 2 ? &in[2] : &absent,
                          &in[1],  &absent, c->n_inputs > 3 ? &in[3] : &absent,
                          &absent, &absent, &absent};
}

static void describe(const integer_node *n, const onnx_tensor *y, quernel_quant *quant,
                     quernel_epilogue *epilogue) {
    quant->type = type_of(n->x);
    quant->zero = int_at(n->x_zero, 0);
    if (n->x_scale->data) quant->scale = float_at(n->x_scale, 0);
    epilogue->y_type = type_of(y);
    epilogue->y_zero = int_at(n->y_zero, 0);
    if (n->y_scale->data) epilogue->y_scale = float_at(n->y_scale, 0);
    if (n->bias->data) epilogue->bias_type = QUERNEL_TYPE_S32, epilogue->bias = n->bias->data;
}

/// Scales and zero points of the weights, one per output channel. The caller frees both.
static void spread_over_channels(const integer_node *n, quernel_weights_desc *w) {
    float *scale = malloc(w->out * sizeof *scale);
    int32_t *zero = malloc(w->out * sizeof *zero);
    if (!scale || !zero) abort();
    for (uint32_t i = 0; i < w->out; i++) {
        scale[i] = n->w_scale->data ? float_at(n->w_scale, i) : 1.0f;
        zero[i] = int_at(n->w_zero, i);
    }
    w->scale = scale;
    w->zero = zero;
}

static void run_and_release(const char *name, quernel_weights *weights, int code,
                            quernel_operator *op, const quernel_error *error, const void *x,
                            void *y) {
    quernel_weights_release(weights);
    if (!CHECK(code == QUERNEL_OK, "%s: %s", name, error->text)) return;
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = aligned_alloc(64, (bytes + 127) / 64 * 64);
    quernel_error run_error = {0};
    const int ran = quernel_operator_run(op, x, NULL, y, workspace, bytes, NULL, &run_error);
    CHECK(ran == QUERNEL_OK, "%s: %s", name, run_error.text);
    free(workspace);
    quernel_operator_destroy(op);
}

static void run_conv(const char *name, const onnx_case *c) {
    const integer_node n = integer_node_of(c);
    const onnx_tensor *y = &c->outputs[0];
    if (!CHECK(n.x->n_dims == 4 && n.w->n_dims == 4 && y->n_dims == 4, "%s: not two-dimensional",
               name))
        return;
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    w.kind = QUERNEL_WEIGHTS_CONV2D;
    w.type = type_of(n.w);
    w.groups = (uint32_t)onnx_int(c, "group", 0, 1);
    w.out = (uint32_t)n.w->dims[0], w.in = (uint32_t)n.x->dims[1];
    w.kernel_h = (uint32_t)n.w->dims[2], w.kernel_w = (uint32_t)n.w->dims[3];
    w.data = n.w->data;
    spread_over_channels(&n, &w);
    describe(&n, y, &d.quant, &d.epilogue);
    d.x.type = type_of(n.x);
    d.x.layout = d.y.layout = QUERNEL_LAYOUT_NCHW;
    d.x.n = (uint32_t)n.x->dims[0], d.x.c = w.in, d.x.h = (uint32_t)n.x->dims[2],
    d.x.w = (uint32_t)n.x->dims[3];
    d.y.type = d.epilogue.y_type;
    d.y.n = (uint32_t)y->dims[0], d.y.c = (uint32_t)y->dims[1], d.y.h = (uint32_t)y->dims[2];
    d.y.w = (uint32_t)y->dims[3];
    d.stride_h = (uint32_t)onnx_int(c, "strides", 0, 1),
    d.stride_w = (uint32_t)onnx_int(c, "strides", 1, 1);
    d.dilation_h = (uint32_t)onnx_int(c, "dilations", 0, 1),
    d.dilation_w = (uint32_t)onnx_int(c, "dilations", 1, 1);
    d.pad_top = (uint32_t)onnx_int(c, "pads", 0, 0),
    d.pad_left = (uint32_t)onnx_int(c, "pads", 1, 0);
    d.pad_bottom = (uint32_t)onnx_int(c, "pads", 2, 0),
    d.pad_right = (uint32_t)onnx_int(c, "pads", 3, 0);
    quernel_error error = {0};
    quernel_operator *op = NULL;
    int code = quernel_weights_pack(&w, &d.weights, &error);
    if (code == QUERNEL_OK) code = quernel_conv2d_create(&d, &op, &error);
    void *result = calloc(y->count, 4);
    run_and_release(name, d.weights, code, op, &error, n.x->data, result);
    check_bits(name, y, result);
    free(result);
    free((void *)w.scale);
    free((void *)w.zero);
}

/// Products of the last two dimensions; those before them are a batch, and B has it too.
static void run_matmul(const char *name, const onnx_case *c) {
    const integer_node n = integer_node_of(c);
    const onnx_tensor *y = &c->outputs[0];
    const uint32_t last = n.x->n_dims - 1;
    const size_t m = (size_t)n.x->dims[last - 1], k = (size_t)n.x->dims[last],
                 columns = (size_t)n.w->dims[last];
    const size_t batch = n.x->count / (m * k);
    if (!CHECK(n.w->n_dims == n.x->n_dims && n.w->count == batch * k * columns,
               "%s: B is broadcast", name))
        return;
    const size_t size = y->type == ONNX_INT32 ? 4 : 1;
    uint8_t *result = calloc(y->count, 4);
    for (size_t b = 0; b < batch; b++) {
        quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
        quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
        w.type = type_of(n.w);
        w.out = (uint32_t)columns, w.in = (uint32_t)k;
        w.data = (const uint8_t *)n.w->data + b * k * columns;
        w.stride = 1, w.stride_in = (int64_t)columns;
        spread_over_channels(&n, &w);
        describe(&n, y, &d.quant, &d.epilogue);
        d.m = (uint32_t)m;
        d.x_type = type_of(n.x);
        quernel_error error = {0};
        quernel_operator *op = NULL;
        int code = quernel_weights_pack(&w, &d.weights, &error);
        if (code == QUERNEL_OK) code = quernel_linear_create(&d, &op, &error);
        run_and_release(name, d.weights, code, op, &error, (const uint8_t *)n.x->data + b * m * k,
                        result + b * m * columns * size);
        free((void *)w.scale);
        free((void *)w.zero);
    }
    check_bits(name, y, result);
    free(result);
}

/// Elements that share a scale: all, or those of one channel of `axis`, called one by one.
static void run_quantize(const char *name, const onnx_case *c, bool back) {
    const onnx_tensor *x = &c->inputs[0], *scale = &c->inputs[1], *y = &c->outputs[0];
    const onnx_tensor *zero = c->n_inputs > 2 ? &c->inputs[2] : &absent;
    size_t inner = 1;
    const uint32_t axis = (uint32_t)onnx_int(c, "axis", 0, 1);
    for (uint32_t i = axis + 1; i < x->n_dims; i++) inner *= (size_t)x->dims[i];
    if (scale->count == 1) inner = x->count;
    uint8_t *result = calloc(x->count, 4);
    for (size_t first = 0; first < x->count; first += inner) {
        const size_t channel = first / inner % scale->count;
        quernel_error error = {0};
        const int code = back ? quernel_dequantize((const uint8_t *)x->data + first, inner,
                                                   float_at(scale, channel), int_at(zero, channel),
                                                   type_of(x), (float *)result + first, &error)
                              : quernel_quantize((const float *)x->data + first, inner,
                                                 float_at(scale, channel), int_at(zero, channel),
                                                 type_of(y), 0, 1, result + first, &error);
        CHECK(code == QUERNEL_OK, "%s: %s", name, error.text);
    }
    check_bits(name, y, result);
    free(result);
}

static void run_dynamic(const char *name, const onnx_case *c) {
    const onnx_tensor *x = &c->inputs[0];
    float scale = 0.0f;
    int32_t zero = -1;
    quernel_error error = {0};
    if (!CHECK(c->n_outputs == 3, "%s: %u outputs", name, c->n_outputs)) return;
    CHECK(quernel_quant_range(x->data, x->count, QUERNEL_TYPE_U8, 1, &scale, &zero, &error) ==
              QUERNEL_OK,
          "%s: %s", name, error.text);
    uint8_t *result = calloc(x->count, 1);
    const int code =
        quernel_quantize(x->data, x->count, scale, zero, QUERNEL_TYPE_U8, 0, 1, result, &error);
    CHECK(code == QUERNEL_OK, "%s: %s", name, error.text);
    check_bits(name, &c->outputs[0], result);
    check_bits(name, &c->outputs[1], &scale);
    CHECK(zero == int_at(&c->outputs[2], 0), "%s: zero point %d, expected %d", name, zero,
          int_at(&c->outputs[2], 0));
    free(result);
}

/// By what the folder is called: an expanded model computes the same as its one node.
static void run_case(const char *name, const onnx_case *c) {
    if (strstr(name, "dynamicquantizelinear")) run_dynamic(name, c);
    else if (strstr(name, "dequantizelinear")) run_quantize(name, c, true);
    else if (strstr(name, "quantizelinear")) run_quantize(name, c, false);
    else if (strstr(name, "matmul")) run_matmul(name, c);
    else run_conv(name, c);
}

/// Runs each folder test_<family>* (or test_basic_<family>*). There must be at least `min` of them.
static void run_family(const char *family, size_t min) {
    const char *folder =
        getenv("QUERNEL_ONNX_NODES") ? getenv("QUERNEL_ONNX_NODES") : DEFAULT_FOLDER;
    DIR *dir = opendir(folder);
    if (!dir) {
        test_skip("no folder %s: Debian's libonnx-testdata is not installed", folder);
        return;
    }
    size_t count = 0;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (strncmp(name, "test_", 5)) continue;
        const char *rest = name + (strncmp(name, "test_basic_", 11) ? 5 : 11);
        if (strncmp(rest, family, strlen(family))) continue;
        char path[400];
        snprintf(path, sizeof path, "%s/%s", folder, name);
        onnx_case c;
        if (!CHECK(onnx_read(path, &c), "%s could not be read", name)) continue;
        run_case(name, &c);
        onnx_free(&c);
        count++;
    }
    closedir(dir);
    CHECK(count >= min, "%zu vectors of %s, expected %zu or more", count, family, min);
}

static void test_convinteger(void) { run_family("convinteger", 3); }
static void test_qlinearconv(void) { run_family("qlinearconv", 1); }
static void test_matmulinteger(void) { run_family("matmulinteger", 1); }
static void test_qlinearmatmul(void) { run_family("qlinearmatmul", 2); }
static void test_quantizelinear(void) { run_family("quantizelinear", 2); }
static void test_dynamicquantizelinear(void) { run_family("dynamicquantizelinear", 6); }
static void test_dequantizelinear(void) { run_family("dequantizelinear", 2); }

const char test_suite[] = "conformance";
const test_entry test_entries[] = {{"convinteger", test_convinteger},
                                   {"qlinearconv", test_qlinearconv},
                                   {"matmulinteger", test_matmulinteger},
                                   {"qlinearmatmul", test_qlinearmatmul},
                                   {"quantizelinear", test_quantizelinear},
                                   {"dynamicquantizelinear", test_dynamicquantizelinear},
                                   {"dequantizelinear", test_dequantizelinear},
                                   {NULL, NULL}};
