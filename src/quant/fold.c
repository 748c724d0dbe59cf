// SPDX-License-Identifier: Apache-2.0
// Batch norms folded into weights, and the weights' maxima.
#include <math.h>

#include "base/desc.h"
#include "base/error.h"
#include "pack/weights.h"
#include "quernel/fold.h"

#define WHERE "fold"

// The same for every caller of this file: f32 weights whose data lie where the descriptor says.
static int read_weights(const quernel_weights_desc *from, quernel_weights_desc *w,
                        quernel_i_weights_shape *ret_shape, quernel_error *error) {
    if (!from) return quernel_i_error_null(error, WHERE, "weights");
    int code = quernel_i_weights_read(from, WHERE, "weights.size", w, error);
    if (!code) code = quernel_i_weights_check(w, ret_shape, error);
    if (code || w->type == QUERNEL_TYPE_F32) return code;
    return quernel_i_error_set(error, QUERNEL_E_VALUE, "type", -1,
                               WHERE ": weights.type: %d: must be f32", w->type);
}

// What a batch norm multiplies an output channel by, and the bias that it leaves.
static double factor(const quernel_batch_norm *b, uint32_t n) {
    return (b->gamma ? (double)b->gamma[n] : 1.0) / sqrt((double)b->variance[n] + b->eps);
}

static double shift(const quernel_batch_norm *b, const float *bias, uint32_t n) {
    const double at = (bias ? (double)bias[n] : 0.0) - (double)b->mean[n];
    return at * factor(b, n) + (b->beta ? (double)b->beta[n] : 0.0);
}

static int read_norm(const quernel_batch_norm *from, quernel_batch_norm *ret,
                     quernel_error *error) {
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_batch_norm, QUERNEL_BATCH_NORM_MIN, WHERE, "norm.size");
    *ret = (quernel_batch_norm)QUERNEL_BATCH_NORM_INIT;
    return from ? quernel_i_desc_read(desc, ret, from, error)
                : quernel_i_error_null(error, WHERE, "norm");
}

static int check_norm(const quernel_batch_norm *b, const float *bias, uint32_t out,
                      quernel_error *error) {
    if (!b->mean) return quernel_i_error_null(error, WHERE, "mean");
    if (!b->variance) return quernel_i_error_null(error, WHERE, "variance");
    if (!(b->eps >= 0.0 && isfinite(b->eps)))
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "eps", -1,
                                   WHERE ": eps: %g: must be finite and >= 0", b->eps);
    for (uint32_t n = 0; n < out; n++) {
        if (!(b->variance[n] >= 0.0f) || !((double)b->variance[n] + b->eps > 0.0))
            return quernel_i_error_set(error, QUERNEL_E_VALUE, "variance", n,
                                       WHERE
                                       ": variance[%u]: %g: must be >= 0, and > 0 with eps (%g)",
                                       n, (double)b->variance[n], b->eps);
        if (!isfinite((float)factor(b, n)) || !isfinite((float)shift(b, bias, n)))
            return quernel_i_error_set(error, QUERNEL_E_VALUE, "norm", n,
                                       WHERE
                                       ": norm: channel %u: factor %g, bias %g: must be finite",
                                       n, factor(b, n), shift(b, bias, n));
    }
    return QUERNEL_OK;
}

// Every weight once: output channel, tap, input channel of the group.
// NOLINTBEGIN(bugprone-macro-parentheses): n, t and c are names that the loops declare
#define EACH_WEIGHT(shape, n, t, c)                 \
    for (uint32_t n = 0; n < (shape).out; n++)      \
        for (uint32_t t = 0; t < (shape).taps; t++) \
            for (uint32_t c = 0; c < (shape).group_in; c++)
// NOLINTEND(bugprone-macro-parentheses)

static const float *weight(const quernel_weights_desc *w, const quernel_i_weights_shape *s,
                           uint32_t n, uint32_t t, uint32_t c, size_t *ret_at) {
    const quernel_i_weights_source from = quernel_i_weights_source_at(w, s, n, t);
    *ret_at = from.first + c * from.step;
    return (const float *)w->data + *ret_at;
}

// Every weight times its channel's factor, into an array without the source's strides. A product
// that is not finite is refused before anything is written.
static int fold_weights(const quernel_batch_norm *norm, const quernel_weights_desc *given,
                        const quernel_i_weights_shape *s, float *ret_weights,
                        quernel_error *error) {
    quernel_weights_desc dense = *given;
    dense.stride = dense.stride_in = 0;
    size_t at;
    EACH_WEIGHT(*s, n, t, c) {
        const float w = *weight(given, s, n, t, c, &at);
        if (!isfinite((float)((double)w * factor(norm, n))))
            return quernel_i_error_set(error, QUERNEL_E_VALUE, "data", (int64_t)at,
                                       WHERE ": data[%zu]: %g: times %g it must be finite", at,
                                       (double)w, factor(norm, n));
    }
    EACH_WEIGHT(*s, n, t, c) {
        const double w = (double)*weight(given, s, n, t, c, &at);
        weight(&dense, s, n, t, c, &at);
        ret_weights[at] = (float)(w * factor(norm, n));
    }
    return QUERNEL_OK;
}

int quernel_batch_norm_fold(const quernel_batch_norm *batch_norm,
                            const quernel_weights_desc *weights, const float *bias,
                            float *ret_weights, float *ret_bias, quernel_error *error) {
    quernel_i_weights_shape s;
    quernel_weights_desc given;
    quernel_batch_norm norm;
    int code = read_weights(weights, &given, &s, error);
    if (!code) code = read_norm(batch_norm, &norm, error);
    if (!code) code = check_norm(&norm, bias, s.out, error);
    if (code) return code;
    if (!ret_weights) return quernel_i_error_null(error, WHERE, "ret_weights");
    if (!ret_bias) return quernel_i_error_null(error, WHERE, "ret_bias");
    if ((code = fold_weights(&norm, &given, &s, ret_weights, error))) return code;
    for (uint32_t n = 0; n < s.out; n++) ret_bias[n] = (float)shift(&norm, bias, n);
    return QUERNEL_OK;
}

static int check_finite(const quernel_weights_desc *w, const quernel_i_weights_shape *s,
                        quernel_error *error) {
    size_t at;
    EACH_WEIGHT(*s, n, t, c) {
        const float value = *weight(w, s, n, t, c, &at);
        if (!isfinite(value))
            return quernel_i_error_set(error, QUERNEL_E_VALUE, "data", (int64_t)at,
                                       WHERE ": data[%zu]: %g: must be finite", at, (double)value);
    }
    return QUERNEL_OK;
}

int quernel_weights_absmax(const quernel_weights_desc *weights, int32_t smooth_kind, float *max,
                           quernel_error *error) {
    quernel_i_weights_shape s;
    quernel_weights_desc given;
    int code = read_weights(weights, &given, &s, error);
    if (!code)
        code = quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "smooth_kind", smooth_kind,
                                     QUERNEL_SMOOTH_CHANNEL, QUERNEL_SMOOTH_COLUMN);
    if (code) return code;
    if (!max) return quernel_i_error_null(error, WHERE, "max");
    if ((code = check_finite(&given, &s, error))) return code;
    size_t at;
    const bool by_column = smooth_kind == QUERNEL_SMOOTH_COLUMN;
    EACH_WEIGHT(s, n, t, c) {
        const size_t channel = (size_t)(n / s.group_out) * s.group_in + c,
                     k = by_column ? channel * s.taps + t : channel;
        max[k] = fmaxf(max[k], fabsf(*weight(&given, &s, n, t, c, &at)));
    }
    return QUERNEL_OK;
}
