// SPDX-License-Identifier: Apache-2.0
// Calibrators: from what an observer has seen to a range, and from the range to type, scale and
// zero point.
#include <math.h>

#include "base/desc.h"
#include "base/error.h"
#include "cpu/fpenv.h"
#include "quant/observer.h"

#define WHERE "calibrate"
#define CLIPPED_MAX 0.05 // share of the values that entropy may clip

enum {
    STEPS = 24,             // candidates to each power of two
    CANDIDATES = 12 * STEPS // down to 2^-12 of what was seen
};

typedef struct range {
    double lo, hi; // lo <= 0 <= hi
} range;

// What a calibrator works on: the values of one group as bins, and which codes may carry them.
typedef struct problem {
    const quernel_i_bin *bins;
    uint32_t count;
    double zeros; // 0 where they take no part
    double total; // values that take part
    range seen;
    int is_signed, asymmetric;
} problem;

typedef struct codes {
    double d, lo, hi; // step; minimum and maximum code, the zero point subtracted
} codes;

// The codes that the range would be quantized with.
static codes codes_of(const problem *p, range r) {
    const quernel_i_scale q =
        quernel_i_scale_of((float)r.lo, (float)r.hi, p->is_signed, p->asymmetric);
    if (p->is_signed) return (codes){(double)q.d, -127.0, 127.0};
    return (codes){(double)q.d, (double)(0 - q.z), (double)(255 - q.z)};
}

// Round to nearest even of |t| < 2^51, inline: libm's is a call for each bin of each candidate.
static double rne(double t) { return (t + 0x1.8p52) - 0x1.8p52; }

static double clamp(double t, double lo, double hi) { return t < lo ? lo : t > hi ? hi : t; }

// Σ of squared errors: rounding inside the range, clipping outside of it. Zeros have none.
static double squared_error(const problem *p, range r) {
    const codes c = codes_of(p, r);
    double sum = 0.0;
    for (uint32_t i = 0; i < p->count; i++) {
        const double x = p->bins[i].at, error = x - c.d * rne(clamp(x / c.d, c.lo, c.hi));
        sum += p->bins[i].count * error * error;
    }
    return sum;
}

// One code's share of the divergence: what the bins hold against the same sum spread evenly over
// their widths. `below` and `above` are clipped values, which the seen distribution keeps in its
// first and last bin.
static double cell_divergence(const problem *p, uint32_t first, uint32_t last, double below,
                              double above, double kept) {
    double sum = 0.0, width = 0.0, divergence = 0.0;
    for (uint32_t i = first; i < last; i++) sum += p->bins[i].count, width += p->bins[i].width;
    for (uint32_t i = first; i < last; i++) {
        const double seen =
            p->bins[i].count + (i == first ? below : 0.0) + (i + 1 == last ? above : 0.0);
        const double spread = sum * p->bins[i].width / width;
        divergence += seen / p->total * log(seen / p->total * kept / spread);
    }
    return divergence;
}

// Kullback-Leibler divergence of the quantized distribution from the seen one. Zeros are a code of
// their own.
static double divergence(const problem *p, range r) {
    const codes c = codes_of(p, r);
    uint32_t begin = 0, end = p->count;
    double below = 0.0, above = 0.0;
    while (begin < end && rne(p->bins[begin].at / c.d) < c.lo) below += p->bins[begin++].count;
    while (end > begin && rne(p->bins[end - 1].at / c.d) > c.hi) above += p->bins[--end].count;
    const double kept = p->total - below - above;
    // Where nearly all is clipped, both distributions are one bin and alike: that is no likeness of
    // the values.
    if (begin == end || below + above > CLIPPED_MAX * p->total) return INFINITY;
    double sum = p->zeros ? p->zeros / p->total * log(kept / p->total) : 0.0;
    for (uint32_t first = begin, last; first < end; first = last) {
        const double code = rne(p->bins[first].at / c.d);
        for (last = first + 1; last < end && rne(p->bins[last].at / c.d) == code;) last++;
        sum += cell_divergence(p, first, last, first == begin ? below : 0.0,
                               last == end ? above : 0.0, kept);
    }
    return sum;
}

typedef double cost_of(const problem *p, range r);

// The least cost where both ends shrink (by_lo, by_hi), or one of them. Of equals the widest.
static range shrink(const problem *p, cost_of *cost, range from, int by_lo, int by_hi) {
    range best = from;
    double min = cost(p, from);
    for (int j = 1; j <= CANDIDATES; j++) {
        const double share = exp2(-(double)j / STEPS);
        const range r = {by_lo ? from.lo * share : from.lo, by_hi ? from.hi * share : from.hi};
        const double shrunk = cost(p, r);
        if (shrunk < min) min = shrunk, best = r;
    }
    return best;
}

// The range of least cost. Asymmetric ones shrink together first, then each end by itself.
static range minimize(const problem *p, cost_of *cost) {
    const range both = shrink(p, cost, p->seen, 1, 1);
    if (!p->asymmetric) return both;
    return shrink(p, cost, shrink(p, cost, both, 1, 0), 0, 1);
}

