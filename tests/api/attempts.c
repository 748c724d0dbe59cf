// SPDX-License-Identifier: Apache-2.0
// The attempts of all operators, weights, observers and networks. The lint knows which of the
// interface's functions are to be here.
#include "attempts.h"

#include <stdlib.h>

#include "fixture.h"
#include "network.h"

// What a result holds before a call; one that fails leaves it there.
#define UNTOUCHED ((void *)(uintptr_t)0x5a5a)

static int destroyed(int code, quernel_operator *const *op) {
    if (code == QUERNEL_OK) quernel_operator_destroy(*op);
    else CHECK(*op == UNTOUCHED, "ret_op was written to");
    return code;
}

static int released(int code, quernel_weights *const *weights) {
    if (code == QUERNEL_OK) quernel_weights_release(*weights);
    else CHECK(*weights == UNTOUCHED, "ret_weights was written to");
    return code;
}

static int try_create(fixture *f, const quernel_allocator *allocator, quernel_error *error) {
    quernel_operator *op = UNTOUCHED;
    f->allocator = allocator;
    return destroyed(fixture_create(f, &op, error), &op);
}

static int try_linear(const quernel_allocator *allocator, quernel_error *error) {
    fixture f;
    fixture_init(&f, FIXTURE_LINEAR);
    f.quant->row_scale = f.row_scale;
    f.epilogue->bias = f.bias;
    f.w.smooth_kind = QUERNEL_SMOOTH_CHANNEL;
    f.w.smooth = f.smooth;
    return try_create(&f, allocator, error);
}

static int try_conv2d(const quernel_allocator *allocator, quernel_error *error) {
    fixture f;
    fixture_init(&f, FIXTURE_CONV2D);
    fixture_int8_output(&f, QUERNEL_TYPE_U8);
    f.quant->mode = QUERNEL_QUANT_DYNAMIC_CALL;
    f.w.smooth_kind = QUERNEL_SMOOTH_COLUMN;
    f.w.smooth = f.smooth;
    return try_create(&f, allocator, error);
}

static int try_depthwise(const quernel_allocator *allocator, quernel_error *error) {
    fixture f;
    fixture_init(&f, FIXTURE_CONV2D);
    f.w.in = f.w.out = f.w.groups = f.d.x.c = FIXTURE_OUT;
    f.epilogue->activation = QUERNEL_ACTIVATION_PRELU;
    f.epilogue->slopes = f.slopes;
    return try_create(&f, allocator, error);
}

static int try_deconv2d(const quernel_allocator *allocator, quernel_error *error) {
    fixture f;
    fixture_init(&f, FIXTURE_DECONV2D);
    f.w.type = QUERNEL_TYPE_S8;
    f.w.zero = f.zero;
    return try_create(&f, allocator, error);
}

static int try_pack(const quernel_allocator *allocator, quernel_error *error) {
    fixture f;
    fixture_init(&f, FIXTURE_CONV2D);
    f.w.allocator = allocator;
    quernel_weights *weights = UNTOUCHED;
    return released(quernel_weights_pack(&f.w, &weights, error), &weights);
}

static quernel_weights *packed(quernel_error *error) {
    fixture f;
    fixture_init(&f, FIXTURE_LINEAR);
    quernel_weights *weights = NULL;
    CHECK(quernel_weights_pack(&f.w, &weights, error) == QUERNEL_OK, "pack: %s", error->text);
    return weights;
}

static int try_concat(const quernel_allocator *allocator, quernel_error *error) {
    quernel_weights *weights = packed(error), *both = UNTOUCHED;
    const quernel_weights *const parts[] = {weights, weights};
    const int code = quernel_weights_concat(parts, 2, allocator, &both, error);
    quernel_weights_release(weights);
    return released(code, &both);
}

typedef int read_fn(const void *blob, size_t bytes, const quernel_allocator *allocator,
                    quernel_weights **ret_weights, quernel_error *error);

static int try_read(read_fn *read, const quernel_allocator *allocator, quernel_error *error) {
    quernel_weights *weights = packed(error), *loaded = UNTOUCHED;
    const size_t bytes = quernel_weights_blob_bytes(weights);
    void *blob = aligned_alloc(64, (bytes + 63) / 64 * 64);
    CHECK(quernel_weights_save(weights, blob, bytes, error) == QUERNEL_OK, "save: %s", error->text);
    const int code = released(read(blob, bytes, allocator, &loaded, error), &loaded);
    quernel_weights_release(weights);
    free(blob);
    return code;
}

static int try_load(const quernel_allocator *allocator, quernel_error *error) {
    return try_read(quernel_weights_load, allocator, error);
}
static int try_map(const quernel_allocator *allocator, quernel_error *error) {
    return try_read(quernel_weights_map, allocator, error);
}

static int try_gemm(bool is_unsigned, const quernel_allocator *allocator, quernel_error *error) {
    static const uint8_t a[6] = {1, 2, 3, 4, 5, 6};
    static const int8_t b[6] = {1, -2, 3, -4, 5, -6};
    int32_t c[4] = {7, 7, 7, 7};
    const int code = is_unsigned ? quernel_gemm_u8s8s32(0, 2, 2, 3, a, 3, 1, b, 2, 1, 1, c, 2, 1,
                                                        NULL, allocator, error)
                                 : quernel_gemm_s8s8s32(0, 2, 2, 3, (const int8_t *)a, 3, 1, b, 2,
                                                        1, 1, c, 2, 1, NULL, allocator, error);
    CHECK((code == QUERNEL_OK) == (c[0] != 7), "C does not go with the code %d", code);
    return code;
}

static int try_s8s8(const quernel_allocator *allocator, quernel_error *error) {
    return try_gemm(false, allocator, error);
}
static int try_u8s8(const quernel_allocator *allocator, quernel_error *error) {
    return try_gemm(true, allocator, error);
}

