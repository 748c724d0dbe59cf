// SPDX-License-Identifier: Apache-2.0
// The naive restatement of the operators. All of them are one sum over taps: a linear layer is an
// image of one column and M lines; a deconvolution looks, for each output pixel, which input pixel
// a tap would have spread to it.
#include "oracle.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct problem {
    const quernel_weights_desc *weights;
    quernel_quant quant;
    quernel_epilogue epilogue;
    quernel_tensor x, y, residual;
    const void *x_data, *residual_data;
    void *y_data;
    uint32_t stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    bool deconv;
    uint32_t taps; // kernel_h · kernel_w
    uint32_t group_in, group_out;
    int32_t *q_w; // [out][group_in][taps], zero points subtracted
    float *d_w;   // [out]
    float *m;     // [in][taps] multipliers of the activations
    int32_t *row; // [in][taps] activations of one pixel, zero point subtracted
} problem;

/// How the activations of one scope are quantized: q = rne(clamp(x·m·g, lo − z, hi − z)) + z, worth
/// d each.
typedef struct encoding {
    float g, d;
    int32_t zero;
} encoding;

// ---- elements ----

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t to_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float load_float(int type, const void *data, int64_t index) {
    if (type == QUERNEL_TYPE_BF16)
        return from_bits((uint32_t)((const uint16_t *)data)[index] << 16);
    return ((const float *)data)[index];
}

static int32_t load_int(int type, const void *data, int64_t index) {
    if (type == QUERNEL_TYPE_S32) return ((const int32_t *)data)[index];
    return type == QUERNEL_TYPE_U8 ? ((const uint8_t *)data)[index] : ((const int8_t *)data)[index];
}

static bool is_int8(int type) { return type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8; }

static uint16_t to_bf16(float x) {
    const uint32_t u = to_bits(x);
    if (isnan(x)) return 0x7fc0;
    const uint32_t half = u & 0xffffu, whole = u >> 16;
    return (uint16_t)(whole + (half > 0x8000u || (half == 0x8000u && (whole & 1)) ? 1 : 0));
}

static int64_t offset(const quernel_tensor *t, int64_t n, int64_t c, int64_t h, int64_t w) {
    return n * t->stride_n + c * t->stride_c + h * t->stride_h + w * t->stride_w;
}

static float clampf(float t, float lo, float hi) {
    const float u = t > lo ? t : lo; // a NaN becomes lo
    return u < hi ? u : hi;
}

static int32_t quantize(float t, int type, bool narrow, int32_t zero) {
    const int32_t lo = type == QUERNEL_TYPE_U8 ? 0
                       : narrow                ? -127
                                               : -128,
                  hi = type == QUERNEL_TYPE_U8 ? 255 : 127;
    if (isnan(t)) return zero;
    return (int32_t)lrintf(clampf(t, (float)(lo - zero), (float)(hi - zero))) + zero;
}

// ---- weights ----

static int64_t weight_index(const problem *p, uint32_t o, uint32_t c, uint32_t tap) {
    const quernel_weights_desc *w = p->weights;
    if (p->deconv) {
        const int64_t stride = w->stride ? w->stride : (int64_t)p->group_out * p->taps;
        const int64_t first = (int64_t)(o / p->group_out) * p->group_in + c;
        return first * stride + (int64_t)(o % p->group_out) * p->taps + tap;
    }
    if (w->kind == QUERNEL_WEIGHTS_LINEAR) {
        return o * (w->stride ? w->stride : (int64_t)w->in) + c * (w->stride_in ? w->stride_in : 1);
    }
    return o * (w->stride ? w->stride : (int64_t)p->group_in * p->taps) + (int64_t)c * p->taps +
           tap;
}

static float smooth_of(const problem *p, uint32_t channel, uint32_t tap) {
    const quernel_weights_desc *w = p->weights;
    if (w->smooth_kind == QUERNEL_SMOOTH_CHANNEL) return w->smooth[channel];
    if (w->smooth_kind == QUERNEL_SMOOTH_COLUMN) return w->smooth[channel * p->taps + tap];
    return 1.0f;
}

