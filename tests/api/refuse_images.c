// SPDX-License-Identifier: Apache-2.0
// Every refusal of pools, resizes, shuffles and normalizations.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "counting.h"
#include "fixture.h"
#include "tests.h"

static quernel_operator *const SENTINEL = (quernel_operator *)(uintptr_t)0x5a5a;
enum { C = 3, H = 5, W = 6, UP_H = 7, UP_W = 8, TAPS = 2 };

/// Legal descriptors that tests spoil one member at a time.
typedef struct images {
    quernel_pool2d_desc p;
    quernel_resize2d_desc r;
    quernel_shuffle2d_desc s;
    quernel_normalize_desc n;
    uint32_t index_h[UP_H * TAPS], index_w[UP_W * TAPS], channels[2 * C];
    float weight_h[UP_H * TAPS], weight_w[UP_W * TAPS], scales[C], smooth[C];
} images;

static void init(images *f) {
    *f = (images){.p = QUERNEL_POOL2D_DESC_INIT,
                  .r = QUERNEL_RESIZE2D_DESC_INIT,
                  .s = QUERNEL_SHUFFLE2D_DESC_INIT,
                  .n = QUERNEL_NORMALIZE_DESC_INIT,
                  .scales = {1, 1, 1},
                  .smooth = {1, 1, 1}};
    const quernel_tensor x = {.type = QUERNEL_TYPE_U8, .n = 1, .c = C, .h = H, .w = W};
    f->p.x.tensor = f->r.x.tensor = f->s.x = f->n.x.tensor = x;
    f->n.kind = QUERNEL_NORMALIZE_LAYER, f->n.epilogue.y_type = QUERNEL_TYPE_U8;
    f->p.kernel_h = f->p.kernel_w = 3, f->p.stride_h = f->p.stride_w = 2;
    f->p.pad_top = f->p.pad_left = 1;
    f->p.epilogue.y_type = f->r.epilogue.y_type = QUERNEL_TYPE_U8;
    f->r.y.h = UP_H, f->r.y.w = UP_W;
    f->r.lines = (quernel_resize2d_axis){TAPS, f->index_h, f->weight_h};
    f->r.pixels = (quernel_resize2d_axis){TAPS, f->index_w, f->weight_w};
    f->s.y.type = QUERNEL_TYPE_U8, f->s.y.c = C, f->s.block_w = 2, f->s.from = f->channels;
}

static int create_pool(const images *f, const quernel_allocator *a, quernel_operator **op,
                       quernel_error *error) {
    quernel_pool2d_desc d = f->p;
    if (!d.allocator) d.allocator = a;
    return quernel_pool2d_create(&d, op, error);
}
static int create_resize(const images *f, const quernel_allocator *a, quernel_operator **op,
                         quernel_error *error) {
    quernel_resize2d_desc d = f->r;
    if (!d.allocator) d.allocator = a;
    return quernel_resize2d_create(&d, op, error);
}
static int create_shuffle(const images *f, const quernel_allocator *a, quernel_operator **op,
                          quernel_error *error) {
    quernel_shuffle2d_desc d = f->s;
    if (!d.allocator) d.allocator = a;
    return quernel_shuffle2d_create(&d, op, error);
}
static int create_normalize(const images *f, const quernel_allocator *a, quernel_operator **op,
                            quernel_error *error) {
    quernel_normalize_desc d = f->n;
    if (!d.allocator) d.allocator = a;
    return quernel_normalize_create(&d, op, error);
}
typedef int create_fn(const images *f, const quernel_allocator *a, quernel_operator **op,
                      quernel_error *error);

static void refuse(const images *f, create_fn *create, refusal wanted, const char *what) {
    quernel_error error = {0};
    quernel_operator *op = SENTINEL;
    counting memory;
    counting_init(&memory, 0);
    const int code = create(f, &memory.allocator, &op, &error);
    expect_refusal(code, &error, wanted, what);
    if (code == QUERNEL_OK) quernel_operator_destroy(op);
    else CHECK(op == SENTINEL, "%s: ret_op was written to", what);
    counting_check(&memory, what);
}