// 1x3x5x6 of u8.
static const quernel_tensor image = {.type = QUERNEL_TYPE_U8, .n = 1, .c = 3, .h = 5, .w = 6};

static int try_eltwise(const quernel_allocator *allocator, quernel_error *error) {
    quernel_eltwise_desc d = QUERNEL_ELTWISE_DESC_INIT;
    quernel_operator *op = UNTOUCHED;
    d.kind = QUERNEL_ELTWISE_ADD, d.x.tensor = d.z.tensor = image, d.allocator = allocator;
    return destroyed(quernel_eltwise_create(&d, &op, error), &op);
}

static int try_map_codes(const quernel_allocator *allocator, quernel_error *error) {
    static const uint8_t table[256];
    quernel_eltwise_desc d = QUERNEL_ELTWISE_DESC_INIT;
    quernel_operator *op = UNTOUCHED;
    d.kind = QUERNEL_ELTWISE_LOOKUP, d.x.tensor = image, d.table = table, d.tables = 1;
    d.epilogue.y_type = QUERNEL_TYPE_U8, d.allocator = allocator;
    return destroyed(quernel_eltwise_create(&d, &op, error), &op);
}

static int try_pool2d(const quernel_allocator *allocator, quernel_error *error) {
    quernel_pool2d_desc d = QUERNEL_POOL2D_DESC_INIT;
    quernel_operator *op = UNTOUCHED;
    d.x.tensor = image, d.kernel_h = d.kernel_w = 3, d.allocator = allocator;
    d.epilogue.y_type = QUERNEL_TYPE_U8;
    return destroyed(quernel_pool2d_create(&d, &op, error), &op);
}

static int try_resize2d(const quernel_allocator *allocator, quernel_error *error) {
    static const uint32_t index[8] = {0, 1, 1, 2, 2, 3, 3, 4};
    static const float weight[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    quernel_resize2d_desc d = QUERNEL_RESIZE2D_DESC_INIT;
    quernel_operator *op = UNTOUCHED;
    d.x.tensor = image, d.y.h = d.y.w = 8, d.allocator = allocator;
    d.lines = d.pixels = (quernel_resize2d_axis){1, index, weight};
    d.epilogue.y_type = QUERNEL_TYPE_U8;
    return destroyed(quernel_resize2d_create(&d, &op, error), &op);
}

static int try_shuffle2d(const quernel_allocator *allocator, quernel_error *error) {
    static const uint32_t from[6] = {0, 1, 2, 2, 1, 0};
    quernel_shuffle2d_desc d = QUERNEL_SHUFFLE2D_DESC_INIT;
    quernel_operator *op = UNTOUCHED;
    d.x = image, d.y.type = QUERNEL_TYPE_U8, d.y.c = 3, d.block_w = 2, d.from = from;
    d.allocator = allocator;
    return destroyed(quernel_shuffle2d_create(&d, &op, error), &op);
}

static int try_normalize(const quernel_allocator *allocator, quernel_error *error) {
    quernel_normalize_desc d = QUERNEL_NORMALIZE_DESC_INIT;
    quernel_operator *op = UNTOUCHED;
    d.x.tensor = image, d.kind = QUERNEL_NORMALIZE_LAYER, d.allocator = allocator;
    return destroyed(quernel_normalize_create(&d, &op, error), &op);
}

static int try_matmul(const quernel_allocator *allocator, quernel_error *error) {
    quernel_matmul_desc d = QUERNEL_MATMUL_DESC_INIT;
    quernel_operator *op = UNTOUCHED;
    d.x.tensor = d.z.tensor = image, d.transposed = 1, d.allocator = allocator;
    return destroyed(quernel_matmul_create(&d, &op, error), &op);
}

static int try_observer(const quernel_allocator *allocator, quernel_error *error) {
    quernel_observer_desc d = QUERNEL_OBSERVER_DESC_INIT;
    quernel_observer *observer = UNTOUCHED;
    d.granularity = QUERNEL_GRANULARITY_COLUMN, d.channels = 3, d.kernel_h = d.kernel_w = 2;
    d.allocator = allocator;
    const int code = quernel_observer_create(&d, &observer, error);
    if (code == QUERNEL_OK) quernel_observer_destroy(observer);
    else CHECK(observer == UNTOUCHED, "ret_observer was written to");
    return code;
}

static int try_network(const quernel_allocator *allocator, quernel_error *error) {
    networked n;
    quernel_network *net = UNTOUCHED;
    if (!networked_init(&n)) return QUERNEL_E_VALUE;
    n.desc.allocator = allocator;
    const int code = quernel_network_create(&n.desc, &net, error);
    if (code == QUERNEL_OK) quernel_network_destroy(net);
    else CHECK(net == UNTOUCHED, "ret_network was written to");
    networked_free(&n);
    return code;
}

const attempt attempts[] = {
    {"linear", try_linear, 0},       {"conv2d", try_conv2d, 0},
    {"depthwise", try_depthwise, 0}, {"deconv2d", try_deconv2d, 0},
    {"pack", try_pack, 0},           {"concat", try_concat, 1},
    {"load", try_load, 1},           {"map", try_map, 1},
    {"gemm s8s8", try_s8s8, 0},      {"gemm u8s8", try_u8s8, 0},
    {"eltwise", try_eltwise, 0},     {"eltwise of a table", try_map_codes, 0},
    {"pool2d", try_pool2d, 0},       {"resize2d", try_resize2d, 0},
    {"shuffle2d", try_shuffle2d, 0}, {"normalize", try_normalize, 0},
    {"matmul", try_matmul, 0},       {"observer", try_observer, 0},
    {"network", try_network, 1},     {NULL, NULL, 0}};
