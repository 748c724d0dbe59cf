// SPDX-License-Identifier: Apache-2.0
// What depthwise kernels of x86 have in common.
#ifndef QUERNEL_TEMPLATE_DEPTHWISE_H
#define QUERNEL_TEMPLATE_DEPTHWISE_H

#include "kernels/ukr.h"

/// The epilogue of one of the call's lines.
static inline quernel_i_epilogue depthwise_epilogue(const quernel_i_depthwise *d, uint32_t line) {
    quernel_i_epilogue f = *d->epilogue;
    f.y = (uint8_t *)f.y + (ptrdiff_t)line * d->y_line;
    if (f.residual) f.residual = (const uint8_t *)f.residual + (ptrdiff_t)line * d->r_line;
    return f;
}

static inline const uint8_t *depthwise_input(const quernel_i_depthwise *d, uint32_t line) {
    return (const uint8_t *)d->a + (ptrdiff_t)line * d->a_line;
}

#endif
