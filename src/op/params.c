// SPDX-License-Identifier: Apache-2.0
// The tables of a problem under its plan: multipliers of the activations, start values, scales and
// everything that an epilogue reads per output channel.
#include <math.h>
#include <string.h>

#include "op/product.h"
#include "op/result.h"
#include "op/validate.h"

static bool float_residual(const quernel_epilogue *f) {
    return f->residual_type == QUERNEL_TYPE_F32 || f->residual_type == QUERNEL_TYPE_BF16;
}

// m_k = 1/(s_k·d_a), or 1/s_k where the scale comes in the run or by row.
static float multiplier(const quernel_i_problem *p, size_t smooth_index) {
    const quernel_weights *w = p->weights;
    const float s = w->smooth ? w->smooth[smooth_index] : 1.0f;
    if (p->quant.mode != QUERNEL_QUANT_STATIC || p->quant.row_scale) return 1.0f / s;
    return 1.0f / (s * p->quant.scale);
}

static size_t multipliers(const quernel_i_problem *p, const quernel_i_plan *plan) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    return plan->rows.path == QUERNEL_I_PATH_IM2COL
               ? (size_t)s->subproblems / s->phases * s->k_quads * 4
               : s->in;
}

static void fill_channels(const quernel_i_problem *p, float *mult) {
    for (uint32_t c = 0; c < p->weights->shape.in; c++) mult[c] = multiplier(p, c);
}

// In the order of im2col rows; the padding of the k runs stays 0.
static void fill_im2col(const quernel_i_problem *p, float *mult) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const bool by_column = p->weights->smooth_kind == QUERNEL_SMOOTH_COLUMN;
    const uint32_t taps = s->window_h * s->window_w;
    for (uint32_t channel = 0; channel < s->in; channel++)
        for (uint32_t t = 0; t < taps; t++) {
            const size_t k = (size_t)(t / s->window_w) * s->run_k_quads * 4 +
                             (size_t)(t % s->window_w) * s->subproblem_in;
            mult[(size_t)(channel / s->subproblem_in) * s->k_quads * 4 + k +
                 channel % s->subproblem_in] =
                multiplier(p, by_column ? (size_t)channel * s->taps + t : channel);
        }
}

// Per output channel: what an epilogue multiplies and adds. `o` is 1 where nothing is folded.
typedef struct oc_tables {
    int32_t *init, *zp_comp, *w_zeros;
    float *scale, *bias, *slope, *act_lo, *act_hi, *out_scale, *r_scale;
} oc_tables;

static void fill_integers(const quernel_i_problem *p, const quernel_i_plan *plan,
                          const oc_tables *t, size_t j, uint32_t n) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const quernel_i_phase phase = quernel_i_weights_phase(s, (uint32_t)(j / s->oc16 % s->phases));
    const uint32_t k =
        s->format == QUERNEL_I_FORMAT_TAPS ? s->taps : phase.rows * phase.k_run_length;
    const uint32_t zero = phase.empty ? 0 : (uint32_t)p->weights->zero[n];
    t->zp_comp[j] = (int32_t)((uint32_t)p->weights->sum[j] - k * zero);
    if (t->w_zeros) t->w_zeros[j] = (int32_t)-zero;
    const int32_t *bias = p->epilogue.bias_type == QUERNEL_TYPE_S32 ? p->epilogue.bias : NULL;
    uint32_t start = bias ? (uint32_t)bias[n] : 0;
    if (p->quant.mode == QUERNEL_QUANT_STATIC)
        start -= (uint32_t)(p->quant.zero + plan->kernels.a_offset) * (uint32_t)t->zp_comp[j];
    t->init[j] = (int32_t)start;
}

static void fill_floats(const quernel_i_problem *p, const oc_tables *t, size_t j, uint32_t n) {
    const quernel_epilogue *f = &p->epilogue;
    const bool fold = quernel_i_result_folded(f);
    const float o = quernel_i_result_factor(f, n);
    const bool own = p->quant.mode == QUERNEL_QUANT_STATIC && !p->quant.row_scale;
    const float c = own ? p->quant.scale * p->weights->scale[n] : p->weights->scale[n];
    const float b =
        f->bias && f->bias_type == QUERNEL_TYPE_F32 ? ((const float *)f->bias)[n] : 0.0f;
    t->scale[j] = fold ? c * o : c;
    t->bias[j] = fold ? b * o : b;
    if (t->slope) t->slope[j] = f->activation == QUERNEL_ACTIVATION_PRELU ? f->slopes[n] : f->slope;
    if (t->act_lo) t->act_lo[j] = fold ? f->lo * o : f->lo;
    if (t->act_hi) t->act_hi[j] = fold ? f->hi * o : f->hi;
    if (t->out_scale) t->out_scale[j] = o;
    if (!t->r_scale) return;
    const float d = float_residual(f)    ? 1.0f
                    : f->residual_scales ? f->residual_scales[n]
                                         : f->residual_scale;
    t->r_scale[j] = fold ? d * o : d;
}

