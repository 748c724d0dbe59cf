// SPDX-License-Identifier: Apache-2.0
// Single elements of the operands of element-wise kernels.
#ifndef QUERNEL_TEMPLATE_ELEMENTS_H
#define QUERNEL_TEMPLATE_ELEMENTS_H

#include <string.h>

#include "base/num.h"
#include "kernels/ukr.h"

static inline uint32_t elements_size(int32_t type) {
    return type == QUERNEL_TYPE_F32 ? 4 : type == QUERNEL_TYPE_BF16 ? 2 : 1;
}

static inline bool elements_is_codes(int32_t type) {
    return type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8;
}

/// One element; a code less its zero point.
static inline float elements_one(const uint8_t *at, int32_t type, int32_t zero) {
    float v;
    uint16_t half;
    if (type == QUERNEL_TYPE_F32) return memcpy(&v, at, sizeof v), v;
    if (type == QUERNEL_TYPE_BF16) return memcpy(&half, at, sizeof half), quernel_i_from_bf16(half);
    return (float)((type == QUERNEL_TYPE_S8 ? (int8_t)*at : *at) - zero);
}

/// The value of element (m, n).
static inline float elements_value(const quernel_i_elements *e, uint32_t m, uint32_t n, size_t p) {
    const uint8_t *at = (const uint8_t *)e->at + (ptrdiff_t)m * e->row + (ptrdiff_t)n * e->col;
    const float v = elements_one(at, e->type, e->zero);
    if (!elements_is_codes(e->type)) return v;
    return v * (e->scales ? e->scales[p] : e->scale);
}

#endif
