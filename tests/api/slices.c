// SPDX-License-Identifier: Apache-2.0
// Channel slices of larger tensors, and sibling layers as one operator: the same bytes as layer by
// layer, and no others.
#include <stdlib.h>
#include <string.h>

#include "../op/rng.h"
#include "../unit/check.h"
#include "quernel/quernel.h"
#include "tests.h"

enum { H = 6, W = 9, C = 20, PARTS = 3, ALL = 37, BORDER = 2, ZERO = 7, POISON = 0xa5 };
static const uint32_t outs[PARTS] = {16, 5, 16}; // multiples of 16 and none

static float data[ALL * C * 9], bias[ALL];
static uint8_t image[C * H * W];

static void fill(uint64_t seed) {
    rng r = rng_make(seed, 0);
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) data[i] = rng_float(&r, -1.0f, 1.0f);
    for (size_t i = 0; i < ALL; i++) bias[i] = rng_float(&r, -3.0f, 3.0f);
    for (size_t i = 0; i < sizeof image; i++) image[i] = (uint8_t)rng_next(&r);
}

static void *must(void *p) {
    if (!p) abort();
    return p;
}

static uint8_t *aligned(size_t bytes) { return must(aligned_alloc(64, (bytes + 63) / 64 * 64)); }

static quernel_weights *packed(int kind, uint32_t first, uint32_t out) {
    quernel_weights_desc d = QUERNEL_WEIGHTS_DESC_INIT;
    d.kind = kind, d.out = out, d.in = C, d.kernel_h = d.kernel_w = 3;
    d.data = data + (size_t)first * C * 9;
    quernel_weights *w = NULL;
    quernel_error error = {0};
    CHECK(!quernel_weights_pack(&d, &w, &error), "pack: %s", error.text);
    return must(w);
}

// A layer of `weights` whose output lies in `y`, channels `first` … of a tensor with `layout`.
static quernel_conv2d_desc layer(quernel_weights *weights, uint32_t first, quernel_tensor y) {
    quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
    quernel_weights_get(weights, &info);
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    d.weights = weights;
    d.x = (quernel_tensor){.type = QUERNEL_TYPE_U8, .n = 1, .c = C, .h = H, .w = W};
    d.y = y, d.y.c = info.out;
    d.pad_top = d.pad_left = d.pad_bottom = d.pad_right = 1;
    d.quant.zero = 9, d.quant.scale = 0.02f;
    d.epilogue.bias = bias + first;
    d.epilogue.y_type = y.type, d.epilogue.y_scale = 0.3f,
    d.epilogue.y_zero = y.type == QUERNEL_TYPE_U8 ? ZERO : 0;
    return d;
}

static void run(const quernel_conv2d_desc *d, const void *x, void *y) {
    quernel_operator *op = NULL;
    quernel_error error = {0};
    if (!CHECK(!quernel_conv2d_create(d, &op, &error), "create: %s", error.text)) return;
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = aligned(bytes + 64);
    CHECK(!quernel_operator_run(op, x, NULL, y, workspace, bytes, NULL, &error), "run: %s",
          error.text);
    free(workspace);
    quernel_operator_destroy(op);
}

// The whole tensor, with its border and what lies between its pixels: by siblings at once, then
// slice by slice.
static void compare_slices(quernel_tensor y, size_t bytes, size_t offset, const char *name) {
    const size_t size = quernel_type_size((quernel_type)y.type);
    uint8_t *at_once = aligned(bytes), *sliced = aligned(bytes);
    memset(at_once, POISON, bytes), memset(sliced, POISON, bytes);
    quernel_weights *parts[PARTS], *siblings = NULL;
    quernel_error error = {0};
    for (uint32_t i = 0, first = 0; i < PARTS; first += outs[i++]) {
        parts[i] = packed(QUERNEL_WEIGHTS_CONV2D, first, outs[i]);
        const quernel_conv2d_desc d = layer(parts[i], first, y);
        run(&d, image, sliced + offset + first * (size_t)y.stride_c * size);
    }
    CHECK(!quernel_weights_concat((const quernel_weights *const *)parts, PARTS, NULL, &siblings,
                                  &error),
          "%s", error.text);
    const quernel_conv2d_desc d = layer(must(siblings), 0, y);
    run(&d, image, at_once + offset);
    size_t wrong = 0;
    for (size_t i = 0; i < bytes; i++) wrong += at_once[i] != sliced[i];
    CHECK(!wrong, "%s: %zu bytes differ between siblings at once and slice by slice", name, wrong);
    for (uint32_t i = 0; i < PARTS; i++) quernel_weights_release(parts[i]);
    quernel_weights_release(siblings);
    free(at_once), free(sliced);
}

