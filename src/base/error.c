// SPDX-License-Identifier: Apache-2.0
// Refusals and status names.
#include "base/error.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int quernel_i_error_set(quernel_error *error, int code, const char *argument, int64_t index,
                        const char *format, ...) {
    assert(code != QUERNEL_OK && argument && format);
    if (!error) return code;
    error->code = code;
    error->index = index < 0 || index > INT32_MAX ? -1 : (int32_t)index;
    memset(error->argument, 0, sizeof error->argument);
    strncpy(error->argument, argument, sizeof error->argument - 1);
    va_list list;
    va_start(list, format);
    vsnprintf(error->text, sizeof error->text, format, list);
    va_end(list);
    return code;
}

int quernel_i_error_null(quernel_error *error, const char *where, const char *argument) {
    return quernel_i_error_set(error, QUERNEL_E_NULL, argument, -1,
                               "%s: %s: NULL: a pointer is needed", where, argument);
}

int quernel_i_check_range(quernel_error *error, int code, const char *where, const char *argument,
                          int64_t value, int64_t lo, int64_t hi) {
    if (value >= lo && value <= hi) return QUERNEL_OK;
    return quernel_i_error_set(error, code, argument, -1, "%s: %s: %lld: must be %lld to %lld",
                               where, argument, (long long)value, (long long)lo, (long long)hi);
}

int quernel_i_check_sizes(quernel_error *error, const char *where, const quernel_i_size *sizes,
                          size_t count, int64_t hi) {
    int code = QUERNEL_OK;
    for (size_t i = 0; i < count && !code; i++)
        code = quernel_i_check_range(error, QUERNEL_E_SHAPE, where, sizes[i].name, sizes[i].value,
                                     sizes[i].lo, hi);
    return code;
}

static int bad_float(float value, int positive) {
    return !isfinite(value) || (positive && !(value > 0.0f));
}

int quernel_i_check_float(quernel_error *error, const char *where, const char *argument,
                          float value, int positive) {
    if (!bad_float(value, positive)) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_VALUE, argument, -1, "%s: %s: %g: must be finite%s",
                               where, argument, (double)value, positive ? " and > 0" : "");
}

int quernel_i_check_floats(quernel_error *error, const char *where, const char *argument,
                           const float *values, size_t count, int positive) {
    for (size_t i = 0; i < count; i++)
        if (bad_float(values[i], positive))
            return quernel_i_error_set(error, QUERNEL_E_VALUE, argument, (int64_t)i,
                                       "%s: %s[%zu]: %g: must be finite%s", where, argument, i,
                                       (double)values[i], positive ? " and > 0" : "");
    return QUERNEL_OK;
}

const char *quernel_status_string(int status) {
    switch (status) {
    case QUERNEL_OK: return "QUERNEL_OK: done";
    case QUERNEL_E_NULL: return "QUERNEL_E_NULL: a pointer that must not be NULL is NULL";
    case QUERNEL_E_VALUE: return "QUERNEL_E_VALUE: a value outside its range";
    case QUERNEL_E_SHAPE:
        return "QUERNEL_E_SHAPE: a size is zero, too large, or does not fit another";
    case QUERNEL_E_STRIDE:
        return "QUERNEL_E_STRIDE: a stride that is not positive or makes elements overlap";
    case QUERNEL_E_OVERFLOW:
        return "QUERNEL_E_OVERFLOW: a size in bytes or an accumulator would overflow";
    case QUERNEL_E_ALIGN: return "QUERNEL_E_ALIGN: a pointer is not aligned as asked";
    case QUERNEL_E_WORKSPACE: return "QUERNEL_E_WORKSPACE: the workspace is too small";
    case QUERNEL_E_OVERLAP: return "QUERNEL_E_OVERLAP: buffers overlap that must not";
    case QUERNEL_E_MEMORY: return "QUERNEL_E_MEMORY: the allocator returned NULL";
    case QUERNEL_E_BLOB:
        return "QUERNEL_E_BLOB: a blob is truncated, corrupted or of another format";
    case QUERNEL_E_UNSUPPORTED:
        return "QUERNEL_E_UNSUPPORTED: a legal combination that this version does not offer";
    case QUERNEL_E_ISA:
        return "QUERNEL_E_ISA: the instruction set was not compiled or cannot run here";
    default: return "unknown status";
    }
}
