// SPDX-License-Identifier: Apache-2.0
// The tables of a layer: multipliers of the activations, start values, scales and everything that a finish reads per column.
#include <math.h>
#include <string.h>

#include "op/operator.h"

static bool folded(const quernel_finish *f) {
    const bool int8 = f->y_type == QUERNEL_TYPE_S8 || f->y_type == QUERNEL_TYPE_U8;
    const bool linear = f->activation <= QUERNEL_ACTIVATION_PRELU; // the factor may pass through the activation
    return int8 && linear && !(f->residual && f->residual_after_activation);
}

static bool int8_output(const quernel_finish *f) { return f->y_type == QUERNEL_TYPE_S8 || f->y_type == QUERNEL_TYPE_U8; }

// m_k = 1/(s_k·d_a), or 1/s_k where the scale comes in the run or by row.
static float multiplier(const quernel_i_layer *l, size_t smooth_index) {
    const quernel_weights *w = l->weights;
    const float s = w->smooth ? w->smooth[smooth_index] : 1.0f;
    if (l->quant.mode != QUERNEL_QUANT_STATIC || l->quant.row_scale) return 1.0f / s;
    return 1.0f / (s * l->quant.scale);
}

static size_t multipliers(const quernel_i_layer *l) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    return l->path == QUERNEL_I_PATH_PACKED ? (size_t)s->jobs / s->phases * s->k_groups * 4 : s->in;
}

static void fill_channels(const quernel_i_layer *l, float *mult) {
    for (uint32_t c = 0; c < l->weights->shape.in; c++) mult[c] = multiplier(l, c);
}

// In packed order; the padding of the runs stays 0.
static void fill_packed(const quernel_i_layer *l, float *mult) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    const bool by_column = l->weights->smooth_kind == QUERNEL_SMOOTH_COLUMN;
    const uint32_t taps = s->window_h * s->window_w;
    for (uint32_t channel = 0; channel < s->in; channel++)
        for (uint32_t t = 0; t < taps; t++) {
            const size_t k = (size_t)(t / s->window_w) * s->run_groups * 4 + (size_t)(t % s->window_w) * s->job_in;
            mult[(size_t)(channel / s->job_in) * s->k_groups * 4 + k + channel % s->job_in] =
                multiplier(l, by_column ? (size_t)channel * s->taps + t : channel);
        }
}

// Per column: what a finish multiplies and adds. `o` is 1 where nothing is folded.
typedef struct column_tables {
    int32_t *init, *z_columns, *w_zeros;
    float *scale, *bias, *slope, *act_lo, *act_hi, *out_scale, *r_scale;
} column_tables;

static void fill_integers(const quernel_i_layer *l, const column_tables *t, size_t j, uint32_t n) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    const quernel_i_phase p = quernel_i_weights_phase(s, (uint32_t)(j / s->columns16 % s->phases));
    const uint32_t k = s->format == QUERNEL_I_FORMAT_TAPS ? s->taps : p.rows * p.run_length;
    const uint32_t zero = p.empty ? 0 : (uint32_t)l->weights->zero[n];
    t->z_columns[j] = (int32_t)((uint32_t)l->weights->sum[j] - k * zero);
    if (t->w_zeros) t->w_zeros[j] = (int32_t)-zero;
    const int32_t *bias = l->finish.bias_type == QUERNEL_TYPE_S32 ? l->finish.bias : NULL;
    uint32_t start = bias ? (uint32_t)bias[n] : 0;
    if (l->quant.mode == QUERNEL_QUANT_STATIC)
        start -= (uint32_t)(l->quant.zero + l->encode) * (uint32_t)t->z_columns[j];
    t->init[j] = (int32_t)start;
}

static void fill_floats(const quernel_i_layer *l, const column_tables *t, size_t j, uint32_t n) {
    const quernel_finish *f = &l->finish;
    const bool fold = folded(f);
    float o = 1.0f;
    if (int8_output(f)) o = 1.0f / (f->y_scale * (f->y_smooth ? f->y_smooth[n] : 1.0f));
    const bool own = l->quant.mode == QUERNEL_QUANT_STATIC && !l->quant.row_scale;
    const float c = own ? l->quant.scale * l->weights->scale[n] : l->weights->scale[n];
    const float b = f->bias && f->bias_type == QUERNEL_TYPE_F32 ? ((const float *)f->bias)[n] : 0.0f;
    t->scale[j] = fold ? c * o : c;
    t->bias[j] = fold ? b * o : b;
    if (t->slope) t->slope[j] = f->activation == QUERNEL_ACTIVATION_PRELU ? f->slopes[n] : f->slope;
    if (t->act_lo) t->act_lo[j] = fold ? f->lo * o : f->lo;
    if (t->act_hi) t->act_hi[j] = fold ? f->hi * o : f->hi;
    if (t->out_scale) t->out_scale[j] = o;
    if (!t->r_scale) return;
    const float d = f->residual_type == QUERNEL_TYPE_F32 ? 1.0f
                    : f->residual_scales                 ? f->residual_scales[n]
                                                         : f->residual_scale;
    t->r_scale[j] = fold ? d * o : d;
}