static float smoothed_weight(const problem *p, uint32_t o, uint32_t c, uint32_t tap) {
    const float w = ((const float *)p->weights->data)[weight_index(p, o, c, tap)];
    return w * smooth_of(p, o / p->group_out * p->group_in + c, tap);
}

static void quantize_channel(problem *p, uint32_t o, int32_t *q) {
    const quernel_weights_desc *w = p->weights;
    float max = 0.0f;
    for (uint32_t c = 0; c < p->group_in; c++) {
        for (uint32_t tap = 0; tap < p->taps; tap++)
            max = fmaxf(max, fabsf(smoothed_weight(p, o, c, tap)));
    }
    const bool dead = !w->scale && max < 0x1p-96f;
    p->d_w[o] = dead ? 1.0f : w->scale ? w->scale[o] : max / 127.0f;
    for (uint32_t c = 0; c < p->group_in; c++) {
        for (uint32_t tap = 0; tap < p->taps; tap++) {
            const float t = smoothed_weight(p, o, c, tap) / p->d_w[o];
            q[c * p->taps + tap] = dead ? 0 : (int32_t)lrintf(clampf(t, -127.0f, 127.0f));
        }
    }
}

static void prepare_weights(problem *p) {
    const quernel_weights_desc *w = p->weights;
    for (uint32_t o = 0; o < w->out; o++) {
        int32_t *q = p->q_w + (size_t)o * p->group_in * p->taps;
        if (w->type == QUERNEL_TYPE_F32) {
            quantize_channel(p, o, q);
            continue;
        }
        const int32_t zero = w->zero ? w->zero[o] : 0;
        p->d_w[o] = w->scale ? w->scale[o] : 1.0f;
        for (uint32_t c = 0; c < p->group_in; c++) {
            for (uint32_t tap = 0; tap < p->taps; tap++) {
                q[c * p->taps + tap] =
                    load_int(w->type, w->data, weight_index(p, o, c, tap)) - zero;
            }
        }
    }
}

static void prepare_multipliers(problem *p) {
    const bool is_static = p->quant.mode == QUERNEL_QUANT_STATIC && !p->quant.row_scale;
    for (uint32_t c = 0; c < p->weights->in; c++) {
        for (uint32_t tap = 0; tap < p->taps; tap++) {
            const float s = smooth_of(p, c, tap);
            p->m[c * p->taps + tap] = 1.0f / (is_static ? s * p->quant.scale : s);
        }
    }
}

// ---- activations ----

/// Line and column of the input that a tap of an output position reads; false in the padding, or
/// where none is met.
static bool tap_position(const problem *p, uint32_t i, uint32_t j, uint32_t tap, int64_t *h,
                         int64_t *w) {
    const int64_t r = (int64_t)(tap / p->weights->kernel_w) * p->dilation_h;
    const int64_t s = (int64_t)(tap % p->weights->kernel_w) * p->dilation_w;
    if (p->deconv) {
        *h = (int64_t)i + p->pad_top - r;
        *w = (int64_t)j + p->pad_left - s;
        if (*h < 0 || *w < 0 || *h % p->stride_h || *w % p->stride_w) return false;
        *h /= p->stride_h;
        *w /= p->stride_w;
    } else {
        *h = (int64_t)i * p->stride_h + r - p->pad_top;
        *w = (int64_t)j * p->stride_w + s - p->pad_left;
    }
    return *h >= 0 && *h < p->x.h && *w >= 0 && *w < p->x.w;
}

static void widen(float y, float *min, float *max) {
    if (!isfinite(y)) return;
    if (y < *min) *min = y;
    if (y > *max) *max = y;
}