void test_slices_of_every_layout(void) {
    fill(1);
    quernel_tensor chain = {.type = QUERNEL_TYPE_U8, .n = 1, .c = ALL, .h = H, .w = W};
    size_t bytes, offset;
    quernel_error error = {0};
    if (CHECK(!quernel_chain_describe(&chain, BORDER, BORDER, &bytes, &offset, &error), "%s",
              error.text))
        compare_slices(chain, bytes, offset, "chain");
}

/// Pixels that lie further apart than their channels need.
void test_slices_of_nhwc(void) {
    fill(1);
    const quernel_tensor nhwc = {.type = QUERNEL_TYPE_F32,
                                 .n = 1,
                                 .c = ALL,
                                 .h = H,
                                 .w = W,
                                 .stride_c = 1,
                                 .stride_w = ALL + 3,
                                 .stride_h = (ALL + 3) * W,
                                 .stride_n = (ALL + 3) * W * H};
    compare_slices(nhwc, (size_t)nhwc.stride_n * 4 + 64, 0, "f32 NHWC");
}

void test_slices_of_nchw(void) {
    fill(1);
    const quernel_tensor nchw = {.type = QUERNEL_TYPE_F32,
                                 .layout = QUERNEL_LAYOUT_NCHW,
                                 .n = 1,
                                 .c = ALL,
                                 .h = H,
                                 .w = W,
                                 .stride_w = 1,
                                 .stride_h = W,
                                 .stride_c = W * H,
                                 .stride_n = W * H * ALL};
    compare_slices(nchw, (size_t)nchw.stride_n * 4 + 64, 0, "f32 NCHW");
}

/// A layer that reads a slice of a chain tensor where it lies gives what it gives on a dense copy
/// of the slice.
void test_slice_as_input(void) {
    enum { FIRST = 16, WIDE = C + FIRST + 4 };
    fill(2);
    quernel_tensor chain = {.type = QUERNEL_TYPE_U8, .n = 1, .c = WIDE, .h = H, .w = W};
    size_t bytes, offset;
    if (!CHECK(!quernel_chain_describe(&chain, 1, 1, &bytes, &offset, NULL), "chain_describe"))
        return;
    uint8_t *wide = aligned(bytes);
    memset(wide, 9, bytes); // the zero point of `layer`, also in the border
    for (int h = 0; h < H; h++)
        for (int w = 0; w < W; w++)
            memcpy(wide + offset + h * chain.stride_h + w * chain.stride_w + FIRST,
                   image + (h * W + w) * C, C);
    static float from_slice[ALL * H * W], from_copy[ALL * H * W];
    quernel_weights *weights = packed(QUERNEL_WEIGHTS_CONV2D, 0, ALL);
    quernel_conv2d_desc d = layer(weights, 0, (quernel_tensor){.layout = QUERNEL_LAYOUT_NCHW});
    run(&d, image, from_copy);
    d.x = chain, d.x.c = C;
    run(&d, wide + offset + FIRST, from_slice);
    CHECK(!memcmp(from_slice, from_copy, sizeof from_copy),
          "reading a slice gives other values than reading a copy");
    quernel_weights_release(weights);
    free(wide);
}

