// SPDX-License-Identifier: Apache-2.0
// What depthwise kernels of x86 have in common.
#ifndef QUERNEL_TEMPLATE_DEPTHWISE_H
#define QUERNEL_TEMPLATE_DEPTHWISE_H

#include <stdbool.h>

#include "kernels/ukr.h"

/// The epilogue of one of the call's lines.
static inline quernel_i_epilogue depthwise_epilogue(const quernel_i_depthwise *d, uint32_t line) {
    quernel_i_epilogue f = *d->epilogue;
    f.y = (uint8_t *)f.y + (ptrdiff_t)line * d->y_line;
    if (f.residual) f.residual = (const uint8_t *)f.residual + (ptrdiff_t)line * d->r_line;
    return f;
}

/// Columns [from, to) lie inside the lines of x.
typedef struct depthwise_columns {
    uint32_t from, to;
} depthwise_columns;

// Columns `pitch` apart that begin before `bytes`.
static inline uint32_t depthwise_before(ptrdiff_t bytes, ptrdiff_t pitch, uint32_t most) {
    const ptrdiff_t columns = bytes > 0 ? (bytes + pitch - 1) / pitch : 0;
    return columns < (ptrdiff_t)most ? (uint32_t)columns : most;
}

/// Of `count` columns, the first at byte `pixel` of a line.
static inline depthwise_columns depthwise_inside(const quernel_i_depthwise *d, ptrdiff_t pixel,
                                                 ptrdiff_t pitch, uint32_t count) {
    const uint32_t from = depthwise_before(-pixel, pitch, count),
                   to = depthwise_before(d->width - pixel, pitch, count);
    return (depthwise_columns){from, from < to ? to : from};
}

/// Whether the line that begins at byte `line` is one of x.
static inline bool depthwise_has_line(const quernel_i_depthwise *d, ptrdiff_t line) {
    return line >= 0 && line < d->height;
}

#endif
