// SPDX-License-Identifier: Apache-2.0
// Checks of a product's numbers: quantization, epilogue, and the bound of each accumulator.
#include <math.h>

#include "base/desc.h"
#include "base/error.h"
#include "op/validate.h"

static int check_static(const quernel_i_problem *p, quernel_error *error) {
    const quernel_quant *q = &p->quant;
    if (q->row_scale) {
        for (uint32_t m = 0; m < p->x.w; m++)
            if (!quernel_i_validate_scale_fits(q->row_scale[m]))
                return quernel_i_error_set(error, QUERNEL_E_VALUE, "quant.row_scale", m,
                                           "%s: quant.row_scale[%u]: %g: must be 2^-96 to 2^96",
                                           p->where, m, (double)q->row_scale[m]);
    } else {
        const int code = quernel_i_validate_scale(error, p->where, "quant.scale", q->scale);
        if (code) return code;
    }
    const quernel_weights *w = p->weights;
    for (size_t k = 0; k < w->smooth_count && !quernel_i_validate_int8(p->x.type) && !q->row_scale;
         k++) {
        const float product = w->smooth[k] * q->scale;
        if (!quernel_i_validate_scale_fits(product))
            return quernel_i_error_set(
                error, QUERNEL_E_VALUE, "quant.scale", (int64_t)k,
                "%s: quant.scale: times smooth[%zu] it is %g: must be 2^-96 to 2^96", p->where, k,
                (double)product);
    }
    return quernel_i_validate_zero(error, p->where, "quant.zero", q->zero, q->type, q->narrow);
}

static int check_quant(const quernel_i_problem *p, quernel_error *error) {
    const quernel_quant *q = &p->quant;
    int code = quernel_i_check_range(error, QUERNEL_E_VALUE, p->where, "quant.mode", q->mode, 0,
                                     QUERNEL_QUANT_DYNAMIC_ROW);
    if (code) return code;
    if (!quernel_i_validate_int8(q->type))
        return quernel_i_validate_refuse(error, p->where, "quant.type", "must be u8 or s8");
    if (quernel_i_validate_int8(p->x.type) && q->type != p->x.type)
        return quernel_i_validate_refuse(error, p->where, "quant.type", "must be the input's type");
    if (quernel_i_validate_int8(p->x.type) && q->mode != QUERNEL_QUANT_STATIC)
        return quernel_i_validate_refuse(error, p->where, "quant.mode",
                                         "int8 input has static scales only");
    if (quernel_i_validate_int8(p->x.type) && p->weights->smooth_kind == QUERNEL_SMOOTH_COLUMN)
        return quernel_i_validate_refuse(error, p->where, "x.type",
                                         "weights smoothed per im2col column need float input");
    if (q->row_scale && q->mode != QUERNEL_QUANT_STATIC)
        return quernel_i_validate_refuse(error, p->where, "quant.row_scale",
                                         "is for static quantization");
    if (q->mode == QUERNEL_QUANT_STATIC) return check_static(p, error);
    const quernel_i_weights_shape *s = &p->weights->shape;
    if (q->mode == QUERNEL_QUANT_DYNAMIC_ROW &&
        (s->format == QUERNEL_I_FORMAT_TAPS || s->group_pack > 1))
        return quernel_i_error_set(
            error, QUERNEL_E_UNSUPPORTED, "quant.mode", -1,
            "%s: quant.mode: dynamic per row: not offered for groups of %u output channels",
            p->where, s->group_out);
    if (q->asymmetric && q->type != QUERNEL_TYPE_U8)
        return quernel_i_validate_refuse(error, p->where, "quant.asymmetric", "is for u8 only");
    return QUERNEL_OK;
}

static int check_bias(const quernel_i_problem *p, quernel_error *error) {
    const quernel_epilogue *f = &p->epilogue;
    if (!f->bias) return QUERNEL_OK;
    if (f->bias_type == QUERNEL_TYPE_S32) return QUERNEL_OK;
    if (f->bias_type != QUERNEL_TYPE_F32)
        return quernel_i_validate_refuse(error, p->where, "epilogue.bias_type",
                                         "must be f32 or s32");
    if (f->y_type == QUERNEL_TYPE_S32)
        return quernel_i_validate_refuse(error, p->where, "epilogue.bias_type",
                                         "s32 output takes an s32 bias");
    return quernel_i_check_floats(error, p->where, "epilogue.bias", f->bias, p->weights->shape.out,
                                  0);
}

