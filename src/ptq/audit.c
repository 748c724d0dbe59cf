// SPDX-License-Identifier: Apache-2.0
// The audit of one layer: the true operator against float, and its error split by switching one
// cause off at a time.
#include <math.h>

#include "base/desc.h"
#include "ptq/chosen.h"
#include "ptq/compare.h"
#include "ptq/findings.h"

#define WHERE "audit"

// y over all images by one of two ways, compared with `exact`.
static int judge(quernel_i_chosen *a, quernel_weights *weights, const quernel_quant *quant,
                 quernel_comparison *ret, quernel_error *error) {
    quernel_i_sums sums = {0};
    for (uint32_t i = 0; i < a->f.count; i++) {
        const quernel_i_ptq_image *image = &a->f.images[i];
        const int code = quernel_i_ptq_layer_run(&a->f, weights, quant, image, true, a->y, error);
        if (code) return code;
        quernel_i_compare_add(&sums, image->exact, a->y, quernel_i_ptq_image_outputs(&a->f, image));
    }
    *ret = quernel_i_compare_end(&sums);
    return QUERNEL_OK;
}

static double judge_fake(quernel_i_chosen *a, const float *matrix, bool clip, bool round) {
    const quernel_i_fake fake = {&a->choice.quant, a->multiplier, clip, round};
    quernel_i_sums sums = {0};
    for (uint32_t i = 0; i < a->f.count; i++) {
        const quernel_i_ptq_image *image = &a->f.images[i];
        quernel_i_ptq_layer_product(&a->f, image, matrix, &fake, true, a->y);
        quernel_i_compare_add(&sums, image->exact, a->y, quernel_i_ptq_image_outputs(&a->f, image));
    }
    return quernel_i_compare_end(&sums).sqnr;
}

static int judge_unsmoothed(quernel_i_chosen *a, quernel_report *r, quernel_error *error) {
    r->sqnr_without[QUERNEL_CAUSE_SMOOTHING] = r->total.sqnr;
    if (a->setting.kind == QUERNEL_SMOOTH_NONE) return QUERNEL_OK;
    quernel_i_setting off = {.kind = QUERNEL_SMOOTH_NONE};
    int code = quernel_i_setting_open(&a->f, NULL, &off, error);
    if (code) return code;
    quernel_calibration_options o = QUERNEL_CALIBRATION_OPTIONS_INIT;
    o.calibrator = a->choice.calibrator,
    o.nonzero = a->choice.nonzero && o.calibrator != QUERNEL_CALIBRATOR_MEAN;
    o.signedness =
        a->choice.quant.type == QUERNEL_TYPE_S8 ? QUERNEL_SIGNEDNESS_S8 : QUERNEL_SIGNEDNESS_AUTO;
    o.allow_nonfinite = 1;
    quernel_calibration c = QUERNEL_CALIBRATION_INIT;
    quernel_comparison comparison = QUERNEL_COMPARISON_INIT;
    code = quernel_observer_calibrate(off.observer, 0, &o, &c, error);
    c.quant.mode = a->choice.quant.mode;
    if (!code) code = judge(a, off.weights, &c.quant, &comparison, error);
    quernel_i_setting_close(&off);
    if (!code) r->sqnr_without[QUERNEL_CAUSE_SMOOTHING] = comparison.sqnr;
    return code;
}

// The SQNR with one cause of error at a time switched off.
static int judge_causes(quernel_i_chosen *a, quernel_report *r, quernel_error *error) {
    const float *scale;
    const int code = quernel_i_chosen_fill(a, &scale, error);
    if (code) return code;
    r->sqnr_without[QUERNEL_CAUSE_WEIGHTS] = judge_fake(a, a->smoothed, true, true);
    r->sqnr_without[QUERNEL_CAUSE_ROUNDING] = judge_fake(a, a->quantized, true, false);
    r->sqnr_without[QUERNEL_CAUSE_CLIPPING] = judge_fake(a, a->quantized, false, true);
    return judge_unsmoothed(a, r, error);
}

static void find_in_output(quernel_report *r) {
    if (!r->total.nonfinite || r->findings & QUERNEL_FINDING_NONFINITE) return;
    r->findings |= QUERNEL_FINDING_NONFINITE;
    r->nonfinite_place = QUERNEL_PLACE_INT8_OUTPUT;
}