#define REFUSES(create, change, ...)                         \
    do {                                                     \
        images f;                                            \
        init(&f);                                            \
        change;                                              \
        refuse(&f, create, (refusal){__VA_ARGS__}, #change); \
    } while (0)
#define POOL(change, ...) REFUSES(create_pool, change, __VA_ARGS__)
#define RESIZE(change, ...) REFUSES(create_resize, change, __VA_ARGS__)
#define SHUFFLE(change, ...) REFUSES(create_shuffle, change, __VA_ARGS__)
#define NORMALIZE(change, ...) REFUSES(create_normalize, change, __VA_ARGS__)
/// The same refusal from pools and resizes.
#define BOTH(change, ...)            \
    do {                             \
        POOL(change, __VA_ARGS__);   \
        RESIZE(change, __VA_ARGS__); \
    } while (0)

void test_refuse_images(void) {
    quernel_error error = {0};
    quernel_operator *op = SENTINEL;
    images f;
    init(&f);
    const refusal no_desc = {QUERNEL_E_NULL, "desc", NULL, -1},
                  no_op = {QUERNEL_E_NULL, "ret_op", NULL, -1};
    expect_refusal(quernel_pool2d_create(NULL, &op, &error), &error, no_desc, "pool2d");
    expect_refusal(quernel_pool2d_create(&f.p, NULL, &error), &error, no_op, "pool2d");
    expect_refusal(quernel_resize2d_create(NULL, &op, &error), &error, no_desc, "resize2d");
    expect_refusal(quernel_resize2d_create(&f.r, NULL, &error), &error, no_op, "resize2d");
    expect_refusal(quernel_shuffle2d_create(NULL, &op, &error), &error, no_desc, "shuffle2d");
    expect_refusal(quernel_shuffle2d_create(&f.s, NULL, &error), &error, no_op, "shuffle2d");
    expect_refusal(quernel_normalize_create(NULL, &op, &error), &error, no_desc, "normalize");
    expect_refusal(quernel_normalize_create(&f.n, NULL, &error), &error, no_op, "normalize");
    CHECK(op == SENTINEL, "ret_op was written to");
}

// What pools and resizes have in common.
void test_refuse_images_values(void) {
    BOTH(f.p.x.tensor.type = f.r.x.tensor.type = QUERNEL_TYPE_S32, QUERNEL_E_VALUE, "x", "2", -1);
    BOTH(f.p.x.scale = f.r.x.scale = 0.0f, QUERNEL_E_VALUE, "x.scale", "0", -1);
    BOTH((f.scales[2] = -1, f.p.x.scales = f.r.x.scales = f.scales), QUERNEL_E_VALUE, "x.scales",
         "-1", 2);
    BOTH(f.p.x.zero = f.r.x.zero = 256, QUERNEL_E_VALUE, "x.zero", "256", -1);
    BOTH(f.p.x.reserved[1] = f.r.x.reserved[1] = 1, QUERNEL_E_VALUE, "x.reserved", NULL, -1);
    BOTH(f.p.epilogue.bias = f.r.epilogue.bias = f.scales, QUERNEL_E_VALUE, "epilogue.bias", NULL,
         -1);
    BOTH(f.p.epilogue.residual = f.r.epilogue.residual = 1, QUERNEL_E_VALUE, "epilogue.residual",
         NULL, -1);
    BOTH(f.p.epilogue.y_type = f.r.epilogue.y_type = QUERNEL_TYPE_S32, QUERNEL_E_VALUE,
         "epilogue.y_type", NULL, -1);
    BOTH(f.p.epilogue.y_scale = f.r.epilogue.y_scale = NAN, QUERNEL_E_VALUE, "epilogue.y_scale",
         "nan", -1);
    BOTH((f.smooth[1] = 0, f.p.epilogue.y_smooth = f.r.epilogue.y_smooth = f.smooth),
         QUERNEL_E_VALUE, "epilogue.y_smooth", "0", 1);
    BOTH(f.p.epilogue.activation = f.r.epilogue.activation = 11, QUERNEL_E_VALUE,
         "epilogue.activation", "11", -1);
    BOTH(f.p.threads = f.r.threads = 4097, QUERNEL_E_VALUE, "threads", "4097", -1);
    BOTH(f.p.isa = f.r.isa = 99, QUERNEL_E_VALUE, "isa", "99", -1);
    BOTH(f.p.y.c = f.r.y.c = 4, QUERNEL_E_SHAPE, "y", "4", -1);
    BOTH(f.p.y.stride_w = f.r.y.stride_w = 2, QUERNEL_E_STRIDE, "y", "2", -1);
    BOTH(f.p.x.tensor.layout = f.r.x.tensor.layout = 2, QUERNEL_E_VALUE, "x", "2", -1);
    BOTH(f.p.size = f.r.size = 8, QUERNEL_E_VALUE, "size", "8", -1);
}

void test_refuse_pool2d(void) {
    POOL(f.p.kind = 4, QUERNEL_E_VALUE, "kind", "4", -1);
    POOL(f.p.kind = -1, QUERNEL_E_VALUE, "kind", "-1", -1);
    POOL(f.p.x.tensor.h = 0, QUERNEL_E_SHAPE, "x", "0", -1);
    POOL(f.p.kernel_h = 0, QUERNEL_E_SHAPE, "kernel_h", "0", -1);
    POOL(f.p.kernel_w = 0, QUERNEL_E_SHAPE, "kernel_w", "0", -1);
    POOL(f.p.stride_h = 0, QUERNEL_E_SHAPE, "stride_h", "0", -1);
    POOL(f.p.stride_w = 1u << 31, QUERNEL_E_SHAPE, "stride_w", "2147483648", -1);
    POOL(f.p.dilation_h = 0, QUERNEL_E_SHAPE, "dilation_h", "0", -1);
    POOL(f.p.dilation_w = 0, QUERNEL_E_SHAPE, "dilation_w", "0", -1);
    POOL(f.p.pad_top = 3, QUERNEL_E_SHAPE, "pad_top", "3", -1);
    POOL(f.p.pad_left = 3, QUERNEL_E_SHAPE, "pad_left", "3", -1);
    POOL(f.p.pad_bottom = 3, QUERNEL_E_SHAPE, "pad_bottom", "3", -1);
    POOL(f.p.pad_right = 3, QUERNEL_E_SHAPE, "pad_right", "3", -1);
    POOL(f.p.ceil_mode = 2, QUERNEL_E_VALUE, "ceil_mode", "2", -1);
    POOL(f.p.kernel_h = 7, QUERNEL_E_SHAPE, "x", "7", -1);
    POOL(f.p.y.h = 3, QUERNEL_E_SHAPE, "y", "3", -1);
    // taps at -2 and 5
    POOL((f.p.kernel_h = 2, f.p.dilation_h = 7, f.p.pad_top = 2, f.p.pad_bottom = 1),
         QUERNEL_E_SHAPE, "pad_top", NULL, 0);
    POOL((f.p.kind = QUERNEL_POOL2D_GLOBAL, f.p.x.tensor.h = f.p.x.tensor.w = 1 << 12),
         QUERNEL_E_OVERFLOW, "kernel_h", "4096", -1);
    POOL((f.p.x.tensor.c = 1 << 26, f.p.x.tensor.w = 1 << 8), QUERNEL_E_OVERFLOW, "x", NULL, -1);
}

void test_refuse_resize2d(void) {
    RESIZE(f.r.y.h = 0, QUERNEL_E_SHAPE, "y", "0", -1);
    RESIZE(f.r.lines.index = NULL, QUERNEL_E_NULL, "lines.index", NULL, -1);
    RESIZE(f.r.lines.weight = NULL, QUERNEL_E_NULL, "lines.weight", NULL, -1);
    RESIZE(f.r.lines.taps = 0, QUERNEL_E_VALUE, "lines.taps", "0", -1);
    RESIZE(f.r.pixels.index = NULL, QUERNEL_E_NULL, "pixels.index", NULL, -1);
    RESIZE(f.r.pixels.weight = NULL, QUERNEL_E_NULL, "pixels.weight", NULL, -1);
    RESIZE(f.r.pixels.taps = 1u << 28, QUERNEL_E_VALUE, "pixels.taps", "268435456", -1);
    RESIZE(f.index_h[6] = H, QUERNEL_E_VALUE, "lines.index", "5", 6);
    RESIZE(f.index_h[5] = QUERNEL_RESIZE2D_PAD, QUERNEL_E_VALUE, "lines.index", "4294967295", 5);
    RESIZE(f.weight_h[4] = INFINITY, QUERNEL_E_VALUE, "lines.weight", "inf", 4);
    RESIZE(f.index_w[7] = W, QUERNEL_E_VALUE, "pixels.index", "6", 7);
    RESIZE(f.weight_w[5] = NAN, QUERNEL_E_VALUE, "pixels.weight", "nan", 5);
    RESIZE(f.r.pad = NAN, QUERNEL_E_VALUE, "pad", "NaN", -1);
    RESIZE((f.r.x.tensor.c = 1 << 26, f.r.x.tensor.w = 1 << 8), QUERNEL_E_OVERFLOW, "x", NULL, -1);
}

void test_refuse_shuffle2d(void) {
    SHUFFLE(f.s.size = 8, QUERNEL_E_VALUE, "size", "8", -1);
    SHUFFLE(f.s.gather = 2, QUERNEL_E_VALUE, "gather", "2", -1);
    SHUFFLE(f.s.block_h = 0, QUERNEL_E_SHAPE, "block_h", "0", -1);
    SHUFFLE(f.s.block_w = 0, QUERNEL_E_SHAPE, "block_w", "0", -1);
    SHUFFLE((f.s.block_h = 1 << 16, f.s.block_w = 1 << 15), QUERNEL_E_SHAPE, "block_w", "32768",
            -1);
    SHUFFLE(f.s.x.w = 0, QUERNEL_E_SHAPE, "x", "0", -1);
    SHUFFLE(f.s.y.c = 0, QUERNEL_E_SHAPE, "x", "0", -1);
    SHUFFLE((f.s.gather = 1, f.s.block_h = 2), QUERNEL_E_SHAPE, "block_h", "2", -1);
    SHUFFLE((f.s.block_h = 1 << 28), QUERNEL_E_SHAPE, "block_h", "268435456", -1);
    SHUFFLE(f.s.x.type = 5, QUERNEL_E_VALUE, "x", "5", -1);
    SHUFFLE(f.s.y.type = QUERNEL_TYPE_S8, QUERNEL_E_VALUE, "y", "3", -1);
    SHUFFLE(f.s.y.w = W, QUERNEL_E_SHAPE, "y", "6", -1);
    SHUFFLE(f.s.y.stride_w = 2, QUERNEL_E_STRIDE, "y", "2", -1);
    SHUFFLE(f.s.from = NULL, QUERNEL_E_NULL, "from", NULL, -1);
    SHUFFLE(f.channels[5] = C, QUERNEL_E_VALUE, "from", "3", 5);
    SHUFFLE(f.s.threads = 4097, QUERNEL_E_VALUE, "threads", "4097", -1);
    SHUFFLE((f.s.y.c = 1 << 29, f.s.block_w = 4), QUERNEL_E_OVERFLOW, "from", NULL, -1);
}

// The first call of the allocator fails; then none does, and all is given back.

void test_refuse_normalize(void) {
    NORMALIZE(f.n.kind = 3, QUERNEL_E_VALUE, "kind", "3", -1);
    NORMALIZE(f.n.kind = -1, QUERNEL_E_VALUE, "kind", "-1", -1);
    NORMALIZE(f.n.epsilon = -1.0f, QUERNEL_E_VALUE, "epsilon", NULL, -1);
    NORMALIZE(f.n.epsilon = NAN, QUERNEL_E_VALUE, "epsilon", "nan", -1);
    NORMALIZE((f.scales[1] = INFINITY, f.n.gamma = f.scales), QUERNEL_E_VALUE, "gamma", "inf", 1);
    NORMALIZE((f.scales[2] = NAN, f.n.beta = f.scales), QUERNEL_E_VALUE, "beta", "nan", 2);
    NORMALIZE(f.n.x.tensor.type = QUERNEL_TYPE_S32, QUERNEL_E_VALUE, "x", "2", -1);
    NORMALIZE(f.n.x.scale = 0.0f, QUERNEL_E_VALUE, "x.scale", "0", -1);
    NORMALIZE(f.n.x.tensor.h = 0, QUERNEL_E_SHAPE, "x", "0", -1);
    NORMALIZE(f.n.y.c = 4, QUERNEL_E_SHAPE, "y", "4", -1);
    NORMALIZE(f.n.y.stride_w = 2, QUERNEL_E_STRIDE, "y", "2", -1);
    NORMALIZE(f.n.epilogue.bias = f.scales, QUERNEL_E_VALUE, "epilogue.bias", NULL, -1);
    NORMALIZE(f.n.epilogue.residual = 1, QUERNEL_E_VALUE, "epilogue.residual", NULL, -1);
    NORMALIZE(f.n.epilogue.activation = 11, QUERNEL_E_VALUE, "epilogue.activation", "11", -1);
    NORMALIZE(f.n.threads = 4097, QUERNEL_E_VALUE, "threads", "4097", -1);
    NORMALIZE(f.n.isa = 99, QUERNEL_E_VALUE, "isa", "99", -1);
    NORMALIZE(f.n.size = 8, QUERNEL_E_VALUE, "size", "8", -1);
    NORMALIZE((f.n.x.tensor.c = 1 << 26, f.n.x.tensor.w = 1 << 8), QUERNEL_E_OVERFLOW, "x", NULL,
              -1);
}
