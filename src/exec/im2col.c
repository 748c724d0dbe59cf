// SPDX-License-Identifier: Apache-2.0
// im2col: the rows of a chunk of output pixels, gathered from a strip (or from x) tap by tap, and
// quantized on the way where the strip holds floats.
#include <string.h>

#include "base/num.h"
#include "exec/strip.h"

// A contiguous stretch of one im2col row: a kernel row where the taps lie side by side, else one
// tap.
typedef struct stretch {
    const uint8_t *from; // of the chunk's first pixel
    size_t at, count;    // first k and number of k
} stretch;

// The source that im2col rows of a chunk are gathered from.
typedef struct source {
    const uint8_t *base;   // tap (0, 0) of the chunk's first pixel
    ptrdiff_t line, pixel; // bytes
    size_t element;
    uint32_t rows, per_row; // stretches: kernel rows, and stretches of each
    uint32_t length;        // k of a stretch
} source;

static source chunk_source(const quernel_i_task *t, uint32_t line, uint32_t ix,
                           uint32_t group_pack) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_weights_shape *s = &p->weights->shape;
    source from = {.element = quernel_i_strip_element(p, plan), .rows = p->kernel_h};
    const size_t channel = (size_t)group_pack * s->subproblem_in * from.element;
    if (!plan->rows.has_strip) { // a 1x1 product over f32 NHWC: float rows are read where they are
        from.base = (const uint8_t *)quernel_i_stage_pixel(&p->x, t->call->x, t->image,
                                                           quernel_i_strip_input_line(p, line),
                                                           quernel_i_strip_input_x(p, ix)) +
                    channel;
        from.line = p->x.stride_h * (ptrdiff_t)from.element,
        from.pixel = p->x.stride_w * (ptrdiff_t)from.element;
    } else {
        from.line = (ptrdiff_t)quernel_i_strip_line(p, plan),
        from.pixel = (ptrdiff_t)quernel_i_strip_pixel(p, plan);
        from.base = t->slice + plan->workspace.slice.strip +
                    (ptrdiff_t)(line - t->y0) * p->stride_h * from.line +
                    (ptrdiff_t)(ix - t->x0) * p->stride_w * from.pixel + channel;
    }
    const bool whole = s->subproblem_in == p->x.c && p->dilation_w == 1 &&
                       from.pixel == (ptrdiff_t)(p->x.c * from.element);
    from.per_row = whole ? 1 : p->kernel_w;
    from.length = whole ? s->k_run_length : s->subproblem_in;
    return from;
}

static stretch stretch_at(const quernel_i_problem *p, const source *from, uint32_t row,
                          uint32_t tap) {
    return (stretch){from->base + (ptrdiff_t)row * p->dilation_h * from->line +
                         (ptrdiff_t)tap * p->dilation_w * from->pixel,
                     (size_t)row * p->weights->shape.run_k_quads * 4 + (size_t)tap * from->length,
                     from->length};
}

static void gather_bytes(const quernel_i_task *t, const source *from, uint32_t pixels,
                         uint8_t *to) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    for (uint32_t r = 0; r < from->rows; r++)
        for (uint32_t c = 0; c < from->per_row; c++) {
            const stretch s = stretch_at(p, from, r, c);
            for (uint32_t m = 0; m < pixels; m++)
                memcpy(to + m * plan->rows.pixel + s.at,
                       s.from + (ptrdiff_t)m * p->stride_w * from->pixel, s.count);
        }
}

static void gather_floats(const quernel_i_task *t, const source *from, uint32_t first,
                          uint32_t pixels, const float *mult, const quernel_i_image_quant *q,
                          uint8_t *to) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    const ptrdiff_t step = (ptrdiff_t)p->stride_w * from->pixel;
    const float z = (float)q->z;
    const float lo = params->lo - z, hi = params->hi - z;
    for (uint32_t r = 0; r < from->rows; r++)
        for (uint32_t c = 0; c < from->per_row; c++) {
            const stretch s = stretch_at(p, from, r, c);
            plan->kernels.gather->run.quantize(&(quernel_i_quantize_args){
                (const float *)(s.from + first * step), step / (ptrdiff_t)sizeof(float), 1, pixels,
                (uint32_t)s.count, to + first * plan->rows.pixel + s.at, plan->rows.pixel,
                mult + s.at, q->g, lo, hi, q->z + plan->kernels.a_offset, plan->streams.near});
        }
}

static quernel_i_image_quant row_range(const quernel_i_task *t, const source *from, uint32_t pixel,
                                       const float *mult) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    float min = 0.0f, max = 0.0f;
    for (uint32_t r = 0; r < from->rows; r++)
        for (uint32_t c = 0; c < from->per_row; c++) {
            const stretch s = stretch_at(p, from, r, c);
            const uint8_t *at = s.from + (ptrdiff_t)pixel * p->stride_w * from->pixel;
            plan->kernels.range->run.range(&(quernel_i_range){(const float *)at, (ptrdiff_t)s.count,
                                                              1, 1, (uint32_t)s.count, mult + s.at,
                                                              &min, &max});
        }
    const quernel_i_scale q =
        quernel_i_scale_of(min, max, p->quant.type == QUERNEL_TYPE_S8, p->quant.asymmetric);
    return (quernel_i_image_quant){q.d, 1.0f / q.d, q.z};
}

void quernel_i_im2col_gather(const quernel_i_task *t, uint32_t line, uint32_t ox, uint32_t pixels,
                             uint32_t group_pack) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    const source from = chunk_source(t, line, ox, group_pack);
    uint8_t *to = t->slice + plan->workspace.slice.packed;
    if (!quernel_i_problem_float_input(p)) {
        gather_bytes(t, &from, pixels, to);
        return;
    }
    const float *mult = params->mult + (size_t)group_pack * p->weights->shape.k_quads * 4;
    if (!quernel_i_problem_by_row(p) && !params->row_scales) {
        gather_floats(t, &from, 0, pixels, mult, &t->image_quant, to);
        return;
    }
    float *scale = (float *)(t->slice + plan->workspace.slice.row_scale);
    int32_t *term = (int32_t *)(t->slice + plan->workspace.slice.row_term);
    for (uint32_t m = 0; m < pixels; m++) {
        quernel_i_image_quant q;
        const float *given = params->row_scales ? params->row_scales + ox + m : NULL;
        if (given) q = (quernel_i_image_quant){*given, 1.0f / *given, p->quant.zero};
        else q = row_range(t, &from, m, mult);
        scale[m] = q.d;
        term[m] = -(q.z + plan->kernels.a_offset);
        gather_floats(t, &from, m, 1, mult, &q, to);
    }
}
