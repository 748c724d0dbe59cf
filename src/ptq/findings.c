// SPDX-License-Identifier: Apache-2.0
// Findings of an audit.
#include "ptq/findings.h"

#include <math.h>

#include "quant/observer.h"

#define DEAD 0x1p-96f // as packing has it: below this a channel's weights are zeros

static void record_nonfinite(quernel_report *r, int32_t place, uint32_t sample, size_t channel,
                             size_t index) {
    r->findings |= QUERNEL_FINDING_NONFINITE;
    r->nonfinite_place = place, r->nonfinite_sample = sample;
    r->nonfinite_channel = (uint32_t)channel, r->nonfinite_index = (int64_t)index;
}

// First, in the order ((n·C + c)·H + h)·W + w, of a dense NHWC image.
static bool find_in_image(quernel_report *r, int32_t place, uint32_t sample, const float *x,
                          uint32_t n, uint32_t h, uint32_t w, uint32_t c) {
    const size_t pixels = (size_t)h * w;
    for (size_t i = 0; i < (size_t)n * c * pixels; i++) {
        const size_t image = i / (c * pixels), channel = i / pixels % c, pixel = i % pixels;
        if (isfinite(x[(image * pixels + pixel) * c + channel])) continue;
        record_nonfinite(r, place, sample, channel, i);
        return true;
    }
    return false;
}

static bool find_in_weights(const quernel_i_ptq_layer *f, quernel_report *r) {
    const quernel_i_weights_shape *s = &f->shape;
    for (uint32_t n = 0; n < s->out; n++)
        for (uint32_t t = 0; t < s->taps; t++) {
            const quernel_i_weights_source from =
                quernel_i_weights_source_at(&f->layer.weights, s, n, t);
            for (uint32_t c = 0; c < s->group_in; c++) {
                const size_t at = from.first + c * from.step;
                if (isfinite(((const float *)f->layer.weights.data)[at])) continue;
                record_nonfinite(r, QUERNEL_PLACE_WEIGHTS, 0, n, at);
                return true;
            }
        }
    return false;
}

static bool find_in_bias(const quernel_i_ptq_layer *f, quernel_report *r) {
    const float *bias = f->layer.op.epilogue.bias;
    for (uint32_t n = 0; bias && n < f->shape.out; n++)
        if (!isfinite(bias[n])) {
            record_nonfinite(r, QUERNEL_PLACE_BIAS, 0, n, n);
            return true;
        }
    return false;
}

void quernel_i_findings_nonfinite(const quernel_i_ptq_layer *f, quernel_report *r) {
    for (uint32_t i = 0; i < f->count; i++) {
        const quernel_i_ptq_image *m = &f->images[i];
        if (find_in_image(r, QUERNEL_PLACE_INPUT, i, m->x, m->n, m->h, m->w, f->shape.in)) return;
    }
    if (find_in_weights(f, r) || find_in_bias(f, r)) return;
    for (uint32_t i = 0; i < f->count; i++) {
        const quernel_i_ptq_image *m = &f->images[i];
        if (find_in_image(r, QUERNEL_PLACE_FLOAT_OUTPUT, i, m->exact, m->n, m->out_h, m->out_w,
                          f->shape.out))
            return;
    }
}

int quernel_i_findings_dead(quernel_i_ptq_layer *f, quernel_report *r, quernel_error *error) {
    quernel_i_arena_block *mark = f->arena.last;
    float *max = quernel_i_arena_take(&f->arena, f->shape.in, sizeof *max, error);
    if (!max) return QUERNEL_E_MEMORY;
    const int code = quernel_i_setting_absmax(f, QUERNEL_SMOOTH_CHANNEL, NULL, max, error);
    for (uint32_t c = f->shape.in; !code && c-- > 0;)
        if (max[c] == 0.0f) r->silent++, r->first_silent = c;
    quernel_i_arena_rewind(&f->arena, mark);
    for (uint32_t n = f->shape.out; n-- > 0;) {
        const float *column =
            f->matrix + n / f->shape.group_out * f->k * f->shape.group_out + n % f->shape.group_out;
        bool dead = true;
        for (size_t k = 0; k < f->k && dead; k++)
            dead = fabsf(column[k * f->shape.group_out]) < DEAD;
        if (dead) r->dead++, r->first_dead = n;
    }
    if (r->silent) r->findings |= QUERNEL_FINDING_SILENT_INPUT;
    if (r->dead) r->findings |= QUERNEL_FINDING_DEAD_OUTPUT;
    return code;
}

// The float range of a static scale's codes.
typedef struct code_range {
    double lo, hi;
} code_range;

static code_range range_of(const quernel_quant *q) {
    const bool is_unsigned = q->type == QUERNEL_TYPE_U8;
    return (code_range){(double)q->scale * ((is_unsigned ? 0 : -127) - q->zero),
                        (double)q->scale * ((is_unsigned ? 255 : 127) - q->zero)};
}

// Values that clip: half a step beyond the last code is still rounding.
static double count_outside(const quernel_i_bin *bins, uint32_t count, code_range r, double step) {
    double outside = 0.0;
    for (uint32_t i = 0; i < count; i++)
        if (fmax(r.lo - bins[i].at, bins[i].at - r.hi) > 0.5 * fmax(bins[i].width, step))
            outside += bins[i].count;
    return outside;
}

