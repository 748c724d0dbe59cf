// SPDX-License-Identifier: Apache-2.0
// Values to output, by the epilogue kernels.
#include "exec/result.h"

#include <stddef.h>

uint8_t *quernel_i_result_pixel(const quernel_i_result *r, void *y, uint32_t image, int64_t line,
                                int64_t pixel) {
    const int64_t element = image * r->y.stride_n + line * r->y.stride_h + pixel * r->y.stride_w;
    return (uint8_t *)y + element * (int64_t)quernel_type_size((quernel_type)r->y.type);
}

static const float *at(const float *table, uint32_t n) { return table ? table + n : NULL; }

static quernel_i_epilogue epilogue_from(const quernel_i_result *r, const quernel_i_values *v,
                                        uint32_t n, void *y) {
    const ptrdiff_t size = (ptrdiff_t)quernel_type_size((quernel_type)r->y.type);
    return (quernel_i_epilogue){
        .y = quernel_i_result_pixel(r, y, v->image, v->line, v->first) + n * r->y.stride_c * size,
        .y_row = r->y.stride_w * size,
        .y_col = r->y.stride_c * size,
        .out = r->y.type,
        .act = (int32_t)r->act,
        .scale = at(r->scale, n),
        .bias = at(r->bias, n),
        .row_scale = v->factors,
        .slope = at(r->slope, n),
        .act_lo = at(r->act_lo, n),
        .act_hi = at(r->act_hi, n),
        .out_scale = at(r->out_scale, n),
        .q_lo = r->q_lo,
        .q_hi = r->q_hi,
        .q_zero = r->q_zero,
    };
}

// Floats are the residual of sums that are 0: fma(v, c, fma(0, c, 0)).
enum { ZEROS = 256 }; // channels at a time: 1 KiB that stays in L1

static void store_floats(const quernel_i_result *r, const quernel_i_values *v, void *y) {
    static const int32_t zeros[ZEROS];
    for (uint32_t n = 0; n < r->y.c; n += ZEROS) {
        quernel_i_epilogue f = epilogue_from(r, v, n, y);
        f.residual = (const float *)v->data + n;
        f.r_row = (ptrdiff_t)(r->y.c * sizeof(float));
        f.r_col = sizeof(float);
        f.r_type = QUERNEL_TYPE_F32;
        f.r_scale = f.scale;
        const uint32_t left = r->y.c - n;
        r->epilogue->run.epilogue(zeros, 0, v->pixels, left < ZEROS ? left : ZEROS, &f);
    }
}

void quernel_i_result_store(const quernel_i_result *r, const quernel_i_values *v, void *y) {
    if (v->is_float) {
        store_floats(r, v, y);
        return;
    }
    const quernel_i_epilogue f = epilogue_from(r, v, 0, y);
    r->epilogue->run.epilogue(v->data, r->y.c, v->pixels, r->y.c, &f);
}
