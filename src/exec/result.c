// SPDX-License-Identifier: Apache-2.0
// Tiles of values to output, by the kernels of elements and of sums.
#include "exec/result.h"

#include <stddef.h>

uint8_t *quernel_i_result_pixel(const quernel_i_result *r, void *y, uint32_t image, int64_t line,
                                int64_t pixel) {
    const int64_t element = image * r->y.stride_n + line * r->y.stride_h + pixel * r->y.stride_w;
    return (uint8_t *)y + element * (int64_t)quernel_type_size((quernel_type)r->y.type);
}

static quernel_i_elements elements_of(const quernel_i_result *r, const quernel_i_tile *t) {
    quernel_i_elements e = {.type = QUERNEL_TYPE_F32};
    if (t->of == QUERNEL_I_TILE_OF_ELEMENTS && t->type == r->x.type) e = r->x;
    const ptrdiff_t size = (ptrdiff_t)quernel_type_size((quernel_type)e.type);
    e.at = t->data, e.row = (ptrdiff_t)r->y.c * size, e.col = size;
    return e;
}

void quernel_i_result_store(const quernel_i_result *r, const quernel_i_tile *t, void *y) {
    const ptrdiff_t size = (ptrdiff_t)quernel_type_size((quernel_type)r->y.type);
    quernel_i_epilogue f = r->output;
    f.y = quernel_i_result_pixel(r, y, t->image, t->line, t->first);
    f.y_row = r->y.stride_w * size, f.y_col = r->y.stride_c * size;
    if (t->of == QUERNEL_I_TILE_OF_SUMS) {
        f.scale = r->scales, f.bias = r->zeros, f.row_scale = t->factors;
        r->epilogue->run.epilogue(t->data, r->y.c, t->pixels, r->y.c, &f);
        return;
    }
    const bool steps = t->of == QUERNEL_I_TILE_OF_STEPS;
    const uint32_t elements = t->pixels * r->y.c; // a row of all, where channels are alike
    r->eltwise->run.eltwise(&(quernel_i_eltwise){
        .combine = steps ? QUERNEL_I_COMBINE_MUL : QUERNEL_I_COMBINE_COPY,
        .rows = r->flat ? 1 : t->pixels,
        .columns = r->flat ? elements : r->y.c,
        .p_col = !r->flat,
        .x = elements_of(r, t),
        .z = {.at = r->scales, .col = r->flat ? 0 : sizeof(float), .type = QUERNEL_TYPE_F32},
        .epilogue = &f});
}
