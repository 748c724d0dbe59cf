// SPDX-License-Identifier: Apache-2.0
// Tables of results, and the checks of what they are made of.
#include "op/result.h"

#include "base/desc.h"
#include "base/error.h"
#include "op/output.h"
#include "op/validate.h"
#include "registry/registry.h"

static int check_codes(const quernel_i_unary *u, quernel_error *error) {
    const quernel_operand *x = u->x;
    if (!x->scales) {
        const int code = quernel_i_validate_scale(error, u->where, "x.scale", x->scale);
        if (code) return code;
    }
    for (uint32_t n = 0; x->scales && n < x->tensor.c; n++)
        if (!quernel_i_validate_scale_fits(x->scales[n]))
            return quernel_i_error_set(error, QUERNEL_E_VALUE, "x.scales", n,
                                       "%s: x.scales[%u]: %g: must be 2^-96 to 2^96", u->where, n,
                                       (double)x->scales[n]);
    return quernel_i_validate_zero(error, u->where, "x.zero", x->zero, x->tensor.type, 0);
}

static int check_operand(const quernel_i_unary *u, quernel_error *error) {
    const quernel_operand *x = u->x;
    const int32_t type = x->tensor.type;
    const int code =
        quernel_i_check_reserved(error, u->where, "x.reserved", x->reserved, sizeof x->reserved);
    if (code) return code;
    if (quernel_i_validate_int8(type)) return check_codes(u, error);
    if (type == QUERNEL_TYPE_F32 || type == QUERNEL_TYPE_BF16) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_VALUE, "x", -1,
                               "%s: x.type: %d: must be f32, bf16, s8 or u8", u->where, type);
}

int quernel_i_result_check(const quernel_i_unary *u, quernel_error *error) {
    const quernel_epilogue *f = u->epilogue;
    int code = check_operand(u, error);
    if (!code)
        code = quernel_i_check_reserved(error, u->where, "epilogue.reserved", f->reserved,
                                        sizeof f->reserved);
    if (code) return code;
    if (f->bias)
        return quernel_i_validate_refuse(error, u->where, "epilogue.bias", "must be left out");
    if (f->residual)
        return quernel_i_validate_refuse(error, u->where, "epilogue.residual", "must be 0");
    if (f->y_type == QUERNEL_TYPE_S32)
        return quernel_i_validate_refuse(error, u->where, "epilogue.y_type",
                                         "must be f32, bf16, s8 or u8");
    code = quernel_i_validate_output(f, u->where, u->x->tensor.c, error);
    return code ? code : quernel_i_validate_activation(f, u->where, u->x->tensor.c, error);
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
    const float o = quernel_i_validate_int8(f->y_type) ? quernel_i_output_factor(f, n) : 1.0f;
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
    quernel_i_result result = {
        .epilogue = quernel_i_registry_best(QUERNEL_I_OP_EPILOGUE, u->usable, -1),
        .y = *y,
        .scale = t.scale,
        .bias = t.bias,
        .slope = t.slope,
        .act_lo = t.act_lo,
        .act_hi = t.act_hi,
        .out_scale = t.out_scale,
        .act = quernel_i_output_act(f->activation),
        .q_zero = f->y_zero,
    };
    quernel_i_output_bounds(f, &result.q_lo, &result.q_hi);
    return result;
}
