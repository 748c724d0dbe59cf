// SPDX-License-Identifier: Apache-2.0
// Stand-alone quantization: the operators' formula and ONNX's.
#include <math.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/num.h"
#include "cpu/fpenv.h"
#include "quernel/quant.h"

#define WHERE "quantize"

static int check_buffers(const void *from, const void *to, const char *from_name,
                         const char *to_name, quernel_error *error) {
    if (!from) return quernel_i_error_null(error, WHERE, from_name);
    if (!to) return quernel_i_error_null(error, WHERE, to_name);
    return QUERNEL_OK;
}

static int check_apart(const void *from, size_t from_bytes, const void *to, size_t to_bytes,
                       const char *name, quernel_error *error) {
    const uintptr_t a = (uintptr_t)from, b = (uintptr_t)to;
    if (a >= b + to_bytes || b >= a + from_bytes) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_OVERLAP, name, -1,
                               WHERE ": %s: overlaps its source", name);
}

static int check_parameters(float scale, int32_t zero, int32_t type, int32_t narrow,
                            quernel_error *error) {
    if (type != QUERNEL_TYPE_U8 && type != QUERNEL_TYPE_S8)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "type", -1,
                                   WHERE ": type: %d: must be u8 or s8", type);
    const int code = quernel_i_check_float(error, WHERE, "scale", scale, 1);
    if (code) return code;
    const int32_t lo = type == QUERNEL_TYPE_U8 ? 0 : narrow ? -127 : -128;
    return quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "zero", zero, lo,
                                 type == QUERNEL_TYPE_U8 ? 255 : 127);
}

int quernel_quantize(const float *x, size_t count, float scale, int32_t zero, int32_t type,
                     int32_t narrow, int32_t divide, void *q, quernel_error *error) {
    int code = check_buffers(x, q, "x", "q", error);
    if (!code) code = check_parameters(scale, zero, type, narrow, error);
    if (!code) code = check_apart(x, count * sizeof *x, q, count, "q", error);
    if (code) return code;
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    const float lo = (float)((type == QUERNEL_TYPE_U8 ? 0 : narrow ? -127 : -128) - zero);
    const float hi = (float)((type == QUERNEL_TYPE_U8 ? 255 : 127) - zero), m = 1.0f / scale;
    const bool divides = divide || isinf(m); // scales below 2^-128 have no reciprocal
    uint8_t *to = q;
    for (size_t i = 0; i < count; i++)
        to[i] = (uint8_t)(divides ? quernel_i_quantize(x[i] / scale, 1.0f, 1.0f, lo, hi, zero)
                                  : quernel_i_quantize(x[i], m, 1.0f, lo, hi, zero));
    quernel_i_fpenv_leave(caller);
    return QUERNEL_OK;
}

// Element i of codes or sums.
static int32_t element(const void *q, size_t i, int32_t type) {
    if (type == QUERNEL_TYPE_U8) return ((const uint8_t *)q)[i];
    if (type == QUERNEL_TYPE_S8) return ((const int8_t *)q)[i];
    return ((const int32_t *)q)[i];
}

int quernel_dequantize(const void *q, size_t count, float scale, int32_t zero, int32_t type,
                       float *x, quernel_error *error) {
    int code = check_buffers(q, x, "q", "x", error);
    if (code) return code;
    if (type != QUERNEL_TYPE_U8 && type != QUERNEL_TYPE_S8 && type != QUERNEL_TYPE_S32)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "type", -1,
                                   WHERE ": type: %d: must be u8, s8 or s32", type);
    code = quernel_i_check_float(error, WHERE, "scale", scale, 1);
    if (!code)
        code = check_apart(q, count * quernel_type_size((quernel_type)type), x, count * sizeof *x,
                           "x", error);
    if (code) return code;
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    for (size_t i = 0; i < count; i++) {
        const uint32_t difference = (uint32_t)element(q, i, type) - (uint32_t)zero;
        x[i] = (float)(int32_t)difference * scale;
    }
    quernel_i_fpenv_leave(caller);
    return QUERNEL_OK;
}

int quernel_quant_range(const float *x, size_t count, int32_t type, int32_t asymmetric,
                        float *ret_scale, int32_t *ret_zero, quernel_error *error) {
    int code = check_buffers(x, ret_scale, "x", "ret_scale", error);
    if (!code && !ret_zero) code = quernel_i_error_null(error, WHERE, "ret_zero");
    if (code) return code;
    if (type != QUERNEL_TYPE_U8 && (type != QUERNEL_TYPE_S8 || asymmetric))
        return quernel_i_error_set(
            error, QUERNEL_E_VALUE, type == QUERNEL_TYPE_S8 ? "asymmetric" : "type", -1,
            WHERE ": type: %d: must be u8, or s8 without a zero point", type);
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    float min = 0.0f, max = 0.0f;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(x[i])) continue;
        if (x[i] < min) min = x[i];
        if (x[i] > max) max = x[i];
    }
    const quernel_i_scale q = quernel_i_scale_of(min, max, type == QUERNEL_TYPE_S8, asymmetric);
    quernel_i_fpenv_leave(caller);
    *ret_scale = q.d;
    *ret_zero = q.z;
    return QUERNEL_OK;
}
