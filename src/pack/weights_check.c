// SPDX-License-Identifier: Apache-2.0
// Descriptors of weights: what they may say, and the sizes that follow from them.
#include "base/desc.h"
#include "base/error.h"
#include "pack/weights.h"

#define WHERE "weights"

static int check_sizes(const quernel_weights_desc *d, quernel_error *error) {
    const struct {
        const char *name;
        uint32_t value;
    } sizes[] = {{"out", d->out},
                 {"in", d->in},
                 {"kernel_h", d->kernel_h},
                 {"kernel_w", d->kernel_w},
                 {"groups", d->groups}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int code = quernel_i_check_range(error, QUERNEL_E_SHAPE, WHERE, sizes[i].name,
                                               sizes[i].value, 1, 1 << 26);
        if (code) return code;
    }
    const bool deconv = d->kind == QUERNEL_WEIGHTS_DECONV2D;
    int code = quernel_i_check_range(error, QUERNEL_E_SHAPE, WHERE, "deconv_stride_h",
                                     d->deconv_stride_h, 0, deconv ? QUERNEL_I_STRIDE_MAX : 0);
    if (!code)
        code = quernel_i_check_range(error, QUERNEL_E_SHAPE, WHERE, "deconv_stride_w",
                                     d->deconv_stride_w, 0, deconv ? QUERNEL_I_STRIDE_MAX : 0);
    if (code) return code;
    if (d->in % d->groups || d->out % d->groups)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "groups", -1,
                                   WHERE ": groups: %u: must divide in (%u) and out (%u)",
                                   d->groups, d->in, d->out);
    if (d->kind == QUERNEL_WEIGHTS_LINEAR &&
        (d->kernel_h != 1 || d->kernel_w != 1 || d->groups != 1))
        return quernel_i_error_set(
            error, QUERNEL_E_SHAPE,
            d->groups != 1     ? "groups"
            : d->kernel_w != 1 ? "kernel_w"
                               : "kernel_h",
            -1, WHERE ": kernel_h, kernel_w, groups: %u, %u, %u: must be 1 for linear weights",
            d->kernel_h, d->kernel_w, d->groups);
    return QUERNEL_OK;
}

static int check_strides(const quernel_weights_desc *d, const quernel_i_weights_shape *s,
                         quernel_error *error) {
    const bool linear = d->kind == QUERNEL_WEIGHTS_LINEAR;
    if (!linear && (d->stride_in < 0 || d->stride_in > 1))
        return quernel_i_error_set(error, QUERNEL_E_STRIDE, "stride_in", -1,
                                   WHERE ": stride_in: %lld: must be 0 or 1 but for linear weights",
                                   (long long)d->stride_in);
    const int64_t slice = d->kind == QUERNEL_WEIGHTS_DECONV2D ? (int64_t)s->group_out * s->taps
                                                              : (int64_t)s->group_in * s->taps;
    const int64_t max = INT64_MAX / 8 / (1 << 26);
    if (d->stride_in < 0 || d->stride_in > max)
        return quernel_i_error_set(error, QUERNEL_E_STRIDE, "stride_in", -1,
                                   WHERE ": stride_in: %lld: out of range",
                                   (long long)d->stride_in);
    // One slice overlaps nothing, whatever its stride.
    const bool transposed = linear && d->stride_in > 1,
               alone = (d->kind == QUERNEL_WEIGHTS_DECONV2D ? d->in : d->out) == 1;
    const int64_t min = d->stride == 0 || transposed || alone ? 0 : slice;
    const int64_t across = alone || !transposed ? 0 : (int64_t)d->out * (d->stride ? d->stride : 1);
    if (d->stride < min || d->stride > max || d->stride_in < across)
        return quernel_i_error_set(error, QUERNEL_E_STRIDE, transposed ? "stride_in" : "stride", -1,
                                   WHERE ": stride, stride_in: %lld, %lld: elements overlap",
                                   (long long)d->stride, (long long)d->stride_in);
    return QUERNEL_OK;
}

size_t quernel_i_weights_smooth_count(const quernel_weights_desc *d) {
    if (d->smooth_kind == QUERNEL_SMOOTH_NONE) return 0;
    return d->smooth_kind == QUERNEL_SMOOTH_CHANNEL ? d->in
                                                    : (size_t)d->in * d->kernel_h * d->kernel_w;
}

