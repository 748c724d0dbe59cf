// SPDX-License-Identifier: Apache-2.0
// Cases of normalized rows.
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "data.h"
#include "kcheck.h"

// Rows of ordinary numbers, far and near, some with all that floats can be, or alike.
static void draw_row(rng *r, float *v, uint32_t count) {
    const float reach = rng_one_in(r, 3) ? 100.0f : rng_float(r, 0.01f, 4.0f);
    const float same = rng_one_in(r, 8) ? rng_float(r, -9.0f, 9.0f) : 0.0f;
    data_floats(r, v, count, 0.25f);
    if (rng_one_in(r, 8)) return;
    for (uint32_t i = 0; i < count; i++) v[i] = same ? same : rng_float(r, -reach, reach);
    if (rng_one_in(r, 4)) v[rng_next(r) % count] = -INFINITY; // what a mask has
}

static void fill_row(rng *r, const quernel_i_elements *x, uint8_t *at, uint32_t count) {
    static float v[1024];
    const size_t size = quernel_type_size((quernel_type)x->type);
    if (size == 1) {
        data_bytes(r, (data_kind)(rng_next(r) % DATA_KINDS), at, count, x->type == QUERNEL_TYPE_S8);
        return;
    }
    draw_row(r, v, count);
    for (uint32_t i = 0; i < count; i++, at += size) {
        const uint16_t half = quernel_i_bf16(v[i]);
        if (size == 4) memcpy(at, &v[i], size);
        else memcpy(at, &half, size);
    }
}

static const float *make_table(rng *r, guard *g, uint32_t channels, float lo, float hi) {
    const size_t count = ((size_t)channels + 15) / 16 * 16;
    float *table = guard_take(g, count * sizeof *table, sizeof *table, 0);
    for (uint32_t i = 0; i < channels; i++) table[i] = rng_float(r, lo, hi);
    return table;
}

static quernel_i_elements make_operand(rng *r, guard *g, uint32_t rows, uint32_t channels) {
    static const int32_t types[] = {QUERNEL_TYPE_F32, QUERNEL_TYPE_BF16, QUERNEL_TYPE_S8,
                                    QUERNEL_TYPE_U8};
    quernel_i_elements x = {.type = types[rng_next(r) % 4]};
    const size_t size = quernel_type_size((quernel_type)x.type);
    x.row = (ptrdiff_t)((channels + (rng_one_in(r, 2) ? 0 : rng_next(r) % 40)) * size);
    uint8_t *at = guard_take(g, (rows - 1) * (size_t)x.row + channels * size, size, 0);
    for (uint32_t m = 0; m < rows; m++) fill_row(r, &x, at + m * x.row, channels);
    x.at = at;
    x.zero = x.type == QUERNEL_TYPE_U8 ? rng_int(r, 0, 255) : rng_int(r, -128, 127);
    if (size == 1) x.scales = make_table(r, g, channels, 0.001f, rng_one_in(r, 2) ? 0.1f : 2.0f);
    return x;
}

const char *kcheck_normalize(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                             uint64_t seed, uint64_t number) {
    rng r = rng_make(seed, number);
    const uint32_t most = rng_one_in(&r, 8) ? 1000 : 100;
    quernel_i_normalize n = {.kind = (int32_t)(rng_next(&r) % QUERNEL_I_NORMALIZE_COUNT),
                             .rows = 1 + (uint32_t)(number % 7),
                             .channels = 1 + (uint32_t)((number * 7 + rng_next(&r) % 3) % most),
                             .epsilon = rng_one_in(&r, 4) ? 0.0f : rng_float(&r, 1e-6f, 0.01f)};
    n.x = make_operand(&r, g, n.rows, n.channels);
    if (n.kind != QUERNEL_I_NORMALIZE_SOFTMAX) {
        n.factor = make_table(&r, g, n.channels, -2.0f, 2.0f);
        n.shift = make_table(&r, g, n.channels, -1.0f, 1.0f);
    }
    n.line = guard_take(g, ((size_t)n.channels + 15) / 16 * 16 * sizeof *n.line, 64, 0x5a);
    n.y_row = (ptrdiff_t)n.channels + (rng_one_in(&r, 2) ? 0 : rng_int(&r, 1, 40));
    const size_t bytes = ((n.rows - 1) * (size_t)n.y_row + n.channels) * sizeof(float);
    return kcheck_agree(k, oracle, g, &n, &n.y,
                        (kcheck_elements){bytes, sizeof(float), true, n.line});
}