static int run(quernel_i_chosen *a, const quernel_sample *samples, quernel_report *r,
               quernel_error *error) {
    quernel_i_findings_nonfinite(&a->f, r);
    quernel_i_findings_mismatch(&a->f, samples, r);
    int code = quernel_i_findings_dead(&a->f, r, error);
    const bool runs =
        r->nonfinite_place != QUERNEL_PLACE_WEIGHTS && r->nonfinite_place != QUERNEL_PLACE_BIAS;
    if (code || !runs) return code;
    if ((code = quernel_i_setting_open(&a->f, NULL, &a->setting, error))) return code;
    code = quernel_i_findings_range(&a->f, &a->setting, &a->choice.quant, r, error);
    if (!code) code = judge(a, a->setting.weights, &a->choice.quant, &r->total, error);
    if (!code) find_in_output(r);
    if (!code) code = judge_causes(a, r, error);
    quernel_i_setting_close(&a->setting);
    return code;
}

int quernel_audit_layer(const quernel_float_layer *layer, const quernel_choice *choice,
                        const float *smooth, const quernel_sample *samples, uint32_t count,
                        quernel_report *ret_report, quernel_error *error) {
    if (!ret_report) return quernel_i_error_null(error, WHERE, "ret_report");
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_report, QUERNEL_REPORT_MIN, WHERE, "ret_report.size");
    quernel_i_chosen a;
    int code = quernel_i_desc_check(desc, ret_report, error);
    if (!code) code = quernel_i_chosen_open(layer, choice, smooth, samples, count, &a, error);
    if (code) return code;
    quernel_report report = QUERNEL_REPORT_INIT;
    code = run(&a, samples, &report, error);
    if (!code) quernel_i_desc_write(desc, ret_report, &report);
    quernel_i_chosen_close(&a);
    return code;
}

// Σ over all images of what the int8 layer lacks in each channel.
static int sum_lack(quernel_i_chosen *a, double *sums, double *ret_count, quernel_error *error) {
    for (uint32_t i = 0; i < a->f.count; i++) {
        const quernel_i_ptq_image *image = &a->f.images[i];
        quernel_i_arena_block *mark = a->f.arena.last;
        const size_t outputs = quernel_i_ptq_image_outputs(&a->f, image);
        float *exact = quernel_i_arena_take(&a->f.arena, outputs, sizeof *exact, error);
        if (!exact) return QUERNEL_E_MEMORY;
        const int code = quernel_i_ptq_layer_run(&a->f, a->setting.weights, &a->choice.quant, image,
                                                 false, a->y, error);
        if (code) return code;
        quernel_i_ptq_layer_product(&a->f, image, a->f.matrix, NULL, false, exact);
        for (size_t j = 0; j < outputs; j++) {
            const double lack = (double)exact[j] - (double)a->y[j];
            if (isfinite(lack)) sums[j % a->f.shape.out] += lack;
        }
        *ret_count += (double)(outputs / a->f.shape.out);
        quernel_i_arena_rewind(&a->f.arena, mark);
    }
    return QUERNEL_OK;
}

// The bias with the mean of what each channel lacks.
static int correct(quernel_i_chosen *a, float *ret_bias, quernel_error *error) {
    const uint32_t out = a->f.shape.out;
    double count = 0.0, *sums = quernel_i_arena_take(&a->f.arena, out, sizeof *sums, error);
    if (!sums) return QUERNEL_E_MEMORY;
    for (uint32_t n = 0; n < out; n++) sums[n] = 0.0;
    int code = quernel_i_setting_open(&a->f, NULL, &a->setting, error);
    if (code) return code;
    code = sum_lack(a, sums, &count, error);
    quernel_i_setting_close(&a->setting);
    const float *bias = a->f.layer.op.epilogue.bias;
    for (uint32_t n = 0; n < out && !code; n++)
        ret_bias[n] = (float)((bias ? (double)bias[n] : 0.0) + sums[n] / count);
    return code;
}

int quernel_bias_correct(const quernel_float_layer *layer, const quernel_choice *choice,
                         const float *smooth, const quernel_sample *samples, uint32_t count,
                         float *ret_bias, quernel_error *error) {
    if (!ret_bias) return quernel_i_error_null(error, WHERE, "ret_bias");
    quernel_i_chosen a;
    int code = quernel_i_chosen_open(layer, choice, smooth, samples, count, &a, error);
    if (code) return code;
    code = correct(&a, ret_bias, error);
    quernel_i_chosen_close(&a);
    return code;
}
