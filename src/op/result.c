// SPDX-License-Identifier: Apache-2.0
// What an epilogue says of the output, and the tables of results.
#include "op/result.h"

#include "op/operand.h"
#include "op/validate.h"
#include "registry/registry.h"

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

// Of codes. Where there are none the zero point is any number, and nobody reads the bounds.
float quernel_i_result_lo(const quernel_epilogue *f) {
    const float lo = f->y_type == QUERNEL_TYPE_U8 ? 0.0f : f->y_narrow ? -127.0f : -128.0f;
    return lo - (float)f->y_zero;
}

float quernel_i_result_hi(const quernel_epilogue *f) {
    return (f->y_type == QUERNEL_TYPE_U8 ? 255.0f : 127.0f) - (float)f->y_zero;
}

bool quernel_i_result_keeps_elements(const quernel_operand *x, const quernel_epilogue *f) {
    const bool narrows = f->y_type == QUERNEL_TYPE_S8 && f->y_narrow;
    if (x->tensor.type != f->y_type || f->activation) return false;
    if (!quernel_i_validate_int8(f->y_type)) return true;
    if (narrows || x->zero != f->y_zero) return false;
    for (uint32_t n = 0; n < x->tensor.c; n++)
        if ((x->scales ? x->scales[n] : x->scale) !=
            (f->y_smooth ? f->y_scale * f->y_smooth[n] : f->y_scale))
            return false;
    return true;
}

static void take_scales(quernel_i_result *r, const quernel_operand *x, quernel_i_layout *block) {
    const size_t count = quernel_i_round_up(r->y.c, 16); // as ukr.h says
    float *scales = quernel_i_take(block, count, sizeof *scales);
    r->zeros = quernel_i_take(block, count, sizeof *r->zeros);
    for (uint32_t n = 0; scales && n < r->y.c; n++) scales[n] = x->scales ? x->scales[n] : x->scale;
    r->scales = scales;
}

static bool are_alike(const float *table, uint32_t count) {
    for (uint32_t n = 1; table && n < count; n++)
        if (table[n] != table[0]) return false;
    return true;
}

static bool is_flat(const quernel_i_result *r) {
    const quernel_i_epilogue *f = &r->output;
    const uint32_t c = r->y.c;
    return r->y.stride_c == 1 && r->y.stride_w == c && are_alike(r->scales, c) &&
           are_alike(r->x.scales, c) && are_alike(f->out_scale, c) && are_alike(f->slope, c) &&
           are_alike(f->act_lo, c) && are_alike(f->act_hi, c);
}

quernel_i_result quernel_i_result_make(const quernel_operand *x, const quernel_epilogue *f,
                                       const quernel_tensor *y, uint32_t usable,
                                       quernel_i_layout *block) {
    quernel_i_result r = {
        .eltwise = quernel_i_registry_best(QUERNEL_I_OP_ELTWISE, usable, -1),
        .epilogue = quernel_i_registry_best(QUERNEL_I_OP_EPILOGUE, usable, -1),
        .x = quernel_i_operand_elements(x, y->c, block),
        .output = quernel_i_operand_epilogue(f, y->c, block),
        .y = *y,
    };
    if (quernel_i_validate_int8(x->tensor.type)) take_scales(&r, x, block);
    r.flat = block->base && is_flat(&r);
    return r;
}
