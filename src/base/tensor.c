// SPDX-License-Identifier: Apache-2.0
// Tensors: dense strides, checks that elements stay apart, extents, and the layout of chain
// tensors.
#include "base/tensor.h"

#include <assert.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/desc.h"
#include "base/error.h"

#define MAX_SIZE (1u << 30) // two sizes and a stride multiplied stay within 64 bits
// Strides of images and channels: times 4 bytes, they stay within 64 bits.
#define MAX_FAR (1ll << 58)
// Strides of lines and pixels: times 2^17 lines of paddings or strides, too.
#define MAX_NEAR (1ll << 42)
#define MAX_BORDER 4096 // more than any kernel reads; sizes with it stay within 32 bits
_Static_assert(MAX_SIZE + 2ull * MAX_BORDER <= INT32_MAX, "sizes with their border are int32_t");

typedef struct dimension {
    const char *name;
    int64_t size, stride;
} dimension;

static int check_border(const quernel_tensor *t, const char *where, const char *name,
                        quernel_error *error) {
    if (t->border_h > MAX_BORDER || t->border_w > MAX_BORDER)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, name, -1,
                                   "%s: %s.border: %u x %u: must be 0 to %d", where, name,
                                   t->border_h, t->border_w, MAX_BORDER);
    const bool bytes = t->type == QUERNEL_TYPE_S8 || t->type == QUERNEL_TYPE_U8;
    if ((t->border_h || t->border_w) && (t->layout != QUERNEL_LAYOUT_NHWC || !bytes))
        return quernel_i_error_set(error, QUERNEL_E_VALUE, name, -1,
                                   "%s: %s.border: only an NHWC tensor of s8 or u8 may have one",
                                   where, name);
    return QUERNEL_OK;
}

static int check_sizes(const quernel_tensor *t, const char *where, const char *name,
                       quernel_error *error) {
    const struct {
        const char *member;
        uint32_t value;
    } sizes[] = {{"n", t->n}, {"c", t->c}, {"h", t->h}, {"w", t->w}};
    for (int i = 0; i < 4; i++)
        if (sizes[i].value == 0 || sizes[i].value > MAX_SIZE)
            return quernel_i_error_set(error, QUERNEL_E_SHAPE, name, -1,
                                       "%s: %s.%s: %u: must be 1 to 2^30", where, name,
                                       sizes[i].member, sizes[i].value);
    return check_border(t, where, name, error);
}

static int refuse_stride(quernel_error *error, const char *where, const char *name,
                         const char *which, int64_t stride, const char *why) {
    return quernel_i_error_set(error, QUERNEL_E_STRIDE, name, -1, "%s: %s.stride_%s: %lld: %s",
                               where, name, which, (long long)stride, why);
}

// A dimension of one element is never stepped, but its stride is multiplied as the others are: by
// sizes of elements, strides and paddings.
static int check_unused(const quernel_tensor *t, const char *where, const char *name,
                        quernel_error *error) {
    const dimension d[] = {{"n", t->n, t->stride_n},
                           {"c", t->c, t->stride_c},
                           {"h", (int64_t)t->h + 2 * t->border_h, t->stride_h},
                           {"w", (int64_t)t->w + 2 * t->border_w, t->stride_w}};
    for (int i = 0; i < 4; i++)
        if (d[i].size == 1 && d[i].stride > (i < 2 ? MAX_FAR : MAX_NEAR))
            return refuse_stride(error, where, name, d[i].name, d[i].stride,
                                 i < 2 ? "of one element it must be 2^58 or less"
                                       : "of one element it must be 2^42 or less");
    return QUERNEL_OK;
}

static int check_signs(const quernel_tensor *t, const char *where, const char *name,
                       quernel_error *error) {
    const dimension d[] = {
        {"n", 0, t->stride_n}, {"c", 0, t->stride_c}, {"h", 0, t->stride_h}, {"w", 0, t->stride_w}};
    for (int i = 0; i < 4; i++)
        if (d[i].stride < 0)
            return refuse_stride(error, where, name, d[i].name, d[i].stride, "must be positive");
    return QUERNEL_OK;
}

// Dense strides from the innermost dimension outwards, where a stride is 0.
static bool fill_dense(quernel_tensor *t) {
    int64_t *const order_nhwc[] = {&t->stride_c, &t->stride_w, &t->stride_h, &t->stride_n};
    int64_t *const order_nchw[] = {&t->stride_w, &t->stride_h, &t->stride_c, &t->stride_n};
    const bool nhwc = t->layout == QUERNEL_LAYOUT_NHWC;
    const int64_t h = (int64_t)t->h + 2 * t->border_h, w = (int64_t)t->w + 2 * t->border_w;
    const int64_t sizes_nhwc[] = {t->c, w, h}, sizes_nchw[] = {w, h, t->c};
    int64_t dense = 1;
    for (int i = 0; i < 4; i++) {
        int64_t *stride = nhwc ? order_nhwc[i] : order_nchw[i];
        if (*stride == 0) *stride = dense;
        if (i < 3 && __builtin_mul_overflow(*stride, nhwc ? sizes_nhwc[i] : sizes_nchw[i], &dense))
            return false;
    }
    return true;
}

static void sort_by_stride(dimension d[4]) {
    for (int i = 0; i < 4; i++)
        for (int j = i; j > 0 && d[j].stride < d[j - 1].stride; j--) {
            const dimension swap = d[j];
            d[j] = d[j - 1], d[j - 1] = swap;
        }
}

