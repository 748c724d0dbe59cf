// SPDX-License-Identifier: Apache-2.0
// Strips and chunks: the rows that a task multiplies.
#include <string.h>

#include "base/num.h"
#include "exec/exec.h"
#include "pack/stage.h"

// Input line and column of tap (0, 0) of an output pixel; negative in the padding.
static int64_t input_line(const quernel_i_problem *p, uint32_t line) {
    return (int64_t)line * p->stride_h - p->pad_top;
}
static int64_t input_x(const quernel_i_problem *p, uint32_t x) {
    return (int64_t)x * p->stride_w - p->pad_left;
}

static int64_t clamp_to(int64_t value, int64_t lo, int64_t hi) {
    return value < lo ? lo : value > hi ? hi : value;
}

static bool float_strip(const quernel_i_problem *p, const quernel_i_plan *plan) {
    return plan->rows.path == QUERNEL_I_PATH_IM2COL && quernel_i_problem_float_input(p);
}

static size_t strip_element(const quernel_i_problem *p, const quernel_i_plan *plan) {
    return float_strip(p, plan) ? sizeof(float) : 1;
}

// Bytes from pixel to pixel of the strip: the rows that the kernel reads, or what im2col rows are
// gathered from.
static size_t strip_pixel(const quernel_i_problem *p, const quernel_i_plan *plan) {
    return plan->rows.path == QUERNEL_I_PATH_IM2COL ? p->x.c * strip_element(p, plan)
                                                    : (size_t)plan->rows.pixel;
}

// One stretch of real pixels of a line, in pieces that fit the bf16 buffer.
static void stage_pixels(const quernel_i_task *t, int64_t line, int64_t ix, uint32_t pixels,
                         uint8_t *to) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    const float z = (float)t->image_quant.z;
    const quernel_i_quantizer q = {params->mult, t->image_quant.g, params->lo - z, params->hi - z,
                                   t->image_quant.z + plan->kernels.a_offset};
    const uint32_t step = plan->float_pixels ? plan->float_pixels : pixels;
    for (uint32_t i = 0; i < pixels; i += step) {
        const void *piece = quernel_i_stage_pixel(&p->x, t->call->x, t->image, line, ix + i);
        const uint32_t n = step < pixels - i ? step : pixels - i;
        uint8_t *at = to + i * strip_pixel(p, plan);
        if (float_strip(p, plan)) quernel_i_stage_strip(&p->x, piece, n, (float *)at);
        else if (quernel_i_problem_float_input(p))
            quernel_i_stage_floats(plan->kernels.quantize, &p->x, piece, n, &q,
                                   (float *)(t->slice + plan->workspace.slice.floats), at,
                                   (ptrdiff_t)strip_pixel(p, plan));
        else
            quernel_i_stage_bytes(&p->x, piece, n, plan->kernels.a_offset ? 0x80 : 0, at,
                                  (ptrdiff_t)strip_pixel(p, plan));
    }
}

static void stage_line(const quernel_i_task *t, int64_t line, int64_t ix, uint32_t pixels,
                       uint8_t *to) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const size_t pixel = strip_pixel(p, plan);
    const int fill = float_strip(p, plan) ? 0 : t->zero_byte;
    if (line < 0 || line >= (int64_t)p->x.h) {
        memset(to, fill, pixels * pixel);
        return;
    }
    const int64_t first = clamp_to(ix, 0, p->x.w), last = clamp_to(ix + pixels, first, p->x.w);
    const size_t before = (size_t)clamp_to(first - ix, 0, pixels), real = (size_t)(last - first);
    memset(to, fill, before * pixel);
    if (real) stage_pixels(t, line, first, (uint32_t)real, to + before * pixel);
    memset(to + (before + real) * pixel, fill, (pixels - before - real) * pixel);
}

static size_t strip_line(const quernel_i_problem *p, const quernel_i_plan *plan) {
    return plan->strip.pixels * strip_pixel(p, plan);
}

void quernel_i_strip_stage(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    if (!plan->rows.has_strip) return;
    const uint32_t lines = quernel_i_problem_lines(p, t->y1 - t->y0),
                   pixels = quernel_i_problem_pixels(p, t->x1 - t->x0);
    for (uint32_t i = 0; i < lines; i++)
        stage_line(t, input_line(p, t->y0) + i, input_x(p, t->x0), pixels,
                   t->slice + plan->workspace.slice.strip + i * strip_line(p, plan));
}

const uint8_t *quernel_i_strip_row(const quernel_i_task *t, uint32_t line, uint32_t ix,
                                   uint32_t group_pack) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const size_t channel = (size_t)group_pack * p->weights->shape.subproblem_in;
    if (plan->rows.path == QUERNEL_I_PATH_INPLACE)
        return (const uint8_t *)quernel_i_stage_pixel(&p->x, t->call->x, t->image, input_line(p, line),
                                                input_x(p, ix)) +
               channel;
    return t->slice + plan->workspace.slice.strip +
           (size_t)(line - t->y0) * p->stride_h * (size_t)plan->strip.line +
           (size_t)(ix - t->x0) * p->stride_w * (size_t)plan->rows.pixel + channel;
}

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
    source from = {.element = strip_element(p, plan), .rows = p->kernel_h};
    const size_t channel = (size_t)group_pack * s->subproblem_in * from.element;
    if (!plan->rows.has_strip) { // a 1x1 product over f32 NHWC: float rows are read where they are
        from.base = (const uint8_t *)quernel_i_stage_pixel(&p->x, t->call->x, t->image,
                                                     input_line(p, line), input_x(p, ix)) +
                    channel;
        from.line = p->x.stride_h * (ptrdiff_t)from.element,
        from.pixel = p->x.stride_w * (ptrdiff_t)from.element;
    } else {
        from.line = (ptrdiff_t)strip_line(p, plan), from.pixel = (ptrdiff_t)strip_pixel(p, plan);
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
                mult + s.at, q->g, lo, hi, q->z + plan->kernels.a_offset});
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

void quernel_i_im2col_gather(const quernel_i_task *t, uint32_t line, uint32_t ix, uint32_t pixels,
                          uint32_t group_pack) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    const source from = chunk_source(t, line, ix, group_pack);
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
        const float *given = params->row_scales ? params->row_scales + ix + m : NULL;
        if (given) q = (quernel_i_image_quant){*given, 1.0f / *given, p->quant.zero};
        else q = row_range(t, &from, m, mult);
        scale[m] = q.d;
        term[m] = -(q.z + plan->kernels.a_offset);
        gather_floats(t, &from, m, 1, mult, &q, to);
    }
}

void quernel_i_chunk_sum(const quernel_i_task *t, const quernel_i_gemm *g, uint32_t k_run_bytes) {
    const quernel_i_plan *plan = t->call->plan;
    int32_t *sum = (int32_t *)(t->slice + plan->workspace.slice.row_sum);
    const bool is_signed = plan->kernels.main->a_type == QUERNEL_TYPE_S8;
    for (uint32_t m = 0; m < g->rows; m++) {
        int32_t total = 0;
        for (uint32_t r = 0; r < g->n_k_runs; r++) {
            const uint8_t *k = (const uint8_t *)g->a + m * g->a_row + g->k_runs[r].offset;
            for (uint32_t i = 0; i < k_run_bytes; i++) total += is_signed ? (int8_t)k[i] : k[i];
        }
        sum[m] = total;
    }
}
