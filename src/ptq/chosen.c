// SPDX-License-Identifier: Apache-2.0
// Opening a float layer as it was chosen, and its tables by docs/numerics.md, rules 1 to 3.
#include "ptq/chosen.h"

#include "base/desc.h"
#include "base/num.h"

#define WHERE "audit"

static int check_choice(const quernel_choice *choice, const float *smooth, quernel_error *error) {
    int code = quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "choice.smooth_kind",
                                     choice->smooth_kind, 0, QUERNEL_SMOOTH_COLUMN);
    if (!code)
        code = quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "choice.calibrator",
                                     choice->calibrator, 0, QUERNEL_CALIBRATOR_MSE);
    return code || !choice->smooth_kind || smooth ? code
                                                  : quernel_i_error_null(error, WHERE, "smooth");
}

static int take(quernel_i_chosen *a, quernel_error *error) {
    const size_t outputs = quernel_i_ptq_layer_max_outputs(&a->f);
    const size_t rows = a->f.k * a->f.shape.groups, weights = a->f.k * a->f.shape.out;
    a->y = quernel_i_arena_take(&a->f.arena, outputs, sizeof(float), error);
    a->multiplier = a->y ? quernel_i_arena_take(&a->f.arena, rows, sizeof(float), error) : NULL;
    a->smoothed =
        a->multiplier ? quernel_i_arena_take(&a->f.arena, weights, sizeof(float), error) : NULL;
    a->quantized =
        a->smoothed ? quernel_i_arena_take(&a->f.arena, weights, sizeof(float), error) : NULL;
    return a->quantized ? QUERNEL_OK : QUERNEL_E_MEMORY;
}

int quernel_i_chosen_open(const quernel_float_layer *layer, const quernel_choice *choice,
                          const float *smooth, const quernel_sample *samples, uint32_t count,
                          quernel_i_chosen *ret, quernel_error *error) {
    if (!choice) return quernel_i_error_null(error, WHERE, "choice");
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_choice, QUERNEL_CHOICE_MIN, WHERE, "choice.size");
    quernel_i_chosen a = {.choice = QUERNEL_CHOICE_INIT};
    int code = quernel_i_desc_read(desc, &a.choice, choice, error);
    if (!code) code = check_choice(&a.choice, smooth, error);
    if (code) return code;
    a.setting = (quernel_i_setting){
        .kind = a.choice.smooth_kind, .alpha = a.choice.alpha, .smooth = smooth};
    if ((code = quernel_i_ptq_layer_open(layer, samples, count, &a.f, error))) return code;
    if ((code = take(&a, error))) quernel_i_chosen_close(&a);
    else *ret = a;
    return code;
}

void quernel_i_chosen_close(quernel_i_chosen *a) { quernel_i_ptq_layer_close(&a->f); }

// A row of both matrices: the float weights smoothed, and what rounding makes of them.
static void fill_row(quernel_i_chosen *a, size_t row, float factor, const float *scale) {
    const uint32_t out = a->f.shape.group_out;
    for (size_t n = 0; n < out; n++) {
        const size_t at = row * out + n;
        const float w = a->f.matrix[at] * factor, d = scale[n];
        a->smoothed[at] = w;
        a->quantized[at] = (float)quernel_i_rne(quernel_i_clamp(w / d, -127.0f, 127.0f)) * d;
    }
}

int quernel_i_chosen_fill(quernel_i_chosen *a, const float **ret_scale, quernel_error *error) {
    const quernel_i_weights_shape *s = &a->f.shape;
    const quernel_i_setting *setting = &a->setting;
    quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
    const int code = quernel_weights_get(setting->weights, &info);
    if (code)
        return quernel_i_error_set(error, code, "weights", -1, WHERE ": weights: cannot be read");
    const bool is_static = a->choice.quant.mode == QUERNEL_QUANT_STATIC;
    for (uint32_t g = 0; g < s->groups; g++)
        for (size_t k = 0; k < a->f.k; k++) {
            const size_t row = g * a->f.k + k;
            const float factor =
                quernel_i_ptq_layer_smooth(&a->f, setting->kind, setting->smooth, g, k);
            a->multiplier[row] = 1.0f / (is_static ? factor * a->choice.quant.scale : factor);
            fill_row(a, row, factor, info.scale + (size_t)g * s->group_out);
        }
    *ret_scale = info.scale;
    return QUERNEL_OK;
}
