// SPDX-License-Identifier: Apache-2.0
// Smoothing factors: SmoothQuant's equation 4 with floors, in double, rounded once.
#include <math.h>

#include "base/desc.h"
#include "base/error.h"
#include "quernel/smooth.h"

#define WHERE "smooth"

static int check_maxima(quernel_error *error, const char *name, const float *values, uint32_t count,
                        double *ret_max) {
    double max = 0.0;
    for (uint32_t k = 0; k < count; k++) {
        if (!isfinite(values[k]) || values[k] < 0.0f)
            return quernel_i_error_set(error, QUERNEL_E_VALUE, name, k,
                                       WHERE ": %s[%u]: %g: must be finite and >= 0", name, k,
                                       (double)values[k]);
        if (values[k] > max) max = values[k];
    }
    *ret_max = max;
    return QUERNEL_OK;
}

static int check_option(quernel_error *error, const char *name, double value, double lo,
                        double hi) {
    if (value >= lo && value <= hi) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_VALUE, name, -1, WHERE ": %s: %g: must be %g to %g",
                               name, value, lo, hi);
}

static int check_options(const quernel_smooth_options *o, quernel_error *error) {
    int code = check_option(error, "alpha", o->alpha, 0.0, 1.0);
    if (!code) code = check_option(error, "act_floor", o->act_floor, 0x1p-40, 1.0);
    if (!code) code = check_option(error, "weight_floor", o->weight_floor, 0x1p-40, 1.0);
    return code;
}

// a^alpha / w^(1 − alpha), where maxima below the floors' share of the peaks count as that share.
static double factor(double a, double w, double act_peak, double weight_peak,
                     const quernel_smooth_options *o) {
    if (!(act_peak > 0.0 && weight_peak > 0.0)) return 1.0;
    const double act = fmax(a, act_peak * o->act_floor),
                 weight = fmax(w, weight_peak * o->weight_floor);
    return pow(act, o->alpha) / pow(weight, 1.0 - o->alpha);
}

int quernel_smooth_factors(const float *act_max, const float *weight_max, uint32_t count,
                           const quernel_smooth_options *options, float *ret_smooth,
                           quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_smooth_options, QUERNEL_SMOOTH_OPTIONS_MIN, WHERE, "size");
    quernel_smooth_options wanted = QUERNEL_SMOOTH_OPTIONS_INIT;
    const quernel_smooth_options *o = &wanted;
    if (!act_max) return quernel_i_error_null(error, WHERE, "act_max");
    if (!weight_max) return quernel_i_error_null(error, WHERE, "weight_max");
    if (!ret_smooth) return quernel_i_error_null(error, WHERE, "ret_smooth");
    double act_peak = 0.0, weight_peak = 0.0;
    int code = options ? quernel_i_desc_read(desc, &wanted, options, error) : QUERNEL_OK;
    if (!code) code = check_options(o, error);
    if (!code) code = check_maxima(error, "act_max", act_max, count, &act_peak);
    if (!code) code = check_maxima(error, "weight_max", weight_max, count, &weight_peak);
    if (code) return code;
    for (uint32_t k = 0; k < count; k++) {
        const double s = factor(act_max[k], weight_max[k], act_peak, weight_peak, o);
        ret_smooth[k] = (float)fmin(fmax(s, 0x1p-20), 0x1p20);
    }
    return QUERNEL_OK;
}
