// SPDX-License-Identifier: Apache-2.0
// Comparisons of outputs, and the decisions over a whole network that are made of them.
#include <math.h>

#include "base/desc.h"
#include "base/error.h"
#include "ptq/compare.h"

#define WHERE "compare"

double quernel_i_compare_decibel(double signal, double noise) {
    if (!(noise > 0.0)) return 300.0;
    return fmin(fmax(10.0 * (log10(signal) - log10(noise)), -300.0), 300.0);
}

void quernel_i_compare_add(quernel_i_sums *s, const float *reference, const float *y,
                           size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(reference[i]) || !isfinite(y[i])) {
            s->nonfinite++;
            continue;
        }
        const double r = (double)reference[i], v = (double)y[i], difference = fabs(v - r);
        s->count++;
        s->signal += r * r, s->noise += difference * difference;
        s->power += v * v, s->product += v * r;
        s->size += fabs(r), s->error += difference;
        s->max = fmax(s->max, difference);
    }
}

quernel_comparison quernel_i_compare_end(const quernel_i_sums *s) {
    quernel_comparison c = QUERNEL_COMPARISON_INIT;
    c.count = s->count, c.nonfinite = s->nonfinite;
    c.signal = s->signal, c.noise = s->noise, c.max = s->max;
    c.sqnr = quernel_i_compare_decibel(s->signal, s->noise);
    c.l1 = s->size > 0.0 ? s->error / s->size : s->error;
    const double length = sqrt(s->power) * sqrt(s->signal);
    c.cosine = length > 0.0 ? fmin(s->product / length, 1.0) : s->power == s->signal ? 1.0 : 0.0;
    return c;
}

int quernel_compare(const float *reference, const float *y, size_t count,
                    quernel_comparison *ret_comparison, quernel_error *error) {
    if (!reference) return quernel_i_error_null(error, WHERE, "reference");
    if (!y) return quernel_i_error_null(error, WHERE, "y");
    if (!ret_comparison) return quernel_i_error_null(error, WHERE, "ret_comparison");
    quernel_i_sums sums = {0};
    quernel_i_compare_add(&sums, reference, y, count);
    *ret_comparison = quernel_i_compare_end(&sums);
    return QUERNEL_OK;
}

int quernel_accept(const quernel_comparison *plain, const quernel_comparison *searched,
                   uint32_t count, double margin, int32_t *ret_keep, quernel_error *error) {
    if (!plain) return quernel_i_error_null(error, "accept", "plain");
    if (!searched) return quernel_i_error_null(error, "accept", "searched");
    if (!ret_keep) return quernel_i_error_null(error, "accept", "ret_keep");
    if (!(margin >= 0.0 && margin <= 60.0))
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "margin", -1,
                                   "accept: margin: %g: must be 0 to 60", margin);
    if (!count)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "count", -1,
                                   "accept: count: 0: must be 1 or more");
    double before = 0.0, after = 0.0;
    int keep = 1;
    for (uint32_t i = 0; i < count; i++) {
        before += plain[i].noise, after += searched[i].noise;
        keep &= searched[i].sqnr >= plain[i].sqnr - margin &&
                searched[i].nonfinite <= plain[i].nonfinite;
    }
    *ret_keep = keep && after < before && quernel_i_compare_decibel(before, after) >= margin;
    return QUERNEL_OK;
}

// Noise that a layer as float takes away, per second that it costs.
static double worth(const quernel_layer_cost *c) {
    const double seconds = c->float_seconds - c->int8_seconds;
    // Float that costs nothing, or gains time, comes first.
    return seconds > 0.0 ? c->noise / seconds : INFINITY;
}

static int check_costs(const quernel_layer_cost *costs, uint32_t count, double rest,
                       quernel_error *error) {
    for (uint32_t i = 0; i < count; i++) {
        if (quernel_i_check_reserved(error, "rank", "costs.reserved", costs[i].reserved,
                                     sizeof costs[i].reserved))
            return QUERNEL_E_VALUE;
        const double values[] = {costs[i].noise, costs[i].int8_seconds, costs[i].float_seconds};
        static const char *const names[] = {"noise", "int8_seconds", "float_seconds"};
        for (int j = 0; j < 3; j++)
            if (!(values[j] >= 0.0 && isfinite(values[j])))
                return quernel_i_error_set(error, QUERNEL_E_VALUE, names[j], i,
                                           "rank: costs[%u].%s: %g: must be finite and >= 0", i,
                                           names[j], values[j]);
    }
    if (!(rest >= 0.0 && isfinite(rest)))
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "rest", -1,
                                   "rank: rest: %g: must be finite and >= 0", rest);
    return QUERNEL_OK;
}

// Layers in the order in which they should become float; insertion keeps equals in their order.
static void sort_steps(const quernel_layer_cost *costs, uint32_t count, quernel_float_step *steps) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i;
        for (; at > 0 && worth(&costs[steps[at - 1].layer]) < worth(&costs[i]); at--)
            steps[at] = steps[at - 1];
        steps[at].layer = i;
    }
}

int quernel_rank_float(const quernel_layer_cost *costs, uint32_t count, double rest,
                       quernel_float_step *ret_steps, quernel_error *error) {
    if (!costs) return quernel_i_error_null(error, "rank", "costs");
    if (!ret_steps) return quernel_i_error_null(error, "rank", "ret_steps");
    const int code = check_costs(costs, count, rest, error);
    if (code) return code;
    sort_steps(costs, count, ret_steps);
    double seconds = 0.0, noise = rest;
    for (uint32_t i = 0; i < count; i++) seconds += costs[i].int8_seconds;
    const double all = seconds;
    for (uint32_t i = 0; i < count; i++) {
        const quernel_layer_cost *c = &costs[ret_steps[i].layer];
        seconds += c->float_seconds - c->int8_seconds;
        ret_steps[i].time_ratio = all > 0.0 ? seconds / all : 1.0;
    }
    for (uint32_t i = count; i-- > 0;) { // what is left behind step i
        ret_steps[i].sqnr = quernel_i_compare_decibel(1.0, noise);
        noise += costs[ret_steps[i].layer].noise;
    }
    return QUERNEL_OK;
}
