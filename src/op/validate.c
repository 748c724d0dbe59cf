// SPDX-License-Identifier: Apache-2.0
// Checks of everything numeric that a descriptor says: quantization, finish, and the bound of each accumulator.
#include <math.h>

#include "base/desc.h"
#include "base/error.h"
#include "op/operator.h"

#define LEAST_SCALE 0x1p-96f
#define MOST_SCALE 0x1p96f

static bool is_int8(int32_t type) { return type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8; }

static int refuse(quernel_error *error, const char *where, const char *argument, const char *why) {
    return quernel_i_error_set(error, QUERNEL_E_VALUE, argument, -1, "%s: %s: %s", where, argument, why);
}

static int check_zero(quernel_error *error, const char *where, const char *argument, int32_t zero, int32_t type,
                      int32_t narrow) {
    const int32_t lo = type == QUERNEL_TYPE_U8 ? 0 : narrow ? -127 : -128;
    return quernel_i_check_range(error, QUERNEL_E_VALUE, where, argument, zero, lo, type == QUERNEL_TYPE_U8 ? 255 : 127);
}

static int check_scale(quernel_error *error, const char *where, const char *argument, float scale) {
    if (scale >= LEAST_SCALE && scale <= MOST_SCALE) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_VALUE, argument, -1, "%s: %s: %g: must be 2^-96 … 2^96", where, argument,
                               (double)scale);
}

static int check_static(const quernel_i_problem *p, quernel_error *error) {
    const quernel_quant *q = &p->quant;
    if (q->row_scale) {
        for (uint32_t m = 0; m < p->x.w; m++)
            if (!(q->row_scale[m] >= LEAST_SCALE && q->row_scale[m] <= MOST_SCALE))
                return quernel_i_error_set(error, QUERNEL_E_VALUE, "quant.row_scale", m,
                                           "%s: quant.row_scale[%u]: %g: must be 2^-96 … 2^96", p->where, m,
                                           (double)q->row_scale[m]);
    } else {
        const int code = check_scale(error, p->where, "quant.scale", q->scale);
        if (code) return code;
    }
    const quernel_weights *w = p->weights;
    for (size_t k = 0; k < w->smooth_count && !is_int8(p->x.type) && !q->row_scale; k++) {
        const float product = w->smooth[k] * q->scale;
        if (!(product >= LEAST_SCALE && product <= MOST_SCALE))
            return quernel_i_error_set(error, QUERNEL_E_VALUE, "quant.scale", (int64_t)k,
                                       "%s: quant.scale: times smooth[%zu] it is %g: must be 2^-96 … 2^96", p->where, k,
                                       (double)product);
    }
    return check_zero(error, p->where, "quant.zero", q->zero, q->type, q->narrow);
}

static int check_quant(const quernel_i_problem *p, quernel_error *error) {
    const quernel_quant *q = &p->quant;
    int code = quernel_i_check_range(error, QUERNEL_E_VALUE, p->where, "quant.mode", q->mode, 0, QUERNEL_QUANT_DYNAMIC_ROW);
    if (code) return code;
    if (!is_int8(q->type)) return refuse(error, p->where, "quant.type", "must be u8 or s8");
    if (is_int8(p->x.type) && q->type != p->x.type) return refuse(error, p->where, "quant.type", "must be the input's type");
    if (is_int8(p->x.type) && q->mode != QUERNEL_QUANT_STATIC)
        return refuse(error, p->where, "quant.mode", "int8 input has static scales only");
    if (is_int8(p->x.type) && p->weights->smooth_kind == QUERNEL_SMOOTH_COLUMN)
        return refuse(error, p->where, "x.type", "weights smoothed per im2col column need float input");
    if (q->row_scale && q->mode != QUERNEL_QUANT_STATIC)
        return refuse(error, p->where, "quant.row_scale", "is for static quantization");
    if (q->mode == QUERNEL_QUANT_STATIC) return check_static(p, error);
    const quernel_i_weights_shape *s = &p->weights->shape;
    if (q->mode == QUERNEL_QUANT_DYNAMIC_ROW && (s->format == QUERNEL_I_FORMAT_TAPS || s->bundle > 1))
        return quernel_i_error_set(error, QUERNEL_E_UNSUPPORTED, "quant.mode", -1,
                                   "%s: quant.mode: dynamic per row: not offered for groups of %u output channels", p->where,
                                   s->group_out);
    if (q->asymmetric && q->type != QUERNEL_TYPE_U8) return refuse(error, p->where, "quant.asymmetric", "is for u8 only");
    return QUERNEL_OK;
}

static int check_bias(const quernel_i_problem *p, quernel_error *error) {
    const quernel_finish *f = &p->finish;
    if (!f->bias) return QUERNEL_OK;
    if (f->bias_type == QUERNEL_TYPE_S32) return QUERNEL_OK;
    if (f->bias_type != QUERNEL_TYPE_F32) return refuse(error, p->where, "finish.bias_type", "must be f32 or s32");
    if (f->y_type == QUERNEL_TYPE_S32) return refuse(error, p->where, "finish.bias_type", "s32 output takes an s32 bias");
    return quernel_i_check_floats(error, p->where, "finish.bias", f->bias, p->weights->shape.out, 0);
}

