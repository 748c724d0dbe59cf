// SPDX-License-Identifier: Apache-2.0
// Element by element in plain C: the oracle. docs/numerics.md, rule 8.
#include "kernels/ref/epilogue.h"

static float value(const quernel_i_elements *e, uint32_t m, uint32_t n, size_t p) {
    const uint8_t *at = (const uint8_t *)e->at + m * e->row + n * e->col;
    if (e->type == QUERNEL_TYPE_F32) {
        float v;
        memcpy(&v, at, sizeof v);
        return v;
    }
    if (e->type == QUERNEL_TYPE_BF16) {
        uint16_t half;
        memcpy(&half, at, sizeof half);
        return quernel_i_from_bf16(half);
    }
    const int32_t q = e->type == QUERNEL_TYPE_S8 ? (int8_t)*at : *at;
    return (float)(q - e->zero) * (e->scales ? e->scales[p] : e->scale);
}

static float combine(int32_t how, float x, float z) {
    switch (how) {
    case QUERNEL_I_COMBINE_ADD: return x + z;
    case QUERNEL_I_COMBINE_SUB: return x - z;
    case QUERNEL_I_COMBINE_MUL: return x * z;
    case QUERNEL_I_COMBINE_DIV: return x / z;
    default: return x;
    }
}

static void one(const quernel_i_eltwise *e, uint32_t m, uint32_t n) {
    const quernel_i_epilogue *f = e->epilogue;
    const uint32_t p = m * e->p_row + n * e->p_col;
    const bool two = e->combine != QUERNEL_I_COMBINE_COPY;
    float t = combine(e->combine, value(&e->x, m, n, p), two ? value(&e->z, m, n, p) : 0.0f);
    t = ref_activation(f, p, t);
    if (f->out_scale) t = t * f->out_scale[p];
    ref_store(f, (uint8_t *)f->y + m * f->y_row + n * f->y_col, t);
}

void quernel_uk_eltwise_f32_1x1x1_ref(const quernel_i_eltwise *e) {
    for (uint32_t m = 0; m < e->rows; m++)
        for (uint32_t n = 0; n < e->columns; n++) one(e, m, n);
}
