// SPDX-License-Identifier: Apache-2.0
// The search of one layer: each candidate is run by the real operator on held-out samples.
#include <math.h>
#include <string.h>

#include "base/desc.h"
#include "ptq/compare.h"
#include "ptq/setting.h"
#include "quernel/fold.h"
#include "quernel/smooth.h"

#define WHERE "search"

enum { CALIBRATORS = QUERNEL_CALIBRATOR_MSE + 1, SIGNS = 2, MODES = 3 };

static const double standard_alphas[] = {0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};

// How scales are found; what a candidate is beside its smoothing.
typedef struct recipe {
    int32_t calibrator, signedness, mode;
} recipe;

// A candidate that ran.
typedef struct result {
    recipe recipe;
    int32_t kind;
    double alpha, sqnr;
    quernel_quant quant;
} result;

#define OPTIONS \
    QUERNEL_I_DESC(quernel_search_options, QUERNEL_SEARCH_OPTIONS_MIN, WHERE, "options.size")
#define CHOICE QUERNEL_I_DESC(quernel_choice, QUERNEL_CHOICE_MIN, WHERE, "ret_choice.size")

typedef struct search {
    quernel_i_ptq_layer f;
    const quernel_search_options *o; // as this library lays them out
    const double *alphas;
    uint32_t alpha_count;
    bool *fits, *judges;                  // [count] samples
    float *y;                             // the largest output
    float *act_max, *weight_max, *smooth; // [in·taps]
    result best, off, plain;              // sqnr −INFINITY: none
    uint32_t tried;
    quernel_error refusal; // of the last candidate that could not run
} search;

static int check_option(quernel_error *error, const char *name, double value, double lo,
                        double hi) {
    if (value >= lo && value <= hi) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_VALUE, name, -1, WHERE ": %s: %g: must be %g to %g",
                               name, value, lo, hi);
}

static int check_sets(const quernel_search_options *o, quernel_error *error) {
    const struct {
        const char *name;
        uint32_t value, lo, hi;
    } sets[] = {{"calibrators", o->calibrators, 1, (1u << CALIBRATORS) - 1},
                {"signedness", o->signedness, 1, (1u << SIGNS) - 1},
                {"modes", o->modes, 1, (1u << MODES) - 1},
                {"nonzero", (uint32_t)o->nonzero, 0, 1},
                {"alpha_count", o->alpha_count, 0, 1024}};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        const int code = quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, sets[i].name,
                                               sets[i].value, sets[i].lo, sets[i].hi);
        if (code) return code;
    }
    if (o->smooth_kinds & ~(1u << QUERNEL_SMOOTH_CHANNEL | 1u << QUERNEL_SMOOTH_COLUMN))
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "smooth_kinds", -1,
                                   WHERE ": smooth_kinds: %#x: unknown bits", o->smooth_kinds);
    return QUERNEL_OK;
}

static int check_options(const quernel_search_options *o, quernel_error *error) {
    int code = check_sets(o, error);
    for (uint32_t i = 0; !code && o->alphas && i < o->alpha_count; i++)
        if (!(o->alphas[i] >= 0.0 && o->alphas[i] <= 1.0))
            return quernel_i_error_set(error, QUERNEL_E_VALUE, "alphas", i,
                                       WHERE ": alphas[%u]: %g: must be 0 to 1", i, o->alphas[i]);
    if (!code) code = check_option(error, "percentile", o->percentile, 0.5, 1.0);
    if (!code) code = check_option(error, "holdout", o->holdout, 0.0, 0.9);
    if (!code) code = check_option(error, "margin", o->margin, 0.0, 60.0);
    if (!code) code = check_option(error, "act_floor", o->act_floor, 0x1p-40, 1.0);
    if (!code) code = check_option(error, "weight_floor", o->weight_floor, 0x1p-40, 1.0);
    return code;
}