/// Weights with and without zero points, of deconvolutions too: as packed from the concatenated
/// matrix.
void test_concat_equals_packing(void) {
    fill(3);
    rng r = rng_make(3, 1);
    static uint8_t bytes[ALL * C * 9];
    static int32_t zeros[ALL];
    static float scales[ALL];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)rng_next(&r);
    for (int i = 0; i < ALL; i++)
        zeros[i] = i < (int)outs[0] ? 0 : rng_int(&r, -128, 127), scales[i] = rng_scale(&r, -3, 3);
    quernel_weights_desc d = QUERNEL_WEIGHTS_DESC_INIT;
    d.kind = QUERNEL_WEIGHTS_CONV2D, d.type = QUERNEL_TYPE_S8, d.in = C,
    d.kernel_h = d.kernel_w = 3;
    quernel_weights *parts[PARTS + 1] = {NULL}, *joined = NULL;
    for (uint32_t i = 0, first = 0; i <= PARTS; first += outs[i++ % PARTS]) {
        if (i == PARTS) first = 0;
        d.out = i == PARTS ? ALL : outs[i];
        d.data = bytes + (size_t)first * C * 9, d.zero = zeros + first, d.scale = scales + first;
        CHECK(!quernel_weights_pack(&d, &parts[i], NULL), "pack %u", i);
    }
    quernel_error error = {0};
    if (!CHECK(!quernel_weights_concat((const quernel_weights *const *)parts, PARTS, NULL, &joined,
                                       &error),
               "%s", error.text))
        return;
    const size_t size = quernel_weights_blob_bytes(joined);
    uint8_t *a = must(malloc(size)), *b = must(malloc(size));
    CHECK(size == quernel_weights_blob_bytes(parts[PARTS]), "the blobs differ in size");
    CHECK(!quernel_weights_save(joined, a, size, NULL) &&
              !quernel_weights_save(parts[PARTS], b, size, NULL),
          "save");
    CHECK(!memcmp(a, b, size), "concatenated weights differ from the concatenated matrix packed");
    for (uint32_t i = 0; i <= PARTS; i++) quernel_weights_release(parts[i]);
    quernel_weights_release(joined);
    free(a), free(b);
}

static void expect_concat(const quernel_weights *const *parts, uint32_t count, int status,
                          const char *argument, int32_t index) {
    quernel_weights *const untouched = (quernel_weights *)&data, *ret = untouched;
    quernel_error error = {0};
    const int code = quernel_weights_concat(parts, count, NULL, &ret, &error);
    CHECK(code == status && error.code == status && !strcmp(error.argument, argument) &&
              error.index == index && ret == untouched,
          "concat: %s (%s): expected %s", quernel_status_string(code), error.text, argument);
}

void test_refuse_concat(void) {
    fill(4);
    quernel_weights *plain = packed(QUERNEL_WEIGHTS_CONV2D, 0, 8),
                    *deconv = packed(QUERNEL_WEIGHTS_DECONV2D, 0, 8);
    quernel_weights_desc d = QUERNEL_WEIGHTS_DESC_INIT;
    d.kind = QUERNEL_WEIGHTS_CONV2D, d.out = 8, d.in = C, d.kernel_h = d.kernel_w = 3,
    d.data = data;
    quernel_weights *grouped = NULL, *smooth = NULL, *other = NULL;
    d.groups = 4;
    CHECK(!quernel_weights_pack(&d, &grouped, NULL), "pack");
    d.groups = 1, d.smooth_kind = QUERNEL_SMOOTH_CHANNEL;
    float factors[C];
    for (int i = 0; i < C; i++) factors[i] = 1.5f;
    d.smooth = factors;
    CHECK(!quernel_weights_pack(&d, &smooth, NULL), "pack");
    factors[C - 1] = 1.25f;
    CHECK(!quernel_weights_pack(&d, &other, NULL), "pack");
    expect_concat(NULL, 1, QUERNEL_E_NULL, "parts", -1);
    expect_concat((const quernel_weights *[]){plain}, 0, QUERNEL_E_SHAPE, "count", -1);
    expect_concat((const quernel_weights *[]){plain, NULL}, 2, QUERNEL_E_NULL, "parts", -1);
    expect_concat((const quernel_weights *[]){plain, deconv}, 2, QUERNEL_E_SHAPE, "parts", 1);
    expect_concat((const quernel_weights *[]){plain, plain, grouped}, 3, QUERNEL_E_SHAPE, "parts",
                  2);
    expect_concat((const quernel_weights *[]){plain, smooth}, 2, QUERNEL_E_SHAPE, "parts", 1);
    expect_concat((const quernel_weights *[]){smooth, other}, 2, QUERNEL_E_SHAPE, "parts", 1);
    quernel_weights_release(plain), quernel_weights_release(deconv),
        quernel_weights_release(grouped);
    quernel_weights_release(smooth), quernel_weights_release(other);
}
