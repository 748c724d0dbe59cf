// SPDX-License-Identifier: Apache-2.0
// Tables of results, and the checks of what they are made of.
#include "op/result.h"

#include "op/operand.h"
#include "op/validate.h"
#include "registry/registry.h"

int quernel_i_result_check(const quernel_i_unary *u, quernel_error *error) {
    const int code = quernel_i_operand_check(u->x, u->where, "x", error);
    return code ? code
                : quernel_i_operand_check_epilogue(u->epilogue, u->where, u->x->tensor.c, error);
}

bool quernel_i_result_keeps_codes(const quernel_i_unary *u, uint32_t channels) {
    const quernel_operand *x = u->x;
    const quernel_epilogue *f = u->epilogue;
    const bool narrows = f->y_type == QUERNEL_TYPE_S8 && f->y_narrow;
    if (x->tensor.type != f->y_type || !quernel_i_validate_int8(f->y_type) || narrows ||
        f->activation || x->zero != f->y_zero)
        return false;
    for (uint32_t n = 0; n < channels; n++)
        if ((x->scales ? x->scales[n] : x->scale) !=
            (f->y_smooth ? f->y_scale * f->y_smooth[n] : f->y_scale))
            return false;
    return true;
}

bool quernel_i_result_folded(const quernel_epilogue *f) {
    // the factor may pass through the activation
    const bool linear = f->activation <= QUERNEL_ACTIVATION_PRELU;
    return quernel_i_validate_int8(f->y_type) && linear &&
           !(f->residual && f->residual_after_activation);
}

quernel_i_act quernel_i_result_act(const quernel_epilogue *f) {
    switch (f->activation) {
    case QUERNEL_ACTIVATION_RELU: return QUERNEL_I_ACT_RELU;
    case QUERNEL_ACTIVATION_CLAMP: return QUERNEL_I_ACT_CLAMP;
    case QUERNEL_ACTIVATION_LEAKY:
    case QUERNEL_ACTIVATION_PRELU: return QUERNEL_I_ACT_PRELU;
    case QUERNEL_ACTIVATION_HSWISH: return QUERNEL_I_ACT_HSWISH;
    case QUERNEL_ACTIVATION_HSIGMOID: return QUERNEL_I_ACT_HSIGMOID;
    case QUERNEL_ACTIVATION_SILU: return QUERNEL_I_ACT_SILU;
    case QUERNEL_ACTIVATION_GELU: return QUERNEL_I_ACT_GELU;
    case QUERNEL_ACTIVATION_SIGMOID: return QUERNEL_I_ACT_SIGMOID;
    case QUERNEL_ACTIVATION_TANH: return QUERNEL_I_ACT_TANH;
    default: return QUERNEL_I_ACT_NONE;
    }
}

float quernel_i_result_factor(const quernel_epilogue *f, uint32_t channel) {
    if (!quernel_i_validate_int8(f->y_type)) return 1.0f;
    return 1.0f / (f->y_scale * (f->y_smooth ? f->y_smooth[channel] : 1.0f));
}

float quernel_i_result_lo(const quernel_epilogue *f) {
    const int32_t lo = f->y_type == QUERNEL_TYPE_U8 ? 0 : f->y_narrow ? -127 : -128;
    return (float)(lo - f->y_zero);
}

float quernel_i_result_hi(const quernel_epilogue *f) {
    return (float)((f->y_type == QUERNEL_TYPE_U8 ? 255 : 127) - f->y_zero);
}

// The tables while they are filled; those that are not needed are NULL.
typedef struct tables {
    float *scale, *bias, *slope, *act_lo, *act_hi, *out_scale;
} tables;

static tables take_tables(const quernel_epilogue *f, uint32_t channels, quernel_i_layout *block) {
    const size_t count = quernel_i_round_up(channels, 16);
    tables t = {quernel_i_take(block, count, sizeof(float)),
                quernel_i_take(block, count, sizeof(float)),
                NULL,
                NULL,
                NULL,
                NULL};
    if (f->activation == QUERNEL_ACTIVATION_LEAKY || f->activation == QUERNEL_ACTIVATION_PRELU)
        t.slope = quernel_i_take(block, count, sizeof(float));
    if (f->activation == QUERNEL_ACTIVATION_CLAMP)
        t.act_lo = quernel_i_take(block, count, sizeof(float)),
        t.act_hi = quernel_i_take(block, count, sizeof(float));
    if (quernel_i_validate_int8(f->y_type) && !quernel_i_result_folded(f))
        t.out_scale = quernel_i_take(block, count, sizeof(float));
    return t;
}

static void fill_channel(const quernel_i_unary *u, const tables *t, uint32_t n) {
    const quernel_epilogue *f = u->epilogue;
    const quernel_operand *x = u->x;
    const bool fold = quernel_i_result_folded(f), codes = quernel_i_validate_int8(x->tensor.type);
    const float o = quernel_i_result_factor(f, n);
    const float d = !codes ? 1.0f : x->scales ? x->scales[n] : x->scale;
    t->scale[n] = fold ? d * o : d;
    if (t->slope) t->slope[n] = f->activation == QUERNEL_ACTIVATION_PRELU ? f->slopes[n] : f->slope;
    if (t->act_lo) t->act_lo[n] = fold ? f->lo * o : f->lo;
    if (t->act_hi) t->act_hi[n] = fold ? f->hi * o : f->hi;
    if (t->out_scale) t->out_scale[n] = o;
}

quernel_i_result quernel_i_result_make(const quernel_i_unary *u, const quernel_tensor *y,
                                       quernel_i_layout *block) {
    const quernel_epilogue *f = u->epilogue;
    const tables t = take_tables(f, y->c, block);
    for (uint32_t n = 0; block->base && n < y->c; n++) fill_channel(u, &t, n);
    return (quernel_i_result){
        .epilogue = quernel_i_registry_best(QUERNEL_I_OP_EPILOGUE, u->usable, -1),
        .y = *y,
        .scale = t.scale,
        .bias = t.bias,
        .slope = t.slope,
        .act_lo = t.act_lo,
        .act_hi = t.act_hi,
        .out_scale = t.out_scale,
        .act = quernel_i_result_act(f),
        .q_lo = quernel_i_result_lo(f),
        .q_hi = quernel_i_result_hi(f),
        .q_zero = f->y_zero,
    };
}