// Held-out samples are spread evenly over the set. A single sample does both.
static void split(search *s) {
    const uint32_t count = s->f.count;
    uint32_t held = 0;
    for (uint32_t i = 0; i < count; i++) {
        s->judges[i] = floor((i + 1) * s->o->holdout + 1e-9) > floor(i * s->o->holdout + 1e-9);
        held += s->judges[i];
    }
    if (!held && count > 1 && s->o->holdout > 0.0) s->judges[count - 1] = true, held = 1;
    for (uint32_t i = 0; i < count; i++) s->fits[i] = !s->judges[i];
    for (uint32_t i = 0; i < count && !held; i++) s->judges[i] = true;
}

static int calibrate(const search *s, const quernel_i_setting *setting, recipe r,
                     quernel_quant *ret_quant, quernel_error *error) {
    quernel_calibration_options o = QUERNEL_CALIBRATION_OPTIONS_INIT;
    const bool by_count =
        r.calibrator == QUERNEL_CALIBRATOR_PERCENTILE || r.calibrator == QUERNEL_CALIBRATOR_ENTROPY;
    o.calibrator = r.calibrator, o.signedness = r.signedness, o.percentile = s->o->percentile;
    o.nonzero = by_count && s->o->nonzero;
    quernel_calibration c = QUERNEL_CALIBRATION_INIT;
    const int code = quernel_observer_calibrate(setting->observer, 0, &o, &c, error);
    if (code) return code;
    c.quant.mode = r.mode;
    if (r.mode != QUERNEL_QUANT_STATIC) c.quant.scale = 1.0f, c.quant.zero = 0;
    *ret_quant = c.quant;
    return QUERNEL_OK;
}

// The SQNR of a candidate on the samples that judge.
static int judge(search *s, const quernel_i_setting *setting, const quernel_quant *quant,
                 double *ret_sqnr, quernel_error *error) {
    quernel_i_sums sums = {0};
    int code = QUERNEL_OK;
    for (uint32_t i = 0; i < s->f.count && !code; i++) {
        const quernel_i_ptq_image *image = &s->f.images[i];
        if (!s->judges[i]) continue;
        code = quernel_i_ptq_layer_run(&s->f, setting->weights, quant, image, true, s->y, error);
        if (!code)
            quernel_i_compare_add(&sums, image->exact, s->y,
                                  quernel_i_ptq_image_outputs(&s->f, image));
    }
    if (!code) *ret_sqnr = quernel_i_compare_decibel(sums.signal, sums.noise);
    return code;
}

// A refusal that leaves other candidates: what this operator or these values do not allow.
static bool leaves_others(int code) {
    return code == QUERNEL_E_UNSUPPORTED || code == QUERNEL_E_OVERFLOW || code == QUERNEL_E_VALUE;
}

static int try(search *s, const quernel_i_setting *setting, recipe r, quernel_error *error) {
    result trial = {.recipe = r, .kind = setting->kind, .alpha = setting->alpha};
    int code = calibrate(s, setting, r, &trial.quant, error);
    if (code) return code;
    code = judge(s, setting, &trial.quant, &trial.sqnr, &s->refusal);
    if (leaves_others(code)) return QUERNEL_OK;
    if (code) {
        if (error) *error = s->refusal;
        return code;
    }
    s->tried++;
    if (trial.sqnr > s->best.sqnr) s->best = trial;
    if (setting->kind != QUERNEL_SMOOTH_NONE) return QUERNEL_OK;
    if (trial.sqnr > s->off.sqnr) s->off = trial;
    if (!r.calibrator && !r.signedness && !r.mode) s->plain = trial;
    return QUERNEL_OK;
}

static int try_all(search *s, const quernel_i_setting *setting, quernel_error *error) {
    int code = QUERNEL_OK;
    for (int32_t mode = 0; mode < MODES; mode++)
        for (int32_t sign = 0; sign < SIGNS; sign++)
            for (int32_t calibrator = 0; calibrator < CALIBRATORS && !code; calibrator++) {
                if (!(s->o->modes >> mode & 1) || !(s->o->signedness >> sign & 1)) continue;
                // A scale that is computed in the run needs no calibrator: one try is enough.
                const bool once = mode != QUERNEL_QUANT_STATIC;
                if (once ? calibrator != 0 : !(s->o->calibrators >> calibrator & 1)) continue;
                code = try(s, setting, (recipe){calibrator, sign, mode}, error);
            }
    return code;
}