// The magnitude at the far side of a bin.
static double outer_edge(const quernel_i_bin *b) { return fabs(b->at) + 0.5 * b->width; }

// Drops bins from the ends while what is dropped stays within each end's budget.
static void drop_ends(const problem *p, double low, double high, uint32_t *begin, uint32_t *end) {
    while (*end > *begin && p->bins[*end - 1].count <= high) high -= p->bins[--*end].count;
    while (*begin < *end && p->bins[*begin].count <= low) low -= p->bins[(*begin)++].count;
}

// Drops the bin of the larger magnitude, again and again, from one budget.
static void drop_magnitudes(const problem *p, double budget, uint32_t *begin, uint32_t *end) {
    while (*begin < *end) {
        const int left = fabs(p->bins[*begin].at) > fabs(p->bins[*end - 1].at);
        const double count = p->bins[left ? *begin : *end - 1].count;
        if (count > budget) return;
        budget -= count;
        if (left) ++*begin;
        else --*end;
    }
}

// The least range that reaches as far to both sides.
static range symmetric(range r) {
    const double max = fmax(-r.lo, r.hi);
    return (range){-max, max};
}

// The range that holds `share` of the values: the bins outside of it are dropped.
static range percentile(const problem *p, double share) {
    const double budget = (1.0 - share) * p->total;
    uint32_t begin = 0, end = p->count;
    if (p->is_signed) drop_magnitudes(p, budget, &begin, &end);
    else
        drop_ends(p, p->asymmetric ? 0.5 * budget : 0.0, p->asymmetric ? 0.5 * budget : budget,
                  &begin, &end);
    range r = {0.0, 0.0};
    if (begin < end && p->bins[begin].at < 0.0)
        r.lo = fmax(-outer_edge(&p->bins[begin]), p->seen.lo);
    if (begin < end && p->bins[end - 1].at > 0.0)
        r.hi = fmin(outer_edge(&p->bins[end - 1]), p->seen.hi);
    return p->is_signed ? symmetric(r) : r;
}

static range mean_of_extremes(const problem *p, const quernel_i_group *g, int nonzero) {
    const uint64_t samples = nonzero ? g->loud : g->samples;
    if (!samples) return (range){0.0, 0.0};
    const range r = {-quernel_i_exact_sum_value(&g->sum_min) / (double)samples,
                     quernel_i_exact_sum_value(&g->sum_max) / (double)samples};
    return p->is_signed ? symmetric(r) : r;
}

static range choose(const problem *p, const quernel_i_group *g,
                    const quernel_calibration_options *o) {
    switch (o->calibrator) {
    case QUERNEL_CALIBRATOR_MEAN: return mean_of_extremes(p, g, o->nonzero);
    case QUERNEL_CALIBRATOR_PERCENTILE: return percentile(p, o->percentile);
    case QUERNEL_CALIBRATOR_ENTROPY: return minimize(p, divergence);
    case QUERNEL_CALIBRATOR_MSE: return minimize(p, squared_error);
    default: return p->seen;
    }
}

// A range of nothing but zeros says nothing: then what was seen is kept.
static range choose_nonempty(const problem *p, const quernel_i_group *g,
                             const quernel_calibration_options *o) {
    const range r = choose(p, g, o);
    return r.lo == 0.0 && r.hi == 0.0 ? p->seen : r;
}

static void report_clipping(const problem *p, range r, quernel_calibration *ret) {
    double outside = 0.0, cut = 0.0, power = 0.0;
    for (uint32_t i = 0; i < p->count; i++) {
        const quernel_i_bin *b = &p->bins[i];
        const double beyond = fmax(fmax(r.lo - b->at, b->at - r.hi), 0.0);
        // A bin that the range's end passes through counts as inside.
        if (beyond > 0.5 * b->width) outside += b->count, cut += b->count * beyond * beyond;
        power += b->count * b->at * b->at;
    }
    ret->clipped = p->total > 0.0 ? outside / p->total : 0.0;
    ret->clipped_error = power > 0.0 ? cut / power : 0.0;
}

static problem problem_of(const quernel_i_group *g, const quernel_i_bin *bins, uint32_t count,
                          const quernel_calibration_options *o) {
    problem p = {.bins = bins, .count = count};
    p.is_signed = o->signedness == QUERNEL_SIGNEDNESS_S8;
    p.asymmetric = !p.is_signed && g->min < 0.0f;
    p.zeros = o->nonzero ? 0.0 : (double)g->zeros;
    p.total = (double)(g->count - g->zeros) + p.zeros;
    p.seen = (range){fmin(0.0, (double)g->min), fmax(0.0, (double)g->max)};
    if (p.is_signed) p.seen = symmetric(p.seen);
    return p;
}

