// SPDX-License-Identifier: Apache-2.0
// Every refusal of quernel_weights_pack, and of the calls that look into weights, save and load
// them.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "counting.h"
#include "fixture.h"
#include "tests.h"

static quernel_weights *const SENTINEL = (quernel_weights *)(uintptr_t)0x5a5a;

static void refuse(fixture *f, refusal wanted, const char *what) {
    quernel_error error = {0};
    quernel_weights *weights = SENTINEL;
    counting memory;
    counting_init(&memory, 0);
    if (!f->w.allocator) f->w.allocator = &memory.allocator;
    const int code = quernel_weights_pack(&f->w, &weights, &error);
    expect_refusal(code, &error, wanted, what);
    CHECK(weights == SENTINEL, "%s: ret_weights was written to", what);
    CHECK(quernel_weights_pack(&f->w, &weights, NULL) == code,
          "%s: without an error the code differs", what);
    if (code == QUERNEL_OK) quernel_weights_release(weights);
    counting_check(&memory, what);
}

/// Spoils a fixture of the kind and expects the refusal.
#define REFUSES(fixture_kind_, change, ...)                       \
    do {                                                          \
        fixture f;                                                \
        fixture_init(&f, fixture_kind_);                          \
        change;                                                   \
        refuse(&f, (refusal){__VA_ARGS__}, "pack with " #change); \
    } while (0)
#define LINEAR(change, ...) REFUSES(FIXTURE_LINEAR, change, __VA_ARGS__)
#define CONV(change, ...) REFUSES(FIXTURE_CONV2D, change, __VA_ARGS__)
#define DECONV(change, ...) REFUSES(FIXTURE_DECONV2D, change, __VA_ARGS__)

void test_refuse_weights_sizes(void) {
    LINEAR(f.w.size = 0, QUERNEL_E_VALUE, "size", "0", -1);
    LINEAR(f.w.out = 0, QUERNEL_E_SHAPE, "out", "0", -1);
    LINEAR(f.w.in = 0, QUERNEL_E_SHAPE, "in", "0", -1);
    CONV(f.w.deconv_stride_h = 1, QUERNEL_E_SHAPE, "deconv_stride_h", "1", -1);
    LINEAR(f.w.deconv_stride_w = 2, QUERNEL_E_SHAPE, "deconv_stride_w", "2", -1);
    DECONV(f.w.deconv_stride_w = 65537, QUERNEL_E_SHAPE, "deconv_stride_w", "65537", -1);
    CONV(f.w.kernel_h = 0, QUERNEL_E_SHAPE, "kernel_h", "0", -1);
    CONV(f.w.kernel_w = 0, QUERNEL_E_SHAPE, "kernel_w", "0", -1);
    CONV(f.w.groups = 0, QUERNEL_E_SHAPE, "groups", "0", -1);
    CONV(f.w.groups = 4, QUERNEL_E_SHAPE, "groups", "4", -1);
    DECONV(f.w.groups = 3, QUERNEL_E_SHAPE, "groups", "3", -1);
    LINEAR(f.w.groups = 2, QUERNEL_E_SHAPE, "groups", "2", -1);
    LINEAR(f.w.kernel_h = 3, QUERNEL_E_SHAPE, "kernel_h", "3", -1);
    LINEAR(f.w.kernel_w = 3, QUERNEL_E_SHAPE, "kernel_w", "3", -1);
}

/// Sizes whose products leave 64 bits or the documented maxima.
void test_refuse_weights_overflow(void) {
    LINEAR(f.w.out = UINT32_MAX, QUERNEL_E_SHAPE, "out", "4294967295", -1);
    LINEAR(f.w.in = UINT32_MAX, QUERNEL_E_SHAPE, "in", "4294967295", -1);
    CONV(f.w.kernel_h = UINT32_MAX, QUERNEL_E_SHAPE, "kernel_h", "4294967295", -1);
    CONV((f.w.in = 1 << 20, f.w.kernel_h = f.w.kernel_w = 1 << 20), QUERNEL_E_OVERFLOW, "in", NULL,
         -1);
}

void test_refuse_weights_strides(void) {
    LINEAR(f.w.stride = -1, QUERNEL_E_STRIDE, "stride", "-1", -1);
    LINEAR(f.w.stride = FIXTURE_IN - 1, QUERNEL_E_STRIDE, "stride", "5", -1);
    LINEAR(f.w.stride_in = -1, QUERNEL_E_STRIDE, "stride_in", "-1", -1);
    LINEAR((f.w.stride = 1, f.w.stride_in = FIXTURE_OUT - 1), QUERNEL_E_STRIDE, "stride_in", "3",
           -1);
    CONV(f.w.stride = 26, QUERNEL_E_STRIDE, "stride", "26", -1); // a slice has 27 elements
    CONV(f.w.stride_in = 2, QUERNEL_E_STRIDE, "stride_in", "2", -1);
    DECONV(f.w.stride = 15, QUERNEL_E_STRIDE, "stride", "15", -1);
    LINEAR(f.w.stride = INT64_MAX, QUERNEL_E_STRIDE, "stride", NULL, -1);
}

void test_refuse_weights_values(void) {
    LINEAR(f.w.kind = 3, QUERNEL_E_VALUE, "kind", "3", -1);
    LINEAR(f.w.kind = -1, QUERNEL_E_VALUE, "kind", "-1", -1);
    LINEAR(f.w.type = QUERNEL_TYPE_BF16, QUERNEL_E_VALUE, "type", "1", -1);
    LINEAR(f.w.type = QUERNEL_TYPE_S32, QUERNEL_E_VALUE, "type", "2", -1);
    LINEAR(f.w.type = 77, QUERNEL_E_VALUE, "type", "77", -1);
    LINEAR(f.w.data = NULL, QUERNEL_E_NULL, "data", NULL, -1);
    CONV(f.data[7] = NAN, QUERNEL_E_VALUE, "data", "nan", 7);
    CONV(f.data[107] = INFINITY, QUERNEL_E_VALUE, "data", "inf", 107);
    DECONV(f.data[3] = -INFINITY, QUERNEL_E_VALUE, "data", "-inf", 3);
    LINEAR((f.data[9] = 3e38f, f.smooth[3] = 2.0f, f.w.smooth_kind = QUERNEL_SMOOTH_CHANNEL,
            f.w.smooth = f.smooth),
           QUERNEL_E_VALUE, "data", "3e+38", 9);
}

/// Scales and zero points of channels; float weights have no zero point.
void test_refuse_weights_quant(void) {
    LINEAR((f.scale[2] = 0.0f, f.w.scale = f.scale), QUERNEL_E_VALUE, "scale", "0", 2);
    LINEAR((f.scale[1] = -1.0f, f.w.scale = f.scale), QUERNEL_E_VALUE, "scale", "-1", 1);
    LINEAR((f.scale[3] = NAN, f.w.scale = f.scale), QUERNEL_E_VALUE, "scale", "nan", 3);
    LINEAR((f.scale[0] = INFINITY, f.w.scale = f.scale), QUERNEL_E_VALUE, "scale", "inf", 0);
    LINEAR(f.w.zero = f.zero, QUERNEL_E_VALUE, "zero", NULL, -1); // float weights have none
    LINEAR((f.w.type = QUERNEL_TYPE_S8, f.zero[1] = 128, f.w.zero = f.zero), QUERNEL_E_VALUE,
           "zero", "128", 1);
    LINEAR((f.w.type = QUERNEL_TYPE_S8, f.zero[2] = -129, f.w.zero = f.zero), QUERNEL_E_VALUE,
           "zero", "-129", 2);
    LINEAR((f.w.type = QUERNEL_TYPE_U8, f.zero[3] = 256, f.w.zero = f.zero), QUERNEL_E_VALUE,
           "zero", "256", 3);
    LINEAR((f.w.type = QUERNEL_TYPE_U8, f.zero[0] = -1, f.w.zero = f.zero), QUERNEL_E_VALUE, "zero",
           "-1", 0);
}

void test_refuse_weights_smoothing(void) {
    CONV((f.w.smooth_kind = 3, f.w.smooth = f.smooth), QUERNEL_E_VALUE, "smooth_kind", "3", -1);
    LINEAR((f.w.smooth_kind = QUERNEL_SMOOTH_COLUMN, f.w.smooth = f.smooth), QUERNEL_E_VALUE,
           "smooth_kind", "2", -1);
    DECONV((f.w.smooth_kind = QUERNEL_SMOOTH_COLUMN, f.w.smooth = f.smooth), QUERNEL_E_VALUE,
           "smooth_kind", "2", -1);
    LINEAR(f.w.smooth_kind = QUERNEL_SMOOTH_CHANNEL, QUERNEL_E_NULL, "smooth", NULL, -1);
    CONV((f.smooth[4] = 0.0f, f.w.smooth_kind = QUERNEL_SMOOTH_CHANNEL, f.w.smooth = f.smooth),
         QUERNEL_E_VALUE, "smooth", "0", 4);
    CONV((f.smooth[20] = NAN, f.w.smooth_kind = QUERNEL_SMOOTH_COLUMN, f.w.smooth = f.smooth),
         QUERNEL_E_VALUE, "smooth", "nan", 20);
    CONV((f.smooth[5] = INFINITY, f.w.smooth_kind = QUERNEL_SMOOTH_CHANNEL, f.w.smooth = f.smooth),
         QUERNEL_E_VALUE, "smooth", "inf", 5);
    CONV((f.smooth[0] = -2.0f, f.w.smooth_kind = QUERNEL_SMOOTH_CHANNEL, f.w.smooth = f.smooth),
         QUERNEL_E_VALUE, "smooth", "-2", 0);
}

void test_refuse_weights_pointers(void) {
    fixture f;
    quernel_error error = {0};
    quernel_weights *weights = SENTINEL;
    fixture_init(&f, FIXTURE_LINEAR);
    expect_refusal(quernel_weights_pack(NULL, &weights, &error), &error,
                   (refusal){QUERNEL_E_NULL, "desc", NULL, -1}, "pack without a descriptor");
    expect_refusal(quernel_weights_pack(&f.w, NULL, &error), &error,
                   (refusal){QUERNEL_E_NULL, "ret_weights", NULL, -1}, "pack without a result");
    CHECK(weights == SENTINEL, "ret_weights was written to");
    quernel_allocator half = QUERNEL_ALLOCATOR_INIT;
    f.w.allocator = &half;
    expect_refusal(quernel_weights_pack(&f.w, &weights, &error), &error,
                   (refusal){QUERNEL_E_NULL, "allocator.allocate", NULL, -1},
                   "pack with an allocator without functions");
    quernel_weights_release(NULL);
    CHECK(quernel_weights_retain(NULL) == NULL, "retain(NULL)");
    quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
    CHECK(quernel_weights_get(NULL, &info) == QUERNEL_E_NULL, "get without weights");
}

void test_refuse_weights_get(void) {
    fixture f;
    fixture_init(&f, FIXTURE_LINEAR);
    quernel_weights *weights = NULL;
    if (!CHECK(quernel_weights_pack(&f.w, &weights, NULL) == QUERNEL_OK, "pack")) return;
    quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
    CHECK(quernel_weights_get(weights, NULL) == QUERNEL_E_NULL, "get without a result");
    info.size = 0;
    info.out = 77;
    CHECK(quernel_weights_get(weights, &info) == QUERNEL_E_VALUE, "get with size 0");
    CHECK(info.out == 77, "get with size 0 has written");
    quernel_weights_release(weights);
}

void test_refuse_blobs(void) {
    fixture f;
    fixture_init(&f, FIXTURE_CONV2D);
    quernel_weights *weights = NULL, *loaded = SENTINEL;
    quernel_error error = {0};
    if (!CHECK(quernel_weights_pack(&f.w, &weights, &error) == QUERNEL_OK, "%s", error.text))
        return;
    const size_t bytes = quernel_weights_blob_bytes(weights);
    uint8_t *blob = aligned_alloc(64, (bytes + 64) / 64 * 64);
    memset(blob, 0x5a, bytes + 1);
    expect_refusal(quernel_weights_save(NULL, blob, bytes, &error), &error,
                   (refusal){QUERNEL_E_NULL, "weights", NULL, -1}, "save without weights");
    expect_refusal(quernel_weights_save(weights, NULL, bytes, &error), &error,
                   (refusal){QUERNEL_E_NULL, "ret_blob", NULL, -1}, "save without memory");
    expect_refusal(quernel_weights_save(weights, blob, bytes - 1, &error), &error,
                   (refusal){QUERNEL_E_SHAPE, "bytes", NULL, -1}, "save into too little memory");
    for (size_t i = 0; i <= bytes; i++) {
        if (!CHECK(blob[i] == 0x5a, "a refused save wrote byte %zu", i)) break;
    }
    CHECK(quernel_weights_save(weights, blob, bytes, &error) == QUERNEL_OK, "save: %s", error.text);
    CHECK(blob[bytes] == 0x5a, "save wrote behind its end");
    expect_refusal(quernel_weights_load(NULL, bytes, NULL, &loaded, &error), &error,
                   (refusal){QUERNEL_E_NULL, "blob", NULL, -1}, "load without a blob");
    expect_refusal(quernel_weights_load(blob, bytes, NULL, NULL, &error), &error,
                   (refusal){QUERNEL_E_NULL, "ret_weights", NULL, -1}, "load without a result");
    expect_refusal(quernel_weights_map(NULL, bytes, NULL, &loaded, &error), &error,
                   (refusal){QUERNEL_E_NULL, "blob", NULL, -1}, "map without a blob");
    expect_refusal(quernel_weights_map(blob, bytes, NULL, NULL, &error), &error,
                   (refusal){QUERNEL_E_NULL, "ret_weights", NULL, -1}, "map without a result");
    expect_refusal(quernel_weights_map(blob + 32, bytes, NULL, &loaded, &error), &error,
                   (refusal){QUERNEL_E_ALIGN, "blob", NULL, -1}, "map of a misaligned blob");
    for (size_t cut = 0; cut < bytes; cut++) {
        counting memory;
        counting_init(&memory, 0);
        const int code = quernel_weights_load(blob, cut, &memory.allocator, &loaded, &error);
        if (!CHECK(code == QUERNEL_E_BLOB, "a blob cut to %zu bytes: %d", cut, code)) break;
        counting_check(&memory, "load of a cut blob");
    }
    CHECK(quernel_weights_load(blob, bytes + 1, NULL, &loaded, &error) == QUERNEL_E_BLOB,
          "a blob with one byte more");
    blob[bytes / 2] ^= 1;
    expect_refusal(quernel_weights_load(blob, bytes, NULL, &loaded, &error), &error,
                   (refusal){QUERNEL_E_BLOB, "blob", NULL, -1}, "load of a corrupted blob");
    expect_refusal(quernel_weights_map(blob, bytes, NULL, &loaded, &error), &error,
                   (refusal){QUERNEL_E_BLOB, "blob", NULL, -1}, "map of a corrupted blob");
    CHECK(loaded == SENTINEL, "ret_weights was written to");
    CHECK(quernel_weights_blob_bytes(NULL) == 0, "blob_bytes(NULL)");
    free(blob);
    quernel_weights_release(weights);
}