static encoding encoding_of_range(const problem *p, float min, float max) {
    encoding e = {1.0f, 1.0f, 0};
    const bool is_signed = p->quant.type == QUERNEL_TYPE_S8,
               asymmetric = !is_signed && p->quant.asymmetric;
    float range = max;
    if (is_signed && -min > max) range = -min;
    if (asymmetric) range = max - min;
    if (isinf(range)) range = 0x1.fffffep127f;
    if (range == 0.0f) return e;
    e.d = clampf(range / (is_signed ? 127.0f : 255.0f), 0x1p-96f, 0x1p96f);
    if (asymmetric) e.zero = (int32_t)lrintf(clampf((0.0f - min) / e.d, 0.0f, 255.0f));
    e.g = 1.0f / e.d;
    return e;
}

/// The range of the im2col row of one group: channels [first, first + count).
static void widen_by_row(const problem *p, uint32_t n, uint32_t i, uint32_t j, uint32_t first,
                         uint32_t count, float *min, float *max) {
    for (uint32_t c = first; c < first + count; c++) {
        for (uint32_t tap = 0; tap < p->taps; tap++) {
            int64_t h, w;
            if (!tap_position(p, i, j, tap, &h, &w)) continue;
            widen(load_float(p->x.type, p->x_data, offset(&p->x, n, c, h, w)) *
                      p->m[c * p->taps + tap],
                  min, max);
        }
    }
}

static void widen_by_image(const problem *p, uint32_t n, uint32_t rows, uint32_t columns,
                           float *min, float *max) {
    if (p->weights->smooth_kind == QUERNEL_SMOOTH_COLUMN) {
        for (uint32_t i = 0; i < rows; i++) {
            for (uint32_t j = 0; j < columns; j++) widen_by_row(p, n, i, j, 0, p->x.c, min, max);
        }
        return;
    }
    for (uint32_t c = 0; c < p->x.c; c++) {
        for (uint32_t h = 0; h < p->x.h; h++) {
            for (uint32_t w = 0; w < p->x.w; w++) {
                const float x = load_float(p->x.type, p->x_data, offset(&p->x, n, c, h, w));
                widen(x * p->m[c * p->taps], min, max);
            }
        }
    }
}

static void fill_row(const problem *p, const encoding *e, uint32_t n, uint32_t i, uint32_t j,
                     uint32_t group) {
    const bool ready = is_int8(p->x.type);
    for (uint32_t c = group * p->group_in; c < (group + 1) * p->group_in; c++) {
        for (uint32_t tap = 0; tap < p->taps; tap++) {
            int32_t *q = &p->row[c * p->taps + tap];
            int64_t h, w;
            if (!tap_position(p, i, j, tap, &h, &w)) {
                *q = 0;
                continue;
            }
            const int64_t at = offset(&p->x, n, c, h, w);
            if (ready) {
                *q = load_int(p->x.type, p->x_data, at) - e->zero;
            } else {
                const float t =
                    load_float(p->x.type, p->x_data, at) * p->m[c * p->taps + tap] * e->g;
                *q = quantize(t, p->quant.type, p->quant.narrow, e->zero) - e->zero;
            }
        }
    }
}

// ---- epilogue ----

static float activate(const quernel_epilogue *f, uint32_t o, float t, float fold) {
    const float slope = f->activation == QUERNEL_ACTIVATION_PRELU ? f->slopes[o] : f->slope;
    switch (f->activation) {
    case QUERNEL_ACTIVATION_RELU: return t > 0.0f ? t : 0.0f;
    case QUERNEL_ACTIVATION_CLAMP: return clampf(t, f->lo * fold, f->hi * fold);
    case QUERNEL_ACTIVATION_LEAKY:
    case QUERNEL_ACTIVATION_PRELU: return t >= 0.0f ? t : t * slope;
    case QUERNEL_ACTIVATION_NONE: return t;
    default: return oracle_function(f->activation, t);
    }
}

