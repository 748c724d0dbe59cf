// SPDX-License-Identifier: Apache-2.0
// Activation, factor and bounds of an output.
#include "op/output.h"

quernel_i_act quernel_i_output_act(int32_t activation) {
    switch (activation) {
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

float quernel_i_output_factor(const quernel_epilogue *f, uint32_t channel) {
    return 1.0f / (f->y_scale * (f->y_smooth ? f->y_smooth[channel] : 1.0f));
}

void quernel_i_output_bounds(const quernel_epilogue *f, float *ret_lo, float *ret_hi) {
    const int32_t lo = f->y_type == QUERNEL_TYPE_U8 ? 0 : f->y_narrow ? -127 : -128;
    *ret_lo = (float)(lo - f->y_zero);
    *ret_hi = (float)((f->y_type == QUERNEL_TYPE_U8 ? 255 : 127) - f->y_zero);
}
