// SPDX-License-Identifier: Apache-2.0
// Operands, and the epilogue of values.
#include "op/operand.h"

#include <stdio.h>
#include <string.h>

#include "base/desc.h"
#include "base/error.h"
#include "op/result.h"
#include "op/validate.h"

enum { NAME_MAX_BYTES = sizeof(((quernel_error *)0)->argument), PADDED = 16 /* as ukr.h says */ };

static const char *join(char text[NAME_MAX_BYTES], const char *name, const char *member) {
    snprintf(text, NAME_MAX_BYTES, "%s.%s", name, member);
    return text;
}

static int check_scales(const quernel_operand *o, const char *where, const char *name,
                        quernel_error *error) {
    char text[NAME_MAX_BYTES];
    if (!o->scales)
        return quernel_i_validate_scale(error, where, join(text, name, "scale"), o->scale);
    for (uint32_t c = 0; c < o->tensor.c; c++)
        if (!quernel_i_validate_scale_fits(o->scales[c]))
            return quernel_i_error_set(error, QUERNEL_E_VALUE, join(text, name, "scales"), c,
                                       "%s: %s.scales[%u]: %g: must be 2^-96 to 2^96", where, name,
                                       c, (double)o->scales[c]);
    return QUERNEL_OK;
}

int quernel_i_operand_check(const quernel_operand *o, const char *where, const char *name,
                            quernel_error *error) {
    char text[NAME_MAX_BYTES];
    const int32_t type = o->tensor.type;
    const int code = quernel_i_check_reserved(error, where, join(text, name, "reserved"),
                                              o->reserved, sizeof o->reserved);
    if (code) return code;
    if (type == QUERNEL_TYPE_F32 || type == QUERNEL_TYPE_BF16) return QUERNEL_OK;
    if (!quernel_i_validate_int8(type))
        return quernel_i_error_set(error, QUERNEL_E_VALUE, name, -1,
                                   "%s: %s.type: %d: must be f32, bf16, s8 or u8", where, name,
                                   type);
    const int scale = check_scales(o, where, name, error);
    return scale
               ? scale
               : quernel_i_validate_zero(error, where, join(text, name, "zero"), o->zero, type, 0);
}

int quernel_i_operand_check_epilogue(const quernel_epilogue *f, const char *where,
                                     uint32_t channels, quernel_error *error) {
    int code = quernel_i_check_reserved(error, where, "epilogue.reserved", f->reserved,
                                        sizeof f->reserved);
    if (code) return code;
    if (f->bias)
        return quernel_i_validate_refuse(error, where, "epilogue.bias", "must be left out");
    if (f->residual)
        return quernel_i_validate_refuse(error, where, "epilogue.residual", "must be left out");
    if (f->table || f->tables || f->table_zero)
        return quernel_i_validate_refuse(error, where, "epilogue.table", "must be left out");
    if (f->y_type == QUERNEL_TYPE_S32)
        return quernel_i_validate_refuse(error, where, "epilogue.y_type",
                                         "must be f32, bf16, s8 or u8");
    code = quernel_i_validate_output(f, where, channels, error);
    return code ? code : quernel_i_validate_activation(f, where, channels, error);
}

bool quernel_i_operand_by_channel(const quernel_operand *o) {
    return quernel_i_validate_int8(o->tensor.type) && o->scales && o->tensor.c > 1;
}

bool quernel_i_operand_epilogue_by_channel(const quernel_epilogue *f) {
    return f->activation == QUERNEL_ACTIVATION_PRELU ||
           (quernel_i_validate_int8(f->y_type) && f->y_smooth);
}

static float *take(quernel_i_layout *block, uint32_t tables) {
    return quernel_i_take(block, quernel_i_round_up(tables, PADDED), sizeof(float));
}

quernel_i_elements quernel_i_operand_elements(const quernel_operand *o, uint32_t tables,
                                              quernel_i_layout *block) {
    quernel_i_elements e = {.type = o->tensor.type, .zero = o->zero, .scale = o->scale};
    if (!quernel_i_validate_int8(e.type) || !o->scales) return e;
    if (o->tensor.c == 1 || tables == 1) {
        e.scale = o->scales[0];
        return e;
    }
    float *scales = take(block, tables);
    if (block->base) memcpy(scales, o->scales, tables * sizeof *scales);
    e.scales = scales;
    return e;
}

quernel_i_epilogue quernel_i_operand_epilogue(const quernel_epilogue *f, uint32_t tables,
                                              quernel_i_layout *block) {
    quernel_i_epilogue e = {.out = f->y_type, .act = (int32_t)quernel_i_result_act(f)};
    const bool int8 = quernel_i_validate_int8(f->y_type);
    float *out_scale = int8 ? take(block, tables) : NULL;
    float *slope = e.act == QUERNEL_I_ACT_PRELU ? take(block, tables) : NULL;
    float *lo = e.act == QUERNEL_I_ACT_CLAMP ? take(block, tables) : NULL;
    float *hi = e.act == QUERNEL_I_ACT_CLAMP ? take(block, tables) : NULL;
    e.out_scale = out_scale, e.slope = slope, e.act_lo = lo, e.act_hi = hi;
    e.q_lo = quernel_i_result_lo(f), e.q_hi = quernel_i_result_hi(f), e.q_zero = f->y_zero;
    for (uint32_t n = 0; block->base && n < tables; n++) {
        if (int8) out_scale[n] = quernel_i_result_factor(f, n);
        if (slope) slope[n] = f->activation == QUERNEL_ACTIVATION_PRELU ? f->slopes[n] : f->slope;
        if (lo) lo[n] = f->lo, hi[n] = f->hi;
    }
    return e;
}