// Sorted by stride, every dimension must step over all that the smaller ones cover.
static int check_apart(const quernel_tensor *t, const char *where, const char *name,
                       int64_t *ret_span, quernel_error *error) {
    dimension d[4] = {{"n", t->n, t->stride_n},
                      {"c", t->c, t->stride_c},
                      {"h", (int64_t)t->h + 2 * t->border_h, t->stride_h},
                      {"w", (int64_t)t->w + 2 * t->border_w, t->stride_w}};
    sort_by_stride(d);
    int64_t span = 1, step;
    for (int i = 0; i < 4; i++) {
        if (d[i].size == 1) continue;
        if (d[i].stride < span)
            return refuse_stride(error, where, name, d[i].name, d[i].stride, "elements overlap");
        if (__builtin_mul_overflow(d[i].size - 1, d[i].stride, &step) ||
            step > INT64_MAX / 16 - span)
            return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, name, -1,
                                       "%s: %s: its size in bytes overflows", where, name);
        span += step;
    }
    *ret_span = span;
    return QUERNEL_OK;
}

static int check_room(const quernel_tensor *t, const char *where, const char *name,
                      quernel_error *error) {
    char argument[sizeof error->argument];
    snprintf(argument, sizeof argument, "%s.reserved", name);
    return quernel_i_check_reserved(error, where, argument, t->reserved, sizeof t->reserved);
}

static int check_innermost(const quernel_tensor *t, const char *where, const char *name,
                           quernel_error *error) {
    const bool nhwc = t->layout == QUERNEL_LAYOUT_NHWC;
    const int64_t inner = nhwc ? t->stride_c : t->stride_w;
    return inner == 1 ? QUERNEL_OK
                      : refuse_stride(error, where, name, nhwc ? "c" : "w", inner,
                                      "the innermost must be 1");
}

int quernel_i_tensor_check(quernel_tensor *t, const char *where, const char *name,
                           quernel_i_extent *ret_extent, quernel_error *error) {
    if (t->layout != QUERNEL_LAYOUT_NHWC && t->layout != QUERNEL_LAYOUT_NCHW)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, name, -1, "%s: %s.layout: %d: unknown",
                                   where, name, t->layout);
    int code = check_sizes(t, where, name, error);
    if (!code) code = check_room(t, where, name, error);
    if (code) return code;
    if ((code = check_signs(t, where, name, error))) return code;
    if (!fill_dense(t))
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, name, -1,
                                   "%s: %s: its strides overflow", where, name);
    if ((code = check_innermost(t, where, name, error))) return code;
    if ((code = check_unused(t, where, name, error))) return code;
    int64_t span = 0;
    if ((code = check_apart(t, where, name, &span, error))) return code;
    const int64_t size = (int64_t)quernel_type_size((quernel_type)t->type);
    const int64_t low = -((int64_t)t->border_h * t->stride_h + (int64_t)t->border_w * t->stride_w);
    *ret_extent = (quernel_i_extent){low * size, (low + span) * size};
    return QUERNEL_OK;
}

int quernel_chain_describe(quernel_tensor *tensor, uint32_t border_h, uint32_t border_w,
                           size_t *ret_bytes, size_t *ret_offset, quernel_error *error) {
    static const char where[] = "chain";
    if (!tensor) return quernel_i_error_null(error, where, "tensor");
    if (!ret_bytes) return quernel_i_error_null(error, where, "ret_bytes");
    if (!ret_offset) return quernel_i_error_null(error, where, "ret_offset");
    if (tensor->type != QUERNEL_TYPE_S8 && tensor->type != QUERNEL_TYPE_U8)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "tensor", -1,
                                   "chain: tensor.type: %d: must be s8 or u8", tensor->type);
    quernel_tensor t = *tensor;
    t.layout = QUERNEL_LAYOUT_NHWC;
    t.stride_n = t.stride_c = t.stride_h = t.stride_w = 0;
    t.border_h = border_h, t.border_w = border_w;
    quernel_i_extent extent;
    const int code = quernel_i_tensor_check(&t, where, "tensor", &extent, error);
    if (code) return code;
    // The first pixel begins a cache line; 64 bytes behind the last may be read.
    *ret_offset = quernel_i_round_up((size_t)-extent.low, QUERNEL_I_LINE);
    *ret_bytes = quernel_i_round_up(*ret_offset + (size_t)extent.high + 64, QUERNEL_I_LINE);
    *tensor = t;
    return QUERNEL_OK;
}

int quernel_i_buffer_check(const quernel_i_buffer *b, const char *where, quernel_error *error) {
    if (!b->data) return quernel_i_error_null(error, where, b->name);
    assert(b->alignment > 0 && b->extent.low <= b->extent.high);
    if ((uintptr_t)b->data % b->alignment)
        return quernel_i_error_set(error, QUERNEL_E_ALIGN, b->name, -1,
                                   "%s: %s: %p: must be aligned to %zu bytes", where, b->name,
                                   b->data, b->alignment);
    return QUERNEL_OK;
}

bool quernel_i_buffers_overlap(const quernel_i_buffer *a, const quernel_i_buffer *b) {
    const intptr_t a0 = (intptr_t)a->data + a->extent.low, a1 = (intptr_t)a->data + a->extent.high;
    const intptr_t b0 = (intptr_t)b->data + b->extent.low, b1 = (intptr_t)b->data + b->extent.high;
    return a0 < b1 && b0 < a1;
}