// The best recipe without smoothing, and absmax, which smoothing suits best.
static int try_few(search *s, const quernel_i_setting *setting, quernel_error *error) {
    const recipe best = s->off.recipe,
                 absmax = {QUERNEL_CALIBRATOR_ABSMAX, best.signedness, best.mode};
    const int code = try(s, setting, best, error);
    return code || best.calibrator == absmax.calibrator || !(s->o->calibrators & 1)
               ? code
               : try(s, setting, absmax, error);
}

// Smoothing factors of a kind and an alpha, from the samples that fit.
static int factors(search *s, int32_t kind, double alpha, float *ret_smooth, quernel_error *error) {
    const size_t count = quernel_i_setting_factors(&s->f, kind);
    quernel_smooth_options o = QUERNEL_SMOOTH_OPTIONS_INIT;
    o.alpha = alpha, o.act_floor = s->o->act_floor, o.weight_floor = s->o->weight_floor;
    memset(s->weight_max, 0, count * sizeof *s->weight_max);
    int code = quernel_i_setting_absmax(&s->f, kind, s->fits, s->act_max, error);
    if (!code) code = quernel_weights_absmax(&s->f.layer.weights, kind, s->weight_max, error);
    if (!code)
        code = quernel_smooth_factors(s->act_max, s->weight_max, (uint32_t)count, &o, ret_smooth,
                                      error);
    return code;
}

// Runs the candidates of one smoothing, all of them or the most promising.
static int try_setting(search *s, int32_t kind, double alpha, bool all, quernel_error *error) {
    quernel_i_setting setting = {.kind = kind, .alpha = alpha, .smooth = s->smooth};
    int code = kind ? factors(s, kind, alpha, s->smooth, error) : QUERNEL_OK;
    if (!code) code = quernel_i_setting_open(&s->f, s->fits, &setting, error);
    if (code) return code;
    code = all ? try_all(s, &setting, error) : try_few(s, &setting, error);
    quernel_i_setting_close(&setting);
    return code;
}

static bool offers(const search *s, int32_t kind) {
    const bool possible =
        kind == QUERNEL_SMOOTH_CHANNEL || s->f.shape.kind == QUERNEL_WEIGHTS_CONV2D;
    return possible && s->o->smooth_kinds >> kind & 1;
}

static int run(search *s, quernel_error *error) {
    int code = try_setting(s, QUERNEL_SMOOTH_NONE, 0.0, true, error);
    if (!code && isinf(s->off.sqnr)) {
        if (error) *error = s->refusal;
        return s->refusal.code;
    }
    for (int32_t kind = QUERNEL_SMOOTH_CHANNEL; kind <= QUERNEL_SMOOTH_COLUMN; kind++)
        for (uint32_t i = 0; i < s->alpha_count && !code; i++)
            if (offers(s, kind)) code = try_setting(s, kind, s->alphas[i], false, error);
    if (!code && s->best.kind) code = try_setting(s, s->best.kind, s->best.alpha, true, error);
    if (s->best.sqnr < s->off.sqnr + s->o->margin) s->best = s->off;
    return code;
}

static int take(search *s, quernel_error *error) {
    const size_t outputs = quernel_i_ptq_layer_max_outputs(&s->f);
    const size_t factors_max = (size_t)s->f.shape.in * s->f.shape.taps;
    s->fits = quernel_i_arena_take(&s->f.arena, s->f.count, sizeof *s->fits, error);
    s->judges =
        s->fits ? quernel_i_arena_take(&s->f.arena, s->f.count, sizeof *s->judges, error) : NULL;
    s->y = s->judges ? quernel_i_arena_take(&s->f.arena, outputs, sizeof *s->y, error) : NULL;
    s->act_max =
        s->y ? quernel_i_arena_take(&s->f.arena, factors_max, sizeof *s->act_max, error) : NULL;
    s->weight_max =
        s->act_max ? quernel_i_arena_take(&s->f.arena, factors_max, sizeof *s->weight_max, error)
                   : NULL;
    s->smooth = s->weight_max
                    ? quernel_i_arena_take(&s->f.arena, factors_max, sizeof *s->smooth, error)
                    : NULL;
    return s->smooth ? QUERNEL_OK : QUERNEL_E_MEMORY;
}