static oc_tables take_oc_tables(const quernel_i_problem *p, quernel_i_layout *block) {
    const quernel_epilogue *f = &p->epilogue;
    const size_t oc = (size_t)p->weights->shape.subproblems * p->weights->shape.oc16;
    oc_tables t = {0};
    t.init = quernel_i_take(block, oc, sizeof(int32_t));
    t.zp_comp = quernel_i_take(block, oc, sizeof(int32_t));
    if (p->weights->has_zero) t.w_zeros = quernel_i_take(block, oc, sizeof(int32_t));
    if (f->y_type == QUERNEL_TYPE_S32) return t;
    const bool slope =
        f->activation == QUERNEL_ACTIVATION_LEAKY || f->activation == QUERNEL_ACTIVATION_PRELU;
    t.scale = quernel_i_take(block, oc, sizeof(float));
    t.bias = quernel_i_take(block, oc, sizeof(float));
    if (slope) t.slope = quernel_i_take(block, oc, sizeof(float));
    if (f->activation == QUERNEL_ACTIVATION_CLAMP) {
        t.act_lo = quernel_i_take(block, oc, sizeof(float));
        t.act_hi = quernel_i_take(block, oc, sizeof(float));
    }
    if (quernel_i_validate_int8(f->y_type) && !quernel_i_result_folded(f))
        t.out_scale = quernel_i_take(block, oc, sizeof(float));
    // A float residual that nothing is folded into is added unscaled.
    if (f->residual && (!float_residual(f) || quernel_i_result_folded(f)))
        t.r_scale = quernel_i_take(block, oc, sizeof(float));
    return t;
}

static void fill_k_runs(const quernel_i_problem *p, const quernel_i_plan *plan,
                        quernel_i_k_run *k_runs) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const bool packed = plan->rows.path == QUERNEL_I_PATH_IM2COL;
    if (!k_runs) return;
    for (uint32_t index = 0; index < s->phases; index++, k_runs += plan->rows.n_k_runs) {
        const quernel_i_phase phase = quernel_i_weights_phase(s, index);
        const uint32_t per_row = plan->rows.whole ? 1 : phase.row_taps;
        // a phase of fewer taps takes the last ones of the window
        for (uint32_t i = 0; i < phase.rows * per_row; i++) {
            const ptrdiff_t row = s->window_h - phase.rows + i / per_row,
                            tap = s->window_w - phase.row_taps + i % per_row;
            k_runs[i].offset = packed ? row * s->run_k_quads * 4 + tap * s->subproblem_in
                                      : row * p->dilation_h * plan->strip.line +
                                            tap * p->dilation_w * plan->rows.pixel;
            k_runs[i].k_quads = phase.run_k_quads / per_row;
        }
    }
}

enum { CODES = 256 }; // of a byte

static void copy_table(const quernel_epilogue *f, uint8_t *table, quernel_i_params *params) {
    params->border = table ? f->table_zero : f->y_zero;
    if (!table) return;
    memcpy(table, f->table, (size_t)f->tables * CODES);
    params->table = table, params->table_channel = f->tables > 1 ? CODES : 0;
}

static void fill_scalars(const quernel_i_problem *p, quernel_i_params *params) {
    const quernel_epilogue *f = &p->epilogue;
    params->act = quernel_i_result_act(f);
    params->q_lo = quernel_i_result_lo(f);
    params->q_hi = quernel_i_result_hi(f);
    params->q_zero = f->y_zero;
    params->lo = p->quant.type == QUERNEL_TYPE_U8 ? 0.0f : p->quant.narrow ? -127.0f : -128.0f;
    params->hi = p->quant.type == QUERNEL_TYPE_U8 ? 255.0f : 127.0f;
}

quernel_i_params quernel_i_params_make(const quernel_i_problem *p, const quernel_i_plan *plan,
                                       quernel_i_layout *block) {
    quernel_i_params params = {0};
    const quernel_i_weights_shape *s = &p->weights->shape;
    const bool packed = plan->rows.path == QUERNEL_I_PATH_IM2COL;
    const bool by_column = p->weights->smooth_kind == QUERNEL_SMOOTH_COLUMN;
    float *mult = quernel_i_take(block, multipliers(p, plan), sizeof *mult);
    float *channels = packed && !by_column ? quernel_i_take(block, s->in, sizeof *channels) : mult;
    float *row_scales =
        p->quant.row_scale ? quernel_i_take(block, p->x.w, sizeof *row_scales) : NULL;
    const bool by_taps = quernel_i_problem_depthwise(p);
    quernel_i_k_run *k_runs =
        by_taps ? NULL
                : quernel_i_take(block, (size_t)s->phases * plan->rows.n_k_runs, sizeof *k_runs);
    const oc_tables t = take_oc_tables(p, block);
    uint8_t *table = p->epilogue.table ? quernel_i_take(block, p->epilogue.tables, CODES) : NULL;
    if (!block->base) return params;
    copy_table(&p->epilogue, table, &params);
    fill_scalars(p, &params);
    if (packed) fill_im2col(p, mult);
    if (!by_column) fill_channels(p, channels);
    fill_k_runs(p, plan, k_runs);
    if (row_scales) memcpy(row_scales, p->quant.row_scale, p->x.w * sizeof *row_scales);
    for (uint32_t subproblem = 0; subproblem < s->subproblems; subproblem++)
        for (uint32_t oc = 0; oc < s->oc; oc++) {
            const size_t j = (size_t)subproblem * s->oc16 + oc;
            fill_integers(p, plan, &t, j, quernel_i_weights_subproblem_channel(s, subproblem, oc));
            if (t.scale)
                fill_floats(p, &t, j, quernel_i_weights_subproblem_channel(s, subproblem, oc));
        }
    params.mult = mult, params.range_mult = channels, params.row_scales = row_scales,
    params.k_runs = k_runs;
    params.init = t.init, params.zp_comp = t.zp_comp, params.w_zeros = t.w_zeros;
    params.scale = t.scale, params.bias = t.bias, params.slope = t.slope, params.act_lo = t.act_lo,
    params.act_hi = t.act_hi;
    params.out_scale = t.out_scale, params.r_scale = t.r_scale;
    return params;
}