static column_tables take_columns(const quernel_i_layer *l, quernel_i_layout *block) {
    const quernel_finish *f = &l->finish;
    const size_t columns = (size_t)l->weights->shape.jobs * l->weights->shape.columns16;
    column_tables t = {0};
    t.init = quernel_i_take(block, columns, sizeof(int32_t));
    t.z_columns = quernel_i_take(block, columns, sizeof(int32_t));
    if (l->weights->has_zero) t.w_zeros = quernel_i_take(block, columns, sizeof(int32_t));
    if (f->y_type == QUERNEL_TYPE_S32) return t;
    const bool slope = f->activation == QUERNEL_ACTIVATION_LEAKY || f->activation == QUERNEL_ACTIVATION_PRELU;
    t.scale = quernel_i_take(block, columns, sizeof(float));
    t.bias = quernel_i_take(block, columns, sizeof(float));
    if (slope) t.slope = quernel_i_take(block, columns, sizeof(float));
    if (f->activation == QUERNEL_ACTIVATION_CLAMP) {
        t.act_lo = quernel_i_take(block, columns, sizeof(float));
        t.act_hi = quernel_i_take(block, columns, sizeof(float));
    }
    if (int8_output(f) && !folded(f)) t.out_scale = quernel_i_take(block, columns, sizeof(float));
    // An f32 residual that nothing is folded into is added as it is.
    if (f->residual && (f->residual_type != QUERNEL_TYPE_F32 || folded(f)))
        t.r_scale = quernel_i_take(block, columns, sizeof(float));
    return t;
}

static void fill_runs(const quernel_i_layer *l, quernel_i_run *runs) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    const bool packed = l->path == QUERNEL_I_PATH_PACKED;
    if (!runs) return;
    for (uint32_t phase = 0; phase < s->phases; phase++, runs += l->n_runs) {
        const quernel_i_phase p = quernel_i_weights_phase(s, phase);
        const uint32_t per_row = quernel_i_layer_whole_rows(l) ? 1 : p.row_taps;
        for (uint32_t i = 0; i < p.rows * per_row; i++) { // a phase of fewer taps takes the last ones of the window
            const ptrdiff_t row = s->window_h - p.rows + i / per_row, tap = s->window_w - p.row_taps + i % per_row;
            runs[i].offset = packed ? row * s->run_groups * 4 + tap * s->job_in
                                    : row * l->dilation_h * l->a_line + tap * l->dilation_w * l->a_pixel;
            runs[i].groups = p.run_groups / per_row;
        }
    }
}

static quernel_i_act act_of(const quernel_finish *f) {
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

static void fill_scalars(quernel_i_layer *l) {
    const quernel_finish *f = &l->finish;
    const int32_t y_lo = f->y_type == QUERNEL_TYPE_U8 ? 0 : f->y_narrow ? -127 : -128;
    l->act = act_of(f);
    l->q_lo = (float)(y_lo - f->y_zero);
    l->q_hi = (float)((f->y_type == QUERNEL_TYPE_U8 ? 255 : 127) - f->y_zero);
    l->q_zero = f->y_zero;
    l->lo = l->quant.type == QUERNEL_TYPE_U8 ? 0.0f : l->quant.narrow ? -127.0f : -128.0f;
    l->hi = l->quant.type == QUERNEL_TYPE_U8 ? 255.0f : 127.0f;
}

void quernel_i_tables_lay_out(quernel_i_layer *l, quernel_i_layout *block) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    const bool packed = l->path == QUERNEL_I_PATH_PACKED;
    const bool by_column = l->weights->smooth_kind == QUERNEL_SMOOTH_COLUMN;
    float *mult = quernel_i_take(block, multipliers(l), sizeof *mult);
    float *channels = packed && !by_column ? quernel_i_take(block, s->in, sizeof *channels) : mult;
    float *row_scales = l->quant.row_scale ? quernel_i_take(block, l->x.w, sizeof *row_scales) : NULL;
    const bool by_taps = quernel_i_layer_depthwise(l);
    quernel_i_run *runs = by_taps ? NULL : quernel_i_take(block, (size_t)s->phases * l->n_runs, sizeof *runs);
    const column_tables t = take_columns(l, block);
    if (!block->base) return;
    fill_scalars(l);
    if (packed) fill_packed(l, mult);
    if (!by_column) fill_channels(l, channels);
    fill_runs(l, runs);
    if (row_scales) memcpy(row_scales, l->quant.row_scale, l->x.w * sizeof *row_scales);
    for (uint32_t job = 0; job < s->jobs; job++)
        for (uint32_t column = 0; column < s->columns; column++) {
            const size_t j = (size_t)job * s->columns16 + column;
            fill_integers(l, &t, j, quernel_i_job_channel(s, job, column));
            if (t.scale) fill_floats(l, &t, j, quernel_i_job_channel(s, job, column));
        }
    l->mult = mult, l->range_mult = channels, l->row_scales = row_scales, l->runs = runs;
    l->init = t.init, l->z_columns = t.z_columns, l->w_zeros = t.w_zeros;
    l->scale = t.scale, l->bias = t.bias, l->slope = t.slope, l->act_lo = t.act_lo, l->act_hi = t.act_hi;
    l->out_scale = t.out_scale, l->r_scale = t.r_scale;
}