#define OPTIONS                                                                         \
    QUERNEL_I_DESC(quernel_calibration_options, QUERNEL_CALIBRATION_OPTIONS_MIN, WHERE, \
                   "options.size")
#define CHOICE \
    QUERNEL_I_DESC(quernel_calibration, QUERNEL_CALIBRATION_MIN, WHERE, "ret_choice.size")

static void solve(const problem *p, const quernel_i_group *g, const quernel_calibration_options *o,
                  int has_histogram, quernel_calibration *ret) {
    const range r = choose_nonempty(p, g, o);
    const quernel_i_scale q =
        quernel_i_scale_of((float)r.lo, (float)r.hi, p->is_signed, p->asymmetric);
    quernel_calibration c = QUERNEL_CALIBRATION_INIT;
    c.quant.type = p->is_signed ? QUERNEL_TYPE_S8 : QUERNEL_TYPE_U8;
    c.quant.scale = q.d, c.quant.zero = q.z, c.quant.asymmetric = p->asymmetric,
    c.quant.narrow = p->is_signed;
    c.lo = (float)r.lo, c.hi = (float)r.hi;
    if (has_histogram) report_clipping(p, r, &c);
    else c.clipped = c.clipped_error = o->calibrator == QUERNEL_CALIBRATOR_ABSMAX ? 0.0 : -1.0;
    quernel_i_desc_write(CHOICE, ret, &c);
}

static int check_options(const quernel_observer *o, const quernel_calibration_options *options,
                         quernel_error *error) {
    int code = quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "calibrator",
                                     options->calibrator, 0, QUERNEL_CALIBRATOR_MSE);
    if (!code)
        code =
            quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "nonzero", options->nonzero, 0, 1);
    if (!code)
        code = quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "signedness",
                                     options->signedness, 0, 1);
    if (code) return code;
    if (!(options->percentile >= 0.5 && options->percentile <= 1.0))
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "percentile", -1,
                                   WHERE ": percentile: %g: must be 0.5 to 1", options->percentile);
    if (!o->histogram && options->calibrator >= QUERNEL_CALIBRATOR_PERCENTILE)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "calibrator", -1,
                                   WHERE ": calibrator: %d: needs an observer with a histogram",
                                   options->calibrator);
    return QUERNEL_OK;
}

static int check_group(const quernel_observer *o, uint32_t group,
                       const quernel_calibration_options *options, quernel_error *error) {
    if (group >= o->groups)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "group", -1,
                                   WHERE ": group: %u: must be below %u", group, o->groups);
    const quernel_i_group *g = &o->group[group];
    if (g->nans + g->infs && !options->allow_nonfinite)
        return quernel_i_error_set(
            error, QUERNEL_E_VALUE, "observer", g->first_nonfinite,
            WHERE
            ": observer: group %u holds %llu NaN and %llu infinities, the first at element %lld",
            group, (unsigned long long)g->nans, (unsigned long long)g->infs,
            (long long)g->first_nonfinite);
    if (!g->count)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "observer", -1,
                                   WHERE ": observer: group %u has seen no finite value", group);
    return QUERNEL_OK;
}

// The calibration of a checked group; memory for its bins where it has a histogram.
static int calibrate(const quernel_observer *o, uint32_t group,
                     const quernel_calibration_options *options, quernel_calibration *ret,
                     quernel_error *error) {
    const quernel_i_group *g = &o->group[group];
    const size_t bytes = (2 * QUERNEL_I_BINS + 2) * sizeof(quernel_i_bin);
    quernel_i_bin *bins = o->histogram ? quernel_i_allocate(&o->allocator, bytes) : NULL;
    if (o->histogram && !bins)
        return quernel_i_error_set(error, QUERNEL_E_MEMORY, "allocator", -1,
                                   WHERE ": no memory for %zu bytes", bytes);
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    const uint32_t count = bins ? quernel_i_histogram_list(&o->histogram[group], bins) : 0;
    const problem p = problem_of(g, bins, count, options);
    solve(&p, g, options, bins != NULL, ret);
    quernel_i_fpenv_leave(caller);
    quernel_i_release(&o->allocator, bins, bytes);
    return QUERNEL_OK;
}

int quernel_observer_calibrate(const quernel_observer *observer, uint32_t group,
                               const quernel_calibration_options *options,
                               quernel_calibration *ret_choice, quernel_error *error) {
    quernel_calibration_options wanted = QUERNEL_CALIBRATION_OPTIONS_INIT;
    const quernel_calibration_options *o = &wanted;
    if (!observer) return quernel_i_error_null(error, WHERE, "observer");
    if (!ret_choice) return quernel_i_error_null(error, WHERE, "ret_choice");
    int code = quernel_i_desc_check(CHOICE, ret_choice, error);
    if (!code && options) code = quernel_i_desc_read(OPTIONS, &wanted, options, error);
    if (!code) code = check_options(observer, o, error);
    if (!code) code = check_group(observer, group, o, error);
    return code ? code : calibrate(observer, group, o, ret_choice, error);
}