static float add_residual(const problem *p, uint32_t o, int64_t at, float t, float fold) {
    const quernel_epilogue *f = &p->epilogue;
    if (!is_int8(f->residual_type)) {
        const float r = load_float(f->residual_type, p->residual_data, at);
        const bool folded = is_int8(f->y_type) && !f->residual_after_activation &&
                            f->activation <= QUERNEL_ACTIVATION_PRELU;
        return folded ? fmaf(r, fold, t) : t + r;
    }
    const float d = (f->residual_scales ? f->residual_scales[o] : f->residual_scale) * fold;
    return fmaf((float)(load_int(f->residual_type, p->residual_data, at) - f->residual_zero), d, t);
}

/// The output element of channel o before its conversion, from the exact sum.
static float epilogue(const problem *p, uint32_t o, int32_t acc, float d_row, bool has_row,
                      int64_t residual_at) {
    const quernel_epilogue *f = &p->epilogue;
    const float out =
        is_int8(f->y_type) ? 1.0f / (f->y_smooth ? f->y_scale * f->y_smooth[o] : f->y_scale) : 1.0f;
    const bool late = f->residual && f->residual_after_activation;
    // A residual behind the activation, or an activation that no factor passes through, keeps the
    // layer unfolded.
    const bool folded = !late && f->activation <= QUERNEL_ACTIVATION_PRELU;
    const float fold = folded ? out : 1.0f;
    float c = (has_row ? p->d_w[o] : p->quant.scale * p->d_w[o]) * fold;
    if (has_row) c = c * d_row;
    const float bias =
        f->bias && f->bias_type == QUERNEL_TYPE_F32 ? ((const float *)f->bias)[o] * fold : 0.0f;
    float t = fmaf((float)acc, c, bias);
    if (f->residual && !late) t = add_residual(p, o, residual_at, t, fold);
    t = activate(f, o, t, fold);
    if (late) t = add_residual(p, o, residual_at, t, fold);
    return folded || !is_int8(f->y_type) ? t : t * out;
}

static void store(const problem *p, int64_t at, uint32_t o, float t) {
    const quernel_epilogue *f = &p->epilogue;
    switch (p->epilogue.y_type) {
    case QUERNEL_TYPE_F32: ((float *)p->y_data)[at] = t; return;
    case QUERNEL_TYPE_BF16: ((uint16_t *)p->y_data)[at] = to_bf16(t); return;
    default: break;
    }
    const uint8_t code = (uint8_t)quantize(t, f->y_type, f->y_narrow, f->y_zero);
    const uint8_t *table = f->table + 256 * (size_t)(f->tables > 1 ? o : 0);
    ((uint8_t *)p->y_data)[at] = f->table ? table[code] : code;
}

static void output(const problem *p, const encoding *e, uint32_t n, uint32_t o, uint32_t h,
                   uint32_t w, uint32_t acc) {
    const quernel_epilogue *f = &p->epilogue;
    const int64_t at = offset(&p->y, n, o, h, w), residual_at = offset(&p->residual, n, o, h, w);
    if (f->bias && f->bias_type == QUERNEL_TYPE_S32) acc += (uint32_t)((const int32_t *)f->bias)[o];
    if (f->y_type == QUERNEL_TYPE_S32) {
        if (f->residual) acc += (uint32_t)load_int(QUERNEL_TYPE_S32, p->residual_data, residual_at);
        memcpy((int32_t *)p->y_data + at, &acc, sizeof acc);
        return;
    }
    const bool has_row = p->quant.mode != QUERNEL_QUANT_STATIC || p->quant.row_scale;
    store(p, at, o, epilogue(p, o, (int32_t)acc, e->d, has_row, residual_at));
}

static void multiply(const problem *p, const encoding *e, uint32_t n, uint32_t i, uint32_t j,
                     uint32_t group) {
    const int32_t *a = p->row + (size_t)group * p->group_in * p->taps;
    for (uint32_t o = group * p->group_out; o < (group + 1) * p->group_out; o++) {
        const int32_t *w = p->q_w + (size_t)o * p->group_in * p->taps;
        uint32_t acc = 0;
        for (uint32_t k = 0; k < p->group_in * p->taps; k++) acc += (uint32_t)(a[k] * w[k]);
        output(p, e, n, o, i, j, acc);
    }
}