static int check_smooth(const quernel_weights_desc *d, quernel_error *error) {
    const int code = quernel_i_check_range(
        error, QUERNEL_E_VALUE, WHERE, "smooth_kind", d->smooth_kind, 0,
        d->kind == QUERNEL_WEIGHTS_CONV2D ? QUERNEL_SMOOTH_COLUMN : QUERNEL_SMOOTH_CHANNEL);
    if (code) return code;
    const size_t count = quernel_i_weights_smooth_count(d);
    if (count && !d->smooth) return quernel_i_error_null(error, WHERE, "smooth");
    return quernel_i_check_floats(error, WHERE, "smooth", d->smooth, count, 1);
}

static int check_scales(const quernel_weights_desc *d, quernel_error *error) {
    if (d->scale) {
        const int code = quernel_i_check_floats(error, WHERE, "scale", d->scale, d->out, 1);
        if (code) return code;
    }
    if (!d->zero) return QUERNEL_OK;
    if (d->type == QUERNEL_TYPE_F32)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "zero", -1,
                                   WHERE ": zero: must be NULL for f32 weights");
    const int32_t lo = d->type == QUERNEL_TYPE_S8 ? -128 : 0;
    for (uint32_t n = 0; n < d->out; n++)
        if (d->zero[n] < lo || d->zero[n] > lo + 255)
            return quernel_i_error_set(error, QUERNEL_E_VALUE, "zero", n,
                                       WHERE ": zero[%u]: %d: must be %d to %d", n, d->zero[n], lo,
                                       lo + 255);
    return QUERNEL_OK;
}

static int check_members(const quernel_weights_desc *d, quernel_error *error) {
    int code = quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "kind", d->kind, 0,
                                     QUERNEL_WEIGHTS_DECONV2D);
    if (code) return code;
    if (d->type != QUERNEL_TYPE_F32 && d->type != QUERNEL_TYPE_S8 && d->type != QUERNEL_TYPE_U8)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "type", -1,
                                   WHERE ": type: %d: must be f32, s8 or u8", d->type);
    if (!d->data) return quernel_i_error_null(error, WHERE, "data");
    if ((code = check_sizes(d, error))) return code;
    if ((code = check_smooth(d, error))) return code;
    if ((code = check_scales(d, error))) return code;
    return quernel_i_allocator_check(d->allocator, WHERE, error);
}

bool quernel_i_weights_any_zero(const quernel_weights_desc *d) {
    if (d->type == QUERNEL_TYPE_U8) return true;
    if (!d->zero) return false;
    for (uint32_t n = 0; n < d->out; n++)
        if (d->zero[n]) return true;
    return false;
}

int quernel_i_weights_read(const quernel_weights_desc *from, const char *where, const char *name,
                           quernel_weights_desc *ret_desc, quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_weights_desc, QUERNEL_WEIGHTS_DESC_MIN, where, name);
    *ret_desc = (quernel_weights_desc)QUERNEL_WEIGHTS_DESC_INIT;
    return quernel_i_desc_read(desc, ret_desc, from, error);
}

int quernel_i_weights_check(const quernel_weights_desc *d, quernel_i_weights_shape *ret_shape,
                            quernel_error *error) {
    const int code = check_members(d, error);
    if (code) return code;
    quernel_i_weights_shape shape = {.kind = (uint32_t)d->kind,
                                     .out = d->out,
                                     .in = d->in,
                                     .kernel_h = d->kernel_h,
                                     .kernel_w = d->kernel_w,
                                     .groups = d->groups,
                                     .up_h = 1,
                                     .up_w = 1};
    if (d->kind == QUERNEL_WEIGHTS_DECONV2D) {
        shape.up_h = d->deconv_stride_h ? d->deconv_stride_h : d->kernel_h;
        shape.up_w = d->deconv_stride_w ? d->deconv_stride_w : d->kernel_w;
    }
    if (!quernel_i_weights_shape_fill(&shape, quernel_i_weights_any_zero(d),
                                      d->smooth_kind == QUERNEL_SMOOTH_COLUMN))
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "in", -1,
                                   WHERE ": in: %u: the sizes overflow", d->in);
    *ret_shape = shape;
    return check_strides(d, &shape, error);
}