static int check_activation(const quernel_i_problem *p, quernel_error *error) {
    const quernel_finish *f = &p->finish;
    const int code = quernel_i_check_range(error, QUERNEL_E_VALUE, p->where, "finish.activation", f->activation, 0,
                                           QUERNEL_ACTIVATION_TANH);
    if (code) return code;
    if (f->y_type == QUERNEL_TYPE_S32 && f->activation)
        return refuse(error, p->where, "finish.activation", "s32 output takes none");
    if (f->activation == QUERNEL_ACTIVATION_CLAMP && !(f->lo <= f->hi))
        return refuse(error, p->where, "finish.lo", "must be no greater than finish.hi, and neither NaN");
    if (f->activation == QUERNEL_ACTIVATION_LEAKY)
        return quernel_i_check_float(error, p->where, "finish.slope", f->slope, 0);
    if (f->activation != QUERNEL_ACTIVATION_PRELU) return QUERNEL_OK;
    if (!f->slopes) return quernel_i_error_null(error, p->where, "finish.slopes");
    return quernel_i_check_floats(error, p->where, "finish.slopes", f->slopes, p->weights->shape.out, 0);
}

static int check_output(const quernel_i_problem *p, quernel_error *error) {
    const quernel_finish *f = &p->finish;
    int code = quernel_i_check_range(error, QUERNEL_E_VALUE, p->where, "finish.y_type", f->y_type, 0, QUERNEL_TYPE_U8);
    if (code || !is_int8(f->y_type)) return code;
    if ((code = check_scale(error, p->where, "finish.y_scale", f->y_scale))) return code;
    for (uint32_t n = 0; f->y_smooth && n < p->weights->shape.out; n++) {
        const float product = f->y_scale * f->y_smooth[n];
        if (!(f->y_smooth[n] > 0.0f) || !(product >= LEAST_SCALE && product <= MOST_SCALE))
            return quernel_i_error_set(error, QUERNEL_E_VALUE, "finish.y_smooth", n,
                                       "%s: finish.y_smooth[%u]: %g: times y_scale must be 2^-96 … 2^96", p->where, n,
                                       (double)f->y_smooth[n]);
    }
    return check_zero(error, p->where, "finish.y_zero", f->y_zero, f->y_type, f->y_narrow);
}

static int check_residual(const quernel_i_problem *p, quernel_error *error) {
    const quernel_finish *f = &p->finish;
    const int code = quernel_i_check_range(error, QUERNEL_E_VALUE, p->where, "finish.residual", f->residual, 0, 1);
    if (code || !f->residual) return code;
    if ((f->y_type == QUERNEL_TYPE_S32) != (f->residual_type == QUERNEL_TYPE_S32))
        return refuse(error, p->where, "finish.residual_type", "s32 goes with s32 output and with nothing else");
    if (f->residual_type == QUERNEL_TYPE_S32 || f->residual_type == QUERNEL_TYPE_F32) return QUERNEL_OK;
    if (!is_int8(f->residual_type)) return refuse(error, p->where, "finish.residual_type", "must be f32, s8, u8 or s32");
    const int zero = check_zero(error, p->where, "finish.residual_zero", f->residual_zero, f->residual_type, 0);
    if (zero) return zero;
    if (f->residual_scales)
        return quernel_i_check_floats(error, p->where, "finish.residual_scales", f->residual_scales, p->weights->shape.out, 1);
    return quernel_i_check_float(error, p->where, "finish.residual_scale", f->residual_scale, 1);
}

int quernel_i_numbers_check(const quernel_i_problem *p, quernel_error *error) {
    const quernel_quant *q = &p->quant;
    const quernel_finish *f = &p->finish;
    int code = quernel_i_check_reserved(error, p->where, "quant.reserved", q->reserved, sizeof q->reserved);
    if (!code) code = quernel_i_check_reserved(error, p->where, "finish.reserved", f->reserved, sizeof f->reserved);
    if (!code) code = check_quant(p, error);
    if (!code) code = check_output(p, error);
    if (!code) code = check_bias(p, error);
    if (!code) code = check_activation(p, error);
    if (!code) code = check_residual(p, error);
    return code;
}

// The furthest that an activation can be from its zero point.
static uint64_t reach_of(const quernel_quant *q) {
    const int32_t lo = q->type == QUERNEL_TYPE_U8 ? 0 : q->narrow ? -127 : -128;
    const int32_t hi = q->type == QUERNEL_TYPE_U8 ? 255 : 127;
    if (q->mode != QUERNEL_QUANT_STATIC) return q->type == QUERNEL_TYPE_U8 ? 255 : (uint64_t)-lo;
    const int32_t below = q->zero - lo, above = hi - q->zero;
    return (uint64_t)(below > above ? below : above);
}

int quernel_i_bounds_check(const quernel_i_problem *p, quernel_error *error) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const uint64_t reach = reach_of(&p->quant);
    const int32_t *bias = p->finish.bias && p->finish.bias_type == QUERNEL_TYPE_S32 ? p->finish.bias : NULL;
    for (uint32_t job = 0; job < s->jobs; job++)
        for (uint32_t column = 0; column < s->columns; column++) {
            const uint32_t n = quernel_i_job_channel(s, job, column);
            const int64_t start = bias ? bias[n] : 0;
            const uint64_t bound =
                (uint64_t)(start < 0 ? -start : start) + reach * p->weights->reach[(size_t)job * s->columns16 + column];
            if (bound > INT32_MAX)
                return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "weights", n,
                                           "%s: weights: channel %u: its sum can reach %llu: must be 2^31 - 1 or less",
                                           p->where, n, (unsigned long long)bound);
        }
    return QUERNEL_OK;
}
