// SPDX-License-Identifier: Apache-2.0
// Loads a blob and runs what was loaded, with an allocator that notices what a blob should not make
// the loader do.
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "account.h"

enum { MAX_ELEMENTS = 1 << 16 };

uint32_t fuzz_crc32c(const uint8_t *data, size_t bytes) {
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

void fuzz_seal(uint8_t *data, size_t bytes) {
    if (bytes < 4) return;
    const uint32_t crc = fuzz_crc32c(data, bytes - 4);
    for (int i = 0; i < 4; i++) data[bytes - 4 + (size_t)i] = (uint8_t)(crc >> 8 * i);
}

static int create(quernel_weights *weights, const quernel_weights_info *info, quernel_operator **op,
                  size_t *x_count, size_t *y_count) {
    if (info->kind == QUERNEL_WEIGHTS_LINEAR) {
        quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
        d.weights = weights;
        d.m = 3;
        *x_count = (size_t)3 * info->in;
        *y_count = (size_t)3 * info->out;
        return *x_count + *y_count > MAX_ELEMENTS ? QUERNEL_E_SHAPE
                                                  : quernel_linear_create(&d, op, NULL);
    }
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    const bool conv = info->kind == QUERNEL_WEIGHTS_CONV2D;
    d.weights = weights;
    d.x.n = 1, d.x.c = info->in, d.x.h = conv ? info->kernel_h : 2,
    d.x.w = conv ? info->kernel_w : 2;
    if (!conv) d.stride_h = info->kernel_h, d.stride_w = info->kernel_w;
    const uint64_t taps = (uint64_t)info->kernel_h * info->kernel_w;
    if (taps > MAX_ELEMENTS || taps * (info->in + (uint64_t)4 * info->out) > MAX_ELEMENTS)
        return QUERNEL_E_SHAPE;
    *x_count = (size_t)(conv ? taps : 4) * info->in;
    *y_count = (size_t)(conv ? 1 : 4 * taps) * info->out;
    return conv ? quernel_conv2d_create(&d, op, NULL) : quernel_deconv2d_create(&d, op, NULL);
}

static fuzz_outcome run(quernel_weights *weights, const char **why) {
    quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
    quernel_operator *op = NULL;
    size_t x_count = 0, y_count = 0;
    if (quernel_weights_get(weights, &info) != QUERNEL_OK) {
        *why = "weights_get refuses loaded weights";
        return FUZZ_WRONG;
    }
    if (create(weights, &info, &op, &x_count, &y_count) != QUERNEL_OK) return FUZZ_LOADED;
    const size_t bytes = quernel_operator_workspace(op);
    float *x = malloc(x_count * sizeof *x), *y = malloc(y_count * sizeof *y);
    void *workspace = aligned_alloc(64, (bytes + 127) / 64 * 64);
    for (size_t i = 0; i < x_count; i++) x[i] = (float)(i % 200) - 20.0f;
    const int code = quernel_operator_run(op, x, NULL, y, workspace, bytes, NULL, NULL);
    free(x);
    free(y);
    free(workspace);
    quernel_operator_destroy(op);
    if (code != QUERNEL_OK) *why = "an operator of loaded weights does not run";
    return code == QUERNEL_OK ? FUZZ_RAN : FUZZ_WRONG;
}

/// Saving gives the blob back, byte for byte.
static bool saves_alike(const quernel_weights *weights, const uint8_t *data, size_t bytes) {
    if (quernel_weights_blob_bytes(weights) != bytes) return false;
    uint8_t *again = malloc(bytes);
    const bool alike = again && quernel_weights_save(weights, again, bytes, NULL) == QUERNEL_OK &&
                       memcmp(again, data, bytes) == 0;
    free(again);
    return alike;
}

fuzz_outcome fuzz_blob(const uint8_t *data, size_t bytes, const char **why) {
    account memory = {0, 0};
    const quernel_allocator allocator = account_allocator(&memory);
    quernel_weights *const sentinel = (quernel_weights *)(uintptr_t)0x5a5a;
    quernel_weights *weights = sentinel;
    quernel_error error = {0};
    const int code = quernel_weights_load(data, bytes, &allocator, &weights, &error);
    fuzz_outcome outcome = FUZZ_WRONG;
    if (code == QUERNEL_OK) {
        *why = "saving loaded weights gives another blob";
        if (saves_alike(weights, data, bytes)) outcome = run(weights, why);
        quernel_weights_release(weights);
    } else {
        *why =
            "a refusal that is not QUERNEL_E_BLOB, or that wrote its result, or without a message";
        if (code == QUERNEL_E_BLOB && weights == sentinel && error.code == code && error.text[0])
            outcome = FUZZ_REFUSED;
    }
    // Sums and tables come on top of the bytes; nothing may grow with what a header merely claims.
    if (memory.max > 64 * bytes + 65536)
        *why = "the loader allocates what the blob merely claims", outcome = FUZZ_WRONG;
    if (memory.live) *why = "memory was not given back", outcome = FUZZ_WRONG;
    return outcome;
}