static int check_residual(const quernel_i_problem *p, quernel_error *error) {
    const quernel_epilogue *f = &p->epilogue;
    const int code = quernel_i_check_range(error, QUERNEL_E_VALUE, p->where, "epilogue.residual",
                                           f->residual, 0, 1);
    if (code || !f->residual) return code;
    if ((f->y_type == QUERNEL_TYPE_S32) != (f->residual_type == QUERNEL_TYPE_S32))
        return quernel_i_validate_refuse(error, p->where, "epilogue.residual_type",
                                         "s32 goes with s32 output and with nothing else");
    if (f->residual_type >= QUERNEL_TYPE_F32 && f->residual_type <= QUERNEL_TYPE_S32)
        return QUERNEL_OK;
    if (!quernel_i_validate_int8(f->residual_type))
        return quernel_i_validate_refuse(error, p->where, "epilogue.residual_type",
                                         "must be f32, bf16, s8, u8 or s32");
    const int zero = quernel_i_validate_zero(error, p->where, "epilogue.residual_zero",
                                             f->residual_zero, f->residual_type, 0);
    if (zero) return zero;
    if (f->residual_scales)
        return quernel_i_check_floats(error, p->where, "epilogue.residual_scales",
                                      f->residual_scales, p->weights->shape.out, 1);
    return quernel_i_check_float(error, p->where, "epilogue.residual_scale", f->residual_scale, 1);
}

static int check_table(const quernel_i_problem *p, quernel_error *error) {
    const quernel_epilogue *f = &p->epilogue;
    const uint32_t out = p->weights->shape.out;
    if (!f->table) {
        const int code = quernel_i_check_range(error, QUERNEL_E_VALUE, p->where, "epilogue.tables",
                                               f->tables, 0, 0);
        return code ? code
                    : quernel_i_check_range(error, QUERNEL_E_VALUE, p->where, "epilogue.table_zero",
                                            f->table_zero, 0, 0);
    }
    if (!quernel_i_validate_int8(f->y_type))
        return quernel_i_validate_refuse(error, p->where, "epilogue.table",
                                         "is for s8 and u8 output");
    if (f->tables != 1 && f->tables != out)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "epilogue.tables", -1,
                                   "%s: epilogue.tables: %u: must be 1 or %u", p->where, f->tables,
                                   out);
    return quernel_i_validate_zero(error, p->where, "epilogue.table_zero", f->table_zero, f->y_type,
                                   0);
}

int quernel_i_validate_quant(const quernel_i_problem *p, quernel_error *error) {
    const quernel_quant *q = &p->quant;
    const quernel_epilogue *f = &p->epilogue;
    int code = quernel_i_check_reserved(error, p->where, "quant.reserved", q->reserved,
                                        sizeof q->reserved);
    if (!code)
        code = quernel_i_check_reserved(error, p->where, "epilogue.reserved", f->reserved,
                                        sizeof f->reserved);
    if (!code) code = check_quant(p, error);
    if (!code) code = quernel_i_validate_output(f, p->where, p->weights->shape.out, error);
    if (!code) code = check_bias(p, error);
    if (!code) code = quernel_i_validate_activation(f, p->where, p->weights->shape.out, error);
    if (!code) code = check_residual(p, error);
    if (!code) code = check_table(p, error);
    return code;
}

// The largest distance of an activation from its zero point.
static uint64_t max_abs_a_of(const quernel_quant *q) {
    const int32_t lo = q->type == QUERNEL_TYPE_U8 ? 0 : q->narrow ? -127 : -128;
    const int32_t hi = q->type == QUERNEL_TYPE_U8 ? 255 : 127;
    if (q->mode != QUERNEL_QUANT_STATIC) return q->type == QUERNEL_TYPE_U8 ? 255 : (uint64_t)-lo;
    const int32_t below = q->zero - lo, above = hi - q->zero;
    return (uint64_t)(below > above ? below : above);
}

int quernel_i_validate_bounds(const quernel_i_problem *p, quernel_error *error) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const uint64_t max_abs_a = max_abs_a_of(&p->quant);
    const int32_t *bias =
        p->epilogue.bias && p->epilogue.bias_type == QUERNEL_TYPE_S32 ? p->epilogue.bias : NULL;
    for (uint32_t subproblem = 0; subproblem < s->subproblems; subproblem++)
        for (uint32_t oc = 0; oc < s->oc; oc++) {
            const uint32_t n = quernel_i_weights_subproblem_channel(s, subproblem, oc);
            const int64_t start = bias ? bias[n] : 0;
            const uint64_t bound =
                (uint64_t)(start < 0 ? -start : start) +
                max_abs_a * p->weights->abs_sum[(size_t)subproblem * s->oc16 + oc];
            if (bound > INT32_MAX)
                return quernel_i_error_set(
                    error, QUERNEL_E_OVERFLOW, "weights", n,
                    "%s: weights: channel %u: its sum can reach %llu: must be 2^31 - 1 or less",
                    p->where, n, (unsigned long long)bound);
        }
    return QUERNEL_OK;
}
