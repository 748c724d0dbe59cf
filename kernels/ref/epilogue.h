// SPDX-License-Identifier: Apache-2.0
// The epilogue in plain C: the oracle for every other one. The order of operations is rule 5 of
// docs/numerics.md.
#ifndef QUERNEL_KERNELS_REF_EPILOGUE_H
#define QUERNEL_KERNELS_REF_EPILOGUE_H

#include "base/num.h"
#include "kernels/ukr.h"

static inline float ref_residual(const quernel_i_epilogue *f, const uint8_t *r, uint32_t n,
                                 float t) {
    if (f->r_type == QUERNEL_TYPE_F32 || f->r_type == QUERNEL_TYPE_BF16) {
        float x;
        uint16_t half;
        if (f->r_type == QUERNEL_TYPE_F32) memcpy(&x, r, sizeof x);
        else memcpy(&half, r, sizeof half), x = quernel_i_from_bf16(half);
        return f->r_scale ? fmaf(x, f->r_scale[n], t) : t + x;
    }
    const int32_t q = f->r_type == QUERNEL_TYPE_S8 ? (int8_t)*r : *r;
    return fmaf((float)(q - f->r_zero), f->r_scale[n], t);
}

static inline float ref_activation(const quernel_i_epilogue *f, uint32_t n, float t) {
    switch (f->act) {
    case QUERNEL_I_ACT_RELU: return t > 0.0f ? t : 0.0f;
    case QUERNEL_I_ACT_CLAMP: {
        const float u = t > f->act_lo[n] ? t : f->act_lo[n]; // NaN compares false: lo
        return u < f->act_hi[n] ? u : f->act_hi[n];
    }
    case QUERNEL_I_ACT_PRELU: return t >= 0.0f ? t : t * f->slope[n];
    case QUERNEL_I_ACT_HSWISH: return quernel_i_hswish(t);
    case QUERNEL_I_ACT_HSIGMOID: return quernel_i_hsigmoid(t);
    case QUERNEL_I_ACT_SILU: return quernel_i_silu(t);
    case QUERNEL_I_ACT_GELU: return quernel_i_gelu(t);
    case QUERNEL_I_ACT_SIGMOID: return quernel_i_sigmoid(t);
    case QUERNEL_I_ACT_TANH: return quernel_i_tanh(t);
    default: return t;
    }
}

static inline void ref_store(const quernel_i_epilogue *f, uint8_t *y, float t) {
    if (f->out == QUERNEL_TYPE_F32) {
        memcpy(y, &t, sizeof t);
    } else if (f->out == QUERNEL_TYPE_BF16) {
        const uint16_t half = quernel_i_bf16(t);
        memcpy(y, &half, sizeof half);
    } else {
        *y = (uint8_t)(quernel_i_rne(quernel_i_clamp(t, f->q_lo, f->q_hi)) + f->q_zero);
    }
}

// One sum of row m, output channel n.
static inline void ref_epilogue_one(const quernel_i_epilogue *f, uint32_t m, uint32_t n,
                                    int32_t sum) {
    uint8_t *y = (uint8_t *)f->y + m * f->y_row + n * f->y_col;
    const uint8_t *r =
        f->residual ? (const uint8_t *)f->residual + m * f->r_row + n * f->r_col : NULL;
    uint32_t acc = (uint32_t)sum;
    for (int i = 0; i < 2; i++)
        if (f->row_term[i]) acc += (uint32_t)f->row_term[i][m] * (uint32_t)f->col_term[i][n];
    if (f->out == QUERNEL_TYPE_S32) {
        uint32_t x = 0;
        if (r) memcpy(&x, r, sizeof x);
        acc += x;
        memcpy(y, &acc, sizeof acc);
        return;
    }
    const float c = f->row_scale ? f->scale[n] * f->row_scale[m] : f->scale[n];
    float t = fmaf((float)(int32_t)acc, c, f->bias[n]);
    if (r && !f->residual_last) t = ref_residual(f, r, n, t);
    t = ref_activation(f, n, t);
    if (r && f->residual_last) t = ref_residual(f, r, n, t);
    if (f->out_scale) t = t * f->out_scale[n];
    ref_store(f, y, t);
}

static inline void ref_epilogue(const int32_t *acc, size_t acc_row, uint32_t rows, uint32_t oc,
                                const quernel_i_epilogue *f) {
    for (uint32_t m = 0; m < rows; m++)
        for (uint32_t n = 0; n < oc; n++) ref_epilogue_one(f, m, n, acc[m * acc_row + n]);
}

#endif