static void write_border(const problem *p) {
    const quernel_tensor *y = &p->y;
    const quernel_epilogue *f = &p->epilogue;
    const uint8_t border = (uint8_t)(f->table ? f->table_zero : f->y_zero);
    const int64_t lines = y->border_h, columns = y->border_w;
    for (int64_t n = 0; n < y->n; n++) {
        for (int64_t h = -lines; h < y->h + lines; h++) {
            for (int64_t w = -columns; w < y->w + columns; w++) {
                if (h >= 0 && h < y->h && w >= 0 && w < y->w) continue;
                for (int64_t c = 0; c < y->c; c++) {
                    ((uint8_t *)p->y_data)[offset(y, n, c, h, w)] = border;
                }
            }
        }
    }
}

// ---- whole operators ----

/// One position of the grid: its im2col row, group by group. Each group's row has a range of its
/// own.
static void compute_position(const problem *p, encoding e, uint32_t n, uint32_t i, uint32_t j) {
    if (p->quant.row_scale) {
        e.d = p->quant.row_scale[i];
        e.g = 1.0f / e.d;
    }
    for (uint32_t group = 0; group < p->weights->groups; group++) {
        if (p->quant.mode == QUERNEL_QUANT_DYNAMIC_ROW) {
            float min = 0.0f, max = 0.0f;
            widen_by_row(p, n, i, j, group * p->group_in, p->group_in, &min, &max);
            e = encoding_of_range(p, min, max);
        }
        fill_row(p, &e, n, i, j, group);
        multiply(p, &e, n, i, j, group);
    }
}

static void compute(problem *p) {
    const uint32_t rows = p->y.h, columns = p->y.w;
    encoding e = {1.0f, p->quant.scale, p->quant.zero};
    prepare_weights(p);
    prepare_multipliers(p);
    write_border(p);
    for (uint32_t n = 0; n < p->x.n; n++) {
        if (p->quant.mode == QUERNEL_QUANT_DYNAMIC_CALL) {
            float min = 0.0f, max = 0.0f;
            widen_by_image(p, n, rows, columns, &min, &max);
            e = encoding_of_range(p, min, max);
        }
        for (uint32_t i = 0; i < rows; i++) {
            for (uint32_t j = 0; j < columns; j++) compute_position(p, e, n, i, j);
        }
    }
}

static int run(problem *p) {
    const quernel_weights_desc *w = p->weights;
    p->taps = w->kernel_h * w->kernel_w;
    p->group_in = w->in / w->groups;
    p->group_out = w->out / w->groups;
    const size_t row = (size_t)w->in * p->taps;
    p->q_w = calloc((size_t)w->out * p->group_in * p->taps, sizeof *p->q_w);
    p->d_w = calloc(w->out, sizeof *p->d_w);
    p->m = calloc(row, sizeof *p->m);
    p->row = calloc(row, sizeof *p->row);
    const int failed = !p->q_w || !p->d_w || !p->m || !p->row;
    if (!failed) compute(p);
    free(p->q_w);
    free(p->d_w);
    free(p->m);
    free(p->row);
    return failed;
}

quernel_tensor oracle_dense(quernel_tensor t) {
    if (t.layout == QUERNEL_LAYOUT_NHWC) {
        t.stride_c = 1;
        if (!t.stride_w) t.stride_w = t.c;
        if (!t.stride_h) t.stride_h = t.w * t.stride_w;
        if (!t.stride_n) t.stride_n = t.h * t.stride_h;
    } else {
        t.stride_w = 1;
        if (!t.stride_h) t.stride_h = t.w;
        if (!t.stride_c) t.stride_c = t.h * t.stride_h;
        if (!t.stride_n) t.stride_n = t.c * t.stride_c;
    }
    return t;
}