// Input channels that are 0 in all samples.
static int count_silent(search *s, quernel_choice *choice, quernel_error *error) {
    const int code =
        quernel_i_setting_absmax(&s->f, QUERNEL_SMOOTH_CHANNEL, NULL, s->act_max, error);
    for (uint32_t c = s->f.shape.in; !code && c-- > 0;)
        if (s->act_max[c] == 0.0f) choice->silent++, choice->first_silent = c;
    return code;
}

static int report(search *s, quernel_choice *ret_choice, float *ret_smooth, quernel_error *error) {
    quernel_choice c = QUERNEL_CHOICE_INIT;
    c.quant = s->best.quant, c.smooth_kind = s->best.kind, c.alpha = s->best.alpha;
    c.calibrator = s->best.recipe.calibrator, c.nonzero = s->o->nonzero;
    c.sqnr = s->best.sqnr, c.off_sqnr = s->off.sqnr,
    c.plain_sqnr = isinf(s->plain.sqnr) ? 0.0 : s->plain.sqnr;
    c.tried = s->tried;
    for (uint32_t i = 0; i < s->f.count; i++) c.held_out += !s->fits[i];
    int code = count_silent(s, &c, error);
    if (!code && c.smooth_kind) code = factors(s, c.smooth_kind, c.alpha, s->smooth, error);
    if (code) return code;
    const size_t all = quernel_i_setting_factors(
        &s->f, s->o->smooth_kinds >> QUERNEL_SMOOTH_COLUMN & 1 ? QUERNEL_SMOOTH_COLUMN
                                                               : QUERNEL_SMOOTH_CHANNEL);
    const size_t used = quernel_i_setting_factors(&s->f, c.smooth_kind);
    for (size_t k = 0; k < all; k++) ret_smooth[k] = k < used ? s->smooth[k] : 1.0f;
    quernel_i_desc_write(CHOICE, ret_choice, &c);
    return QUERNEL_OK;
}

static int check_arguments(const quernel_search_options *o, const quernel_choice *choice,
                           const float *smooth, quernel_error *error) {
    const int code = check_options(o, error);
    if (code) return code;
    if (!choice) return quernel_i_error_null(error, WHERE, "ret_choice");
    if (!smooth) return quernel_i_error_null(error, WHERE, "ret_smooth");
    return quernel_i_desc_check(CHOICE, choice, error);
}

int quernel_search_layer(const quernel_float_layer *layer, const quernel_sample *samples,
                         uint32_t count, const quernel_search_options *options,
                         quernel_choice *ret_choice, float *ret_smooth, quernel_error *error) {
    quernel_search_options wanted = QUERNEL_SEARCH_OPTIONS_INIT;
    const result none = {.sqnr = -INFINITY};
    search s = {.o = &wanted, .best = none, .off = none, .plain = none};
    int code = options ? quernel_i_desc_read(OPTIONS, &wanted, options, error) : QUERNEL_OK;
    if (!code) code = check_arguments(&wanted, ret_choice, ret_smooth, error);
    if (code) return code;
    s.alphas = s.o->alphas ? s.o->alphas : standard_alphas;
    s.alpha_count =
        s.o->alphas ? s.o->alpha_count : sizeof standard_alphas / sizeof *standard_alphas;
    code = quernel_i_ptq_layer_open(layer, samples, count, &s.f, error);
    if (code) return code;
    code = take(&s, error);
    if (!code) code = quernel_i_ptq_layer_check_finite(&s.f, WHERE, error);
    if (!code) split(&s);
    if (!code) code = run(&s, error);
    if (!code) code = report(&s, ret_choice, ret_smooth, error);
    quernel_i_ptq_layer_close(&s.f);
    return code;
}
