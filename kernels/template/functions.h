// SPDX-License-Identifier: Apache-2.0
// The activation functions of base/num.h over a vector, operation for operation. A template for any
// instruction set: who includes this has defined a vector of floats and what can be done with it:
//     vfloat; v_set(x); v_load(address); v_store(address, v)
//     v_fma(a, b, c) = a·b + c; v_add, v_sub, v_mul, v_div
//     v_max(a, b) = a > b ? a : b; v_min(a, b) = a < b ? a : b; v_abs
//     v_power(j): 2^n of each lane, where j is 1.5·2^23 + n
#ifndef QUERNEL_TEMPLATE_FUNCTIONS_H
#define QUERNEL_TEMPLATE_FUNCTIONS_H

#include "kernels/ukr.h"

#define FUNCTION static inline __attribute__((always_inline)) vfloat

FUNCTION function_within(vfloat t, float lo, float hi) {
    return v_min(v_set(hi), v_max(v_set(lo), t));
}

FUNCTION function_exp(vfloat t, vfloat *ret_q) {
    const vfloat magic = v_set(12582912.0f);
    const vfloat j = v_fma(t, v_set(0x1.715476p0f), magic);
    const vfloat r = v_fma(v_sub(j, magic), v_set(-0x1.62e43p-1f), t);
    vfloat p = v_fma(r, v_set(0x1.6a2434p-10f), v_set(0x1.1239e2p-7f));
    p = v_fma(r, p, v_set(0x1.5558f2p-5f));
    p = v_fma(r, p, v_set(0x1.555492p-3f));
    p = v_fma(r, p, v_set(0x1.fffffcp-2f));
    *ret_q = v_fma(v_mul(r, r), p, r);
    return v_power(j);
}

FUNCTION function_hsigmoid(vfloat t) {
    return v_mul(function_within(v_add(t, v_set(3.0f)), 0.0f, 6.0f), v_set(1.0f / 6.0f));
}

FUNCTION function_hswish(vfloat t) { return v_mul(t, function_hsigmoid(t)); }

FUNCTION function_sigmoid(vfloat t) {
    vfloat q;
    const vfloat s = function_exp(function_within(t, -87.0f, 87.0f), &q), power = v_fma(s, q, s);
    return v_div(power, v_add(power, v_set(1.0f)));
}

FUNCTION function_silu(vfloat t) { return v_mul(v_max(v_set(-87.0f), t), function_sigmoid(t)); }

FUNCTION function_tanh(vfloat t) {
    vfloat q;
    const vfloat u = function_within(t, -9.0f, 9.0f), s = function_exp(v_add(u, u), &q);
    const vfloat m = v_fma(s, q, v_sub(s, v_set(1.0f)));
    return v_div(m, v_add(m, v_set(2.0f)));
}

FUNCTION function_gelu(vfloat t) {
    const vfloat a = v_min(v_set(8.0f), v_abs(t));
    vfloat p = v_fma(a, v_set(0x1.898bcep-19f), v_set(-0x1.18e7d4p-16f));
    p = v_fma(a, p, v_set(0x1.9936dap-14f));
    p = v_fma(a, p, v_set(0x1.d336fp-14f));
    p = v_fma(a, p, v_set(0x1.010f8ep-10f));
    p = v_fma(a, p, v_set(0x1.198824p-7f));
    p = v_fma(a, p, v_set(0x1.6ee8e6p-5f));
    p = v_fma(a, p, v_set(0x1.98811ap-4f));
    p = v_mul(a, p);
    p = v_fma(p, p, v_add(p, p));
    p = v_fma(p, p, v_add(p, p));
    p = v_fma(p, p, v_add(p, p));
    return v_sub(v_max(t, v_set(0.0f)), v_div(v_mul(a, v_set(0.5f)), v_add(p, v_set(1.0f))));
}

/// Whether `act` is one of them: neither bounds nor slopes.
static inline bool function_is(int32_t act) { return act >= QUERNEL_I_ACT_FUNCTIONS; }

/// Whether `act` is one clamp at most, which a plain epilogue joins with the output type's.
static inline bool function_is_clamp(int32_t act) { return act < QUERNEL_I_ACT_SLOPES; }

/// Applies one of them to `count` floats, a multiple of `lanes`, in place.
static inline void function_apply(int32_t act, float *t, uint32_t count, uint32_t lanes) {
#define FUNCTION_EACH(function)                                                          \
    for (uint32_t i = 0; i < count; i += lanes) v_store(t + i, function(v_load(t + i))); \
    break;
    switch (act) {
    case QUERNEL_I_ACT_HSWISH: FUNCTION_EACH(function_hswish)
    case QUERNEL_I_ACT_HSIGMOID: FUNCTION_EACH(function_hsigmoid)
    case QUERNEL_I_ACT_SILU: FUNCTION_EACH(function_silu)
    case QUERNEL_I_ACT_GELU: FUNCTION_EACH(function_gelu)
    case QUERNEL_I_ACT_SIGMOID: FUNCTION_EACH(function_sigmoid)
    default: FUNCTION_EACH(function_tanh)
    }
#undef FUNCTION_EACH
}

#endif
