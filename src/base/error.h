// SPDX-License-Identifier: Apache-2.0
// Refusals: one call fills the caller's quernel_error and returns the code, so that checks read as
// one line.
#ifndef QUERNEL_BASE_ERROR_H
#define QUERNEL_BASE_ERROR_H

#include "quernel/common.h"

/// Fills `error` (may be NULL) with code, argument name, index (−1: none) and a formatted line, and
/// returns `code`.
int quernel_i_error_set(quernel_error *error, int code, const char *argument, int64_t index,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));

/// Refuses a NULL pointer by name.
int quernel_i_error_null(quernel_error *error, const char *where, const char *argument);

/// Checks `value` is in [lo, hi]; refuses by name with `code`.
int quernel_i_check_range(quernel_error *error, int code, const char *where, const char *argument,
                          int64_t value, int64_t lo, int64_t hi);

/// A size that a descriptor gives, and the least that it may be.
typedef struct quernel_i_size {
    const char *name;
    uint32_t value, lo;
} quernel_i_size;

#define QUERNEL_I_SIZE(d, member, lo) \
    { #member, (d)->member, lo }

/// Those of every descriptor of a window that slides, as elements of an array.
#define QUERNEL_I_KERNEL_SIZES(d) QUERNEL_I_SIZE(d, kernel_h, 1), QUERNEL_I_SIZE(d, kernel_w, 1)
#define QUERNEL_I_SLIDE_SIZES(d)                                            \
    QUERNEL_I_SIZE(d, stride_h, 1), QUERNEL_I_SIZE(d, stride_w, 1),         \
        QUERNEL_I_SIZE(d, dilation_h, 1), QUERNEL_I_SIZE(d, dilation_w, 1), \
        QUERNEL_I_SIZE(d, pad_top, 0), QUERNEL_I_SIZE(d, pad_left, 0),      \
        QUERNEL_I_SIZE(d, pad_bottom, 0), QUERNEL_I_SIZE(d, pad_right, 0)

/// Checks that each of `count` sizes is in [lo, hi]; refuses the first that is not, by name.
int quernel_i_check_sizes(quernel_error *error, const char *where, const quernel_i_size *sizes,
                          size_t count, int64_t hi);

/// Checks one float is finite (and, where `positive`, > 0).
int quernel_i_check_float(quernel_error *error, const char *where, const char *argument,
                          float value, int positive);

/// Checks count floats are finite (and, where `positive`, > 0); refuses naming the index.
int quernel_i_check_floats(quernel_error *error, const char *where, const char *argument,
                           const float *values, size_t count, int positive);

#endif