// The width of the range that the data need.
static double needed_range(const quernel_observer_stats *seen, const quernel_quant *q) {
    const double min = (double)seen->min, max = (double)seen->max;
    return q->type == QUERNEL_TYPE_U8 ? fmax(0.0, max) - fmin(0.0, min)
                                      : 2.0 * fmax(fabs(max), fabs(min));
}

int quernel_i_findings_range(quernel_i_ptq_layer *f, const quernel_i_setting *setting,
                             const quernel_quant *q, quernel_report *r, quernel_error *error) {
    quernel_observer_stats seen = QUERNEL_OBSERVER_STATS_INIT;
    const int code = quernel_observer_get(setting->observer, 0, &seen, error);
    if (code || q->mode != QUERNEL_QUANT_STATIC || !seen.count) return code;
    quernel_i_arena_block *mark = f->arena.last;
    quernel_i_bin *bins =
        quernel_i_arena_take(&f->arena, 2 * QUERNEL_I_BINS + 2, sizeof *bins, error);
    if (!bins) return QUERNEL_E_MEMORY;
    const uint32_t count = quernel_i_histogram_list(setting->observer->histogram, bins);
    const code_range codes = range_of(q);
    r->clipped = count_outside(bins, count, codes, (double)q->scale) / (double)seen.count;
    quernel_i_arena_rewind(&f->arena, mark);
    const double needed = needed_range(&seen, q);
    r->scale_ratio = needed > 0.0 ? (codes.hi - codes.lo) / needed : 1.0;
    if (r->scale_ratio > 4.0) r->findings |= QUERNEL_FINDING_SCALE_WIDE;
    if (r->clipped > 0.01) r->findings |= QUERNEL_FINDING_SCALE_NARROW;
    return QUERNEL_OK;
}

// Sums over what one output channel was expected to be (e) and what the float layer gives (y), for
// least squares.
typedef struct moments {
    double count, e, y, ee, ey, yy;
} moments;

static void add(moments *m, double e, double y) {
    m->count += 1.0, m->e += e, m->y += y, m->ee += e * e, m->ey += e * y, m->yy += y * y;
}

// Where the activation cuts both off, the difference says nothing.
static bool tells(const quernel_epilogue *f, float e, float y) {
    if (!isfinite(e) || !isfinite(y)) return false;
    if (f->activation == QUERNEL_ACTIVATION_CLAMP)
        return e > f->lo && e < f->hi && y > f->lo && y < f->hi;
    return f->activation != QUERNEL_ACTIVATION_RELU || (e > 0.0f && y > 0.0f);
}

static moments moments_of(const quernel_i_ptq_layer *f, const quernel_sample *samples, uint32_t n) {
    moments m = {0};
    for (uint32_t i = 0; i < f->count; i++) {
        const quernel_i_ptq_image *image = &f->images[i];
        const size_t pixels = (size_t)image->out_h * image->out_w;
        const bool nchw = samples[i].tensor.layout == QUERNEL_LAYOUT_NCHW;
        for (size_t p = 0; samples[i].expected && p < image->n * pixels; p++) {
            const size_t nhwc = p * f->shape.out + n;
            const float e =
                samples[i]
                    .expected[nchw ? (p / pixels * f->shape.out + n) * pixels + p % pixels : nhwc];
            if (tells(&f->layer.op.epilogue, e, image->exact[nhwc]))
                add(&m, (double)e, (double)image->exact[nhwc]);
        }
    }
    return m;
}

// Whether e − y is a constant, large beside what it varies by.
static bool shifted(const moments *m, double *ret_shift) {
    const double shift = (m->e - m->y) / m->count,
                 square = (m->ee - 2.0 * m->ey + m->yy) / m->count;
    const double spread = sqrt(fmax(square - shift * shift, 0.0)), size = sqrt(m->ee / m->count);
    *ret_shift = shift;
    return fabs(shift) > 1e-3 * size && fabs(shift) > 10.0 * spread;
}

// Whether e is y times a factor that is not 1.
static bool scaled(const moments *m, double *ret_factor) {
    if (!(m->yy > 0.0) || !(m->ee > 0.0)) return false;
    const double factor = m->ey / m->yy, rest = m->ee - factor * m->ey;
    *ret_factor = factor;
    return fabs(factor - 1.0) > 1e-3 && rest < 1e-4 * fabs(factor - 1.0) * m->ee;
}

void quernel_i_findings_mismatch(const quernel_i_ptq_layer *f, const quernel_sample *samples,
                                 quernel_report *r) {
    for (uint32_t n = f->shape.out; n-- > 0;) {
        const moments m = moments_of(f, samples, n);
        double value;
        if (m.count < 2.0) continue;
        if (shifted(&m, &value)) r->shifted++, r->first_shifted = n, r->shift = value;
        else if (scaled(&m, &value)) r->scaled++, r->first_scaled = n, r->factor = value;
    }
    if (r->shifted) r->findings |= QUERNEL_FINDING_BIAS_MISSING;
    if (r->scaled) r->findings |= QUERNEL_FINDING_OUTPUT_SCALED;
}