void oracle_output_size(const quernel_weights_desc *weights, const quernel_conv2d_desc *desc,
                        quernel_tensor *y) {
    const quernel_tensor *x = &desc->x;
    y->c = weights->out;
    const uint32_t reach_h = desc->dilation_h * (weights->kernel_h - 1);
    const uint32_t reach_w = desc->dilation_w * (weights->kernel_w - 1);
    if (weights->kind == QUERNEL_WEIGHTS_DECONV2D) {
        y->h = (x->h - 1) * desc->stride_h + reach_h + 1 + desc->out_pad_h - desc->pad_top -
               desc->pad_bottom;
        y->w = (x->w - 1) * desc->stride_w + reach_w + 1 + desc->out_pad_w - desc->pad_left -
               desc->pad_right;
        return;
    }
    y->h = (x->h + desc->pad_top + desc->pad_bottom - reach_h - 1) / desc->stride_h + 1;
    y->w = (x->w + desc->pad_left + desc->pad_right - reach_w - 1) / desc->stride_w + 1;
}

int oracle_linear(const quernel_weights_desc *weights, const quernel_linear_desc *desc,
                  const void *x, const void *residual, void *y) {
    problem p = {.weights = weights,
                 .quant = desc->quant,
                 .epilogue = desc->epilogue,
                 .x_data = x,
                 .residual_data = residual,
                 .y_data = y,
                 .stride_h = 1,
                 .stride_w = 1,
                 .dilation_h = 1,
                 .dilation_w = 1};
    p.x = oracle_dense((quernel_tensor){.type = desc->x_type,
                                        .n = 1,
                                        .c = weights->in,
                                        .h = desc->m,
                                        .w = 1,
                                        .stride_h = desc->x_stride});
    p.y = oracle_dense((quernel_tensor){
        .n = 1, .c = weights->out, .h = desc->m, .w = 1, .stride_h = desc->y_stride});
    p.residual = p.y;
    p.residual.stride_h = desc->residual_stride ? desc->residual_stride : (int64_t)weights->out;
    return run(&p);
}

int oracle_image(const quernel_weights_desc *weights, const quernel_conv2d_desc *desc,
                 const void *x, const void *residual, void *y) {
    problem p = {.weights = weights,
                 .quant = desc->quant,
                 .epilogue = desc->epilogue,
                 .x_data = x,
                 .residual_data = residual,
                 .y_data = y,
                 .stride_h = desc->stride_h,
                 .stride_w = desc->stride_w,
                 .dilation_h = desc->dilation_h,
                 .dilation_w = desc->dilation_w,
                 .pad_top = desc->pad_top,
                 .pad_left = desc->pad_left};
    p.deconv = weights->kind == QUERNEL_WEIGHTS_DECONV2D;
    p.x = oracle_dense(desc->x);
    p.y = desc->y;
    p.y.n = p.x.n;
    oracle_output_size(weights, desc, &p.y);
    p.y = oracle_dense(p.y);
    p.residual = oracle_dense(desc->residual);
    if (p.residual.n < p.y.n) p.residual.stride_n = 0;
    if (p.residual.h < p.y.h) p.residual.stride_h = 0;
    if (p.residual.w < p.y.w) p.residual.stride_w = 0;
    return run(&p);
}

void oracle_gemm(int a_type, int transpose_b, uint32_t m, uint32_t n, uint32_t k, const void *a,
                 int64_t lda, int32_t a_zero, const int8_t *b, int64_t ldb, int32_t b_zero,
                 int beta, int32_t *c, int64_t ldc) {
    for (uint32_t i = 0; i < m; i++) {
        for (uint32_t j = 0; j < n; j++) {
            uint32_t acc = beta ? (uint32_t)c[i * ldc + j] : 0;
            for (uint32_t l = 0; l < k; l++) {
                const int32_t w = transpose_b ? b[j * ldb + l] : b[l * ldb + j];
                acc += (uint32_t)((load_int(a_type, a, i * lda + l) - a_zero) * (w - b_zero));
            }
            memcpy(c + i * ldc + j, &acc, sizeof acc);
        }
    }
}
