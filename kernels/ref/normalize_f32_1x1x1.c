// SPDX-License-Identifier: Apache-2.0
// Normalized rows in plain C: the oracle. docs/numerics.md, rule 11.
#include "kernels/template/elements.h"

enum { LANES = 16 /* of a sum */ };

static float value(const quernel_i_normalize *n, uint32_t m, uint32_t c) {
    const uint8_t *row = (const uint8_t *)n->x.at + m * n->x.row;
    const float v = elements_one(row + (size_t)c * elements_size(n->x.type), n->x.type, n->x.zero);
    return elements_is_codes(n->x.type) ? v * n->x.scales[c] : v;
}

// Of the values, or of their squares: v·1 + s is v + s.
static float sum(const float *v, uint32_t count, bool of_squares) {
    float s[LANES] = {0};
    for (uint32_t c = 0; c < count; c++)
        s[c % LANES] = fmaf(v[c], of_squares ? v[c] : 1.0f, s[c % LANES]);
    for (int step = LANES / 2; step; step /= 2)
        for (int l = 0; l < step; l++) s[l] = s[l] + s[l + step];
    return s[0];
}

static float power(float t) {
    const quernel_i_exponential e = quernel_i_exp(t);
    return t < -87.0f ? 0.0f : fmaf(e.s, e.q, e.s);
}

static void softmax(const quernel_i_normalize *n, float *y) {
    float *v = n->line, max = -INFINITY;
    for (uint32_t c = 0; c < n->channels; c++) max = v[c] > max ? v[c] : max;
    for (uint32_t c = 0; c < n->channels; c++) v[c] = power(v[c] - max);
    const float share = 1.0f / sum(v, n->channels, false);
    for (uint32_t c = 0; c < n->channels; c++) y[c] = v[c] * share;
}

static void centre(const quernel_i_normalize *n) {
    const float mean = sum(n->line, n->channels, false) / (float)n->channels;
    for (uint32_t c = 0; c < n->channels; c++) n->line[c] = n->line[c] - mean;
}

static void scale(const quernel_i_normalize *n, float *y) {
    const float *u = n->line, mean = sum(u, n->channels, true) / (float)n->channels,
                d = 1.0f / __builtin_sqrtf(mean + n->epsilon);
    for (uint32_t c = 0; c < n->channels; c++) y[c] = fmaf(u[c] * d, n->factor[c], n->shift[c]);
}

void quernel_uk_normalize_f32_1x1x1_ref(const quernel_i_normalize *n) {
    for (uint32_t m = 0; m < n->rows; m++) {
        float *y = n->y + m * n->y_row;
        for (uint32_t c = 0; c < n->channels; c++) n->line[c] = value(n, m, c);
        if (n->kind == QUERNEL_I_NORMALIZE_SOFTMAX) {
            softmax(n, y);
            continue;
        }
        if (n->kind == QUERNEL_I_NORMALIZE_LAYER) centre(n);
        scale(n, y);
    }
}
